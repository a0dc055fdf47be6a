/**
 * IEEE 754 binary16 (f16): bulk and scalar conversion to and from f32, and rounding toward a side.
 *
 * Float16Array is not in every supported runtime, so the conversions work on the bits. An f16 value is
 * carried as its 16 bits in a number or a Uint16Array.
 */

import { fail } from "./errors.ts";

/** Largest finite f16, (2 − 2^-10) · 2^15. */
export const F16_MAX = 65504;

const INFINITY_BITS = 0x7c00;
const scratchF32 = new Float32Array(1);
const scratchU32 = new Uint32Array(scratchF32.buffer);

if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) {
  fail("NB_INTERNAL", "this machine is big-endian; the codecs copy typed arrays to the wire as they stand");
}

/** The f16 bits of the f32 whose bits are given; round to nearest, ties to even; overflow gives infinity. */
function halfOfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) {
    return sign | (magnitude > 0x7f800000 ? 0x7e00 : INFINITY_BITS);
  }
  if (magnitude >= 0x38800000) {
    // A normal f16: rebias the exponent (127 → 15) and round away the 13 low bits; a carry moves the exponent up.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  // A subnormal f16 or zero: beside 0.5 the spacing of f32 is 2^-24, that of subnormal f16, so the adder rounds.
  scratchU32[0] = magnitude;
  scratchF32[0] = scratchF32[0]! + 0.5;
  return sign | (scratchU32[0]! - 0x3f000000);
}

/** The f16 nearest to a number, ties to even. The number is first rounded to f32. */
export function toHalf(value: number): number {
  scratchF32[0] = value;
  return halfOfBits(scratchU32[0]!);
}

/** The value of f16 bits. */
export function fromHalf(half: number): number {
  const exponent = (half >>> 10) & 31;
  const mantissa = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  // A normal f16 is an f32 with the same mantissa: rebias the exponent (15 → 127).
  scratchU32[0] = ((half & 0x8000) << 16) | (((half & 0x7fff) << 13) + 0x38000000);
  return scratchF32[0]!;
}

/** True when the bits are neither infinity nor NaN. */
export function isFiniteHalf(half: number): boolean {
  return (half & INFINITY_BITS) !== INFINITY_BITS;
}

/** The next f16 above, for finite bits; the one above the largest is infinity. */
function nextUp(half: number): number {
  if (half === 0x8000) return 1;
  return half & 0x8000 ? half - 1 : half + 1;
}

/** The next f16 below, for finite bits. */
function nextDown(half: number): number {
  if (half === 0) return 0x8001;
  return half & 0x8000 ? half + 1 : half - 1;
}

const scratchF64 = new Float64Array(1);
const scratchWords = new Uint32Array(scratchF64.buffer);
/** Upper words of 2^-14, the smallest normal f16, and of F16_MAX. */
const NORMAL = 0x3f100000;
const LARGEST = 0x40effc00;

/**
 * The f16 next to a number in the direction of `up` (1 or 0), or itself, where it is among the normal ones; else −1. It
 * has one branch, which seldom goes the other way: signs and roundings of a tensor's scales cannot be foretold.
 */
function normalHalf(value: number, up: number): number {
  scratchF64[0] = value;
  const word = scratchWords[1]!;
  const magnitude = word & 0x7fffffff;
  if (magnitude < NORMAL || magnitude >= LARGEST) return -1;
  const dropped = (word & 0x3ff) | scratchWords[0]!;
  const inexact = (dropped | -dropped) >>> 31;
  const sign = word >>> 31;
  // Rebias the exponent (1023 → 15); a carry moves it up.
  return ((sign << 15) | ((magnitude >>> 10) - (1008 << 10))) + (inexact & (sign ^ up));
}

/** The largest finite f16 that is <= value; −F16_MAX when there is none. `value` is finite. */
export function toHalfDown(value: number): number {
  const normal = normalHalf(value, 0);
  if (normal >= 0) return normal;
  if (value >= F16_MAX) return 0x7bff;
  if (value <= -F16_MAX) return 0xfbff;
  const half = toHalf(value);
  return fromHalf(half) > value ? nextDown(half) : half;
}

/** The smallest finite f16 that is >= value; F16_MAX when there is none. `value` is finite. */
export function toHalfUp(value: number): number {
  const normal = normalHalf(value, 1);
  if (normal >= 0) return normal;
  if (value >= F16_MAX) return 0x7bff;
  if (value <= -F16_MAX) return 0xfbff;
  const half = toHalf(value);
  return fromHalf(half) < value ? nextUp(half) : half;
}

/**
 * Writes the f16 nearest to x[i] · scale into out[i]; `scale` is a power of two. Magnitudes that round beyond
 * F16_MAX become F16_MAX when `saturate`, else infinity. out.length >= x.length.
 */
export function floatsToHalves(x: Float32Array, out: Uint16Array, scale = 1, saturate = false): void {
  const limit = saturate ? 0x7bff : 0x7e00;
  for (let i = 0; i < x.length; i++) {
    scratchF32[0] = x[i]! * scale;
    const half = halfOfBits(scratchU32[0]!);
    out[i] = (half & 0x7fff) > limit ? (half & 0x8000) | limit : half;
  }
}

/** Writes the value of halves[i] · scale into out[i]; `scale` is a power of two. out.length >= halves.length. */
export function halvesToFloats(halves: Uint16Array, out: Float32Array, scale = 1): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  const rebias = 2 ** 112 * scale;
  const subnormal = 2 ** -24 * scale;
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const exponent = half & INFINITY_BITS;
    if (exponent === INFINITY_BITS) {
      out[i] = fromHalf(half);
    } else if (exponent === 0) {
      const magnitude = (half & 0x3ff) * subnormal;
      out[i] = half & 0x8000 ? -magnitude : magnitude;
    } else {
      bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
      out[i] = out[i]! * rebias;
    }
  }
}
