/**
 * `closed-form`: the real-valued widths that minimise Σ weight_c · 4^(−b_c) for a given mean, rounded.
 *
 * By Lagrange's multiplier every channel that no bound holds is left with the same noise, its weighted error:
 *
 *   b_c = min(max, max(min, ½ · log2(weight_c) + ν)),     ν such that the mean is the budget.
 *
 * This is reverse water-filling (Cover and Thomas, Elements of Information Theory, §10.3.3; for quantizers
 * Huang and Schultheiss, "Block quantization of correlated Gaussian random variables", IEEE Trans. Commun. Syst.
 * 11(3), 1963), with weights from the gradient, as BAQ has them from the Hessian (arXiv:2506.05664). The
 * weights are those of sensitivity.ts: E[g²] times the square of the range that the error amounts to.
 */

import { allocateWidths } from "../budget.ts";
import type { AllocatorOptions } from "./allocator.ts";
import { WeightAllocator } from "./sensitivity.ts";

export class ClosedFormAllocator extends WeightAllocator {
  override allocate(total: number, current: Uint8Array): Uint8Array {
    const { channels } = this.options;
    const weights = this.sensitivity.weights() ?? new Float64Array(channels).fill(1);
    return allocateWidths(fill(weights, total / channels, this.options), current, total, this.options);
  }
}

/** Real-valued widths [channels] of mean `meanBits` by reverse water-filling; weights are positive. A new array. */
export function fill(
  weights: Float64Array,
  meanBits: number,
  { minBits, maxBits, kept }: Pick<AllocatorOptions, "minBits" | "maxBits" | "kept">,
): Float64Array {
  const height = weights.map((weight) => Math.log2(weight) / 2);
  const widthsAt = (level: number) =>
    height.map((h, c) => (kept?.[c] === 1 ? maxBits : Math.min(maxBits, Math.max(minBits, h + level))));
  let low = Infinity;
  let high = -Infinity;
  for (const h of height) {
    low = Math.min(low, minBits - h);
    high = Math.max(high, maxBits - h);
  }
  // At `low` all channels are at the least width, at `high` all at the greatest.
  for (let i = 0; i < 60 && high - low > 1e-12; i++) {
    const middle = (low + high) / 2;
    let sum = 0;
    for (const b of widthsAt(middle)) sum += b;
    if (sum < meanBits * weights.length) low = middle;
    else high = middle;
  }
  return widthsAt(high);
}
