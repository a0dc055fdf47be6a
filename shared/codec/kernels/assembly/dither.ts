/** Taking subtractive dither away. Reference: ../../rounding.ts. */

import { withoutDither } from "./lib/dither";
import { loaded } from "./lib/lanes";
import { firstFactorAt, GOLDEN, lowBitsAt, mix, secondFactorAt } from "./lib/mix";

/**
 * Takes δ·step from each of `count` rows, in place, where δ = (2·threshold − 32767) / 2^16 by the threshold of
 * quantizeStochastic(). `units`: step / 2^16 of each channel (f64). `row` is the number of the first row in the message,
 * and even. The difference is f64, held within the largest f32.
 */
export function subtractDither(
  rows: usize,
  count: i32,
  stride: usize,
  vectors: i32,
  units: usize,
  row: i32,
  key: i32,
  channels: i32,
): void {
  const width = <usize>vectors * 16;
  const first = loaded(firstFactorAt);
  const second = loaded(secondFactorAt);
  const lowest = loaded(lowBitsAt);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(GOLDEN));
  for (let r = 0; r < count; r++) {
    const pair = (row + r) >> 1;
    let counter = i32x4.add(lanes, i32x4.splat(key + pair * channels * GOLDEN));
    for (let c: usize = 0; c < width; c += 16) {
      const h = mix(counter, first, second);
      counter = i32x4.add(counter, i32x4.splat(4 * GOLDEN));
      const threshold = r & 1 ? i32x4.shr_u(h, 17) : v128.and(h, lowest);
      v128.store(rows + c, withoutDither(v128.load(rows + c), threshold, units + 2 * c));
    }
    rows += stride;
  }
}
