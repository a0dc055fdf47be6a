/** What the server expects of clients' adapters is what they send. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEngine } from "../../shared/engine/registry.ts";
import { clientAdapterOutline, loadClientRunners } from "../../shared/job/runners.ts";
import { openModelDirectory } from "../../shared/model/files-node.ts";
import { flattenAdapters } from "../../shared/protocol/adapters.ts";
import { writeRandomModel } from "../command/helpers.ts";
import { JOB } from "../protocol/world.ts";

const root = mkdtempSync(join(tmpdir(), "narrowband-outline-"));
let directory: string;

beforeAll(async () => {
  directory = await writeRandomModel(join(root, "model"));
});
afterAll(() => rmSync(root, { recursive: true }));

it.each([
  ["u-shape", []],
  ["vanilla", []],
  ["u-shape", ["q_proj", "v_proj"]],
] as const)(
  "the outline of a %s split with targets %j is that of its clients' adapters",
  async (split, targetModules) => {
    const model = await openModelDirectory(directory);
    const engine = await createEngine("onnxruntime", { threads: 1 });
    try {
      const { hiddenSize: hidden, vocabSize: vocabulary, layers } = model.config;
      const job = {
        ...JOB,
        split,
        aggregation: "fedavg" as const,
        lora: { ...JOB.lora, rank: 2, targetModules: [...targetModules] },
        model: { ...JOB.model, hidden, vocabulary, bottomBlocks: 1, topBlocks: 1, trunkBlocks: layers - 2 },
      };
      const { bottom, top } = await loadClientRunners(job, model, engine);
      const flat = flattenAdapters(new Map([...bottom.adapters(), ...(top?.adapters() ?? [])]));
      expect(clientAdapterOutline(job, model.config)).toEqual({
        digest: flat.digest,
        totalBytes: flat.data.length,
      });
      expect(clientAdapterOutline({ ...job, aggregation: "personal" }, model.config)).toBeUndefined();
      await bottom.dispose();
      await top?.dispose();
    } finally {
      await model.close();
      await engine.dispose();
    }
  },
);
