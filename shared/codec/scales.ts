/**
 * The scales section: for each channel its lowest level and the step between levels, as f16, under one
 * exponent for the whole message.
 *
 *   byte 0                   e, a signed byte, −102 to 112
 *   bytes 1 .. 2C            lo[0..C−1], f16 little-endian
 *   bytes 1+2C .. 4C         step[0..C−1], f16 little-endian, not negative
 *
 * The values are lo·2^e and step·2^e; level q of a channel is lo + q·step. A message without tokens has no
 * scales.
 *
 * Why a step and not a highest level: q has at most 8 significant bits, step and lo 11 each within 2^40 of one
 * another, so in f64 q·step + lo is exact and storing it as f32 rounds exactly once. Every implementation, with
 * or without fused multiply-add, gets the same bits. Why an exponent: gradients may be 1e-9 or 1e+9, and f16
 * alone reaches from 6e-8 to 65504. The upper bound on e keeps every lo finite. The lower one makes every value a
 * multiple of 2^-126 (f16's finest spacing is 2^-24), so that none is subnormal in f32: a processor that is told to flush
 * those to zero, as training engines do for speed, decodes the same bits as one that keeps them.
 */

import { fail } from "../errors.ts";
import { fromHalf, isFiniteHalf, toHalf, toHalfDown, toHalfUp } from "../half.ts";

export const MIN_EXPONENT = -102;
export const MAX_EXPONENT = 112;
/**
 * Least exponent where levels are computed with before they are values (dither, rotation): levels are then multiples of
 * 2^-104, dithered ones of 2^-120, sums of them too, and rotated values are 0 or at least 2^-124: never subnormal.
 */
export const MIN_COMPUTED_EXPONENT = -80;
/** (2 − 2^-23) · 2^127. */
const F32_MAX = 3.4028234663852886e38;

const scratchF64 = new Float64Array(1);
const scratchU32 = new Uint32Array(scratchF64.buffer);

/**
 * The exponent e for which magnitude · 2^-e lies in [2^14, 2^15), held within the bounds; 0 for magnitude 0.
 * The factor 2 below f16's largest finite value leaves room for rounding up.
 */
export function exponentFor(magnitude: number): number {
  if (magnitude === 0) return 0;
  scratchF64[0] = magnitude;
  const floorLog2 = ((scratchU32[1]! >>> 20) & 0x7ff) - 1023;
  return Math.min(MAX_EXPONENT, Math.max(MIN_EXPONENT, floorLog2 - 14));
}

/** Lowest level and step of each channel as the receiver will have them: exact f32 values held in f64. */
export interface Levels {
  readonly lo: Float64Array;
  readonly step: Float64Array;
}

export function makeLevels(channels: number): Levels {
  return { lo: new Float64Array(channels), step: new Float64Array(channels) };
}

export function scalesBytes(channels: number, tokens: number): number {
  return tokens === 0 ? 0 : 1 + 4 * channels;
}

/**
 * Where the levels lie: `span` puts the lowest and the highest at the ends of the range. `zero` makes 0 one
 * of the levels where the range holds it. Gradients want that: most of a heavy-tailed channel lies near 0,
 * and on a grid that misses 0 rounding to nearest gives all of it one common offset and stochastic rounding
 * tosses it between two levels; with 0 on the grid its rounding noise goes to 0 with it, and exact zeros stay
 * zero.
 */
export type Grid = "span" | "zero";

/** Up to this scale no level, at most 65504 + 255 · 65504 before it, is beyond the largest f32. */
const SAFE_SCALE = 2 ** 103;

/** Above this width −z·step does not fit f16 exactly with a step of 5 or more digits, and `zero` is `span`. */
const WIDEST_ZERO_GRID = 6;

/**
 * Writes the section for ranges [lo, hi] into `out` and its rounded values into `levels`.
 *
 * `span` rounds lo down and the step up, so the levels cover the whole range; only beyond ±65504·2^112, 0.05
 * % short of f32's largest value, can they fall short of it. `zero` does the same when `cover`; otherwise it
 * keeps the step and shifts the levels by at most half of it. `minExponent` is for streams whose levels are computed
 * with before they are values, which must stay further away from f32's smallest.
 */
export function writeScales(
  lo: Float64Array,
  hi: Float64Array,
  widths: Uint8Array,
  grid: Grid,
  cover: boolean,
  out: Uint8Array,
  levels: Levels,
  minExponent = MIN_EXPONENT,
): void {
  const channels = widths.length;
  let magnitude = 0;
  for (let c = 0; c < channels; c++) {
    magnitude = Math.max(magnitude, Math.abs(lo[c]!), Math.abs(hi[c]!));
  }
  const exponent = magnitude === 0 ? 0 : Math.max(minExponent, exponentFor(magnitude));
  const up = 2 ** exponent;
  const down = 2 ** -exponent;
  out[0] = exponent;
  if (pairs.length < channels) pairs = new Int32Array(channels);
  spanGrids(lo, hi, widths, down);
  if (grid === "zero") zeroGrids(lo, hi, widths, down, up, cover);
  if (up > SAFE_SCALE) keepFinite(widths, up);
  for (let c = 0; c < channels; c++) {
    const loHalf = pairs[c]! >>> 16;
    const stepHalf = pairs[c]! & 0xffff;
    levels.lo[c] = fromHalf(loHalf) * up;
    levels.step[c] = fromHalf(stepHalf) * up;
    writeU16(out, 1 + 2 * c, loHalf);
    writeU16(out, 1 + 2 * (channels + c), stepHalf);
  }
}

/** pair() of each channel, while a call lasts. */
let pairs = new Int32Array(0);

// Each kind of grid has a loop of its own, small enough for engines to inline all that a channel takes: a number that is passed
// to a function is allocated, which takes longer than what is done with it.

function spanGrids(lo: Float64Array, hi: Float64Array, widths: Uint8Array, down: number): void {
  for (let c = 0; c < widths.length; c++) pairs[c] = spanGrid(lo[c]! * down, hi[c]! * down, widths[c]!);
}

/** Replaces pairs of channels that can have 0 among their levels. */
function zeroGrids(
  lo: Float64Array,
  hi: Float64Array,
  widths: Uint8Array,
  down: number,
  up: number,
  cover: boolean,
): void {
  for (let c = 0; c < widths.length; c++) {
    const width = widths[c]!;
    const low = lo[c]! * down;
    const high = hi[c]! * down;
    if (width === 1 || width > WIDEST_ZERO_GRID || low >= 0 || high <= 0) continue;
    const halves = zeroGrid(low, high, width, cover);
    if (up <= SAFE_SCALE || !levelsOverflow(halves, width, up)) pairs[c] = halves;
  }
}

/** Lowers steps until no level is beyond the largest f32. */
function keepFinite(widths: Uint8Array, up: number): void {
  for (let c = 0; c < widths.length; c++) {
    while (levelsOverflow(pairs[c]!, widths[c]!, up)) pairs[c] = pairs[c]! - 1;
  }
}

/** The f16 bits of a channel's lowest level and, in the lower half, of its step: 32 bits, signed. */
function pair(loHalf: number, stepHalf: number): number {
  return (loHalf << 16) | stepHalf;
}

function spanGrid(low: number, high: number, width: number): number {
  const lo = toHalfDown(low);
  return pair(lo, toHalfUp(Math.max(0, (high - fromHalf(lo)) / ((1 << width) - 1))));
}

/** low < 0 < high. The step has 11 − width significant bits, so that its product with z is an f16. */
function zeroGrid(low: number, high: number, width: number, cover: boolean): number {
  const top = (1 << width) - 1;
  const ideal = (high - low) / top;
  let z = Math.min(top - 1, Math.max(1, Math.round(-low / ideal)));
  let step = ideal;
  if (cover) {
    step = Infinity;
    for (let k = Math.max(1, z - 1), last = Math.min(top - 1, z + 1); k <= last; k++) {
      const needed = Math.max(-low / k, high / (top - k));
      if (needed < step) {
        step = needed;
        z = k;
      }
    }
  }
  const dropped = (1 << width) - 1;
  const stepHalf = (toHalfUp(step) + dropped) & ~dropped;
  return pair(toHalf(-z * fromHalf(stepHalf)), stepHalf);
}

function levelsOverflow(halves: number, width: number, up: number): boolean {
  const lo = fromHalf(halves >>> 16) * up;
  const highest = lo + ((1 << width) - 1) * fromHalf(halves & 0xffff) * up;
  return !(Number.isFinite(lo) && highest <= F32_MAX);
}

/** Reads a section into `levels`. Throws NB_CODEC_BODY_INVALID when a value is not as the format demands. */
export function readScales(section: Uint8Array, widths: Uint8Array, levels: Levels): void {
  const channels = widths.length;
  const up = 2 ** readExponent(section);
  for (let c = 0; c < channels; c++) {
    const loHalf = readU16(section, 1 + 2 * c);
    const stepHalf = readU16(section, 1 + 2 * (channels + c));
    if (!isFiniteHalf(loHalf) || !isFiniteHalf(stepHalf) || stepHalf & 0x8000) {
      fail(
        "NB_CODEC_BODY_INVALID",
        `channel ${c} has lowest level ${fromHalf(loHalf)} and step ${fromHalf(stepHalf)}; both must be finite, the step not negative`,
      );
    }
    const lo = fromHalf(loHalf) * up;
    const step = fromHalf(stepHalf) * up;
    if (lo + ((1 << widths[c]!) - 1) * step > F32_MAX) {
      fail("NB_CODEC_BODY_INVALID", `channel ${c} has a level beyond the largest f32`);
    }
    levels.lo[c] = lo;
    levels.step[c] = step;
  }
}

/** The exponent in byte 0 of a section. Throws NB_CODEC_BODY_INVALID when it is out of bounds. */
export function readExponent(section: Uint8Array): number {
  const exponent = (section[0]! << 24) >> 24;
  if (exponent < MIN_EXPONENT || exponent > MAX_EXPONENT) {
    fail(
      "NB_CODEC_BODY_INVALID",
      `scale exponent ${exponent}; accepted are ${MIN_EXPONENT} to ${MAX_EXPONENT}`,
    );
  }
  return exponent;
}

function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

function readU16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}
