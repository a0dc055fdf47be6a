import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import { SegmentRunner } from "../../shared/train/segment-runner.ts";
import {
  allLogits,
  expectedUnder,
  FULL_GOLDENS,
  fullSpec,
  GOLDENS,
  loadGolden,
  loraSpec,
  passThrough,
  runnerOptions,
  splitRunners,
  TRAINING,
} from "../model/golden-cases.ts";
import { expectClose, largestDifference, relativeDifference } from "../tensors.ts";
import { ENGINES } from "./engines.ts";

// ONNX Runtime is held against the same values, and more of them, in test/model.
const OTHERS = ENGINES.filter(([, { name }]) => name !== "onnxruntime");

describe.each(OTHERS)("%s agrees with PyTorch", (_, { name, skip }) => {
  let engine: Engine;
  beforeAll(async () => {
    if (!skip) engine = await createEngine(name, { threads: 1 });
  });
  afterAll(() => engine?.dispose());

  it.skipIf(skip).each(GOLDENS)("on the %s model: logits, loss and all LoRA gradients", async (model) => {
    const golden = await loadGolden(model);
    const spec = loraSpec(golden, wholeModel(golden.config));
    const logits = await allLogits(golden, spec, engine);
    expect(largestDifference(logits, golden.expected.get("lora.logits")?.data ?? [])).toBeLessThanOrEqual(
      1e-4,
    );
    const runner = new SegmentRunner(runnerOptions(golden, spec, engine));
    runner.loadAdapters(golden.adapters);
    const { ids, labels, lengths } = golden.batch;
    const { lossSum } = await runner.lossOf(ids, labels, lengths, TRAINING);
    expect(relativeDifference([lossSum], [golden.json.lora.lossSum])).toBeLessThan(1e-5);
    expectClose(runner.gradients(), expectedUnder(golden, "lora.gradient."), 1e-4);
    await runner.dispose();
  });

  it.skipIf(skip).each(FULL_GOLDENS)("on the %s model: the gradients of all weights", async (model) => {
    const golden = await loadGolden(model);
    const spec = fullSpec(golden, wholeModel(golden.config));
    const runner = new SegmentRunner(runnerOptions(golden, spec, engine));
    const { ids, labels, lengths } = golden.batch;
    await runner.lossOf(ids, labels, lengths, TRAINING);
    expectClose(runner.gradients(), expectedUnder(golden, "full.gradient."), 1e-4);
    await runner.dispose();
  });

  it.skipIf(skip)("on the llama model, split in three", async () => {
    const golden = await loadGolden("llama");
    const runners = splitRunners(golden, { bottomBlocks: 1, topBlocks: 1 }, engine);
    const pass = await passThrough(runners, golden.batch, TRAINING);
    const first = golden.expected.get("lora.hidden_gradient.first")?.data ?? [];
    expect(relativeDifference(pass.hiddenGradient.first, first)).toBeLessThanOrEqual(1e-4);
    expectClose(pass.gradients, expectedUnder(golden, "lora.gradient."), 1e-4);
    await runners.dispose();
  });
});
