/** Stochastic rounding is unbiased, repeats for the same position, and leaves zeros alone. */

import { describe, expect, it } from "vitest";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { gaussianTensor, heavyTailedSource, relativeError, sameBits } from "./helpers.ts";

const TOKENS = 64;
const CHANNELS = 8;
const STOCHASTIC = { codec: "fixed", rounding: "stochastic", grid: "zero" };
const UNCLIPPED = parseCodecSpec({ ...STOCHASTIC, bits: 3, clip: "none" });

function encoderOf(spec = UNCLIPPED, seed = 1, streamId = 1) {
  return createEncoder(spec, { channels: CHANNELS, role: "gradient", seed, streamId });
}

/** The mean of the reconstructions of `count` steps. */
function meanReconstruction(spec: typeof UNCLIPPED, x: Float32Array, count: number): Float32Array {
  const encoder = encoderOf(spec);
  const mean = new Float64Array(x.length);
  for (let step = 0; step < count; step++) {
    const { reconstruction } = encoder.encode(x, TOKENS, { step, microBatch: 0 });
    for (let i = 0; i < x.length; i++) mean[i]! += reconstruction[i]! / count;
  }
  return Float32Array.from(mean);
}

describe("stochastic rounding", () => {
  const x = gaussianTensor(1, TOKENS, CHANNELS, (c) => 10 ** -c);

  it("draws the same for the same seed, stream, step and micro-batch, and other numbers otherwise", () => {
    const at = { step: 4, microBatch: 2 };
    const first = encoderOf().encode(x, TOKENS, at).reconstruction;
    expect(sameBits(encoderOf().encode(x, TOKENS, at).reconstruction, first)).toBe(true);
    for (const [encoder, position] of [
      [encoderOf(UNCLIPPED, 2), at],
      [encoderOf(UNCLIPPED, 1, 2), at],
      [encoderOf(), { step: 5, microBatch: 2 }],
      [encoderOf(), { step: 4, microBatch: 1 }],
    ] as const) {
      expect(sameBits(encoder.encode(x, TOKENS, position).reconstruction, first)).toBe(false);
    }
  });

  it("does not depend on what was encoded before", () => {
    const encoder = encoderOf();
    const at = { step: 1, microBatch: 1 };
    const first = encoder.encode(x, TOKENS, at).reconstruction;
    encoder.encode(gaussianTensor(9, 3, CHANNELS), 3, { step: 1, microBatch: 0 });
    expect(sameBits(encoder.encode(x, TOKENS, at).reconstruction, first)).toBe(true);
  });

  it("is unbiased: averaging over n messages divides the squared error by n, where rounding to nearest gains nothing", () => {
    const single = meanReconstruction(UNCLIPPED, x, 1);
    const averaged = meanReconstruction(UNCLIPPED, x, 256);
    const ratio = relativeError(x, single) / relativeError(x, averaged);
    expect(ratio).toBeGreaterThan(256 * 0.7);
    expect(ratio).toBeLessThan(256 * 1.4);
    const nearest = parseCodecSpec({ codec: "fixed", bits: 3, clip: "none", rounding: "nearest" });
    expect(relativeError(x, meanReconstruction(nearest, x, 256))).toBe(
      relativeError(x, meanReconstruction(nearest, x, 1)),
    );
  });

  it("keeps exact zeros zero with a level at zero, at 2 to 6 bits, and heavy tails do not stir the small values", () => {
    const heavy = heavyTailedSource(3);
    const gradient = Float32Array.from({ length: TOKENS * CHANNELS }, (_, i) => (i % 3 === 0 ? 0 : heavy()));
    for (let bits = 2; bits <= 6; bits++) {
      for (const clip of ["none", "optimal"]) {
        const spec = parseCodecSpec({ ...STOCHASTIC, bits, clip });
        for (let step = 0; step < 20; step++) {
          const { reconstruction } = encoderOf(spec).encode(gradient, TOKENS, { step, microBatch: 0 });
          expect(reconstruction.filter((value, i) => gradient[i] === 0 && value !== 0).length).toBe(0);
        }
      }
    }
  });

  it("errs by less than one step", () => {
    const body = encoderOf().encode(x, TOKENS, { step: 0, microBatch: 0 });
    for (let c = 0; c < CHANNELS; c++) {
      const values = [...new Set(body.reconstruction.filter((_, i) => i % CHANNELS === c))].sort(
        (a, b) => a - b,
      );
      const step = Math.min(...values.slice(1).map((value, k) => value - values[k]!));
      for (let i = c; i < x.length; i += CHANNELS) {
        expect(Math.abs(x[i]! - body.reconstruction[i]!)).toBeLessThan(step * (1 + 1e-6));
      }
    }
  });
});
