/** Scales whose levels, dithered or rotated back, would overflow to infinity and poison the receiver's model. */
import { describe, expect, it } from "vitest";
import { createDecoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";

const CHANNELS = 16;
const TOKENS = 4;

/** A body in which every channel has these lowest level and step (f16 bits) under an exponent, and all elements are `symbol`. */
function decode(text: string, exponent: number, lo: number, step: number, symbol: number, key?: number) {
  const scales = new Uint8Array(1 + 4 * CHANNELS + (key === undefined ? 0 : 4));
  const view = new DataView(scales.buffer);
  view.setInt8(0, exponent);
  for (let c = 0; c < CHANNELS; c++) {
    view.setUint16(1 + 2 * c, lo, true);
    view.setUint16(1 + 2 * (CHANNELS + c), step, true);
  }
  if (key !== undefined) {
    scales[2 + 2 * CHANNELS] = scales[2 + 2 * CHANNELS]! | 0x80;
    view.setUint32(1 + 4 * CHANNELS, key, true);
  }
  const payload = new Uint8Array((TOKENS * CHANNELS * 4) / 8).fill(symbol | (symbol << 4));
  const out = new Float32Array(TOKENS * CHANNELS);
  const sections = { bitTable: undefined, bitTableVersion: 0, scales, payload };
  try {
    createDecoder(parseCodecSpec(text), { channels: CHANNELS }).decode(sections, TOKENS, out);
  } catch (error) {
    if (error instanceof NarrowbandError) return error.code;
    throw error;
  }
  return out;
}

describe("levels at the end of f32's range", () => {
  it("are refused where the highest lies beyond it", () => {
    expect(decode("fixed:4", 112, 0x7bff, 0x7bff, 15)).toBe("NB_CODEC_BODY_INVALID");
  });

  it("stay finite when dither is taken off them", () => {
    // lo = 0, 15 steps to just below the largest f32.
    for (const key of [1, 2, 3, 0xffffffff]) {
      for (const [lo, step] of [
        [0, 0x6c00],
        [0xfbff, 0x7000],
        [0xfbff, 0],
      ] as const) {
        const out = decode("fixed:4", 112, lo, step, 15, key);
        expect(typeof out === "string" || out.every(Number.isFinite)).toBe(true);
        const low = decode("fixed:4", 112, lo, step, 0, key);
        expect(typeof low === "string" || low.every(Number.isFinite)).toBe(true);
      }
    }
  });

  it("are refused in rotated streams, where sixteen of them would be added", () => {
    expect(decode("fixed:4,rotate=16", 112, 0x7bff, 0, 0)).toBe("NB_CODEC_BODY_INVALID");
    expect(decode("fixed:4,rotate=16", 112, 0xfbff, 0, 0)).toBe("NB_CODEC_BODY_INVALID");
    const out = decode("fixed:4,rotate=16", 102, 0x7bff, 0, 0);
    expect(typeof out !== "string" && out.every(Number.isFinite)).toBe(true);
  });

  it("below the exponent from which dither would make subnormal numbers are refused", () => {
    expect(decode("fixed:4", -81, 0x3c00, 0x3c00, 3, 9)).toBe("NB_CODEC_BODY_INVALID");
    expect(decode("fixed:4", -102, 0x3c00, 0x3c00, 3)).toBeInstanceOf(Float32Array);
    const least = decode("fixed:4", -80, 0x0001, 0x0001, 1, 9) as Float32Array;
    expect(least.every((value) => value === 0 || Math.abs(value) >= 2 ** -126)).toBe(true);
  });
});
