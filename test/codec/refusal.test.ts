/** Tensors that hold NaN or infinity never leave an encoder, nor enter its gates. */

import { describe, expect, it } from "vitest";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianTensor, sameBits } from "./helpers.ts";

const OPTIONS = { channels: 4, role: "activation", seed: 1, streamId: 1 } as const;
const AT = { step: 0, microBatch: 0 };

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof NarrowbandError) return error.code;
    throw error;
  }
  return "none";
}

describe.each(["f32", "f16", "fixed:3", "amaq"])("%s", (text) => {
  it("refuses NaN and infinity wherever they stand, and encodes the next tensor as if nothing had been", () => {
    const spec = parseCodecSpec(text);
    const encoder = createEncoder(spec, OPTIONS);
    const good = gaussianTensor(2, 20, 4);
    const expected = createEncoder(spec, OPTIONS).encode(good, 20, AT).reconstruction;
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const place of [0, 1, 37, 79]) {
        const x = good.slice();
        x[place] = bad;
        expect(codeOf(() => encoder.encode(x, 20, AT))).toBe("NB_TENSOR_NOT_FINITE");
      }
    }
    expect(sameBits(encoder.encode(good, 20, AT).reconstruction, expected)).toBe(true);
  });

  it("refuses a tensor that has not the size it is said to have", () => {
    const encoder = createEncoder(parseCodecSpec(text), OPTIONS);
    for (const tokens of [19, 21, -1, 19.5]) {
      expect(codeOf(() => encoder.encode(new Float32Array(80), tokens, AT))).toBe("NB_INTERNAL");
    }
  });
});

describe("amaq", () => {
  it("refuses a gradient with NaN, and its gates stay as they were", () => {
    const encoder = createEncoder(parseCodecSpec("amaq"), OPTIONS);
    const x = gaussianTensor(2, 20, 4);
    const { reconstruction } = encoder.encode(x, 20, AT);
    const before = encoder.save();
    for (const bad of [NaN, Infinity]) {
      const gradient = gaussianTensor(3, 20, 4);
      gradient[33] = bad;
      expect(codeOf(() => encoder.observe(x, reconstruction, gradient, 20))).toBe("NB_TENSOR_NOT_FINITE");
    }
    expect(encoder.save()).toEqual(before);
  });
});
