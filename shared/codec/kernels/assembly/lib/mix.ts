/** The hash that thresholds are taken from; ../../../hash.ts is the reference. */

/** What counters of neighbouring channels are apart. */
export const GOLDEN: i32 = 0x9e3779b9;
/** Four channels. */
export const nextColumnAt = memory.data<u32>([4 * GOLDEN]);
export const firstFactorAt = memory.data<u32>([0x85ebca6b]);
export const secondFactorAt = memory.data<u32>([0xc2b2ae35]);
/** A threshold has 15 bits. */
export const lowBitsAt = memory.data<u32>([0x7fff]);

/** MurmurHash3's finalizer of four numbers, as shared/random.ts has it; `first` and `second` are its factors. */
// @ts-ignore: decorator
@inline
export function mix(h: v128, first: v128, second: v128): v128 {
  h = v128.xor(h, i32x4.shr_u(h, 16));
  h = i32x4.mul(h, first);
  h = v128.xor(h, i32x4.shr_u(h, 13));
  h = i32x4.mul(h, second);
  return v128.xor(h, i32x4.shr_u(h, 16));
}
