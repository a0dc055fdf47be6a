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
 * step²/6 for stochastic rounding.
 */

import { fail } from "../errors.ts";

export type Clip = "none" | "optimal";
export type Rounding = "nearest" | "stochastic";

/**
 * Outermost level, in standard deviations, of the uniform quantizer of 2^n levels that has the least mean
 * squared error on a Gaussian; index n. These are Max's optimal spacings times (2^n − 1) / 2.
 */
export const GAUSSIAN_RANGE: readonly number[] = [
  0, 0.7979, 1.4935, 2.051, 2.514, 2.9162, 3.2781, 3.611, 3.9221,
];

/** Candidates of `optimal` beside min/max. The widest is 2^3.5 times Max's. */
const CANDIDATES = 8;
const SPREAD = Math.SQRT2;
/** Tokens visited together, channel by channel: the sums stay in registers while the rows stay in cache. */
const BAND = 16;

/** Holds the working arrays for one number of channels, so that choosing ranges allocates nothing. */
export class RangeChooser {
  /** Lowest and highest level wanted for each channel, after choose(). The next choose() overwrites them. */
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  private readonly channels: number;
  private readonly min: Float32Array;
  private readonly max: Float32Array;
  private readonly origin: Float32Array;
  private readonly sum: Float64Array;
  private readonly squares: Float64Array;
  private readonly mean: Float64Array;
  private readonly threshold: Float64Array;
  private readonly overload: Float64Array;

  constructor(channels: number) {
    this.channels = channels;
    this.lo = new Float64Array(channels);
    this.hi = new Float64Array(channels);
    this.min = new Float32Array(channels);
    this.max = new Float32Array(channels);
    this.origin = new Float32Array(channels);
    this.sum = new Float64Array(channels);
    this.squares = new Float64Array(channels);
    this.mean = new Float64Array(channels);
    this.threshold = new Float64Array(channels);
    this.overload = new Float64Array(channels * CANDIDATES);
  }

  /**
   * Sets lo and hi from x [tokens, channels], tokens >= 1, for channels of these widths. Throws
   * NB_TENSOR_NOT_FINITE when x holds NaN or infinity.
   */
  choose(x: Float32Array, tokens: number, widths: Uint8Array, clip: Clip, rounding: Rounding): void {
    this.measure(x, tokens);
    if (clip === "optimal" && this.setThresholds(tokens, widths)) {
      this.measureTails(x, tokens);
      this.clipTails(tokens, widths, rounding === "nearest" ? 12 : 6);
    }
  }

  /** Extremes, sums and sums of squares; the squares are about the first row, so that a large mean costs no digits. */
  private measure(x: Float32Array, tokens: number): void {
    const { channels, min, max, origin, sum, squares } = this;
    origin.set(x.subarray(0, channels));
    min.set(origin);
    max.set(origin);
    sum.fill(0);
    squares.fill(0);
    for (let band = 0; band < tokens; band += BAND) {
      const rows = Math.min(BAND, tokens - band);
      for (let c = 0; c < channels; c++) {
        const about = origin[c]!;
        let least = min[c]!;
        let most = max[c]!;
        let total = sum[c]!;
        let square = squares[c]!;
        let i = band * channels + c;
        for (let r = 0; r < rows; r++, i += channels) {
          const value = x[i]!;
          const d = value - about;
          total += d;
          square += d * d;
          if (value < least) least = value;
          if (value > most) most = value;
        }
        min[c] = least;
        max[c] = most;
        sum[c] = total;
        squares[c] = square;
      }
    }
    for (let c = 0; c < channels; c++) {
      // A NaN or infinity anywhere in the channel makes its sum of squares NaN or infinite; finite f32 cannot.
      if (!Number.isFinite(squares[c]!)) {
        fail("NB_TENSOR_NOT_FINITE", `channel ${c} of a tensor of ${tokens} tokens holds NaN or infinity`);
      }
      this.lo[c] = min[c]!;
      this.hi[c] = max[c]!;
    }
  }

  /** Finds mean and Max's range; false when that holds every value of every channel, so that nothing is to clip. */
  private setThresholds(tokens: number, widths: Uint8Array): boolean {
    let any = false;
    for (let c = 0; c < this.channels; c++) {
      const shift = this.sum[c]! / tokens;
      const deviation = Math.sqrt(Math.max(0, this.squares[c]! / tokens - shift * shift));
      const mean = this.origin[c]! + shift;
      const range = GAUSSIAN_RANGE[widths[c]!]! * deviation;
      const beyond = Math.max(this.max[c]! - mean, mean - this.min[c]!);
      this.mean[c] = mean;
      this.threshold[c] = range > 0 && beyond > range ? range : Infinity;
      if (this.threshold[c] !== Infinity) any = true;
    }
    return any;
  }

  /** Sums the squared distance by which values lie outside of each candidate range. */
  private measureTails(x: Float32Array, tokens: number): void {
    const { channels, mean, threshold, overload } = this;
    overload.fill(0);
    for (let band = 0; band < tokens; band += BAND) {
      const rows = Math.min(BAND, tokens - band);
      for (let c = 0; c < channels; c++) {
        const narrowest = threshold[c]!;
        if (narrowest === Infinity) continue;
        const middle = mean[c]!;
        const left = middle - narrowest;
        const right = middle + narrowest;
        let i = band * channels + c;
        for (let r = 0; r < rows; r++, i += channels) {
          const value = x[i]!;
          if (value >= left && value <= right) continue;
          const distance = Math.abs(value - middle);
          let range = narrowest;
          for (let k = c * CANDIDATES, end = k + CANDIDATES; k < end && distance > range; k++) {
            const excess = distance - range;
            overload[k] = overload[k]! + excess * excess;
            range *= SPREAD;
          }
        }
      }
    }
  }

  /** Replaces min/max by the candidate of least expected error, where one is better. */
  private clipTails(tokens: number, widths: Uint8Array, divisor: number): void {
    for (let c = 0; c < this.channels; c++) {
      let range = this.threshold[c]!;
      if (range === Infinity) continue;
      const levels = 2 ** widths[c]! - 1;
      const rounding = tokens / (divisor * levels * levels);
      const min = this.min[c]!;
      const max = this.max[c]!;
      const mean = this.mean[c]!;
      let least = (max - min) ** 2 * rounding;
      for (let k = 0; k < CANDIDATES; k++) {
        const lo = Math.max(min, mean - range);
        const hi = Math.min(max, mean + range);
        const error = (hi - lo) ** 2 * rounding + this.overload[c * CANDIDATES + k]!;
        if (error < least) {
          least = error;
          this.lo[c] = lo;
          this.hi[c] = hi;
        }
        range *= SPREAD;
      }
    }
  }
}
