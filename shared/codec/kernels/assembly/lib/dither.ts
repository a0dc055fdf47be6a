/** Levels without their dither; ../../../rounding.ts is the reference. */

import { evenPairs, loaded, oddPairs, promoteHigh } from "./lanes";

const largestAt = memory.data<f32>([3.4028234663852886e38]);
const leastAt = memory.data<f32>([-3.4028234663852886e38]);
/** Upper word of the f64 2^52 + n; the lower one is n. */
const exponentAt = memory.data<u32>([0x43300000]);
const centerAt = memory.data<f64>([4503599627403263]);

/**
 * Four levels minus δ·step, δ = (2·threshold − 32767) / 2^16, in f64, as f32 held within the largest. `units`: step / 2^16 of the
 * four channels (f64).
 */
// @ts-ignore: decorator
@inline
export function withoutDither(level: v128, threshold: v128, units: usize): v128 {
  const double = i32x4.shl(threshold, 1);
  const exponent = loaded(exponentAt);
  const low = without(f64x2.promote_low_f32x4(level), evenPairs(double, exponent), units);
  const high = without(promoteHigh(level), oddPairs(double, exponent), units + 16);
  const value = v128.shuffle<u64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
  return f32x4.pmin(f32x4.pmax(loaded(leastAt), value), loaded(largestAt));
}

/** `double`: 2^52 + 2·threshold. Conversion from an integer would take longer than that. */
// @ts-ignore: decorator
@inline
function without(level: v128, double: v128, unit: usize): v128 {
  const delta = f64x2.sub(double, v128.load64_splat(centerAt));
  return f64x2.sub(level, f64x2.mul(delta, v128.load(unit)));
}
