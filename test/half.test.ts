/** f16 values convert as IEEE 754 says, and rounding toward a side never crosses the value. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  F16_MAX,
  floatsToHalves,
  fromHalf,
  halvesToFloats,
  isFiniteHalf,
  toHalf,
  toHalfDown,
  toHalfUp,
} from "../shared/half.ts";
import { PROPERTY_SEED } from "./codec/helpers.ts";

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);
const FINITE = ALL.filter(isFiniteHalf);

describe("f16", () => {
  it("has the values of the standard's table", () => {
    expect(fromHalf(0x3c00)).toBe(1);
    expect(fromHalf(0xc000)).toBe(-2);
    expect(fromHalf(0x7bff)).toBe(F16_MAX);
    expect(fromHalf(0x0001)).toBe(2 ** -24);
    expect(fromHalf(0x0400)).toBe(2 ** -14);
    expect(fromHalf(0x3555)).toBe(0.333251953125);
    expect(fromHalf(0x7c00)).toBe(Infinity);
    expect(fromHalf(0x7e00)).toBeNaN();
  });

  it("comes back from f32 bit for bit, each of the 63,488 finite ones, singly and in bulk", () => {
    const floats = new Float32Array(FINITE.length);
    halvesToFloats(FINITE, floats);
    const back = new Uint16Array(FINITE.length);
    floatsToHalves(floats, back);
    for (let i = 0; i < FINITE.length; i++) {
      if (floats[i] !== fromHalf(FINITE[i]!)) throw new Error(`bulk value of ${FINITE[i]}`);
      if (toHalf(floats[i]!) !== FINITE[i]) throw new Error(`bits of ${floats[i]}`);
    }
    expect(back.every((half, i) => half === FINITE[i])).toBe(true);
    expect(FINITE.length).toBe(63488);
  });

  it("rounds to nearest, ties to even, between each two neighbours", () => {
    const positive = FINITE.filter((half) => half < 0x8000);
    for (let i = 0; i + 1 < positive.length; i++) {
      const low = fromHalf(positive[i]!);
      const high = fromHalf(positive[i + 1]!);
      const middle = (low + high) / 2;
      const even = positive[i]! % 2 === 0 ? positive[i]! : positive[i + 1]!;
      if (toHalf(middle) !== even) throw new Error(`tie ${middle}`);
      // The nearest f32 on either side of the tie.
      const below = Math.fround(middle * (1 - 2 ** -23));
      const above = Math.fround(middle * (1 + 2 ** -23));
      if (toHalf(below) !== positive[i] || toHalf(above) !== positive[i + 1])
        throw new Error(`near ${middle}`);
      if (toHalf(-below) !== (positive[i]! | 0x8000)) throw new Error(`negative ${middle}`);
    }
    expect(positive.length).toBe(31744);
  });

  it("overflows to infinity from 65520 on, or saturates when asked", () => {
    expect(toHalf(65519.99)).toBe(0x7bff);
    expect(toHalf(65520)).toBe(0x7c00);
    expect(toHalf(-1e30)).toBe(0xfc00);
    const out = new Uint16Array(3);
    floatsToHalves(Float32Array.of(1e30, -65520, 1), out, 1, true);
    expect([...out]).toEqual([0x7bff, 0xfbff, 0x3c00]);
  });

  it("scales by a power of two on the way", () => {
    const x = Float32Array.of(3e-9, -7e-8, 0);
    const halves = new Uint16Array(3);
    const back = new Float32Array(3);
    floatsToHalves(x, halves, 2 ** 38);
    halvesToFloats(halves, back, 2 ** -38);
    x.forEach((value, i) => {
      expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11);
    });
  });

  it("rounds down and up to the tightest f16 on either side", () => {
    const bounded = fc.double({ min: -70000, max: 70000, noNaN: true });
    const small = fc.double({ min: -1e-6, max: 1e-6, noNaN: true });
    fc.assert(
      fc.property(fc.oneof(bounded, small), (value) => {
        const down = toHalfDown(value);
        const up = toHalfUp(value);
        expect(isFiniteHalf(down) && isFiniteHalf(up)).toBe(true);
        if (Math.abs(value) > F16_MAX) {
          expect(fromHalf(down)).toBe(Math.sign(value) * F16_MAX);
          return;
        }
        expect(fromHalf(down)).toBeLessThanOrEqual(value);
        expect(fromHalf(up)).toBeGreaterThanOrEqual(value);
        const spacing = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(Math.abs(value) || 1e-30)) - 10));
        expect(fromHalf(up) - fromHalf(down)).toBeLessThanOrEqual(spacing);
        const half = fromHalf(down);
        expect(fromHalf(toHalfDown(half))).toBe(half);
        expect(fromHalf(toHalfUp(half))).toBe(half);
      }),
      { seed: PROPERTY_SEED, numRuns: 2000 },
    );
  });
});
