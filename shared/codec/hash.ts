/**
 * Counter-based randomness for stochastic rounding: a number is a pure function of (seed, stream, step,
 * micro-batch, element), so a replay of a step draws the same numbers whatever was drawn before, and elements
 * may be visited in any order.
 *
 * What is mixed is a Weyl sequence, key + i · φ with φ = 2^32 / golden ratio, as in SplitMix (Steele, Lea and
 * Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
 */

import { mix32 } from "../random.ts";
import type { StreamPosition } from "./codec.ts";

const GOLDEN = 0x9e3779b9;

/** The key of one message: mixes in each 32-bit word in turn. `seed` is a safe integer >= 0, streamId 32 bits. */
export function messageKey(seed: number, streamId: number, at: StreamPosition): number {
  const words = [seed % 2 ** 32, Math.floor(seed / 2 ** 32), streamId, at.step, at.microBatch];
  let key = 0;
  for (const word of words) key = mix32((Math.imul(key, 5) + GOLDEN) ^ word);
  return key;
}

/**
 * Uniform on (0, 1), an odd multiple of 2^-33, for element `index` (row-major) of the message with this key.
 * Never 0 or 1, so a value that lies on a level, give or take the last bits of f64, stays there whatever is
 * drawn.
 */
export function uniform(key: number, index: number): number {
  return ((mix32((key + Math.imul(index, GOLDEN)) | 0) >>> 0) + 0.5) * 2 ** -32;
}

/**
 * The 15-bit threshold by which stochastic rounding decides for row t of channel c: a level whose fraction, in 2^-15, and
 * the threshold reach 2^15 is rounded up. Two rows share a hash, as 32 bits are enough for both.
 */
export function thresholdOf(key: number, t: number, c: number, channels: number): number {
  const h = mix32((key + Math.imul(Math.imul(t >> 1, channels) + c, GOLDEN)) | 0);
  return t & 1 ? h >>> 17 : h & 0x7fff;
}
