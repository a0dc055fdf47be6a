/** Tokens far larger than the others are found, sent apart where that pays, and paid for in the budget. */

import { describe, expect, it } from "vitest";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { findSinks, maxSinks, readSinks, sinkBytes, writeSinks } from "../../shared/codec/sinks.ts";
import { gaussianTensor, hex, relativeError, sameBits } from "./helpers.ts";

const CHANNELS = 32;
const TOKENS = 256;

/** Gaussian tokens; those at `places` have a few values hundreds of times as large. */
function withSinks(places: readonly number[], seed = 1): Float32Array {
  const x = gaussianTensor(seed, TOKENS, CHANNELS);
  for (const place of places) {
    x[place * CHANNELS + 3] = 400;
    x[place * CHANNELS + 17] = -300;
  }
  return x;
}

function encode(spec: string, x: Float32Array) {
  const options = { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 } as const;
  const body = createEncoder(parseCodecSpec(spec), options).encode(x, TOKENS, { step: 0, microBatch: 0 });
  const out = new Float32Array(x.length);
  createDecoder(parseCodecSpec(spec), options).decode(body, TOKENS, out);
  expect(sameBits(out, body.reconstruction)).toBe(true);
  return body;
}

describe("sink tokens", () => {
  it("are those of 64 times the median energy", () => {
    expect([...findSinks(withSinks([0, 128]), TOKENS, CHANNELS)]).toEqual([0, 128]);
    expect([...findSinks(gaussianTensor(1, TOKENS, CHANNELS), TOKENS, CHANNELS)]).toEqual([]);
  });

  it("are none where more than one token in 16 stands out, or where there are fewer than 16 tokens", () => {
    const many = Array.from({ length: maxSinks(TOKENS) + 1 }, (_, k) => k * 10);
    expect([...findSinks(withSinks(many), TOKENS, CHANNELS)]).toEqual([]);
    expect([...findSinks(withSinks([0]).subarray(0, 15 * CHANNELS), 15, CHANNELS)]).toEqual([]);
  });

  it("keep 11 bits of their values, and no longer spoil the ranges of the others", () => {
    const x = withSinks([0, 128]);
    const plain = encode("fixed:3", x);
    const apart = encode("fixed:3,sinks=auto", x);
    expect(apart.scales.length).toBe(1 + 4 * CHANNELS + sinkBytes(2, CHANNELS));
    const ordinary = (tensor: Float32Array) => tensor.filter((_, i) => Math.floor(i / CHANNELS) % 128 !== 0);
    const errorOf = (body: { reconstruction: Float32Array }) =>
      relativeError(ordinary(x), ordinary(body.reconstruction));
    expect(errorOf(plain)).toBeGreaterThan(0.06);
    expect(errorOf(apart)).toBeLessThan(0.045);
    for (const i of [3, 17, 128 * CHANNELS + 3]) {
      expect(Math.abs(apart.reconstruction[i]! - x[i]!)).toBeLessThanOrEqual(Math.abs(x[i]!) * 2 ** -11);
    }
  });

  it("are paid for: widths and sinks together keep to the budget of amaq within 0.05 bit", () => {
    const spec = parseCodecSpec({
      codec: "amaq",
      startBits: 4,
      targetBits: 4,
      annealSteps: 0,
      sinks: "auto",
    });
    const options = { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 } as const;
    const encoder = createEncoder(spec, options);
    for (let step = 0; step < 12; step++) {
      const x = withSinks([0, 128], step);
      const { payload, reconstruction } = encoder.encode(x, TOKENS, { step, microBatch: 0 });
      const bits = (8 * payload.length + 2 * 16 * CHANNELS) / (TOKENS * CHANNELS);
      if (step === 0) expect(bits).toBeGreaterThan(4.08);
      else expect(Math.abs(bits - 4)).toBeLessThan(0.05);
      encoder.observe(x, reconstruction, gaussianTensor(step + 50, TOKENS, CHANNELS), TOKENS);
      encoder.endStep(step);
    }
  });
});

describe("the bytes of sink tokens", () => {
  it("are their number, places, an exponent and f16 values", () => {
    // 16 tokens of two channels; token 5 is 1, −2.5: exponent −13, halves 7000 and f500 as in the f16 example.
    const x = new Float32Array(32);
    x.set([1, -2.5], 10);
    const { bytes, values } = writeSinks(x, 2, Uint32Array.of(5));
    expect(hex(bytes)).toBe("0100" + "05000000" + "f3" + "0070" + "00f5");
    expect([...values]).toEqual([1, -2.5]);
    const back = readSinks(bytes, 16, 2);
    expect([...back.tokens]).toEqual([5]);
    expect([...back.values]).toEqual([1, -2.5]);
  });

  it("are a zero where there are none", () => {
    expect(hex(writeSinks(new Float32Array(32), 2, new Uint32Array(0)).bytes)).toBe("0000");
  });
});
