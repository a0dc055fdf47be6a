/**
 * What a step's tensors say about each channel, and from that what a bit more or less in it is worth.
 *
 * With the range [lo, hi] held and b real, the step is s(b) = (hi − lo) / (2^b − 1), and x̂ = x + s·ε with ε
 * the rounding error in steps. At fixed ε,
 *
 *   dx̂/db = ε · ds/db = −(ln 2 · 2^b / (2^b − 1)) · (x̂ − x).
 *
 * Hence for a loss L whose gradient g = dL/dx̂ comes back, to first order
 *
 *   dL/db_c = −(ln 2 · 2^n / (2^n − 1)) · Σ_tokens g · (x̂ − x),
 *
 * and for the squared error D = Σ (x̂ − x)² itself, which is what a stream of gradients learns from because
 * nothing comes back to its sender,
 *
 *   dD/db_c = −2 · (ln 2 · 2^n / (2^n − 1)) · Σ_tokens (x̂ − x)².
 *
 * Both are read off at the integer width n that was used. The gates want them at b: each bit halves the step,
 * so the first is multiplied by 2^(n − b) and the second by its square. Without that, a channel whose gate
 * wants 3.3 bits is told "more" at 3 and "less" at 4 and swings between them for ever; with it the gate comes
 * to rest.
 */

import { makeTables, roundNearest, setTables } from "./kernels/reference.ts";
import { kernelChannelSums, kernelRoundingSums } from "./kernels/sums.ts";
import type { Levels } from "./scales.ts";

/** Sums over the tokens of a step, each [channels] but the last two. */
export interface ChannelSums {
  /** Σ g · (x̂ − x); undefined where no gradient comes back. */
  readonly products: Float64Array | undefined;
  /** Σ (x̂ − x)². */
  readonly distortion: Float64Array;
  /** Σ g²; undefined where no gradient comes back. */
  readonly gradientEnergy: Float64Array | undefined;
  readonly tokens: number;
}

/** Elements that hold the sums of so many channels in one array, so that they can be added and saved at once. */
export function sumsLength(channels: number): number {
  return 3 * channels + 1;
}

/** The parts of an array of {@link sumsLength} elements; views of it. `signal` as channelSums() had it. */
export function readSums(sums: Float64Array, signal: "gradient" | "distortion"): ChannelSums {
  const channels = (sums.length - 1) / 3;
  const cameBack = signal === "gradient";
  return {
    distortion: sums.subarray(0, channels),
    products: cameBack ? sums.subarray(channels, 2 * channels) : undefined,
    gradientEnergy: cameBack ? sums.subarray(2 * channels, 3 * channels) : undefined,
    tokens: sums[3 * channels]!,
  };
}

/**
 * The sums of one tensor x [tokens, channels], its reconstruction x̂ and the gradient g that came back, if any,
 * as one array of {@link sumsLength} elements, the caller's.
 */
export function channelSums(
  x: Float32Array,
  reconstruction: Float32Array,
  gradient: Float32Array | undefined,
  channels: number,
): Float64Array {
  const sums = new Float64Array(sumsLength(channels));
  sums[3 * channels] = x.length / channels;
  if (kernelChannelSums(x, reconstruction, gradient, channels, sums)) return sums;
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      const error = reconstruction[i]! - x[i]!;
      sums[c] = sums[c]! + error * error;
    }
  }
  if (gradient !== undefined) {
    for (let i = 0; i < x.length; ) {
      for (let c = 0; c < channels; c++, i++) {
        const g = gradient[i]!;
        sums[channels + c] = sums[channels + c]! + g * (reconstruction[i]! - x[i]!);
        sums[2 * channels + c] = sums[2 * channels + c]! + g * g;
      }
    }
  }
  return sums;
}

/** The same for x̂ = x [tokens, channels] rounded to the nearest of these levels, without anyone keeping x̂. */
export function roundingSums(
  x: Float32Array,
  levels: Levels,
  widths: Uint8Array,
  gradient: Float32Array | undefined,
): Float64Array {
  const channels = widths.length;
  const tables = makeTables(channels);
  const scale = setTables(levels, widths, tables);
  const sums = new Float64Array(sumsLength(channels));
  sums[3 * channels] = x.length / channels;
  if (scale === 1 && kernelRoundingSums(x, tables, gradient, sums)) return sums;
  const reconstruction = new Float32Array(x.length);
  roundNearest(x, tables, scale, levels, reconstruction);
  return channelSums(x, reconstruction, gradient, channels);
}

/** Part of itself by which a quantizer's step shrinks per bit, at `width` bits: ln 2 · 2^n / (2^n − 1). */
export function stepShrinkage(width: number): number {
  const levels = 2 ** width;
  return (Math.LN2 * levels) / (levels - 1);
}

/** dL/db_c to first order at the gates' widths `bits` [channels], from Σ g·(x̂ − x) at the integer `widths`. */
export function gainFromProducts(
  products: Float64Array,
  widths: Uint8Array,
  bits: Float64Array,
): Float64Array {
  return bits.map((b, c) => -stepShrinkage(widths[c]!) * 2 ** (widths[c]! - b) * products[c]!);
}

/** dD/db_c at the gates' widths `bits` [channels], from Σ (x̂ − x)² at the integer `widths`. */
export function gainFromDistortion(
  distortion: Float64Array,
  widths: Uint8Array,
  bits: Float64Array,
): Float64Array {
  return bits.map((b, c) => -2 * stepShrinkage(widths[c]!) * 4 ** (widths[c]! - b) * distortion[c]!);
}
