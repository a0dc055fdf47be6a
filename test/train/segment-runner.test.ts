import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { segmentsOf, wholeModel } from "../../shared/model/cut.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../shared/train/checkpoint.ts";
import { scheduleSchema } from "../../shared/train/schedule.ts";
import { type RunnerOptions, SegmentRunner } from "../../shared/train/segment-runner.ts";
import type { NamedTensors, TokenBatch } from "../../shared/train/segments.ts";
import {
  adaptersOf,
  EVALUATION,
  fullSpec,
  type Golden,
  loadGolden,
  loraSpec,
  passThrough,
  runnerOptions,
  splitRunners,
  TRAINING,
} from "../model/golden-cases.ts";
import { expectClose } from "../tensors.ts";

let engine: Engine;
let golden: Golden;
beforeAll(async () => {
  engine = await createEngine("onnxruntime", { threads: 1 });
  golden = await loadGolden("llama");
});
afterAll(() => engine.dispose());

const CUT = { bottomBlocks: 1, topBlocks: 1 };

/** Options of a whole model with dropout and a schedule that changes at every step. */
function withDropout(): RunnerOptions {
  const spec = loraSpec(golden, wholeModel(golden.config));
  const lora = { ...spec.lora!, dropout: 0.2 };
  const schedule = scheduleSchema.parse({ learningRate: 0.01, warmupSteps: 2, decay: "cosine" });
  return { ...runnerOptions(golden, { ...spec, lora }, engine), schedule };
}

function lossAt(runner: SegmentRunner, batch: TokenBatch, step: number, microBatch = 0, training = true) {
  return runner.lossOf(batch.ids, batch.labels, batch.lengths, { step, microBatch, training });
}

async function trainSteps(runner: SegmentRunner, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = from; step < to; step++) {
    const { lossSum, supervisedTokens } = await lossAt(runner, golden.batch, step);
    losses.push(lossSum);
    await runner.optimizerStep(step, supervisedTokens);
  }
  return losses;
}

/** The batch's rows, one batch each. */
function rowsOf({ ids, labels, lengths }: TokenBatch): TokenBatch[] {
  let at = 0;
  return [...lengths].map((length) => {
    at += length;
    const part = <T extends Int32Array>(array: T) => array.slice(at - length, at);
    return { ids: part(ids), labels: part(labels), lengths: Int32Array.of(length) };
  });
}

/** An engine whose results are written a while before it returns, so that its next run may already be under way. */
function slowToReturn(inner: Engine): Engine {
  return {
    ...inner,
    async compile(program) {
      const executable = await inner.compile(program);
      return {
        async run(feeds, into) {
          const results = await executable.run(feeds, into);
          await new Promise((resolve) => setTimeout(resolve, 20));
          return results;
        },
        dispose: () => executable.dispose(),
      };
    },
  };
}

const bits = (tensors: NamedTensors) =>
  new Map([...tensors].map(([name, { data }]) => [name, new Uint32Array(data.slice().buffer)]));

describe("a run that is resumed from a saved state", () => {
  it("goes on bit for bit, through a checkpoint's bytes", async () => {
    const first = new SegmentRunner(withDropout());
    await trainSteps(first, 0, 3);
    const tensors = first.saveState();
    const bytes = await encodeCheckpoint({ kind: "test", meta: { step: 3 }, tensors });
    const lossesA = await trainSteps(first, 3, 6);

    const second = new SegmentRunner({ ...withDropout(), seed: 1 });
    second.restoreState((await decodeCheckpoint(bytes, "test")).tensors);
    const lossesB = await trainSteps(second, 3, 6);
    expect(lossesB).toEqual(lossesA);
    expect(bits(second.saveState())).toEqual(bits(first.saveState()));
    await first.dispose();
    await second.dispose();
  });

  it("has left behind what it was given: later steps do not change the saved arrays", async () => {
    const runner = new SegmentRunner(withDropout());
    await trainSteps(runner, 0, 1);
    const saved = runner.saveState();
    const before = bits(saved);
    await trainSteps(runner, 1, 2);
    expect(bits(saved)).toEqual(before);
    expect(bits(runner.saveState())).not.toEqual(before);
    await runner.dispose();
  });

  it("is refused another segment's state, and keeps its own", async () => {
    const whole = new SegmentRunner(withDropout());
    const { bottom, dispose } = splitRunners(golden, CUT, engine);
    const before = bits(whole.saveState());
    expect(() => whole.restoreState(bottom.saveState())).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/NB_CHECKPOINT_MISMATCH|NB_ADAPTER_MISMATCH/) }),
    );
    expect(bits(whole.saveState())).toEqual(before);
    await whole.dispose();
    await dispose();
  });
});

describe("dropout", () => {
  it("is the same for the same step and micro-batch, another for others, and off in evaluation", async () => {
    const runner = new SegmentRunner(withDropout());
    runner.loadAdapters(golden.adapters);
    const loss = async (step: number, microBatch: number, training = true) =>
      (await lossAt(runner, golden.batch, step, microBatch, training)).lossSum;
    const base = await loss(0, 0);
    expect(await loss(0, 0)).toBe(base);
    expect(await loss(1, 0)).not.toBe(base);
    expect(await loss(0, 1)).not.toBe(base);
    const evaluated = await loss(0, 0, false);
    expect(await loss(5, 3, false)).toBe(evaluated);
    expect(evaluated / golden.json.lora.lossSum).toBeCloseTo(1, 5);
    await runner.dispose();
  });

  it("drops the same elements whether the model is split or not", async () => {
    const whole = new SegmentRunner(withDropout());
    whole.loadAdapters(golden.adapters);
    const { lossSum } = await lossAt(whole, golden.batch, 4, 2);
    const withMask = (range: Parameters<typeof loraSpec>[1]) => {
      const spec = loraSpec(golden, range);
      return { ...spec, lora: { ...spec.lora!, dropout: 0.2 } };
    };
    const runners = splitRunners(golden, CUT, engine, "none", withMask);
    const pass = await passThrough(runners, golden.batch, { step: 4, microBatch: 2, training: true });
    expect(pass.lossSum / lossSum).toBeCloseTo(1, 6);
    expectClose(pass.gradients, whole.gradients(), 1e-5);
    await whole.dispose();
    await runners.dispose();
  });
});

describe("gradients of micro-batches", () => {
  it("add up to those of one large batch", async () => {
    const options = runnerOptions(golden, loraSpec(golden, wholeModel(golden.config)), engine);
    const [large, small] = [new SegmentRunner(options), new SegmentRunner(options)];
    for (const runner of [large, small]) runner.loadAdapters(golden.adapters);
    const { lossSum } = await lossAt(large, golden.batch, 0);
    let sum = 0;
    for (const [microBatch, batch] of rowsOf(golden.batch).entries()) {
      sum += (await lossAt(small, batch, 0, microBatch)).lossSum;
    }
    expect(sum / lossSum).toBeCloseTo(1, 6);
    expectClose(small.gradients(), large.gradients(), 1e-5);
    await large.dispose();
    await small.dispose();
  });

  it("that are run at the same time are all counted, even if the engine is slow to say that it is done", async () => {
    const options = runnerOptions(golden, loraSpec(golden, wholeModel(golden.config)), engine);
    const inTurn = new SegmentRunner(options);
    const atOnce = new SegmentRunner({ ...options, engine: slowToReturn(engine) });
    const batches = [...rowsOf(golden.batch), ...rowsOf(golden.batch), ...rowsOf(golden.batch)];
    for (const runner of [inTurn, atOnce]) runner.loadAdapters(golden.adapters);
    for (const batch of batches) await lossAt(inTurn, batch, 0);
    await Promise.all(batches.map((batch) => lossAt(atOnce, batch, 0)));
    expectClose(atOnce.gradients(), inTurn.gradients(), 1e-6);
    await inTurn.dispose();
    await atOnce.dispose();
  });

  it("of three forward passes that are open at once keep to their own saved activations", async () => {
    const runners = splitRunners(golden, CUT, engine);
    const reference = splitRunners(golden, CUT, engine);
    const { bottom, trunk, top } = runners;
    const batches = [...rowsOf(golden.batch), golden.batch];
    for (const batch of batches) await passThrough(reference, batch, TRAINING);

    const open = [];
    for (const batch of batches) {
      const first = await bottom.forward(batch, TRAINING);
      const last = await trunk.forward(first.output, batch.lengths, TRAINING);
      open.push({ batch, first, last });
    }
    for (const { batch, first, last } of open.reverse()) {
      const { gradient } = await top.loss(last.output, batch.labels, batch.lengths, TRAINING);
      await bottom.backward(first.saved!, await trunk.backward(last.saved!, gradient!));
    }
    runners.all.forEach((runner, i) => {
      expectClose(runner.gradients(), reference.all[i].gradients(), 1e-6);
    });
    await runners.dispose();
    await reference.dispose();
  });

  it("computed elsewhere can be added", async () => {
    const options = runnerOptions(golden, loraSpec(golden, wholeModel(golden.config)), engine);
    const [all, part, sum] = [0, 1, 2].map(() => new SegmentRunner(options));
    const [row0, row1] = rowsOf(golden.batch);
    await lossAt(all, row0, 0);
    await lossAt(all, row1, 0);
    await lossAt(part, row1, 0);
    await lossAt(sum, row0, 0);
    sum.addGradients(part.gradients());
    expectClose(sum.gradients(), all.gradients(), 1e-6);
    const fresh = new SegmentRunner(options);
    fresh.addGradients(part.gradients());
    expect(bits(fresh.gradients())).toEqual(bits(part.gradients()));
    for (const runner of [all, part, sum, fresh]) await runner.dispose();
  });
});

describe("an optimizer step", () => {
  it("divides the sums by the supervised tokens, and clears them", async () => {
    const options = runnerOptions(golden, loraSpec(golden, wholeModel(golden.config)), engine);
    const runner = new SegmentRunner(options);
    runner.loadAdapters(golden.adapters);
    const { supervisedTokens } = await lossAt(runner, golden.batch, 0);
    const { gradientNorm, learningRate } = await runner.optimizerStep(0, supervisedTokens);
    expect(gradientNorm).toBeCloseTo(golden.json.adamw!.gradientNorms[0], 3);
    expect(learningRate).toBe(0.01);
    expect([...runner.gradients().values()].every(({ data }) => data.every((x) => x === 0))).toBe(true);
    const after = bits(runner.adapters());
    expect(after).not.toEqual(bits(golden.adapters));
    await runner.optimizerStep(1, supervisedTokens);
    expect(bits(runner.adapters())).toEqual(after);
    await runner.dispose();
  });

  it("without a supervised token does nothing", async () => {
    const options = runnerOptions(golden, loraSpec(golden, wholeModel(golden.config)), engine);
    const runner = new SegmentRunner(options);
    const before = bits(runner.saveState());
    const { ids, lengths } = golden.batch;
    const none = new Int32Array(ids.length).fill(-100);
    const { lossSum, supervisedTokens } = await runner.lossOf(ids, none, lengths, TRAINING);
    expect([lossSum, supervisedTokens]).toEqual([0, 0]);
    expect((await runner.optimizerStep(0, 0)).gradientNorm).toBe(0);
    expect(bits(runner.saveState())).toEqual(before);
    await runner.dispose();
  });

  it("on a gradient that is not finite changes nothing and says so", async () => {
    const options = runnerOptions(golden, loraSpec(golden, wholeModel(golden.config)), engine);
    const runner = new SegmentRunner(options);
    const before = bits(runner.saveState());
    const poisoned = new Map([...runner.gradients()].map(([n, { shape, data }]) => [n, { shape, data }]));
    [...poisoned.values()][0].data[0] = Number.NaN;
    runner.addGradients(poisoned);
    expect((await runner.optimizerStep(0, 10)).gradientNorm).toBeNaN();
    expect(bits(runner.saveState())).toEqual(before);
    await runner.dispose();
  });
});

describe("fresh adapters", () => {
  it("change nothing at first, and are the same on every machine of the seed", async () => {
    const options = runnerOptions(golden, loraSpec(golden, wholeModel(golden.config)), engine);
    const whole = new SegmentRunner(options);
    const { lossSum } = await lossAt(whole, golden.batch, 0, 0, false);
    expect(lossSum / golden.json.base.lossSum).toBeCloseTo(1, 6);
    const ranges = segmentsOf(golden.config, CUT);
    const parts = [ranges.bottom, ranges.trunk, ranges.top].map(
      (range) => new SegmentRunner(runnerOptions(golden, loraSpec(golden, range), engine)),
    );
    const joined = new Map(parts.flatMap((part) => [...part.adapters()]));
    const own = whole.adapters();
    expect(bits(new Map([...own.keys()].map((name) => [name, joined.get(name)!])))).toEqual(bits(own));
    const other = new SegmentRunner({ ...options, seed: 2 });
    expect(bits(other.adapters())).not.toEqual(bits(own));
    for (const runner of [whole, other, ...parts]) await runner.dispose();
  });

  it("are replaced only by ones of the same names and sizes", async () => {
    const runner = new SegmentRunner(
      runnerOptions(golden, loraSpec(golden, segmentsOf(golden.config, CUT).trunk), engine),
    );
    const before = bits(runner.adapters());
    const mismatch = expect.objectContaining({ code: "NB_ADAPTER_MISMATCH" });
    expect(() => runner.loadAdapters(golden.adapters)).toThrow(mismatch);
    const [first, ...rest] = adaptersOf(golden, runner.spec);
    const shorter = { shape: [1], data: new Float32Array(1) };
    expect(() => runner.loadAdapters(new Map([...rest, [first[0], shorter]]))).toThrow(mismatch);
    expect(() => runner.loadAdapters(new Map([...rest, ["other", first[1]]]))).toThrow(mismatch);
    expect(bits(runner.adapters())).toEqual(before);
    await runner.dispose();
  });
});

describe("a saved forward pass", () => {
  it("can be used once, or released", async () => {
    const { bottom, trunk, top, dispose } = splitRunners(golden, CUT, engine);
    const internal = expect.objectContaining({ code: "NB_INTERNAL" });
    const { output, saved } = await bottom.forward(golden.batch, TRAINING);
    await bottom.backward(saved!, output);
    await expect(bottom.backward(saved!, output)).rejects.toThrow(internal);
    const released = await bottom.forward(golden.batch, TRAINING);
    released.saved!.release();
    released.saved!.release();
    await expect(bottom.backward(released.saved!, output)).rejects.toThrow(internal);
    await expect(trunk.backward({ release: () => undefined }, output)).rejects.toThrow(internal);
    expect(top.spec.range.head).toBe(true);
    await dispose();
  });

  it("that is released while its backward pass runs does not disturb it", async () => {
    const runners = splitRunners(golden, CUT, engine);
    const { bottom } = runners;
    const cotangent = new Float32Array(golden.batch.ids.length * golden.config.hiddenSize).fill(0.1);
    const { saved } = await bottom.forward(golden.batch, TRAINING);
    await bottom.backward(saved!, cotangent);
    const expected = bits(bottom.gradients());
    bottom.zeroGradients();
    const again = await bottom.forward(golden.batch, TRAINING);
    const running = bottom.backward(again.saved!, cotangent);
    again.saved!.release();
    const other = { ...golden.batch, ids: golden.batch.ids.map((id) => (id + 1) % 64) };
    const [next] = await Promise.all([bottom.forward(other, TRAINING), running]);
    expect(bits(bottom.gradients())).toEqual(expected);
    next.saved!.release();
    await runners.dispose();
  });

  it("is not made in evaluation", async () => {
    const { bottom, dispose } = splitRunners(golden, CUT, engine);
    expect((await bottom.forward(golden.batch, EVALUATION)).saved).toBeUndefined();
    await dispose();
  });
});

describe("a segment runner", () => {
  it("says which weight it lacks", () => {
    const options = runnerOptions(golden, fullSpec(golden, wholeModel(golden.config)), engine);
    const weights = new Map(golden.weights);
    weights.delete("model.norm.weight");
    expect(() => new SegmentRunner({ ...options, weights })).toThrow(
      expect.objectContaining({
        code: "NB_TENSOR_MISSING",
        message: expect.stringMatching(/"model.norm.weight" is missing/),
      }),
    );
  });

  it("refuses rows longer than the model's positions", async () => {
    const runner = new SegmentRunner(
      runnerOptions(golden, loraSpec(golden, wholeModel(golden.config)), engine),
    );
    const length = golden.config.maxPositions + 1;
    const ids = new Int32Array(length);
    await expect(runner.lossOf(ids, ids, Int32Array.of(length), EVALUATION)).rejects.toThrow(
      expect.objectContaining({ code: "NB_DATA_TOO_LONG" }),
    );
    await runner.dispose();
  });
});
