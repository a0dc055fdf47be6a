/** Levels without their dither; ../../../rounding.ts is the reference. */

import { promoteHigh } from "./lanes";

const largestAt = memory.data<f64>([3.4028234663852886e38]);
const leastAt = memory.data<f64>([-3.4028234663852886e38]);

/**
 * Four levels minus δ·step, δ = (2·threshold − 32767) / 2^16, in f64, held within the largest f32. `units`: step / 2^16 of the
 * four channels (f64); `center` is −32767 in all lanes.
 */
// @ts-ignore: decorator
@inline
export function withoutDither(level: v128, threshold: v128, center: v128, units: usize): v128 {
  const delta = i32x4.add(i32x4.shl(threshold, 1), center);
  const low = without(f64x2.promote_low_f32x4(level), f64x2.convert_low_i32x4_s(delta), units);
  const upper = v128.shuffle<u64>(delta, delta, 1, 1);
  const high = without(promoteHigh(level), f64x2.convert_low_i32x4_s(upper), units + 16);
  return v128.shuffle<u64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

// @ts-ignore: decorator
@inline
function without(level: v128, delta: v128, unit: usize): v128 {
  const value = f64x2.sub(level, f64x2.mul(delta, v128.load(unit)));
  return f64x2.pmin(f64x2.pmax(v128.load64_splat(leastAt), value), v128.load64_splat(largestAt));
}
