/** Elements of 1 to 8 bits are packed without gaps and come back. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packBits, packedBytes, paddingIsZero, unpackBits } from "../../shared/codec/bitpack.ts";
import { hex, PROPERTY_SEED, randomSource } from "./helpers.ts";

function randomValues(count: number, width: number, seed: number): Uint8Array {
  const random = randomSource(seed);
  return Uint8Array.from({ length: count }, () => Math.floor(random() * 2 ** width));
}

/** The bit string by its definition, one bit at a time. */
function packedByDefinition(values: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(packedBytes(values.length, width));
  values.forEach((value, k) => {
    for (let j = 0; j < width; j++) {
      const bit = k * width + j;
      out[bit >> 3] = out[bit >> 3]! | (((value >> j) & 1) << (bit & 7));
    }
  });
  return out;
}

describe("bit packing", () => {
  it("puts the first element in the lowest bits", () => {
    // 3 bits each, first element lowest: 1, 2, 3 are 011·010·001 = 0b0_1101_0001 = 0x0d1, in bytes d1 00.
    const out = new Uint8Array(2);
    expect(packBits(Uint8Array.of(1, 2, 3), 0, 3, 3, out, 0)).toBe(2);
    expect(hex(out)).toBe("d100");
  });

  it("agrees with its definition bit by bit and comes back, at every width and length to 70", () => {
    for (let width = 1; width <= 8; width++) {
      for (let count = 0; count <= 70; count++) {
        const values = randomValues(count, width, width * 1000 + count);
        const out = new Uint8Array(packedBytes(count, width));
        expect(packBits(values, 0, count, width, out, 0)).toBe(out.length);
        expect(hex(out)).toBe(hex(packedByDefinition(values, width)));
        const back = new Uint8Array(count);
        expect(unpackBits(out, 0, count, width, back, 0)).toBe(out.length);
        expect(back).toEqual(values);
        expect(paddingIsZero(out, 0, count, width)).toBe(true);
      }
    }
  });

  it("touches nothing outside of its place", () => {
    const settings = { width: fc.integer({ min: 1, max: 8 }), count: fc.integer({ min: 0, max: 300 }) };
    fc.assert(
      fc.property(fc.record({ ...settings, before: fc.nat(9), after: fc.nat(9), seed: fc.nat() }), (p) => {
        const values = randomValues(p.before + p.count + p.after, p.width, p.seed);
        const bytes = packedBytes(p.count, p.width);
        const out = new Uint8Array(p.before + bytes + p.after).fill(0xa5);
        expect(packBits(values, p.before, p.count, p.width, out, p.before)).toBe(p.before + bytes);
        expect(out.subarray(0, p.before).every((byte) => byte === 0xa5)).toBe(true);
        expect(out.subarray(p.before + bytes).every((byte) => byte === 0xa5)).toBe(true);
        const back = new Uint8Array(values.length).fill(0x5a);
        unpackBits(out, p.before, p.count, p.width, back, p.before);
        expect(back.subarray(p.before, p.before + p.count)).toEqual(
          values.subarray(p.before, p.before + p.count),
        );
        expect(back.subarray(0, p.before).every((value) => value === 0x5a)).toBe(true);
        expect(back.subarray(p.before + p.count).every((value) => value === 0x5a)).toBe(true);
      }),
      { seed: PROPERTY_SEED, numRuns: 500 },
    );
  });

  it("costs 3 bits for an element of 3 bits", () => {
    expect(packedBytes(1024 * 256, 3)).toBe((1024 * 256 * 3) / 8);
    expect(packedBytes(3, 3)).toBe(2);
  });

  it("sees padding that is not zero", () => {
    expect(paddingIsZero(Uint8Array.of(0b0010_0000), 0, 5, 1)).toBe(false);
    expect(paddingIsZero(Uint8Array.of(0b0001_0000), 0, 5, 1)).toBe(true);
  });
});
