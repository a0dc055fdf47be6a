/** Gates stay on the budget while they learn, and channels to which a bit is worth more get more of them. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Gates } from "../../shared/codec/gates.ts";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { gaussianSource, gaussianTensor, PROPERTY_SEED, randomSource, relativeError } from "./helpers.ts";

const OPTIONS = { minBits: 2, maxBits: 8, alpha: 2.5, learningRate: 0.02, freeze: 1 };
const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;

describe("gates", () => {
  it("have the width min + (max − min) · σ(α · Q)", () => {
    const gates = new Gates(3, OPTIONS);
    gates.q.set([-1, 0, 2]);
    const expected = [-1, 0, 2].map((q) => 2 + 6 / (1 + Math.exp(-2.5 * q)));
    gates.bits().forEach((b, c) => {
      expect(b).toBeCloseTo(expected[c]!, 12);
    });
  });

  it("are put on the budget by a common shift, to 1e-6 of a bit, wherever they stood", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 100 }),
        fc.double({ min: 2.25, max: 7.75, noNaN: true }),
        (q, budget) => {
          const gates = new Gates(q.length, OPTIONS);
          gates.q.set(q);
          gates.project(budget);
          expect(Math.abs(mean(gates.bits()) - budget)).toBeLessThan(1e-6);
          // A common shift keeps the order, but for those that a bound holds.
          for (let a = 1; a < q.length; a++) {
            if (q[a]! > q[a - 1]!) expect(gates.q[a]!).toBeGreaterThanOrEqual(gates.q[a - 1]!);
          }
        },
      ),
      { seed: PROPERTY_SEED, numRuns: 500 },
    );
  });

  it("stay where they can come back from when the budget is at a bound", () => {
    const gates = new Gates(16, OPTIONS);
    for (const budget of [8, 2]) {
      for (let step = 0; step < 200; step++) {
        gates.learn(Float64Array.from({ length: 16 }, (_, c) => -(2 ** c)));
        gates.project(budget);
      }
      expect(gates.q.every((q) => Math.abs(2.5 * q) <= 6 + 1e-9)).toBe(true);
    }
  });

  it("move by at most the learning rate per step before the shift, whatever the unit of the loss", () => {
    for (const unit of [1e-30, 1, 1e30]) {
      const gates = new Gates(4, OPTIONS);
      gates.learn(Float64Array.of(-4 * unit, -2 * unit, -1 * unit, 0));
      expect(gates.q[0]!).toBeGreaterThan(0);
      expect(gates.q[3]!).toBeLessThan(0);
      expect(Math.max(...gates.q.map(Math.abs))).toBeLessThanOrEqual(0.02);
      expect(gates.q[0]!).toBeGreaterThan(gates.q[1]!);
    }
  });

  it("forget an outlier as soon as it is gone", () => {
    const gates = new Gates(8, OPTIONS);
    const step = (gainOfFirst: number) => {
      gates.learn(Float64Array.from({ length: 8 }, (_, c) => (c === 0 ? gainOfFirst : -1 - c / 100)));
      gates.project(4);
    };
    for (let k = 0; k < 20; k++) step(-1e9);
    const high = gates.bits()[0]!;
    expect(high).toBeGreaterThan(4.5);
    for (let k = 0; k < 40; k++) step(0);
    expect(gates.bits()[0]!).toBeLessThan(high - 1);
  });

  it("come back to the others when their signal has no steady sign", () => {
    const gates = new Gates(8, OPTIONS);
    gates.q.set([1, 0, 0, 0, 0, 0, 0, 0]);
    gates.project(4);
    const distance = () => gates.bits()[0]! - gates.bits()[1]!;
    const before = distance();
    for (let k = 0; k < 300; k++) {
      gates.learn(Float64Array.from({ length: 8 }, (_, c) => ((k + c) % 2 === 0 ? 1 : -1)));
      gates.project(4);
    }
    expect(distance()).toBeLessThan(before / 2);
    expect(distance()).toBeGreaterThan(0);
  });

  it("learn nothing from silence", () => {
    const gates = new Gates(4, OPTIONS);
    gates.learn(new Float64Array(4));
    expect([...gates.q, gates.steps]).toEqual([0, 0, 0, 0, 0]);
  });
});

/** Channel scales spread log-normally, as those of hidden states are. */
function spreadScales(channels: number, seed: number): number[] {
  const gaussian = gaussianSource(seed);
  return Array.from({ length: channels }, () => Math.exp(0.7 * gaussian()));
}

describe("amaq at a mean of 3 bits", () => {
  const channels = 64;
  const tokens = 128;
  const scales = spreadScales(channels, 4);
  const tensorAt = (step: number) => gaussianTensor(1000 + step, tokens, channels, (c) => scales[c]!);
  const fixedError = relativeError(
    tensorAt(0),
    createEncoder(parseCodecSpec({ codec: "fixed", bits: 3, rounding: "nearest", grid: "span" }), {
      channels,
      role: "activation",
      seed: 1,
      streamId: 1,
    }).encode(tensorAt(0), tokens, { step: 0, microBatch: 0 }).reconstruction,
  );

  /** The mean relative error over the last 20 of 150 steps, and how often a table was sent after the anneal. */
  function run(role: "activation" | "gradient", weight: (channel: number) => number) {
    const spec = parseCodecSpec({
      codec: "amaq",
      allocator: "gate-ste",
      annealSteps: 60,
      rounding: "nearest",
      grid: "span",
    });
    const encoder = createEncoder(spec, { channels, role, seed: 1, streamId: 1 });
    let error = 0;
    let tables = 0;
    for (let step = 0; step < 150; step++) {
      const x = tensorAt(step);
      const { reconstruction, bitTable } = encoder.encode(x, tokens, { step, microBatch: 0 });
      if (step > 60 && bitTable !== undefined) tables++;
      if (step >= 130) error += relativeError(x, reconstruction) / 20;
      if (role === "activation") {
        // The gradient of ½ Σ weight · (x̂ − x)²: a loss that suffers from error as the weights say.
        const gradient = x.map((value, i) => weight(i % channels) * (reconstruction[i]! - value));
        encoder.observe(x, reconstruction, gradient, tokens);
      }
      encoder.endStep(step);
    }
    return { error, tables, widths: encoder.widths() };
  }

  it("halves the squared error of fixed 3 bits on channels of unlike size, from its own distortion", () => {
    const { error, tables } = run("gradient", () => 0);
    expect(error).toBeLessThan(fixedError * 0.55);
    // And comes to rest: at most one table in ten steps.
    expect(tables).toBeLessThanOrEqual(9);
  });

  it("halves it from the loss gradient, too", () => {
    expect(run("activation", () => 1).error).toBeLessThan(fixedError * 0.55);
  });

  it("gives the bits to the channels that the loss depends on, not to the large ones", () => {
    const important = (c: number) => c % 4 === 0;
    const { widths } = run("activation", (c) => (important(c) ? 100 : 0.01) / scales[c]! ** 2);
    const meanOf = (wanted: boolean) => {
      const chosen = widths.filter((_, c) => important(c) === wanted);
      return chosen.reduce((a, b) => a + b, 0) / chosen.length;
    };
    expect(meanOf(true)).toBeGreaterThan(meanOf(false) + 2);
  });

  it("is not carried away by gradients that are noise", () => {
    const spec = parseCodecSpec({ codec: "amaq", allocator: "gate-ste", annealSteps: 30 });
    const encoder = createEncoder(spec, { channels, role: "activation", seed: 1, streamId: 1 });
    const random = randomSource(8);
    for (let step = 0; step < 150; step++) {
      const x = gaussianTensor(step, 16, channels);
      const { reconstruction } = encoder.encode(x, 16, { step, microBatch: 0 });
      encoder.observe(
        x,
        reconstruction,
        x.map(() => random() - 0.5),
        16,
      );
      encoder.endStep(step);
    }
    // Channels are alike: few of them may leave 3 bits.
    expect(encoder.widths().filter((width) => width !== 3).length).toBeLessThan(channels / 5);
  });
});
