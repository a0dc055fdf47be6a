/** What the entropy stage will make of symbols, without coding them: for allocators that count coded bits. */

import { bell } from "./distribution.ts";

/**
 * Bits per symbol of a channel after entropy coding without prediction: the order-0 entropy of a histogram of its symbols,
 * H = −Σ p·log2 p, and 7 bits a channel for its parameters. A token-scale context and prediction lower it further, by
 * about as much for all channels of a stream.
 *
 * @param histogram how often each symbol occurs; counts, not all 0
 */
export function estimateBits(histogram: ArrayLike<number>): number {
  let total = 0;
  let weighted = 0;
  for (let q = 0; q < histogram.length; q++) {
    const count = histogram[q]!;
    if (count === 0) continue;
    total += count;
    weighted += count * Math.log2(count);
  }
  return total === 0 ? 0 : Math.log2(total) - weighted / total + PARAMETER_BITS / total;
}

/** Spread class and shift of a channel, as they come out on real tensors. */
const PARAMETER_BITS = 7;

/**
 * Bits per symbol of a bell of standard deviation `spread` (in steps, after prediction if there is any) whose middle lies
 * anywhere between two levels; tails are not clipped. For fine steps this is log2(spread) + 2.05.
 */
export function estimateBitsOfSpread(spread: number): number {
  if (spread > 16) return Math.log2(spread) + estimateBitsOfSpread(16) - 4;
  if (spread <= 0) return 0;
  const reach = Math.ceil(8 * spread) + 1;
  let bits = 0;
  for (let part = 0; part < PARTS; part++) {
    const center = (part + 0.5) / PARTS - 0.5;
    for (let q = -reach; q <= reach; q++) {
      const p = bell((q + 0.5 - center) / spread) - bell((q - 0.5 - center) / spread);
      if (p > 1e-12) bits -= p * Math.log2(p);
    }
  }
  return bits / PARTS;
}

/** Positions of the middle between two levels over which the estimate is averaged. */
const PARTS = 8;
