import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { segmentsOf, wholeModel } from "../../shared/model/cut.ts";
import type { SegmentSpec } from "../../shared/train/programs.ts";
import { SegmentRunner } from "../../shared/train/segment-runner.ts";
import { expectClose, largestDifference, relativeDifference } from "../tensors.ts";
import {
  allLogits,
  EVALUATION,
  expectedUnder,
  FULL_GOLDENS,
  fullSpec,
  GOLDENS,
  type Golden,
  loadGolden,
  loraSpec,
  passThrough,
  runnerOptions,
  splitRunners,
  TRAINING,
} from "./golden-cases.ts";

const REMATERIALISE: readonly SegmentSpec["rematerialise"][] = ["none", "block"];
const CUT = { bottomBlocks: 1, topBlocks: 1 };

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine("onnxruntime", { threads: 1 });
});
afterAll(() => engine.dispose());

describe.each(GOLDENS)("the %s model agrees with PyTorch", (name) => {
  let golden: Golden;
  beforeAll(async () => {
    golden = await loadGolden(name);
  });
  const expected = (key: string): Float32Array => golden.expected.get(key)?.data as Float32Array;
  const whole = (): SegmentSpec => loraSpec(golden, wholeModel(golden.config));

  it("in the base model's logits, to 1e-4", async () => {
    const logits = await allLogits(golden, fullSpec(golden, wholeModel(golden.config)), engine);
    expect(largestDifference(logits, expected("base.logits"))).toBeLessThanOrEqual(1e-4);
  });

  it("in the adapted model's logits, to 1e-4", async () => {
    const logits = await allLogits(golden, whole(), engine);
    expect(largestDifference(logits, expected("lora.logits"))).toBeLessThanOrEqual(1e-4);
  });

  it("in the logits of each row's last position, rows being of different lengths", async () => {
    const runner = new SegmentRunner(runnerOptions(golden, whole(), engine));
    runner.loadAdapters(golden.adapters);
    const { ids, lengths } = golden.batch;
    const logits = await runner.lastLogitsOf(ids, lengths);
    const { vocabSize } = golden.config;
    let end = 0;
    lengths.forEach((length, row) => {
      end += length;
      const reference = expected("lora.logits").subarray((end - 1) * vocabSize, end * vocabSize);
      const ours = logits.subarray(row * vocabSize, (row + 1) * vocabSize);
      expect(largestDifference(ours, reference)).toBeLessThanOrEqual(1e-4);
    });
    await runner.dispose();
  });

  it("in the logits of as many of each row's last positions as are asked for", async () => {
    const runner = new SegmentRunner(runnerOptions(golden, whole(), engine));
    runner.loadAdapters(golden.adapters);
    const { ids, lengths } = golden.batch;
    const counts = lengths.map((length, row) => Math.min(length, 3 - (row % 2)));
    const logits = await runner.lastLogitsOf(ids, lengths, counts);
    const { vocabSize } = golden.config;
    let end = 0;
    let at = 0;
    lengths.forEach((length, row) => {
      end += length;
      const size = counts[row] * vocabSize;
      const reference = expected("lora.logits").subarray(end * vocabSize - size, end * vocabSize);
      expect(largestDifference(logits.subarray(at, at + size), reference)).toBeLessThanOrEqual(1e-4);
      at += size;
    });
    expect(logits.length).toBe(at);
    await runner.dispose();
  });

  it("in loss and all LoRA gradients, to 1e-4 of the largest", async () => {
    const runner = new SegmentRunner(runnerOptions(golden, whole(), engine));
    runner.loadAdapters(golden.adapters);
    const { ids, labels, lengths } = golden.batch;
    const { lossSum, supervisedTokens, gradient } = await runner.lossOf(ids, labels, lengths, TRAINING);
    expect(supervisedTokens).toBe(golden.json.supervisedTokens);
    expect(gradient).toBeUndefined();
    expect(relativeDifference([lossSum], [golden.json.lora.lossSum])).toBeLessThan(1e-6);
    expectClose(runner.gradients(), expectedUnder(golden, "lora.gradient."), 1e-4);
    const evaluated = await runner.lossOf(ids, labels, lengths, EVALUATION);
    expect(relativeDifference([evaluated.lossSum], [lossSum])).toBeLessThan(1e-6);
    await runner.dispose();
  });

  it.each(REMATERIALISE)(
    "when split in three, rematerialising %s: hidden states and their gradients, loss, LoRA gradients",
    async (rematerialise) => {
      const runners = splitRunners(golden, CUT, engine, rematerialise);
      const pass = await passThrough(runners, golden.batch, TRAINING);
      expect(relativeDifference(pass.hidden.first, expected("lora.hidden.first"))).toBeLessThanOrEqual(1e-5);
      expect(relativeDifference(pass.hidden.last, expected("lora.hidden.last"))).toBeLessThanOrEqual(1e-5);
      expect(relativeDifference([pass.lossSum], [golden.json.lora.lossSum])).toBeLessThan(1e-6);
      for (const at of ["first", "last"] as const) {
        const reference = expected(`lora.hidden_gradient.${at}`);
        expect(relativeDifference(pass.hiddenGradient[at], reference)).toBeLessThanOrEqual(1e-4);
      }
      expectClose(pass.gradients, expectedUnder(golden, "lora.gradient."), 1e-4);
      await runners.dispose();
    },
  );

  it.each(REMATERIALISE)(
    "and split, rematerialising %s, with itself unsplit, to 1e-5",
    async (rematerialise) => {
      const runner = new SegmentRunner(runnerOptions(golden, whole(), engine));
      runner.loadAdapters(golden.adapters);
      const { ids, labels, lengths } = golden.batch;
      const { lossSum } = await runner.lossOf(ids, labels, lengths, TRAINING);
      const unsplit = runner.gradients();
      await runner.dispose();
      for (const cut of [CUT, { bottomBlocks: 0, topBlocks: 0 }, { bottomBlocks: 2, topBlocks: 0 }]) {
        const runners = splitRunners(golden, cut, engine, rematerialise);
        const pass = await passThrough(runners, golden.batch, TRAINING);
        expect(relativeDifference([pass.lossSum], [lossSum])).toBeLessThan(1e-5);
        expectClose(pass.gradients, unsplit, 1e-5);
        await runners.dispose();
      }
    },
  );
});

describe.each(FULL_GOLDENS)("training all weights of the %s model agrees with PyTorch", (name) => {
  it("in loss and in every gradient, to 1e-4 of the largest", async () => {
    const golden = await loadGolden(name);
    const spec = fullSpec(golden, wholeModel(golden.config));
    const runner = new SegmentRunner(runnerOptions(golden, spec, engine));
    const { ids, labels, lengths } = golden.batch;
    const { lossSum } = await runner.lossOf(ids, labels, lengths, TRAINING);
    expect(relativeDifference([lossSum], [golden.json.base.lossSum])).toBeLessThan(1e-6);
    expectClose(runner.gradients(), expectedUnder(golden, "full.gradient."), 1e-4);
    await runner.dispose();
  });

  it("and split with rematerialisation, in every gradient below the head", async () => {
    const golden = await loadGolden(name);
    const { bottom, trunk, top } = segmentsOf(golden.config, CUT);
    const runners = splitRunners(golden, CUT, engine, "block", (range) => fullSpec(golden, range, "block"));
    expect([bottom, trunk, top]).toEqual(runners.all.map((runner) => runner.spec.range));
    const pass = await passThrough(runners, golden.batch, TRAINING);
    const reference = expectedUnder(golden, "full.gradient.");
    // A tied head is trained in two places: the bottom's part and the top's add up to what PyTorch has.
    for (const [key, { data }] of pass.gradients) {
      const total = data.slice();
      const other = pass.tied.get(key);
      if (other !== undefined)
        other.data.forEach((g, i) => {
          total[i] += g;
        });
      expect(relativeDifference(total, reference.get(key)?.data as Float32Array), key).toBeLessThan(1e-4);
    }
    expect([...pass.gradients.keys()].sort()).toEqual([...reference.keys()].sort());
    await runners.dispose();
  });
});
