import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import { adamwSchema } from "../../shared/train/adamw.ts";
import { scheduleSchema } from "../../shared/train/schedule.ts";
import { type RunnerOptions, SegmentRunner } from "../../shared/train/segment-runner.ts";
import { relativeDifference } from "../tensors.ts";
import {
  EVALUATION,
  expectedUnder,
  fullSpec,
  type Golden,
  loadGolden,
  loraSpec,
  passThrough,
  runnerOptions,
  splitRunners,
} from "./golden-cases.ts";

let engine: Engine;
let golden: Golden;
beforeAll(async () => {
  engine = await createEngine("onnxruntime", { threads: 1 });
  golden = await loadGolden("llama");
});
afterAll(() => engine.dispose());

/** Mean losses before each of `steps` steps on the golden's batch and after the last, and the gradient norms. */
async function train(runner: SegmentRunner, steps: number) {
  const { ids, labels, lengths } = golden.batch;
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 0; step < steps; step++) {
    const at = { step, microBatch: 0, training: true };
    const { lossSum, supervisedTokens } = await runner.lossOf(ids, labels, lengths, at);
    losses.push(lossSum / supervisedTokens);
    norms.push((await runner.optimizerStep(step, supervisedTokens)).gradientNorm);
  }
  const { lossSum, supervisedTokens } = await runner.lossOf(ids, labels, lengths, EVALUATION);
  losses.push(lossSum / supervisedTokens);
  return { losses, norms };
}

/** Sums in another order, as another processor does them, change the last digits; nothing else may. */
function expectLosses(losses: readonly number[], pinned: readonly number[]): void {
  expect(losses).toHaveLength(pinned.length);
  losses.forEach((loss, i) => {
    expect(Math.abs(loss - pinned[i]), `loss ${i}`).toBeLessThan(2e-5);
  });
}

describe("ten steps of AdamW on the llama golden", () => {
  const adamw = () => golden.json.adamw ?? expect.fail("the golden has no AdamW run");

  /** The optimizer and schedule that PyTorch ran with. */
  function torchOptions(options: RunnerOptions): RunnerOptions {
    const { learningRate, betas, eps, weightDecay, maxGradientNorm } = adamw();
    const [beta1, beta2] = betas;
    return {
      ...options,
      optimizer: { beta1, beta2, epsilon: eps, weightDecay, clipNorm: maxGradientNorm },
      schedule: scheduleSchema.parse({ learningRate, decay: "constant" }),
    };
  }

  it("have PyTorch's losses and gradient norms, and end at its adapter", async () => {
    const spec = loraSpec(golden, wholeModel(golden.config));
    const runner = new SegmentRunner(torchOptions(runnerOptions(golden, spec, engine)));
    runner.loadAdapters(golden.adapters);
    const { losses, norms } = await train(runner, 10);
    const { meanLosses, gradientNorms } = adamw();
    expect(losses).toHaveLength(meanLosses.length);
    losses.forEach((loss, i) => {
      expect(relativeDifference([loss], [meanLosses[i]]), `loss ${i}`).toBeLessThan(1e-4);
    });
    norms.forEach((norm, i) => {
      expect(relativeDifference([norm], [gradientNorms[i]]), `norm ${i}`).toBeLessThan(1e-4);
    });
    for (const [name, { data }] of expectedUnder(golden, "adamw.adapter.")) {
      expect(relativeDifference(runner.adapters().get(name)?.data ?? [], data), name).toBeLessThan(1e-3);
    }
    await runner.dispose();
  });

  it("have the same losses when the model is split, each part stepping its own adapters", async () => {
    // Each part clips by its own gradient's norm, so only without clipping are the steps the same.
    const spec = loraSpec(golden, wholeModel(golden.config));
    const optimizer = adamwSchema.parse({ clipNorm: 0 });
    const whole = new SegmentRunner({ ...runnerOptions(golden, spec, engine), optimizer });
    whole.loadAdapters(golden.adapters);
    const { losses } = await train(whole, 5);
    await whole.dispose();

    const runners = splitRunners(
      golden,
      { bottomBlocks: 1, topBlocks: 1 },
      engine,
      "none",
      undefined,
      optimizer,
    );
    for (let step = 0; step < 5; step++) {
      const { lossSum } = await passThrough(runners, golden.batch, { step, microBatch: 0, training: true });
      const supervised = golden.json.supervisedTokens;
      expect(relativeDifference([lossSum / supervised], [losses[step]]), `step ${step}`).toBeLessThan(1e-5);
      for (const runner of runners.all) await runner.optimizerStep(step, supervised);
    }
    await runners.dispose();
  });
});

describe("ten losses of a fixed run are pinned", () => {
  const schedule = scheduleSchema.parse({ learningRate: 0.02, warmupSteps: 3, decay: "cosine" });
  const optimizer = adamwSchema.parse({ weightDecay: 0.1 });

  it("of fresh adapters with dropout, warm-up and cosine decay", async () => {
    const spec = loraSpec(golden, wholeModel(golden.config));
    const lora = { ...spec.lora!, r: 4, alpha: 8, dropout: 0.1 };
    const options = { ...runnerOptions(golden, { ...spec, lora }, engine), seed: 42, optimizer, schedule };
    const runner = new SegmentRunner(options);
    const { losses } = await train(runner, 10);
    expectLosses(
      losses,
      [
        4.905926, 4.337882, 3.471275, 2.604291, 1.944337, 1.603875, 1.279623, 1.094472, 0.954003, 0.959522,
        0.871025,
      ],
    );
    await runner.dispose();
  });

  it("of all weights", async () => {
    const fresh = await loadGolden("llama");
    const spec = fullSpec(fresh, wholeModel(fresh.config));
    const runner = new SegmentRunner({ ...runnerOptions(fresh, spec, engine), optimizer, schedule });
    const { losses } = await train(runner, 10);
    expectLosses(
      losses,
      [
        4.905926, 2.997547, 1.631433, 1.13189, 0.558557, 0.330264, 0.196825, 0.091118, 0.064579, 0.05203,
        0.044014,
      ],
    );
    await runner.dispose();
  });
});
