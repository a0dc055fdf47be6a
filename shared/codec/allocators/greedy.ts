/**
 * `greedy`: the integer widths that minimise Σ weight_c · errorAt[n_c] under the budget.
 *
 * The costs are separable and convex in n, so giving one bit after another to the channel whose cost it
 * lowers most ends at an exact optimum of the integer programme (marginal analysis: B. Fox, "Discrete
 * optimization via marginal analysis", Management Science 13(3), 1966; for quantizers Shoham and Gersho,
 * "Efficient bit allocation for an arbitrary set of quantizers", IEEE Trans. ASSP 36(9), 1988). Unlike the closed
 * form it knows the real error of each width, and nothing is lost in rounding.
 */

import { allocateWidths } from "../budget.ts";
import type { AllocatorOptions } from "./allocator.ts";
import { WeightAllocator } from "./sensitivity.ts";

export class GreedyAllocator extends WeightAllocator {
  override allocate(total: number, current: Uint8Array): Uint8Array {
    const { channels, hysteresis } = this.options;
    const weights = this.sensitivity.weights();
    if (weights === undefined) {
      const even = new Float64Array(channels).fill(total / channels);
      return allocateWidths(even, current, total, this.options);
    }
    // Hysteresis: half of it is credited to the bits that channels have. An exchange then pays only when, by
    // 4 to the power of it, it saves more than it costs.
    return marginalAnalysis(weights, total, this.options, current, 2 ** hysteresis);
  }
}

/**
 * Widths [channels] of sum `total` that minimise Σ weights_c · errorAt[n_c], a new array. What the bits up to
 * `current` save counts `stay` times, and what further bits save 1 / stay times; with 1, `current` does not matter.
 * Of equal savings, that of the lower channel comes first.
 */
export function marginalAnalysis(
  weights: Float64Array,
  total: number,
  options: Pick<AllocatorOptions, "minBits" | "maxBits" | "errorAt" | "kept">,
  current: Uint8Array,
  stay = 1,
): Uint8Array {
  const { minBits, maxBits, errorAt, kept } = options;
  const widths = Uint8Array.from(weights, (_, c) => (kept?.[c] === 1 ? maxBits : minBits));
  const left = widths.reduce((bits, width) => bits - width, total);
  const savings: { channel: number; saving: number }[] = [];
  for (let c = 0; c < weights.length; c++) {
    for (let n = widths[c]!; n < maxBits; n++) {
      const saving = weights[c]! * (errorAt[n]! - errorAt[n + 1]!);
      savings.push({ channel: c, saving: n < current[c]! ? saving * stay : saving / stay });
    }
  }
  // A channel's own savings fall from bit to bit, so that the sorted list never takes them out of order.
  savings.sort((a, b) => b.saving - a.saving || a.channel - b.channel);
  for (const { channel } of savings.slice(0, left)) widths[channel] = widths[channel]! + 1;
  return widths;
}
