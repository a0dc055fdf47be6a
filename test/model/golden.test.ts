import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createOnnxRuntimeEngine } from "../../shared/engine/onnxruntime-node.ts";
import { segmentsOf, wholeModel } from "../../shared/model/cut.ts";
import { pad, unpad } from "../../shared/train/padding.ts";
import { evaluationProgram, LOGITS, type SegmentSpec } from "../../shared/train/programs.ts";
import { BottomRunner, SegmentRunner, TopRunner, TrunkRunner } from "../../shared/train/segment-runner.ts";
import { expectClose, largestDifference, relativeDifference } from "../tensors.ts";
import {
  adaptersOf,
  EVALUATION,
  expectedUnder,
  FULL_GOLDENS,
  fullSpec,
  GOLDENS,
  type Golden,
  loadGolden,
  loraSpec,
  runnerOptions,
  TRAINING,
} from "./golden-cases.ts";

let engine: Engine;
beforeAll(() => {
  engine = createOnnxRuntimeEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

/** Logits of every real position. */
async function logits(golden: Golden, spec: SegmentSpec): Promise<Float32Array> {
  const { batch, config } = golden;
  const bucket = { rows: batch.lengths.length, length: 16 };
  const program = evaluationProgram(spec, bucket, LOGITS);
  const executable = await engine.compile(program);
  const ids = pad(batch.ids, batch.lengths, bucket, 1, new Int32Array(bucket.rows * bucket.length));
  const feeds: Record<string, Float32Array | Int32Array> = { ids };
  for (const [name, data] of golden.weights) feeds[name] = data;
  for (const [name, { data }] of golden.adapters) feeds[name] = data;
  const result = await executable.run(feeds);
  await executable.dispose();
  return unpad(result[LOGITS], batch.lengths, bucket, config.vocabSize);
}

describe.each(GOLDENS)("the %s model agrees with PyTorch", (name) => {
  let golden: Golden;
  beforeAll(async () => {
    golden = await loadGolden(name);
  });

  it("in the base model's logits", async () => {
    const actual = await logits(golden, fullSpec(golden, wholeModel(golden.config)));
    expect(largestDifference(actual, golden.expected.get("base.logits")!.data)).toBeLessThanOrEqual(1e-4);
  });

  it("in the adapted model's logits", async () => {
    const actual = await logits(golden, loraSpec(golden, wholeModel(golden.config)));
    expect(largestDifference(actual, golden.expected.get("lora.logits")!.data)).toBeLessThanOrEqual(1e-4);
  });

  it("in loss and all LoRA gradients", async () => {
    const spec = loraSpec(golden, wholeModel(golden.config));
    const runner = new SegmentRunner(runnerOptions(golden, spec, engine));
    runner.loadAdapters(golden.adapters);
    const { ids, labels, lengths } = golden.batch;
    const { lossSum, supervisedTokens } = await runner.lossOf(ids, labels, lengths, TRAINING);
    expect(supervisedTokens).toBe(golden.json.supervisedTokens);
    expect(Math.abs(lossSum / golden.json.lora.lossSum - 1)).toBeLessThan(1e-5);
    expectClose(runner.gradients(), expectedUnder(golden, "lora.gradient."), 1e-4);
    await runner.dispose();
  });

  it.each(["none", "block"] as const)(
    "when split in three, rematerialising %s: hidden states, their gradients, LoRA gradients",
    async (rematerialise) => {
      const ranges = segmentsOf(golden.config, { bottomBlocks: 1, topBlocks: 1 });
      const options = (range: typeof ranges.bottom) =>
        runnerOptions(golden, loraSpec(golden, range, rematerialise), engine);
      const bottom = new BottomRunner(options(ranges.bottom));
      const trunk = new TrunkRunner(options(ranges.trunk));
      const top = new TopRunner(options(ranges.top));
      for (const part of [bottom, trunk, top]) part.loadAdapters(adaptersOf(golden, part.spec));

      const { batch, expected } = golden;
      const first = await bottom.forward(batch, TRAINING);
      const last = await trunk.forward(first.output, batch.lengths, TRAINING);
      const loss = await top.loss(last.output, batch.labels, batch.lengths, TRAINING);
      const lastGradient = loss.gradient as Float32Array;
      const firstGradient = await trunk.backward(last.saved!, lastGradient);
      await bottom.backward(first.saved!, firstGradient);

      const tensor = (key: string): Float32Array => expected.get(key)!.data;
      expect(relativeDifference(first.output, tensor("lora.hidden.first"))).toBeLessThanOrEqual(1e-5);
      expect(relativeDifference(last.output, tensor("lora.hidden.last"))).toBeLessThanOrEqual(1e-5);
      expect(Math.abs(loss.lossSum / golden.json.lora.lossSum - 1)).toBeLessThan(1e-5);
      expect(relativeDifference(lastGradient, tensor("lora.hidden_gradient.last"))).toBeLessThanOrEqual(1e-4);
      expect(relativeDifference(firstGradient, tensor("lora.hidden_gradient.first"))).toBeLessThanOrEqual(
        1e-4,
      );
      const gradients = new Map([bottom, trunk, top].flatMap((part) => [...part.gradients()]));
      expectClose(gradients, expectedUnder(golden, "lora.gradient."), 1e-4);
      for (const part of [bottom, trunk, top]) await part.dispose();
    },
  );
});
