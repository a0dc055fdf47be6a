/** Learned ranges follow dL/dθ, which is the derivative of the quantizer's output at fixed rounding, in endStep alone. */

import { describe, expect, it } from "vitest";
import { LearnedRanges } from "../../shared/codec/learned-ranges.ts";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { gaussianTensor, sameBits } from "./helpers.ts";

const CHANNELS = 8;
const TOKENS = 64;
const STREAM = { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 } as const;

describe("the gradient of a learned range", () => {
  it("is that of x̂ with the rounding error, counted in steps, held", () => {
    const x = gaussianTensor(1, TOKENS, 1);
    const g = gaussianTensor(2, TOKENS, 1);
    const quantize = (theta: number, epsilon?: Float64Array) => {
      const half = 1.2 * Math.exp(theta);
      const step = (2 * half) / 7;
      const errors = new Float64Array(TOKENS);
      const out = x.map((value, t) => {
        if (value > half) return half;
        if (value < -half) return -half;
        errors[t] = epsilon?.[t] ?? Math.round((value + half) / step) - (value + half) / step;
        return value + errors[t]! * step;
      });
      return { out, errors, half };
    };
    const { out, errors, half } = quantize(0);
    const learned = new LearnedRanges(1);
    const [gradient] = learned.gradientOf(x, out, g, Float64Array.of(-half), Float64Array.of(half));
    const h = 1e-3;
    const loss = (theta: number) => {
      const { out } = quantize(theta, errors);
      return out.reduce((sum, value, t) => sum + value * g[t]!, 0);
    };
    expect(gradient).toBeCloseTo((loss(h) - loss(-h)) / (2 * h), 1);
  });

  it("widens the range where values that are clipped are missed, and narrows it where steps are too coarse", () => {
    const learned = new LearnedRanges(2);
    const x = gaussianTensor(1, 256, 2);
    // Channel 0 is clipped hard, channel 1 has levels far apart; the loss is the squared error.
    const lo = Float64Array.of(-0.3, -30);
    const hi = Float64Array.of(0.3, 30);
    const back = x.map((value, i) => {
      const step = (hi[i % 2]! - lo[i % 2]!) / 7;
      const held = Math.min(hi[i % 2]!, Math.max(lo[i % 2]!, value));
      return lo[i % 2]! + Math.round((held - lo[i % 2]!) / step) * step;
    });
    learned.observe(learned.gradientOf(x, back, undefined, lo, hi));
    expect([...learned.logFactors()]).toEqual([0, 0]);
    learned.endStep(0);
    const [clipped, coarse] = learned.logFactors();
    expect(clipped).toBeGreaterThan(0.01);
    expect(coarse).toBeLessThan(-0.01);
  });
});

describe("clip=learned", () => {
  it("begins as clip=optimal, and moves when a step with a gradient ends", () => {
    const x = gaussianTensor(1, TOKENS, CHANNELS);
    const at = (step: number) => ({ step, microBatch: 0 });
    const learned = createEncoder(parseCodecSpec("fixed:3,clip=learned"), STREAM);
    const optimal = createEncoder(parseCodecSpec("fixed:3,clip=optimal"), STREAM).encode(x, TOKENS, at(0));
    const first = learned.encode(x, TOKENS, at(0)).reconstruction;
    expect(sameBits(first, optimal.reconstruction)).toBe(true);
    learned.observe(x, first, gaussianTensor(2, TOKENS, CHANNELS), TOKENS);
    expect(sameBits(learned.encode(x, TOKENS, at(0)).reconstruction, first)).toBe(true);
    learned.endStep(0);
    expect(sameBits(learned.encode(x, TOKENS, at(1)).reconstruction, first)).toBe(false);
  });

  it("takes nothing from a gradient that is not finite", () => {
    const x = gaussianTensor(1, TOKENS, CHANNELS);
    const encoder = createEncoder(parseCodecSpec("fixed:3,clip=learned"), STREAM);
    const { reconstruction } = encoder.encode(x, TOKENS, { step: 0, microBatch: 0 });
    const before = encoder.save();
    expect(() =>
      encoder.observe(
        x,
        reconstruction,
        x.map(() => NaN),
        TOKENS,
      ),
    ).toThrow("NaN");
    expect(encoder.save()).toEqual(before);
  });
});
