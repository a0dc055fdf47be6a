import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { createEngine } from "../../shared/engine/registry.ts";
import { modelFiles } from "../../shared/model/files-node.ts";
import { openWholeModel } from "../../shared/train/whole-model.ts";
import { goldenJson } from "./helpers.ts";

const FILE = join(fileURLToPath(new URL("../../models/smollm2-135m", import.meta.url)), "model.gguf");
const MISSING = existsSync(FILE) ? "" : " (skipped: run node scripts/fetch-smollm2.mjs)";

interface Golden {
  readonly text: string;
  readonly ids: number[];
  readonly lossSum: number;
  readonly lastLogits: number[];
}

it.skipIf(MISSING !== "")(
  `SmolLM2-135M from its GGUF file gives the ids, the loss and the logits that transformers gives${MISSING}`,
  async () => {
    const { text, ids, lossSum, lastLogits } = goldenJson<Golden>("smollm2.json");
    const engine = await createEngine("onnxruntime", { threads: 2 });
    try {
      const { runner, tokenizer } = await openWholeModel(modelFiles(FILE), engine);
      expect([...tokenizer.encode(text)]).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
      const input = Int32Array.from(ids);
      const lengths = Int32Array.of(ids.length);
      const logits = await runner.lastLogitsOf(input, lengths);
      lastLogits.forEach((logit, i) => {
        expect(logits[i]).toBeCloseTo(logit, 3);
      });
      const labels = Int32Array.from([...ids.slice(1), -100]);
      const loss = await runner.lossOf(input, labels, lengths, { step: 0, microBatch: 0, training: false });
      expect(Math.abs(loss.lossSum / lossSum - 1)).toBeLessThan(1e-5);
      await runner.dispose();
    } finally {
      await engine.dispose();
    }
  },
);
