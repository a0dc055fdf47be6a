/**
 * Subtractive dither: rounding whose error does not depend on the value, with the noise of rounding to nearest (L.
 * Schuchman, "Dither signals and their effect on quantization noise", IEEE Trans. Commun. 12(4), 1964; Gray and
 * Stockham, IEEE Trans. Inform. Theory 39(3), 1993).
 *
 *   q = floor((x − lo) / s + 1/2 + δ),    x̂ = lo + q·s − δ·s,    δ uniform on (−1/2, 1/2), known to both ends.
 *
 * Inside the range x̂ − x is uniform on ±s/2 whatever x is: unbiased as stochastic rounding is, with half its mean
 * square. The symbols are those of stochastic rounding with the same key, so nothing is left to do here but to take δ·s
 * away. The message carries the key in 4 bytes.
 *
 * δ has 16 binary digits, a step 11, so their product is exact in f64 and a fused multiply-add changes nothing. The receiver's
 * arithmetic: level = round_to_f32(lo + q·s) as without dither; then level − δ·s in f64, held within ± the largest
 * f32, and rounded to f32.
 */

import { thresholdOf } from "./hash.ts";
import { kernelSubtractDither } from "./kernels/dither.ts";

/** (2 − 2^-23) · 2^127. */
const F32_MAX = 3.4028234663852886e38;

/** δ of token t and channel c, of `channels`, in the message with this key: an odd multiple of 2^-16 within ±1/2. */
export function ditherOf(key: number, t: number, c: number, channels: number): number {
  return (thresholdOf(key, t, c, channels) + 0.5) * 2 ** -15 - 0.5;
}

/** Takes δ·step from each level [tokens, channels], in place; step [channels]. */
export function subtractDither(levels: Float32Array, step: Float64Array, key: number): void {
  if (kernelSubtractDither(levels, step, key)) return;
  const channels = step.length;
  for (let t = 0, i = 0; i < levels.length; t++) {
    for (let c = 0; c < channels; c++, i++) {
      const value = levels[i]! - ditherOf(key, t, c, channels) * step[c]!;
      levels[i] = Math.min(F32_MAX, Math.max(-F32_MAX, value));
    }
  }
}
