/**
 * Ranges from running averages, for short messages: one token at a time has no range of its own, and 4 bytes of scales
 * a channel beside 3 bits of payload would be absurd. The sender keeps exponential moving averages of each channel's
 * mean, variance, tails and extremes over about `horizon` tokens, and the receiver keeps the scales that it was sent
 * last, in the stream's table (codecs.md). Averages and scales change in endStep() alone.
 *
 * When scales travel is a matter of cost. At the slope of every quantizer's rate–distortion curve, one bit an element
 * for a factor 4 of squared error, keeping scales whose error is E_kept where E_best could be had wastes
 *
 *   tokens · ½ · log₂(E_kept / E_best)    bits a channel,
 *
 * and sending costs SCALE_BITS = 32. New averages are sent when what has been wasted since the last time reaches 32
 * (the rule for renting or buying skis, at most twice the cost of knowing the future), and a single message
 * brings ranges of its own when that alone would waste more.
 *
 * A channel's range is m ± τ·σ, cut at the extremes, with the τ of least expected error: (2τσ)²/12 or /6 a token over the
 * squared number of steps, plus the overload σ²·E[max(0, |u| − τ)²], u = (x − m)/σ, which is averaged for each τ of a ladder.
 */

import type { CodecState, StreamPosition } from "./codec.ts";
import { MicroBatchSums } from "./micro-batch-sums.ts";
import { f64Of, integerOf, numberOf, widthsOf } from "./state.ts";
import { MAX_WIDTH } from "./widths.ts";

/** Bits of one channel's lowest level and step on the wire. */
export const SCALE_BITS = 32;

/** τ from 1.5 to 17, each √2 times the one before. */
const LADDER = Array.from({ length: 8 }, (_, j) => 1.5 * Math.SQRT2 ** j);
const RUNGS = LADDER.length;

/** Tokens that must have been seen before averages are trusted with a range. */
const LEAST_TOKENS = 8;

/** Tokens that a mean and deviation must come from before tails are measured about them. */
const TAIL_TOKENS = 32;

/** Relative size of the squares that rounding to f16 loses: no range does better than this. */
const HALF_NOISE = 2 ** -24;

/** Bits an element that E_kept in place of E_best wastes. */
export function wastedBits(kept: number, best: number): number {
  return kept > best && best > 0 ? 0.5 * Math.log2(kept / best) : 0;
}

/** Overload at the next rung, in that of this one, where none was seen there. */
const LEAST_RATIO = 1e-4;

/** Parts of a gathered array: tokens, tokens whose tails were measured, then [channels] each. */
const HEAD = 2;

export class AverageRanges {
  private readonly channels: number;
  private readonly horizon: number;
  /** Rounding noise is step² over this: 12, or 6 for stochastic rounding. */
  private readonly divisor: number;
  private readonly gathered: MicroBatchSums;
  private tokens = 0;
  private weight = 0;
  private tailWeight = 0;
  /** Averages times `weight`: x, x². */
  private mean: Float64Array;
  private square: Float64Array;
  /** The same, times `tailWeight`, for each rung [channels, RUNGS]. */
  private tail: Float64Array;
  private lowest: Float64Array;
  private highest: Float64Array;
  /** What the receiver is to keep, and for which widths; meaningful when `keeps`. */
  private keeps = false;
  private lo: Float64Array;
  private hi: Float64Array;
  private widths: Uint8Array;
  private wasted = 0;
  /** Tokens since renew() last looked. */
  private unjudged = 0;

  constructor(channels: number, horizon: number, divisor: number) {
    const floats = (length: number) => new Float64Array(length);
    this.channels = channels;
    this.horizon = horizon;
    this.divisor = divisor;
    this.gathered = new MicroBatchSums("range", HEAD + channels * (4 + RUNGS));
    this.mean = floats(channels);
    this.square = floats(channels);
    this.tail = floats(channels * RUNGS);
    this.lowest = floats(channels);
    this.highest = floats(channels);
    this.lo = floats(channels);
    this.hi = floats(channels);
    this.widths = new Uint8Array(channels);
  }

  /** The ranges that the receiver is to keep, or undefined when there are none yet. Not to be changed. */
  kept(): { readonly lo: Float64Array; readonly hi: Float64Array } | undefined {
    return this.keeps ? { lo: this.lo, hi: this.hi } : undefined;
  }

  /** Squared error to be expected of x [tokens, channels], finite, within the kept ranges, at these widths. */
  keptError(x: Float32Array, tokens: number, widths: Uint8Array): number {
    const { channels, lo, hi, divisor } = this;
    let error = 0;
    for (let c = 0; c < channels; c++) {
      error += (tokens * ((hi[c]! - lo[c]!) / (2 ** widths[c]! - 1)) ** 2) / divisor;
    }
    for (let i = 0; i < x.length; ) {
      for (let c = 0; c < channels; c++, i++) {
        const value = x[i]!;
        const beyond = value > hi[c]! ? value - hi[c]! : value < lo[c]! ? lo[c]! - value : 0;
        error += beyond * beyond;
      }
    }
    return error;
  }

  /** True when x is better sent with ranges of its own, whose expected squared error is `own`. */
  prefersOwn(x: Float32Array, tokens: number, widths: Uint8Array, own: number): boolean {
    let energy = 0;
    for (const value of x) energy += value * value;
    const best = Math.max(own, energy * HALF_NOISE);
    return tokens * wastedBits(this.keptError(x, tokens, widths), best) > SCALE_BITS;
  }

  /** Gathers what x [tokens, channels], tokens >= 1, finite, says about the channels. */
  gather(at: StreamPosition, x: Float32Array, tokens: number): void {
    const { channels } = this;
    const sums = new Float64Array(HEAD + channels * (4 + RUNGS));
    const [sum, squares, low, high] = [0, 1, 2, 3].map((part) =>
      sums.subarray(HEAD + part * channels, HEAD + (part + 1) * channels),
    ) as [Float64Array, Float64Array, Float64Array, Float64Array];
    const tails = sums.subarray(HEAD + 4 * channels);
    sums[0] = tokens;
    low.fill(Infinity);
    high.fill(-Infinity);
    for (let i = 0; i < x.length; ) {
      for (let c = 0; c < channels; c++, i++) {
        const value = x[i]!;
        sum[c] = sum[c]! + value;
        squares[c] = squares[c]! + value * value;
        if (value < low[c]!) low[c] = value;
        if (value > high[c]!) high[c] = value;
      }
    }
    // Tails are measured about the averages, or the message's own, of tokens enough: about a deviation that is far too
    // small by chance they would look immense, and be remembered.
    const own = this.tokens < TAIL_TOKENS;
    if (!own || tokens >= TAIL_TOKENS) {
      sums[1] = tokens;
      for (let c = 0; c < channels; c++) {
        const mean = own ? sum[c]! / tokens : this.mean[c]! / this.weight;
        const deviation = own ? deviationOf(sum[c]!, squares[c]!, tokens) : this.deviation(c);
        if (deviation === 0) continue;
        for (let t = 0, i = c; t < tokens; t++, i += channels) {
          const u = Math.abs(x[i]! - mean) / deviation;
          for (let j = 0, k = c * RUNGS; j < RUNGS && u > LADDER[j]!; j++, k++) {
            tails[k] = tails[k]! + (u - LADDER[j]!) ** 2;
          }
        }
      }
    }
    this.gathered.put(at, sums);
  }

  /** Folds a step that has committed into the averages. */
  endStep(step: number): void {
    for (const sums of this.gathered.takeParts(step)) this.fold(sums);
  }

  /** Called after endStep(), with the widths of the next step. True when new scales are to be sent for them. */
  renew(widths: Uint8Array): boolean {
    if (this.tokens < LEAST_TOKENS) return false;
    if (this.keeps && widths.every((width, c) => width === this.widths[c])) {
      this.wasted += this.unjudged * wastedBits(...this.expectedErrors(widths));
      this.unjudged = 0;
      if (this.wasted < SCALE_BITS) return false;
    }
    this.unjudged = 0;
    this.keeps = true;
    this.wasted = 0;
    this.widths.set(widths);
    for (let c = 0; c < this.channels; c++) this.chooseRange(c, widths[c]!);
    return true;
  }

  private fold(sums: Float64Array): void {
    const { channels } = this;
    const tokens = sums[0]!;
    if (tokens === 0) return;
    const old = Math.exp(-tokens / this.horizon);
    const share = (1 - old) / tokens;
    for (let c = 0; c < channels; c++) {
      const at = HEAD + c;
      this.mean[c] = old * this.mean[c]! + share * sums[at]!;
      this.square[c] = old * this.square[c]! + share * sums[at + channels]!;
    }
    const first = this.weight === 0;
    this.weight = old * this.weight + (1 - old);
    this.tokens += tokens;
    this.unjudged += tokens;
    for (let c = 0; c < channels; c++) {
      const mean = this.mean[c]! / this.weight;
      const low = sums[HEAD + 2 * channels + c]!;
      const high = sums[HEAD + 3 * channels + c]!;
      // Old extremes draw nearer to the mean as they age.
      this.lowest[c] = first ? low : Math.min(low, mean + (this.lowest[c]! - mean) * old);
      this.highest[c] = first ? high : Math.max(high, mean + (this.highest[c]! - mean) * old);
    }
    if (sums[1] === 0) return;
    for (let k = 0; k < this.tail.length; k++) {
      this.tail[k] = old * this.tail[k]! + share * sums[HEAD + 4 * channels + k]!;
    }
    this.tailWeight = old * this.tailWeight + (1 - old);
  }

  private deviation(c: number): number {
    return deviationOf(this.mean[c]!, this.square[c]!, this.weight);
  }

  /** Sets lo and hi of a channel; returns the squared error that is expected of a token. */
  private chooseRange(c: number, width: number): number {
    const mean = this.mean[c]! / this.weight;
    const deviation = this.deviation(c);
    const lowest = this.lowest[c]!;
    const highest = this.highest[c]!;
    const noise = 1 / ((2 ** width - 1) ** 2 * this.divisor);
    let least = Infinity;
    for (let j = 0; j < RUNGS; j++) {
      const reach = LADDER[j]! * deviation;
      const lo = Math.min(mean, Math.max(lowest, mean - reach));
      const hi = Math.max(mean, Math.min(highest, mean + reach));
      const error = (hi - lo) ** 2 * noise + deviation ** 2 * this.overload(c, j);
      if (error < least) {
        least = error;
        this.lo[c] = lo;
        this.hi[c] = hi;
      }
    }
    return least;
  }

  /** E[max(0, |u| − τ_j)²]; of a Laplace distribution, e^(−√2 τ), while no tails have been measured. */
  private overload(c: number, j: number): number {
    return this.tailWeight === 0
      ? Math.exp(-Math.SQRT2 * LADDER[j]!)
      : this.tail[c * RUNGS + j]! / this.tailWeight;
  }

  /** Squared error a token that is expected of the kept ranges, and of those that would be chosen now. */
  private expectedErrors(widths: Uint8Array): [kept: number, best: number] {
    let kept = 0;
    let best = 0;
    for (let c = 0; c < this.channels; c++) {
      const lo = this.lo[c]!;
      const hi = this.hi[c]!;
      const mean = this.mean[c]! / this.weight;
      const deviation = this.deviation(c);
      const noise = 1 / ((2 ** widths[c]! - 1) ** 2 * this.divisor);
      const beyond = (distance: number) =>
        deviation === 0 ? 0 : (deviation ** 2 * this.overloadAt(c, distance / deviation)) / 2;
      kept += (hi - lo) ** 2 * noise;
      if (this.highest[c]! > hi) kept += beyond(hi - mean);
      if (this.lowest[c]! < lo) kept += beyond(mean - lo);
      best += this.chooseRange(c, widths[c]!);
      this.lo[c] = lo;
      this.hi[c] = hi;
    }
    return [kept, best];
  }

  /** Overload at any τ, between the rungs by ratio; below 0, of a range that leaves out the mean, (1 − τ)². */
  private overloadAt(c: number, tau: number): number {
    if (tau <= 0) return (1 - tau) ** 2;
    let below = 0;
    let errorBelow = 1;
    for (let j = 0; j < RUNGS; j++) {
      const above = LADDER[j]!;
      const errorAbove = this.overload(c, j);
      if (tau <= above) {
        const ratio = Math.max(LEAST_RATIO, errorAbove / errorBelow);
        return errorBelow * ratio ** ((tau - below) / (above - below));
      }
      if (errorAbove === 0) return 0;
      below = above;
      errorBelow = errorAbove;
    }
    return errorBelow;
  }

  save(arrays: Record<string, CodecState["arrays"][string]>, numbers: Record<string, number>): void {
    for (const name of ARRAYS) arrays[`range_${name}`] = this[name].slice();
    arrays.range_widths = this.widths.slice();
    for (const name of NUMBERS) numbers[`range_${name}`] = this[name];
    numbers.range_tokens = this.tokens;
    numbers.range_unjudged = this.unjudged;
    numbers.range_keeps = this.keeps ? 1 : 0;
    this.gathered.save(arrays, numbers);
  }

  /** See {@link MicroBatchSums.prepare}. */
  prepare(state: CodecState): () => void {
    const saved = ARRAYS.map((name) => [name, f64Of(state, `range_${name}`, this[name].length)] as const);
    const numbers = NUMBERS.map((name) => [name, numberOf(state, `range_${name}`, 0)] as const);
    const widths = widthsOf(state, "range_widths", this.channels, 0, MAX_WIDTH);
    const tokens = integerOf(state, "range_tokens", 0);
    const unjudged = integerOf(state, "range_unjudged", 0);
    const keeps = integerOf(state, "range_keeps", 0, 1);
    const takeGathered = this.gathered.prepare(state);
    return () => {
      for (const [name, array] of saved) this[name] = array;
      for (const [name, value] of numbers) this[name] = value;
      this.widths = widths;
      this.tokens = tokens;
      this.unjudged = unjudged;
      this.keeps = keeps === 1;
      takeGathered();
    };
  }
}

const ARRAYS = ["mean", "square", "tail", "lowest", "highest", "lo", "hi"] as const;
const NUMBERS = ["weight", "tailWeight", "wasted"] as const;

function deviationOf(sum: number, squares: number, weight: number): number {
  return Math.sqrt(Math.max(0, squares / weight - (sum / weight) ** 2));
}
