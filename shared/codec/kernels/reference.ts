/**
 * The quantizer's passes over a tensor in plain TypeScript: what the kernels of assembly/measure.ts,
 * assembly/quantize*.ts and dequantize.ts must equal bit for bit, and what runs where there are none.
 *
 * Arithmetic is f32, each operation rounded once (Math.fround), since four f32 fit a vector register. Sums are f32 within
 * a band of BAND rows and f64 over bands: a channel's sums are taken in the order of its tokens, and lanes of a register
 * are different channels, so no order of lanes is involved. All tensors are [tokens, channels], row-major.
 */

import { thresholdOf } from "../hash.ts";
import type { Levels } from "../scales.ts";

/** Rows whose sums are f32. The same as in assembly/measure.ts. */
const BAND = 16;
/** Rows that moments are taken of: more say little more of a channel's spread. */
export const SAMPLE_ROWS = 512;
/** Ranges that tails are measured for: √2^k times the narrowest, k = 0 … 7. */
export const CANDIDATES = 8;
/** √2^k as f32. */
export const CANDIDATE_RANGES = Float32Array.from({ length: CANDIDATES }, (_, k) => Math.SQRT2 ** k);

/** Number of the sample's rows. */
export function sampleSize(tokens: number): number {
  return Math.min(tokens, SAMPLE_ROWS);
}

/**
 * The row of the tensor that is row i of the sample: rows at even distances, or all that there are. The first is not
 * the tensor's: a sequence's first token is often far from all others and would weigh too much.
 */
export function sampledRow(i: number, tokens: number): number {
  return tokens <= SAMPLE_ROWS ? i : Math.floor(((i + 0.5) * tokens) / SAMPLE_ROWS);
}

/**
 * Of each channel [channels]: a value near which it lies; the sample's sums of d = x − origin and of d²; and extremes, of
 * the sample after addMoments(), of all rows after addExtremes() or measureTails().
 */
export interface Moments {
  readonly origin: Float32Array;
  readonly min: Float32Array;
  readonly max: Float32Array;
  readonly sum: Float64Array;
  readonly squares: Float64Array;
}

export function makeMoments(channels: number): Moments {
  return {
    origin: new Float32Array(channels),
    min: new Float32Array(channels),
    max: new Float32Array(channels),
    sum: new Float64Array(channels),
    squares: new Float64Array(channels),
  };
}

/** Moments of no rows: the origin is the row in the middle (the first is often unlike all others), sums are 0. */
export function startMoments(x: Float32Array, tokens: number, moments: Moments): void {
  const channels = moments.origin.length;
  const row = (tokens >> 1) * channels;
  for (let c = 0; c < channels; c++) moments.origin[c] = x[row + c]!;
  moments.min.set(moments.origin);
  moments.max.set(moments.origin);
  moments.sum.fill(0);
  moments.squares.fill(0);
}

/** Adds the sampled rows of x to started moments. */
export function addMoments(x: Float32Array, tokens: number, moments: Moments): void {
  const { origin, min, max, sum, squares } = moments;
  const channels = origin.length;
  const size = sampleSize(tokens);
  for (let band = 0; band < size; band += BAND) {
    const end = Math.min(band + BAND, size);
    for (let c = 0; c < channels; c++) {
      const about = origin[c]!;
      let low = min[c]!;
      let high = max[c]!;
      let total = 0;
      let square = 0;
      for (let r = band; r < end; r++) {
        const value = x[sampledRow(r, tokens) * channels + c]!;
        if (value < low) low = value;
        if (value > high) high = value;
        const d = Math.fround(value - about);
        total = Math.fround(total + d);
        square = Math.fround(square + Math.fround(d * d));
      }
      min[c] = low;
      max[c] = high;
      sum[c] = sum[c]! + total;
      squares[c] = squares[c]! + square;
    }
  }
}

/** Extends the extremes to all rows of x. False when x holds NaN, which is in no extreme. */
export function addExtremes(x: Float32Array, { min, max }: Moments): boolean {
  const channels = min.length;
  let numbers = true;
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      const value = x[i]!;
      if (value < min[c]!) min[c] = value;
      if (value > max[c]!) max[c] = value;
      if (Number.isNaN(value)) numbers = false;
    }
  }
  return numbers;
}

/** Squares of smaller spans may lose digits in f32. */
const LEAST_SPAN = 2 ** -50;

/** False where a square may have overflowed or underflowed in f32, and where there was a NaN or an infinity. */
export function momentsAreExact({ min, max, squares }: Moments): boolean {
  for (let c = 0; c < squares.length; c++) {
    const span = max[c]! - min[c]!;
    if (!Number.isFinite(squares[c]!) || (span < LEAST_SPAN && span !== 0)) return false;
  }
  return true;
}

/** startMoments() and addMoments() in f64, for tensors of extreme magnitudes. */
export function wideMoments(x: Float32Array, tokens: number, moments: Moments): void {
  startMoments(x, tokens, moments);
  const { origin, min, max, sum, squares } = moments;
  const channels = origin.length;
  for (let r = 0; r < sampleSize(tokens); r++) {
    const row = sampledRow(r, tokens) * channels;
    for (let c = 0; c < channels; c++) {
      const value = x[row + c]!;
      const d = value - origin[c]!;
      if (value < min[c]!) min[c] = value;
      if (value > max[c]!) max[c] = value;
      sum[c] = sum[c]! + d;
      squares[c] = squares[c]! + d * d;
    }
  }
}

const excesses = new Float32Array(CANDIDATES);

/**
 * Sets overload[k · channels + c] to Σ max(0, |z| − √2^k)² over channel c's values, z = x · inverse − center. Channels
 * with inverse and center 0 get 0; |inverse| <= 2^100. In the same pass extends the extremes of `moments` to all rows, as addExtremes() does.
 */
export function measureTails(
  x: Float32Array,
  tokens: number,
  inverse: Float32Array,
  center: Float32Array,
  overload: Float64Array,
  moments: Moments,
): boolean {
  const channels = inverse.length;
  const numbers = addExtremes(x, moments);
  overload.fill(0);
  for (let band = 0; band < tokens; band += BAND) {
    const rows = Math.min(BAND, tokens - band);
    for (let c = 0; c < channels; c++) {
      const factor = inverse[c]!;
      const middle = center[c]!;
      let used = 0;
      for (let r = 0, i = band * channels + c; r < rows; r++, i += channels) {
        const z = Math.abs(Math.fround(Math.fround(x[i]! * factor) - middle));
        for (let k = 0; k < CANDIDATES && z > CANDIDATE_RANGES[k]!; k++) {
          const past = Math.fround(z - CANDIDATE_RANGES[k]!);
          if (k === used) excesses[used++] = 0;
          excesses[k] = excesses[k]! + Math.fround(past * past);
        }
      }
      for (let k = 0; k < used; k++) {
        const at = k * channels + c;
        overload[at] = overload[at]! + excesses[k]!;
      }
    }
  }
  return numbers;
}

/** A channel's levels as the quantizer uses them [channels]; see setTables(). */
export interface LevelTables {
  readonly low: Float32Array;
  /** 1 / step, or 0 where the step is 0. */
  readonly inverse: Float32Array;
  /** Highest level, 2^n − 1. */
  readonly top: Float32Array;
  readonly step: Float32Array;
}

export function makeTables(channels: number): LevelTables {
  return {
    low: new Float32Array(channels),
    inverse: new Float32Array(channels),
    top: new Float32Array(channels),
    step: new Float32Array(channels),
  };
}

/** Levels beyond this are quantized scaled down, so that x − lo cannot overflow, and not by kernels. */
const LARGEST_LEVEL = 2 ** 120;
const WIDE_SCALE = 2 ** -24;

/** Fills tables and returns what low, inverse and x are to be multiplied by: 1, or less for levels near f32's largest. */
export function setTables(levels: Levels, widths: Uint8Array, tables: LevelTables): number {
  const { lo, step } = levels;
  const { low, inverse, top } = tables;
  let largest = 0;
  for (let c = 0; c < widths.length; c++) {
    const highest = (1 << widths[c]!) - 1;
    const distance = step[c]!;
    low[c] = lo[c]!;
    tables.step[c] = distance;
    inverse[c] = distance === 0 ? 0 : 1 / distance;
    top[c] = highest;
    largest = Math.max(largest, Math.abs(lo[c]!), Math.abs(lo[c]! + highest * distance));
  }
  if (largest <= LARGEST_LEVEL) return 1;
  for (let c = 0; c < widths.length; c++) {
    low[c] = lo[c]! * WIDE_SCALE;
    inverse[c] = step[c] === 0 ? 0 : 1 / (step[c]! * WIDE_SCALE);
  }
  return WIDE_SCALE;
}

/** 1.5 · 2^23: a number from 0 to 255 that is added to it is rounded to an integer, ties to even. */
const ROUNDER = 12582912;
/** 2^23: a level times 2^15 that is added to it is rounded to an integer. */
const FIXED = 8388608;

/** The level of a value, from 0 to top, not rounded: f32. */
function levelOf(value: number, low: number, inverse: number, top: number): number {
  const level = Math.fround(Math.fround(value - low) * inverse);
  const positive = level > 0 ? level : 0;
  return positive > top ? top : positive;
}

/**
 * Quantizes x to symbols in slot order (symbols[slots[c] · tokens + t]) and, where there is a place for it, what they stand
 * for. `key` undefined: to the nearest level, ties to the even one. Else stochastically: the level, to a 2^-15th, is rounded up with the probability
 * of its fraction.
 */
export function quantize(
  x: Float32Array,
  tokens: number,
  tables: LevelTables,
  scale: number,
  slots: Int32Array,
  key: number | undefined,
  symbols: Uint8Array,
  reconstruction: Float32Array | undefined,
  levels: Levels,
): void {
  const channels = slots.length;
  for (let band = 0; band < tokens; band += BAND) {
    const end = Math.min(band + BAND, tokens);
    for (let c = 0; c < channels; c++) {
      const low = tables.low[c]!;
      const inverse = tables.inverse[c]!;
      const top = tables.top[c]!;
      const from = levels.lo[c]!;
      const step = levels.step[c]!;
      const slot = slots[c]! * tokens;
      for (let t = band, i = band * channels + c; t < end; t++, i += channels) {
        const level = levelOf(x[i]! * scale, low, inverse, top);
        const symbol =
          key === undefined
            ? Math.fround(level + ROUNDER) - ROUNDER
            : (Math.fround(level * 32768 + FIXED) - FIXED + thresholdOf(key, t, c, channels)) >> 15;
        symbols[slot + t] = symbol;
        if (reconstruction !== undefined) reconstruction[i] = symbol * step + from;
      }
    }
  }
}

/** What x rounded to the nearest level stands for [tokens, channels]: the reconstruction of quantize() alone. */
export function roundNearest(
  x: Float32Array,
  tables: LevelTables,
  scale: number,
  levels: Levels,
  out: Float32Array,
): void {
  const channels = tables.low.length;
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      const level = levelOf(x[i]! * scale, tables.low[c]!, tables.inverse[c]!, tables.top[c]!);
      const symbol = Math.fround(level + ROUNDER) - ROUNDER;
      out[i] = symbol * levels.step[c]! + levels.lo[c]!;
    }
  }
}

/** out = fround(q · step + lo); the sum is exact before it is rounded. */
export function dequantize(
  symbols: Uint8Array,
  tokens: number,
  levels: Levels,
  slots: Int32Array,
  out: Float32Array,
): void {
  const channels = slots.length;
  for (let band = 0; band < tokens; band += BAND) {
    const end = Math.min(band + BAND, tokens);
    for (let c = 0; c < channels; c++) {
      const low = levels.lo[c]!;
      const step = levels.step[c]!;
      const slot = slots[c]! * tokens;
      for (let t = band, i = band * channels + c; t < end; t++, i += channels) {
        out[i] = symbols[slot + t]! * step + low;
      }
    }
  }
}
