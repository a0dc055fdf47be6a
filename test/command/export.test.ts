/** `narrowband export`: merged models, and adapters joined from parts. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  directoryFiles,
  openModelDirectory,
  readAdapterDirectory,
  writeAdapterDirectory,
} from "../../shared/model/files-node.ts";
import { readConfig } from "../../shared/model/hf-directory.ts";
import { adaptedLinears, loraNames } from "../../shared/model/lora.ts";
import type { Adapter } from "../../shared/model/peft.ts";
import { golden, temporaryDirectory } from "../model/helpers.ts";
import { run } from "./helpers.ts";

const model = golden("llama");
const adapter = golden("llama", "adapter");

/** The part of an adapter that stands on some blocks. */
async function part(
  layers: number[],
  change: (whole: Adapter) => Adapter = (whole) => whole,
): Promise<string> {
  const { config } = await readConfig(directoryFiles(model));
  const whole = change(await readAdapterDirectory(adapter));
  const names = layers.flatMap((layer) =>
    adaptedLinears(config, whole.lora, layer, layer + 1).flatMap(({ path }) =>
      Object.values(loraNames(path)),
    ),
  );
  const tensors = new Map(names.map((name) => [name, whole.tensors.get(name)!]));
  const directory = join(temporaryDirectory(), "part");
  await writeAdapterDirectory(directory, config, { ...whole, layers, tensors });
  return directory;
}

describe("export", () => {
  it("writes the model that base and adapter make together, in the base's own element type", async () => {
    const out = join(temporaryDirectory(), "merged");
    const ran = await run(["export", "--model", model, "--adapter", adapter, "--out", out, "--json"]);
    expect(ran.exit, ran.stderr).toBe(0);
    expect(ran.json()[0]).toMatchObject({ as: "model", dtype: "F32" });
    const base = await openModelDirectory(model);
    const merged = await openModelDirectory(out);
    const { lora, tensors } = await readAdapterDirectory(adapter);
    const path = "model.layers.1.self_attn.q_proj";
    const { a, b } = loraNames(path);
    const [A, B] = [tensors.get(a)!, tensors.get(b)!];
    const [before, after] = [
      await base.tensors.read(`${path}.weight`),
      await merged.tensors.read(`${path}.weight`),
    ];
    const [out0, in0] = await base.tensors.shape(`${path}.weight`);
    for (let o = 0; o < out0; o += 5)
      for (let i = 0; i < in0; i += 7) {
        let delta = 0;
        for (let k = 0; k < lora.r; k++) delta += B.data[o * lora.r + k] * A.data[k * in0 + i];
        expect(after[o * in0 + i]).toBeCloseTo(before[o * in0 + i] + (lora.alpha / lora.r) * delta, 5);
      }
    const embedding = "model.embed_tokens.weight";
    expect(await merged.tensors.read(embedding)).toEqual(await base.tensors.read(embedding));
    await base.close();
    await merged.close();
  });

  it("writes another element type when asked", async () => {
    const out = join(temporaryDirectory(), "merged");
    await run(["export", "--model", model, "--adapter", adapter, "--out", out, "--dtype", "bf16"]);
    const merged = await openModelDirectory(out);
    expect(await merged.tensors.dtype("model.embed_tokens.weight")).toBe("BF16");
    await merged.close();
  });

  it("joins the parts of a client and a server into the adapter that they are of", async () => {
    const out = join(temporaryDirectory(), "joined");
    const [client, server] = [await part([0, 2]), await part([1])];
    const flags = ["--model", model, "--adapter", client, "--adapter", server, "--out", out];
    const ran = await run(["export", "--as", "adapter", ...flags]);
    expect(ran.exit, ran.stderr).toBe(0);
    const [joined, whole] = [await readAdapterDirectory(out), await readAdapterDirectory(adapter)];
    expect(joined.layers).toBeUndefined();
    expect([...joined.tensors.keys()].sort()).toEqual([...whole.tensors.keys()].sort());
    for (const [name, { data }] of whole.tensors) expect(joined.tensors.get(name)!.data).toEqual(data);
  });

  it("refuses parts that overlap, or that differ in rank or scale", async () => {
    const refused = async (parts: string[], why: string) => {
      const flags = parts.flatMap((directory) => ["--adapter", directory]);
      const out = join(temporaryDirectory(), "out");
      const { exit, stderr } = await run([
        "export",
        "--as",
        "adapter",
        "--model",
        model,
        ...flags,
        "--out",
        out,
      ]);
      expect(exit).toBe(2);
      expect(stderr).toContain("NB_ADAPTER_INVALID");
      expect(stderr).toContain(why);
    };
    await refused([await part([0, 1]), await part([1, 2])], "both have");
    const louder = await part([1], (whole) => ({ ...whole, lora: { ...whole.lora, alpha: 99 } }));
    await refused([await part([0]), louder], '"alpha":99');
  });

  it("does not write over what it reads, nor, unasked, over what is there", async () => {
    const copy = join(temporaryDirectory(), "model");
    cpSync(model, copy, { recursive: true });
    const same = await run([
      "export",
      "--model",
      copy,
      "--adapter",
      adapter,
      "--out",
      `${copy}/`,
      "--overwrite",
    ]);
    expect(same.exit).toBe(2);
    const out = join(temporaryDirectory(), "there");
    mkdirSync(out);
    writeFileSync(join(out, "config.json"), "{}");
    const flags = ["export", "--model", model, "--adapter", adapter, "--out", out];
    const refused = await run(flags);
    expect(refused.exit).toBe(2);
    expect(refused.stderr).toContain("--overwrite");
    expect((await run([...flags, "--overwrite"])).exit).toBe(0);
  });
});
