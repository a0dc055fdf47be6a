/** The gain of a bit is the derivative of the loss, and of the error, through the step at fixed rounding error. */

import { describe, expect, it } from "vitest";
import {
  channelSums,
  gainFromDistortion,
  gainFromProducts,
  readSums,
  stepShrinkage,
} from "../../shared/codec/gain.ts";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { gaussianTensor } from "./helpers.ts";

const TOKENS = 200;
const CHANNELS = 4;

/** x̂ of the smooth surrogate: the rounding error, in steps, is that of `width` bits, the step that of b bits. */
function surrogate(x: Float32Array, reconstruction: Float32Array, width: number, b: number): Float64Array {
  const scale = (2 ** width - 1) / (2 ** b - 1);
  return Float64Array.from(x, (value, i) => value + (reconstruction[i]! - value) * scale);
}

const x = gaussianTensor(1, TOKENS, CHANNELS, (c) => c + 1);
const gradient = gaussianTensor(2, TOKENS, CHANNELS, (c) => 1 / (c + 1));

describe.each([2, 3, 4, 6, 8])("at %i bits", (width) => {
  const spec = parseCodecSpec({ codec: "fixed", bits: width, clip: "none" });
  const options = { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 } as const;
  const body = createEncoder(spec, options).encode(x, TOKENS, { step: 0, microBatch: 0 });
  const widths = new Uint8Array(CHANNELS).fill(width);
  const bits = new Float64Array(CHANNELS).fill(width);
  const h = 1e-4;

  function differences(loss: (xHat: Float64Array, channel: number) => number): number[] {
    return Array.from({ length: CHANNELS }, (_, c) => {
      const above = loss(surrogate(x, body.reconstruction, width, width + h), c);
      const below = loss(surrogate(x, body.reconstruction, width, width - h), c);
      return (above - below) / (2 * h);
    });
  }

  it("the loss's gain equals central differences of Σ g·x̂", () => {
    const sums = readSums(channelSums(x, body.reconstruction, gradient, CHANNELS), "gradient");
    const gain = gainFromProducts(sums.products!, widths, bits);
    const expected = differences((xHat, channel) => {
      let sum = 0;
      for (let i = channel; i < x.length; i += CHANNELS) sum += gradient[i]! * xHat[i]!;
      return sum;
    });
    gain.forEach((value, c) => {
      expect(Math.abs(value - expected[c]!)).toBeLessThan(1e-5 * Math.abs(expected[c]!));
    });
  });

  it("the error's gain equals central differences of Σ (x̂ − x)²", () => {
    const sums = readSums(channelSums(x, body.reconstruction, undefined, CHANNELS), "distortion");
    const gain = gainFromDistortion(sums.distortion, widths, bits);
    const expected = differences((xHat, channel) => {
      let sum = 0;
      for (let i = channel; i < x.length; i += CHANNELS) sum += (xHat[i]! - x[i]!) ** 2;
      return sum;
    });
    gain.forEach((value, c) => {
      expect(value).toBeLessThan(0);
      expect(Math.abs(value - expected[c]!)).toBeLessThan(1e-5 * Math.abs(expected[c]!));
    });
  });
});

describe("a gain", () => {
  it("is the formula of the step's shrinkage", () => {
    expect(stepShrinkage(3)).toBeCloseTo((Math.LN2 * 8) / 7, 14);
    // One channel, g·(x̂ − x) = 2·0.5 + 1·(−0.25) = 0.75.
    const sums = channelSums(Float32Array.of(1, 2), Float32Array.of(1.5, 1.75), Float32Array.of(2, 1), 1);
    const { products, distortion, gradientEnergy, tokens } = readSums(sums, "gradient");
    expect([[...distortion], [...products!], [...gradientEnergy!], tokens]).toEqual([
      [0.3125],
      [0.75],
      [5],
      2,
    ]);
    expect(gainFromProducts(products!, Uint8Array.of(3), Float64Array.of(3))[0]).toBeCloseTo(
      -0.75 * Math.LN2 * (8 / 7),
      14,
    );
  });

  it("halves with each bit that the gate stands above the width in use, the error's quarters", () => {
    const sums = Float64Array.of(1, 1);
    const widths = Uint8Array.of(3, 3);
    const [a, b] = gainFromProducts(sums, widths, Float64Array.of(3, 4));
    expect(b! / a!).toBeCloseTo(0.5, 14);
    const [c, d] = gainFromDistortion(sums, widths, Float64Array.of(3, 4));
    expect(d! / c!).toBeCloseTo(0.25, 14);
  });
});
