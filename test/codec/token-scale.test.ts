/** Tokens of different loudness are brought near one another by powers of two, exactly, and cost four bits each. */

import { describe, expect, it } from "vitest";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import {
  readShifts,
  shiftBytes,
  shiftTokens,
  tokenShifts,
  writeShifts,
} from "../../shared/codec/token-scale.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianTensor, hex, relativeError, sameBits } from "./helpers.ts";

const CHANNELS = 32;
const TOKENS = 257;

/** Gaussian tokens, each multiplied by a power of 2 of its own, 0 to −7. */
function uneven(seed = 1): Float32Array {
  return gaussianTensor(seed, TOKENS, CHANNELS).map(
    (value, i) => value * 2 ** -((Math.floor(i / CHANNELS) * 5) % 8),
  );
}

function encode(settings: string, x: Float32Array) {
  const spec = parseCodecSpec(settings);
  const options = { channels: CHANNELS, role: "gradient", seed: 1, streamId: 1 } as const;
  const body = createEncoder(spec, options).encode(x, TOKENS, { step: 0, microBatch: 0 });
  const out = new Float32Array(x.length);
  createDecoder(spec, options).decode(body, TOKENS, out);
  expect(sameBits(out, body.reconstruction)).toBe(true);
  return body;
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof NarrowbandError) return error.code;
    throw error;
  }
  return "none";
}

describe("scales of tokens", () => {
  it("are the powers of two that bring each near the loudest, at most 2^15, and 1 for a token of zeros", () => {
    const x = Float32Array.of(8, 8, 4, 4, 1, 1.2, 0, 0, 2 ** -20, 0, -8, 7);
    expect([...tokenShifts(x, 6, 2)]).toEqual([0, 1, 3, 0, 15, 0]);
  });

  it("are undone exactly, and never leave f32", () => {
    const x = Float32Array.of(3e38, 0, 1e38, 1e38, 1e-9, -7e36);
    const shifts = tokenShifts(x, 3, 2);
    const scaled = x.slice();
    shiftTokens(scaled, shifts, 2, 1);
    expect(scaled.every((value) => Math.abs(value) <= 3.4012e38)).toBe(true);
    shiftTokens(scaled, shifts, 2, -1);
    expect(sameBits(scaled, x)).toBe(true);
  });

  it("make the error of every token follow its size, for four bits a token", () => {
    const x = uneven();
    const plain = encode("fixed:3", x);
    const scaled = encode("fixed:3,tokenScale=pow2", x);
    expect(scaled.scales.length - plain.scales.length).toBe(shiftBytes(TOKENS));
    expect(scaled.payload.length).toBe(plain.payload.length);
    expect(relativeError(x, plain.reconstruction)).toBeGreaterThan(0.08);
    expect(relativeError(x, scaled.reconstruction)).toBeLessThan(0.05);
    const quiet = (tensor: Float32Array) => tensor.filter((_, i) => (Math.floor(i / CHANNELS) * 5) % 8 === 7);
    expect(relativeError(quiet(x), quiet(scaled.reconstruction))).toBeLessThan(0.08);
  });

  it("do not change a stream whose tokens are alike, but for their bytes", () => {
    const x = Float32Array.from({ length: TOKENS * CHANNELS }, (_, i) => ((i * 7) % 32) - 15.5);
    const [plain, scaled] = ["fixed:3", "fixed:3,tokenScale=pow2"].map((spec) => encode(spec, x));
    expect(sameBits(plain!.reconstruction, scaled!.reconstruction)).toBe(true);
  });
});

describe("the bytes of token scales", () => {
  it("are four bits a token, the even one in the lower half", () => {
    const bytes = writeShifts(Uint8Array.of(1, 15, 0, 7, 9));
    expect(hex(bytes)).toBe("f17009");
    expect([...readShifts(bytes, 5)]).toEqual([1, 15, 0, 7, 9]);
  });

  it("are refused when they end too early, or go on after the last token", () => {
    expect(codeOf(() => readShifts(Uint8Array.of(0xf1, 0x70), 5))).toBe("NB_CODEC_BODY_INVALID");
    expect(codeOf(() => readShifts(Uint8Array.of(0xf1, 0x70, 0x19), 5))).toBe("NB_CODEC_BODY_INVALID");
  });

  it("stand before scales whose exponent is −64 at least", () => {
    const spec = parseCodecSpec("fixed:2,tokenScale=pow2");
    const decode = (exponent: number) => {
      const scales = Uint8Array.of(0x10, exponent, 0, 0, 0, 0x3c);
      const out = new Float32Array(2);
      const sections = { bitTable: undefined, bitTableVersion: 0, scales, payload: Uint8Array.of(0b1011) };
      createDecoder(spec, { channels: 1 }).decode(sections, 2, out);
      return [...out];
    };
    expect(decode(0)).toEqual([3, 1]);
    expect(decode(-64)).toEqual([3 * 2 ** -64, 2 ** -64]);
    expect(codeOf(() => decode(-65))).toBe("NB_CODEC_BODY_INVALID");
  });
});
