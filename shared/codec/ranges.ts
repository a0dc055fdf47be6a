/**
 * Chooses the range [lo, hi] that each channel's levels span, from the tokens of one message.
 *
 * `none` takes the smallest and largest value, so that nothing is clipped. `optimal` looks for the least
 * expected squared error. Few bits are wasted on the rare values of the tails: for a Gaussian channel the
 * best outermost level of 8 lies at 2.05 standard deviations, where min/max of 1,024 tokens lies beyond 3 (J.
 * Max, "Quantizing for minimum distortion", IRE Trans. Inform. Theory 6(1), 1960, table II). Tails heavier
 * than a Gaussian's want wider ranges, the more so the more bits there are, so Max's range is only the
 * narrowest of a family of candidates, each √2 wider than the one before and the last being min/max. Each is
 * charged its overload error, measured on the data, plus step²/12 per token for rounding to nearest, or
 * step²/6 for stochastic rounding; then the points halfway between the best and its neighbours are tried, with a
 * bound on their overload. The unit of the candidates, a channel's standard deviation, is taken of up to 512 tokens at even
 * distances (reference.ts); extremes and overload, of all.
 *
 * `percentile` leaves out a fixed part of the values at each end. Ranges that remember earlier messages are in
 * learned-ranges.ts and average-ranges.ts.
 */

import { fail } from "../errors.ts";
import {
  addExtremes,
  addMoments,
  CANDIDATES,
  type Moments,
  makeMoments,
  measureTails,
  momentsAreExact,
  sampleSize,
  startMoments,
  wideMoments,
} from "./kernels/reference.ts";
import type { KernelTensor } from "./kernels/tensor.ts";

export type Clip = "none" | "optimal";
export type Rounding = "nearest" | "stochastic";

/**
 * Outermost level, in standard deviations, of the uniform quantizer of 2^n levels that has the least mean
 * squared error on a Gaussian; index n. These are Max's optimal spacings times (2^n − 1) / 2.
 */
export const GAUSSIAN_RANGE: readonly number[] = [
  0, 0.7979, 1.4935, 2.051, 2.514, 2.9162, 3.2781, 3.611, 3.9221,
];

const SPREAD = Math.SQRT2;
/** What lies halfway, by ratio, between candidates k and k + 1. */
const MIDDLES = Float64Array.from({ length: CANDIDATES - 1 }, (_, k) => 2 ** (k / 2 + 1 / 4));
/** Channels whose narrowest candidate is outside of this are not clipped: its inverse would leave f32. */
const LEAST_RANGE = 2 ** -100;
const LARGEST_RANGE = 2 ** 100;

/** Holds the working arrays for one number of channels, so that choosing ranges allocates nothing. */
export class RangeChooser {
  /** Lowest and highest level wanted for each channel, after choose(). The next choose() overwrites them. */
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  /** Squared error to be expected of each channel over all tokens, after choose(). */
  readonly error: Float64Array;
  private readonly channels: number;
  private readonly moments: Moments;
  private readonly mean: Float64Array;
  /** The narrowest candidate, or Infinity for channels that are not clipped. */
  private readonly threshold: Float64Array;
  /** 1 / threshold and mean / threshold, 0 for channels that are not clipped. */
  private readonly inverse: Float32Array;
  private readonly center: Float32Array;
  /** By candidate and channel: squared distance by which values lie outside of it, over threshold². */
  private readonly overload: Float64Array;

  constructor(channels: number) {
    this.channels = channels;
    this.lo = new Float64Array(channels);
    this.hi = new Float64Array(channels);
    this.error = new Float64Array(channels);
    this.moments = makeMoments(channels);
    this.mean = new Float64Array(channels);
    this.threshold = new Float64Array(channels);
    this.inverse = new Float32Array(channels);
    this.center = new Float32Array(channels);
    this.overload = new Float64Array(channels * CANDIDATES);
  }

  /**
   * Sets lo and hi from x [tokens, channels], tokens >= 1, for channels of these widths. Throws
   * NB_TENSOR_NOT_FINITE when x holds NaN or infinity. `tensor`: kernels to measure x with, that were opened for its shape.
   */
  choose(
    x: Float32Array,
    tokens: number,
    widths: Uint8Array,
    clip: Clip,
    rounding: Rounding,
    tensor?: KernelTensor,
  ): void {
    const divisor = rounding === "nearest" ? 12 : 6;
    const { moments } = this;
    startMoments(x, tokens, moments);
    const clips = clip === "optimal" && this.sample(x, tokens, widths, tensor);
    const numbers = clips ? this.measureTails(x, tokens, tensor) : this.extremes(x, tensor);
    if (!numbers || !this.extremesAreFinite()) this.refuse(x, tokens);
    const { min, max } = moments;
    this.lo.set(min);
    this.hi.set(max);
    for (let c = 0; c < this.channels; c++) {
      const step = (max[c]! - min[c]!) / ((1 << widths[c]!) - 1);
      this.error[c] = (step * step * tokens) / divisor;
    }
    if (clips) this.clipTails(tokens, widths, divisor);
  }

  /**
   * Measures the sample and sets thresholds by it. Its sums are about a row of x, so that a large mean costs no digits. False
   * when there is nothing to clip.
   */
  private sample(
    x: Float32Array,
    tokens: number,
    widths: Uint8Array,
    tensor: KernelTensor | undefined,
  ): boolean {
    const { moments } = this;
    if (tensor !== undefined) tensor.addMoments(x, moments);
    else addMoments(x, tokens, moments);
    if (!momentsAreExact(moments)) wideMoments(x, tokens, moments);
    return this.setThresholds(tokens, widths);
  }

  /** Extremes of all rows, and the tails. False when x holds NaN. */
  private measureTails(x: Float32Array, tokens: number, tensor: KernelTensor | undefined): boolean {
    const { inverse, center, overload, moments } = this;
    return tensor === undefined
      ? measureTails(x, tokens, inverse, center, overload, moments)
      : tensor.measureTails(x, inverse, center, overload, moments);
  }

  private extremes(x: Float32Array, tensor: KernelTensor | undefined): boolean {
    return tensor === undefined ? addExtremes(x, this.moments) : tensor.addExtremes(x, this.moments);
  }

  private extremesAreFinite(): boolean {
    const { min, max } = this.moments;
    for (let c = 0; c < this.channels; c++) {
      // The difference of two finite f32 is a finite f64.
      if (!Number.isFinite(max[c]! - min[c]!)) return false;
    }
    return true;
  }

  private refuse(x: Float32Array, tokens: number): never {
    const { channels } = this;
    let first = channels;
    for (let i = 0; i < x.length; i++) {
      if (!Number.isFinite(x[i]!)) first = Math.min(first, i % channels);
    }
    return fail(
      "NB_TENSOR_NOT_FINITE",
      `channel ${first} of a tensor of ${tokens} tokens holds NaN or infinity`,
    );
  }

  /** Finds mean and Max's range; false when nothing is to clip: that range is 0, or is known to hold every value. */
  private setThresholds(tokens: number, widths: Uint8Array): boolean {
    const { origin, min, max, sum, squares } = this.moments;
    const size = sampleSize(tokens);
    let any = false;
    for (let c = 0; c < this.channels; c++) {
      const shift = sum[c]! / size;
      const deviation = Math.sqrt(Math.max(0, squares[c]! / size - shift * shift));
      const mean = origin[c]! + shift;
      const range = GAUSSIAN_RANGE[widths[c]!]! * deviation;
      const beyond = Math.max(max[c]! - mean, mean - min[c]!);
      const clips = range > LEAST_RANGE && range < LARGEST_RANGE && (size < tokens || beyond > range);
      this.mean[c] = mean;
      this.threshold[c] = clips ? range : Infinity;
      this.inverse[c] = clips ? 1 / range : 0;
      this.center[c] = clips ? mean / range : 0;
      if (clips) any = true;
    }
    return any;
  }

  /** Replaces min/max by the candidate of least expected error, where one is better: mean ± range, cut at the extremes. */
  private clipTails(tokens: number, widths: Uint8Array, divisor: number): void {
    const { channels, overload, error, mean, threshold, lo, hi } = this;
    const { min, max } = this.moments;
    for (let c = 0; c < channels; c++) {
      const narrowest = threshold[c]!;
      if (narrowest === Infinity) continue;
      const levels = (1 << widths[c]!) - 1;
      const rounding = tokens / (divisor * levels * levels);
      const unit = narrowest * narrowest;
      const about = mean[c]!;
      const least = min[c]!;
      const greatest = max[c]!;
      let lowest = error[c]!;
      let best = -1;
      let chosen = 0;
      for (let k = 0, range = narrowest; k < CANDIDATES; k++, range *= SPREAD) {
        const beyond = overload[k * channels + c]!;
        const span = Math.min(greatest, about + range) - Math.max(least, about - range);
        const expected = span * span * rounding + beyond * unit;
        if (expected < lowest) {
          lowest = expected;
          best = k;
          chosen = range;
        }
        // Wider ranges do not clip either, and have no smaller steps.
        if (beyond === 0) break;
      }
      if (best < 0) continue;
      for (let k = Math.max(0, best - 1), last = Math.min(CANDIDATES - 2, best); k <= last; k++) {
        const range = narrowest * MIDDLES[k]!;
        const beyond = between(overload[k * channels + c]!, overload[(k + 1) * channels + c]!);
        const span = Math.min(greatest, about + range) - Math.max(least, about - range);
        const expected = span * span * rounding + beyond * unit;
        if (expected < lowest) {
          lowest = expected;
          chosen = range;
        }
      }
      error[c] = lowest;
      lo[c] = Math.max(least, about - chosen);
      hi[c] = Math.min(greatest, about + chosen);
    }
  }
}

/** Where 2^(1/4) lies between 1 and √2. */
const HALFWAY = (2 ** (1 / 4) - 1) / (SPREAD - 1);

/**
 * Overload error halfway, by ratio, between two candidates of these overloads; at most too large. Its root is the length
 * of the vector of excesses max(0, |x − mean| − range), each convex in the range, so it lies below its chord.
 */
function between(overload: number, next: number): number {
  const root = (1 - HALFWAY) * Math.sqrt(overload) + HALFWAY * Math.sqrt(next);
  return root * root;
}

/** One channel's values while percentileRanges() sorts them. */
let column = new Float32Array(0);

/**
 * Sets lo and hi [channels] so that of the finite x [tokens, channels], ⌊(1 − percent / 100) · tokens / 2⌋ values of
 * each channel lie below and as many above: the percentile range of Jacob et al. (arXiv:1712.05877) and of most
 * calibration tools, with the part that is left out shared between the two ends.
 */
export function percentileRanges(
  x: Float32Array,
  tokens: number,
  percent: number,
  lo: Float64Array,
  hi: Float64Array,
): void {
  const channels = lo.length;
  if (column.length < tokens) column = new Float32Array(tokens);
  const values = column.subarray(0, tokens);
  const out = Math.floor(((1 - percent / 100) * tokens) / 2);
  for (let c = 0; c < channels; c++) {
    for (let t = 0, i = c; t < tokens; t++, i += channels) values[t] = x[i]!;
    values.sort();
    lo[c] = values[out]!;
    hi[c] = values[tokens - 1 - out]!;
  }
}
