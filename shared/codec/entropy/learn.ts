/**
 * How a sender learns its stream's predictor: running correlations of its channels, and from them the weights.
 *
 * With R the correlations of a block's channels and L·D·Lᵀ = R + λ·I (L lower triangular with ones on its diagonal), the
 * rows of I − L⁻¹ are the ridge regressions of each channel on those before it, and D is what they leave over: all
 * weights of a block in one factorization. Correlations are those of what the receiver decodes: the quantizer's noise is
 * in them, so weights fit the widths in use.
 */

import { fail } from "../../errors.ts";
import type { CodecState } from "../codec.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { Levels } from "../scales.ts";
import { f64Of, integerOf, numberOf } from "../state.ts";
import type { WidthPlan } from "../widths.ts";
import { KernelSamples } from "./kernel.ts";
import { BLOCK, classFor, type Predictor, toBfloat16, WEIGHT_LIMIT, WEIGHT_ONE } from "./predictor.ts";

/** Standardized values are integers of 1/32, within ±255, so that products of 32767 tokens sum up in 32 bits. */
export const SAMPLE_ONE = 32;
const SAMPLE_LIMIT = 255;
/** Tokens of a message that are looked at, at most: the first. */
export const SAMPLE_TOKENS = 1024;
/** Least weight of a new message in the running averages. */
const MEMORY = 1 / 16;
/** λ: a floor, for what changes between messages, and the part that falls with the tokens seen. */
const RIDGE = 0.02;
const RIDGE_TOKENS = 64;
/** Part of a weight's unit that rounds up: small weights cost more bits than they save. */
const ROUND_UP = 0.4;

/** Of one message: what it adds to the running averages. */
export interface MessageStatistics {
  readonly tokens: number;
  /** Of the decoded values [channels]. */
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** Correlation of channel c with channel j of its block, j < c, at c·BLOCK + (j mod BLOCK). */
  readonly correlation: Float32Array;
}

/** Of the channel at hand, what each symbol is as a sample. */
const tableOf = new Int16Array(256);

function sumsOf(symbols: Uint8Array): { sum: number; squares: number } {
  let sum = 0;
  let squares = 0;
  for (const q of symbols) {
    sum += q;
    squares += q * q;
  }
  return { sum, squares };
}

/** Measures a message's symbols (slot order). With `work`, measureBytes() must be free in its memory. */
export function measureMessage(
  symbols: Uint8Array,
  plan: WidthPlan,
  tokens: number,
  levels: Levels,
  work?: Kernels,
): MessageStatistics {
  const channels = plan.widths.length;
  const used = Math.min(tokens, SAMPLE_TOKENS);
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  const correlation = new Float32Array(channels * BLOCK);
  const kernel = work && new KernelSamples(work, channels, used);
  const samples = new Int16Array(kernel === undefined ? channels * used : 0);
  for (let c = 0; c < channels; c++) {
    const from = plan.slots[c]! * tokens;
    const own = symbols.subarray(from, from + used);
    const { sum, squares } = kernel?.sumsOf(symbols.byteOffset + from) ?? sumsOf(own);
    const middle = sum / used;
    const spread = squares / used - middle * middle;
    const step = levels.step[c]!;
    mean[c] = levels.lo[c]! + middle * step;
    variance[c] = spread * step * step;
    const slope = spread > 0 ? SAMPLE_ONE / Math.sqrt(spread) : 0;
    const table = tableOf.subarray(0, 1 << plan.widths[c]!);
    for (let q = 0; q < table.length; q++) {
      const sample = Math.floor((q - middle) * slope + 0.5);
      table[q] = Math.min(SAMPLE_LIMIT, Math.max(-SAMPLE_LIMIT, sample));
    }
    if (kernel !== undefined) kernel.set(c, symbols.byteOffset + from, table);
    else for (let t = 0; t < used; t++) samples[c * used + t] = table[own[t]!]!;
  }
  const unit = 1 / (SAMPLE_ONE * SAMPLE_ONE * used);
  if (kernel !== undefined) {
    kernel.products(unit, correlation);
  } else {
    for (let c = 0; c < channels; c++) {
      const first = c - (c % BLOCK);
      for (let j = first; j < c; j++) {
        let product = 0;
        for (let t = 0; t < used; t++) product += samples[c * used + t]! * samples[j * used + t]!;
        correlation[c * BLOCK + j - first] = product * unit;
      }
    }
  }
  return { tokens: used, mean, variance, correlation };
}

/** Running averages of a stream's messages. */
export class Statistics {
  readonly channels: number;
  messages = 0;
  /** Tokens that the averages stand for. */
  tokens = 0;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly correlation: Float32Array;

  constructor(channels: number) {
    this.channels = channels;
    this.mean = new Float64Array(channels);
    this.variance = new Float64Array(channels);
    this.correlation = new Float32Array(channels * BLOCK);
  }

  add(message: MessageStatistics): void {
    this.messages++;
    const weight = Math.max(MEMORY, 1 / this.messages);
    // The effective number of independent samples of an exponential average grows to 2 / weight.
    this.tokens = 1 / ((1 - weight) ** 2 / (this.tokens || 1) + weight ** 2 / message.tokens);
    average(this.mean, message.mean, weight);
    average(this.variance, message.variance, weight);
    average(this.correlation, message.correlation, weight);
  }

  save(
    prefix: string,
    arrays: Record<string, CodecState["arrays"][string]>,
    numbers: Record<string, number>,
  ): void {
    arrays[`${prefix}Mean`] = this.mean.slice();
    arrays[`${prefix}Variance`] = this.variance.slice();
    arrays[`${prefix}Correlation`] = this.correlation.slice();
    numbers[`${prefix}messages`] = this.messages;
    numbers[`${prefix}tokens`] = this.tokens;
  }

  /** Reads what save() wrote; the function that it returns takes it over, so that a wrong state changes nothing. */
  prepare(prefix: string, state: CodecState): () => void {
    const { mean, variance, correlation } = averagesOf(state, prefix, this.channels);
    const messages = integerOf(state, `${prefix}messages`, 0);
    const tokens = numberOf(state, `${prefix}tokens`, 0);
    return () => {
      this.mean.set(mean);
      this.variance.set(variance);
      this.correlation.set(correlation);
      this.messages = messages;
      this.tokens = tokens;
    };
  }

  /** The predictor that these averages make. */
  fit(version: number): Predictor {
    const { channels, correlation } = this;
    const ridge = RIDGE + RIDGE_TOKENS / this.tokens;
    const mean = Float32Array.from(this.mean, toBfloat16);
    const scale = Float32Array.from(this.variance, (value) => toBfloat16(Math.sqrt(value)));
    const residual = new Uint8Array(channels);
    const weights = new Int8Array(channels * BLOCK);
    for (let first = 0; first < channels; first += BLOCK) {
      const n = Math.min(BLOCK, channels - first);
      const { inverse, left } = factorize(correlation.subarray(first * BLOCK), n, 1 + ridge);
      for (let i = 0; i < n; i++) {
        // What the ridge added to the diagonal is no variance of the channel's.
        residual[first + i] = classFor(64 * Math.sqrt(Math.max(2 ** -12, left[i]! - ridge)));
        for (let j = 0; j < i; j++) {
          const weight = -inverse[i * BLOCK + j]! * WEIGHT_ONE;
          const size = Math.min(WEIGHT_LIMIT, Math.floor(Math.abs(weight) + ROUND_UP));
          weights[(first + i) * BLOCK + j] = weight < 0 ? -size : size;
        }
      }
    }
    return { version, mean, scale, residual, weights };
  }
}

/**
 * Bits per element that a predictor saves on a message that it was not learned from: −½·log2 of the part of each channel's
 * variance that is left, averaged over channels. Negative where it does harm.
 */
export function gainOn({ weights }: Predictor, { correlation }: MessageStatistics): number {
  const channels = correlation.length / BLOCK;
  let bits = 0;
  for (let c = 0; c < channels; c++) {
    const first = c - (c % BLOCK);
    let left = 1;
    for (let i = 0; i < c - first; i++) {
      const weight = weights[c * BLOCK + i]! / WEIGHT_ONE;
      if (weight === 0) continue;
      let sum = 0.5 * weight - correlation[c * BLOCK + i]!;
      for (let j = 0; j < i; j++) {
        sum += (weights[c * BLOCK + j]! / WEIGHT_ONE) * correlation[(first + i) * BLOCK + j]!;
      }
      left += 2 * weight * sum;
    }
    bits -= 0.5 * Math.log2(Math.max(left, 2 ** -12));
  }
  return bits / channels;
}

function average(into: Float64Array | Float32Array, from: Float64Array | Float32Array, weight: number): void {
  for (let i = 0; i < into.length; i++) into[i] = into[i]! + (from[i]! - into[i]!) * weight;
}

/**
 * L⁻¹ (below the diagonal, rows of BLOCK) and D of L·D·Lᵀ, for the symmetric matrix with `products` below its diagonal
 * (rows of BLOCK) and `diagonal` on it.
 */
function factorize(
  products: Float32Array,
  n: number,
  diagonal: number,
): { inverse: Float64Array; left: Float64Array } {
  const lower = new Float64Array(n * BLOCK);
  const inverse = new Float64Array(n * BLOCK);
  const left = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    // Row i of L·D, by columns; dividing by D gives L.
    let rest = diagonal;
    for (let j = 0; j < i; j++) {
      let value = products[i * BLOCK + j]!;
      for (let m = 0; m < j; m++) value -= lower[i * BLOCK + m]! * lower[j * BLOCK + m]! * left[m]!;
      lower[i * BLOCK + j] = value / left[j]!;
      rest -= (value * value) / left[j]!;
    }
    left[i] = rest;
    // Row i of L⁻¹ = −(row i of L) · L⁻¹.
    for (let m = 0; m < i; m++) {
      const factor = lower[i * BLOCK + m]!;
      inverse[i * BLOCK + m] = inverse[i * BLOCK + m]! - factor;
      for (let j = 0; j < m; j++)
        inverse[i * BLOCK + j] = inverse[i * BLOCK + j]! - factor * inverse[m * BLOCK + j]!;
    }
  }
  return { inverse, left };
}

/** The three arrays of averages in a saved state, checked. */
export function averagesOf(
  state: CodecState,
  prefix: string,
  channels: number,
): Omit<MessageStatistics, "tokens"> {
  const correlation = state.arrays[`${prefix}Correlation`];
  if (
    !(correlation instanceof Float32Array) ||
    correlation.length !== channels * BLOCK ||
    !correlation.every(Number.isFinite)
  ) {
    return fail(
      "NB_CODEC_STATE_INVALID",
      `array ${prefix}Correlation of the saved state must hold ${channels * BLOCK} finite f32 values`,
    );
  }
  return {
    mean: f64Of(state, `${prefix}Mean`, channels),
    variance: f64Of(state, `${prefix}Variance`, channels),
    correlation: correlation.slice(),
  };
}
