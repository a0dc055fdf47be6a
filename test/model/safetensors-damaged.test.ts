import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asNarrowbandError, type ErrorCode } from "../../shared/errors.ts";
import { readSafetensors, writeSafetensors } from "../../shared/model/safetensors.ts";
import { SEED, safetensorsBytes } from "./helpers.ts";

const REFUSALS: readonly ErrorCode[] = [
  "NB_SAFETENSORS_TRUNCATED",
  "NB_SAFETENSORS_HEADER",
  "NB_SAFETENSORS_LAYOUT",
  "NB_SAFETENSORS_DTYPE",
];

/** The code with which bytes are refused; undefined when they are read. */
function refusal(bytes: Uint8Array): ErrorCode | undefined {
  try {
    readSafetensors(bytes);
    return undefined;
  } catch (error) {
    const { code, message } = asNarrowbandError(error);
    expect(REFUSALS, message).toContain(code);
    return code;
  }
}

const good = writeSafetensors(
  new Map([
    ["a", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["b.weight", { shape: [4], data: new Float32Array(4) }],
  ]),
);

describe("a damaged safetensors file", () => {
  it("is refused when it is cut off at any byte", () => {
    for (let length = 0; length < good.length; length++)
      expect(refusal(good.subarray(0, length))).toBeDefined();
    expect(refusal(good)).toBeUndefined();
  });

  it("is refused when bytes are appended", () => {
    const longer = new Uint8Array(good.length + 1);
    longer.set(good);
    expect(refusal(longer)).toBe("NB_SAFETENSORS_LAYOUT");
  });

  it("is refused or read, and never anything else, after any flip of one bit of its head", () => {
    const headLength = good.length - 10 * 4;
    for (let bit = 0; bit < headLength * 8; bit++) {
      const flipped = good.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      refusal(flipped);
    }
  });

  it("any bytes are refused with a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(refusal(bytes)).toBeDefined();
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it("any JSON as a header is refused with a typed error, or is a file without tensors", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.uint8Array({ maxLength: 40 }), (json, data) => {
        refusal(safetensorsBytes(json, data));
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it("any tensor entry is refused with a typed error unless its bytes are as many as it says", () => {
    const entry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom("F32", "F16", "BF16", "I64", "F4", "f32"), fc.anything()),
        shape: fc.oneof(fc.array(fc.integer({ min: -1, max: 9 }), { maxLength: 9 }), fc.anything()),
        data_offsets: fc.oneof(fc.tuple(fc.nat(64), fc.nat(64)), fc.array(fc.double()), fc.anything()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), entry, { maxKeys: 3 }), fc.nat(64), (tensors, size) => {
        const header = JSON.stringify(tensors, (_, value) =>
          typeof value === "bigint" ? Number(value) : value,
        );
        refusal(safetensorsBytes(header, new Uint8Array(size)));
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });
});
