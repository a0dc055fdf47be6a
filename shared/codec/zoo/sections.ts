/** Pieces that bodies of the zoo are made of: f16 numbers under one exponent, f32 numbers, symbols of a few bits. */

import { fail } from "../../errors.ts";
import { fromHalf, isFiniteHalf, toHalf, toHalfDown, toHalfUp } from "../../half.ts";
import { packBits, packedBytes, paddingIsZero, unpackBits } from "../bitpack.ts";
import { exponentFor, readExponent } from "../scales.ts";

const F32_MAX = 3.4028234663852886e38;
const F32_MIN_NORMAL = 2 ** -126;

/** `value` held within f32's finite numbers, with what would be subnormal taken for 0, as every codec decodes. */
export function settle(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude > F32_MAX) return value < 0 ? -F32_MAX : F32_MAX;
  return magnitude < F32_MIN_NORMAL ? 0 : value;
}

/** How {@link writeScaled} rounds each of its numbers to f16. */
export type Side = "nearest" | "up" | "down";

/** Bytes of `count` f16 numbers under one exponent. */
export function scaledBytes(count: number): number {
  return 1 + 2 * count;
}

/**
 * Writes a signed exponent byte e and then each value · 2^-e as f16, into out[at ..]. e is chosen by the
 * largest magnitude, so that neither the size of gradients nor of outliers costs digits.
 */
export function writeScaled(
  values: Float64Array,
  side: (index: number) => Side,
  out: Uint8Array,
  at: number,
): void {
  let magnitude = 0;
  for (const value of values) magnitude = Math.max(magnitude, Math.abs(value));
  const exponent = exponentFor(magnitude);
  const down = 2 ** -exponent;
  out[at] = exponent;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]! * down;
    const towards = side(i);
    const half =
      towards === "nearest" ? toHalf(value) : towards === "up" ? toHalfUp(value) : toHalfDown(value);
    out[at + 1 + 2 * i] = half;
    out[at + 2 + 2 * i] = half >>> 8;
  }
}

/** Reads what {@link writeScaled} wrote; the caller has checked the length. Throws NB_CODEC_BODY_INVALID. */
export function readScaled(section: Uint8Array, at: number, count: number): Float64Array {
  const up = 2 ** readExponent(section.subarray(at));
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const half = section[at + 1 + 2 * i]! | (section[at + 2 + 2 * i]! << 8);
    if (!isFiniteHalf(half)) fail("NB_CODEC_BODY_INVALID", `scale ${i} is ${fromHalf(half)}`);
    values[i] = fromHalf(half) * up;
  }
  return values;
}

/** The same for numbers that must not be negative. */
export function readMagnitudes(section: Uint8Array, at: number, count: number): Float64Array {
  const values = readScaled(section, at, count);
  requireNotNegative(values);
  return values;
}

export function requireNotNegative(values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < 0 || Object.is(value, -0)) fail("NB_CODEC_BODY_INVALID", `scale ${i} is negative`);
  }
}

/** Symbols below 2^width, packed as bitpack.ts says; a new array. */
export function packSymbols(symbols: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(packedBytes(symbols.length, width));
  packBits(symbols, 0, symbols.length, width, out, 0);
  return out;
}

/** Reads `count` symbols from bytes[at ..]; the caller has checked the length. Throws when padding is not zero. */
export function unpackSymbols(bytes: Uint8Array, at: number, count: number, width: number): Uint8Array {
  if (!paddingIsZero(bytes, at, count, width)) {
    fail("NB_CODEC_BODY_INVALID", `the bits after the last ${width}-bit element are not zero`);
  }
  const symbols = new Uint8Array(count);
  unpackBits(bytes, at, count, width, symbols, 0);
  return symbols;
}

/** Sections one behind the other; a new array. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
