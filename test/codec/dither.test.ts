/** Subtractive dither is unbiased, with the noise of rounding to nearest, and its key travels with the message. */

import { describe, expect, it } from "vitest";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { ditherOf } from "../../shared/codec/rounding.ts";
import { gaussianTensor, relativeError, sameBits } from "./helpers.ts";

const CHANNELS = 8;

function encoderOf(spec: string) {
  return createEncoder(parseCodecSpec(spec), { channels: CHANNELS, role: "gradient", seed: 1, streamId: 1 });
}

/** Mean over 200 steps, and the mean squared error of a step, of a tensor that is the same in each. */
function repeat(spec: string, x: Float32Array) {
  const encoder = encoderOf(spec);
  const mean = new Float64Array(x.length);
  let error = 0;
  for (let step = 0; step < 200; step++) {
    const { reconstruction } = encoder.encode(x, x.length / CHANNELS, { step, microBatch: 0 });
    for (let i = 0; i < x.length; i++) mean[i] = mean[i]! + reconstruction[i]! / 200;
    error += relativeError(x, reconstruction) / 200;
  }
  return { bias: relativeError(x, Float32Array.from(mean)), error };
}

describe("dither", () => {
  it("is an odd multiple of 2^-16 within half a step, with mean 0 and variance 1/12", () => {
    let sum = 0;
    let squares = 0;
    for (let k = 0; k < 20000; k++) {
      const delta = ditherOf(123, k >> 3, k & 7, 8);
      expect(Math.abs(delta)).toBeLessThan(0.5);
      expect(Math.abs(delta * 2 ** 16) % 2).toBe(1);
      sum += delta;
      squares += delta * delta;
    }
    expect(Math.abs(sum / 20000)).toBeLessThan(0.01);
    expect(Math.abs(squares / 20000 - 1 / 12)).toBeLessThan(0.002);
  });

  it("is as unbiased as stochastic rounding, with the error of rounding to nearest", () => {
    const x = gaussianTensor(1, 128, CHANNELS);
    const [dithered, stochastic, nearest] = ["dithered", "stochastic", "nearest"].map((rounding) =>
      repeat(`fixed:3,clip=none,grid=span,rounding=${rounding}`, x),
    ) as [ReturnType<typeof repeat>, ReturnType<typeof repeat>, ReturnType<typeof repeat>];
    expect(dithered.error / nearest.error).toBeLessThan(1.1);
    expect(stochastic.error / dithered.error).toBeGreaterThan(1.8);
    // 200 draws leave 1/200 of an unbiased error.
    expect(dithered.bias).toBeLessThan(dithered.error / 100);
    expect(nearest.bias).toBeGreaterThan(nearest.error * 0.99);
  });

  it("is what gradients get where nothing is said", () => {
    const x = gaussianTensor(2, 64, CHANNELS);
    const at = { step: 3, microBatch: 1 };
    const left = encoderOf("fixed:3").encode(x, 64, at);
    const said = encoderOf("fixed:3,rounding=dithered,grid=span,clip=optimal").encode(x, 64, at);
    expect(sameBits(left.reconstruction, said.reconstruction)).toBe(true);
    expect(left.scales).toEqual(said.scales);
  });

  it("is told by the sign of the first step, with the key in the last 4 bytes", () => {
    const spec = parseCodecSpec("fixed:3");
    const x = gaussianTensor(2, 64, CHANNELS);
    const body = encoderOf("fixed:3").encode(x, 64, { step: 3, microBatch: 1 });
    expect(body.scales.length).toBe(1 + 4 * CHANNELS + 4);
    expect(body.scales[2 + 2 * CHANNELS]! & 0x80).toBe(0x80);
    const decode = (scales: Uint8Array) => {
      const out = new Float32Array(x.length);
      createDecoder(spec, { channels: CHANNELS }).decode({ ...body, scales }, 64, out);
      return out;
    };
    expect(sameBits(decode(body.scales), body.reconstruction)).toBe(true);
    const otherKey = Uint8Array.from(body.scales);
    otherKey[otherKey.length - 1] = otherKey[otherKey.length - 1]! ^ 1;
    expect(sameBits(decode(otherKey), body.reconstruction)).toBe(false);
    const undithered = encoderOf("fixed:3,rounding=nearest").encode(x, 64, { step: 3, microBatch: 1 });
    expect(undithered.scales.length).toBe(1 + 4 * CHANNELS);
  });
});
