/**
 * What a bit more or less in a channel is worth: dL/db_c, from one step's tensors.
 *
 * With the range [lo, hi] held and b real, the step is s(b) = (hi − lo) / (2^b − 1), and x̂ = x + s·ε with ε
 * the rounding error in steps. At fixed ε,
 *
 *   dx̂/db = ε · ds/db = −(ln 2 · 2^b / (2^b − 1)) · (x̂ − x).
 *
 * Hence for a loss L whose gradient g = dL/dx̂ comes back,
 *
 *   dL/db_c = −(ln 2 · 2^n / (2^n − 1)) · Σ_tokens g · (x̂ − x),
 *
 * and for the relative squared error D = Σ (x̂ − x)² / Σ x² of the tensor itself, which is what a stream of
 * gradients learns from because no second-order signal reaches its sender,
 *
 *   dD/db_c = −2 · (ln 2 · 2^n / (2^n − 1)) · Σ_tokens (x̂ − x)² / Σ x².
 *
 * Both are read off at the integer width n that was used. The gates want them at b: each bit halves the step,
 * so the first is multiplied by 2^(n − b) and the second by its square. Without that, a channel whose gate
 * wants 3.3 bits is told "more" at 3 and "less" at 4 and swings between them for ever; with it the gate comes
 * to rest.
 */

/** Part of itself by which a quantizer's step shrinks per bit, at `width` bits: ln 2 · 2^n / (2^n − 1). */
export function stepShrinkage(width: number): number {
  const levels = 2 ** width;
  return (Math.LN2 * levels) / (levels - 1);
}

/** Σ_tokens g · (x̂ − x) of each channel [channels], and a last element that stays 0. Tensors are [tokens, channels]. */
export function productSums(
  x: Float32Array,
  reconstruction: Float32Array,
  gradient: Float32Array,
  channels: number,
): Float64Array {
  const sums = new Float64Array(channels + 1);
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      sums[c] = sums[c]! + gradient[i]! * (reconstruction[i]! - x[i]!);
    }
  }
  return sums;
}

/** Σ_tokens (x̂ − x)² of each channel [channels], and last Σ x² over all. */
export function distortionSums(
  x: Float32Array,
  reconstruction: Float32Array,
  channels: number,
): Float64Array {
  const sums = new Float64Array(channels + 1);
  let energy = 0;
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      const value = x[i]!;
      const error = reconstruction[i]! - value;
      sums[c] = sums[c]! + error * error;
      energy += value * value;
    }
  }
  sums[channels] = energy;
  return sums;
}

/** dL/db_c at the gates' widths `bits`, from productSums() taken at the integer `widths`. */
export function gainFromProducts(sums: Float64Array, widths: Uint8Array, bits: Float64Array): Float64Array {
  return bits.map((b, c) => -stepShrinkage(widths[c]!) * 2 ** (widths[c]! - b) * sums[c]!);
}

/** dD/db_c at the gates' widths `bits`, from distortionSums() taken at the integer `widths`. */
export function gainFromDistortion(sums: Float64Array, widths: Uint8Array, bits: Float64Array): Float64Array {
  const energy = sums[bits.length]!;
  if (energy === 0) return new Float64Array(bits.length);
  return bits.map((b, c) => (-2 * stepShrinkage(widths[c]!) * 4 ** (widths[c]! - b) * sums[c]!) / energy);
}
