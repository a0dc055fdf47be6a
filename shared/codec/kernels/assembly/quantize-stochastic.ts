/** Values to symbols by thresholds, which makes rounding stochastic or dithered. Reference: ../reference.ts. */

import { withoutDither } from "./lib/dither";
import { loaded } from "./lib/lanes";
import { firstFactorAt, GOLDEN, lowBitsAt, mix, nextColumnAt, secondFactorAt } from "./lib/mix";
import {
  byteAt,
  eightAt,
  factorAt,
  fixedAt,
  integerOf,
  levelAt,
  oneAt,
  powerOf,
  squareAt,
  storeRow,
  storeWords,
  surplusAt,
  valueOf,
  words,
  wordsEnd,
} from "./lib/tiles";

/** Levels are in 2^-15. */
const fractionsAt = memory.data<f32>([32768]);
/** What the 16 bits of 2^23 in 2^-15 are as a signed number. */
const halfBitsAt = memory.data<i32>([0x9600 - 0x10000]);
/** What a counter grows by from two rows to the next two; set by each call, and in memory for the reason that loaded() tells. */
const nextPairAt = memory.data(4, 4);

/**
 * Rounds up where the level's fraction, in 2^-15, and the threshold reach 2^15, and returns the symbols plus 0x9600. Stores at
 * `to` what they stand for where Out is f32, that without its dither where it is f64, nothing where it is void.
 */
// @ts-ignore: decorator
@inline
function thresholdRow<Out>(
  at: usize,
  to: usize,
  low: v128,
  inverse: v128,
  top: v128,
  step: v128,
  threshold: v128,
  units: usize,
): v128 {
  const sum = f32x4.add(f32x4.mul(levelAt(at, low, inverse, top), loaded(fractionsAt)), loaded(fixedAt));
  const symbols = i32x4.shr_u(i32x4.add(sum, threshold), 15);
  if (isFloat<Out>()) {
    const level = valueOf(v128.and(symbols, loaded(byteAt)), low, step);
    if (sizeof<Out>() === 4) v128.store(to, level);
    else v128.store(to, withoutDither(level, threshold, units));
  }
  return symbols;
}

/**
 * Four rows, as nearestWord(), with the hashes of two rows each. The factors are 1 and 2^width, in the halves of each lane.
 */
// @ts-ignore: decorator
@inline
function thresholdWord<Out>(
  word: usize,
  at: usize,
  to: usize,
  stride: usize,
  low: v128,
  inverse: v128,
  top: v128,
  step: v128,
  h0: v128,
  h1: v128,
  units: usize,
): void {
  const pairs = v128.load(factorAt);
  const lowest = loaded(lowBitsAt);
  const r0 = thresholdRow<Out>(at, to, low, inverse, top, step, v128.and(h0, lowest), units);
  const r1 = thresholdRow<Out>(at + stride, to + stride, low, inverse, top, step, i32x4.shr_u(h0, 17), units);
  const first = i32x4.dot_i16x8_s(v128.or(r0, i32x4.shl(r1, 16)), pairs);
  at += 2 * stride;
  to += 2 * stride;
  const r2 = thresholdRow<Out>(at, to, low, inverse, top, step, v128.and(h1, lowest), units);
  const r3 = thresholdRow<Out>(at + stride, to + stride, low, inverse, top, step, i32x4.shr_u(h1, 17), units);
  const second = i32x4.dot_i16x8_s(v128.or(r2, i32x4.shl(r3, 16)), pairs);
  v128.store(word, i32x4.sub(i32x4.add(first, i32x4.mul(second, v128.load(squareAt))), v128.load(surplusAt)));
}

/**
 * As quantizeNearest(), packing included, but q = floor(level + u), u uniform on [0, 1). Rows 2p and 2p + 1 of the message share a hash of
 * 32 bits, mix(key + (p · channels + c) · GOLDEN), of which the even row takes bits 0 to 14 and the odd row bits 17 to 31.
 * `offset` is the number of the first row in the message, and even. With `units` (step / 2^16 of each channel, f64; 0 for
 * none) values are stored without their dither.
 */
export function quantizeStochastic(
  rows: usize,
  count: i32,
  stride: usize,
  out: usize,
  vectors: i32,
  lows: usize,
  inverses: usize,
  tops: usize,
  steps: usize,
  places: usize,
  offset: usize,
  key: i32,
  channels: i32,
  widths: usize,
  units: usize,
): void {
  if (out === 0)
    stochasticRows<void>(rows, count, stride, out, vectors, lows, inverses, tops, steps, places, offset, key, channels, widths, units);
  else if (units === 0)
    stochasticRows<f32>(rows, count, stride, out, vectors, lows, inverses, tops, steps, places, offset, key, channels, widths, units);
  else
    stochasticRows<f64>(rows, count, stride, out, vectors, lows, inverses, tops, steps, places, offset, key, channels, widths, units);
}

function stochasticRows<Out>(
  rows: usize,
  count: i32,
  stride: usize,
  out: usize,
  vectors: i32,
  lows: usize,
  inverses: usize,
  tops: usize,
  steps: usize,
  places: usize,
  offset: usize,
  key: i32,
  channels: i32,
  widths: usize,
  units: usize,
): void {
  const width = <usize>vectors * 16;
  const end = rows + <usize>count * stride;
  const first = loaded(firstFactorAt);
  const second = loaded(secondFactorAt);
  store<i32>(nextPairAt, channels * GOLDEN);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(GOLDEN));
  for (; rows + 15 * stride < end; rows += 16 * stride) {
    let counters = i32x4.add(lanes, i32x4.splat(key + (<i32>offset >> 1) * channels * GOLDEN));
    for (let c: usize = 0; c < width; c += 16) {
      const low = v128.load(lows + c);
      const inverse = v128.load(inverses + c);
      const top = v128.load(tops + c);
      const step = v128.load(steps + c);
      const bits = widths !== 0 ? v128.load(widths + c) : loaded(eightAt);
      const power = powerOf(bits);
      const factor = integerOf(power);
      const square = integerOf(f32x4.mul(power, power));
      const one = loaded(oneAt);
      v128.store(factorAt, v128.or(one, i32x4.shl(factor, 16)));
      v128.store(squareAt, square);
      // A symbol's half is it plus 0x9600 − 0x10000.
      const joined = i32x4.mul(i32x4.add(factor, one), i32x4.add(square, one));
      v128.store(surplusAt, i32x4.mul(joined, loaded(halfBitsAt)));
      let at = rows + c;
      let to = out + c;
      let counter = counters;
      for (let word = words; word < wordsEnd; word += 16) {
        const h0 = mix(counter, first, second);
        counter = i32x4.add(counter, loaded(nextPairAt));
        const h1 = mix(counter, first, second);
        counter = i32x4.add(counter, loaded(nextPairAt));
        thresholdWord<Out>(word, at, to, stride, low, inverse, top, step, h0, h1, units + 2 * c);
        at += 4 * stride;
        to += 4 * stride;
      }
      storeWords(places + c, widths === 0 ? 0 : widths + c, offset, bits);
      counters = i32x4.add(counters, loaded(nextColumnAt));
    }
    out += 16 * stride;
    offset += 16;
  }
  for (; rows < end; rows += stride) {
    let counter = i32x4.add(lanes, i32x4.splat(key + (<i32>offset >> 1) * channels * GOLDEN));
    for (let c: usize = 0; c < width; c += 16) {
      const low = v128.load(lows + c);
      const inverse = v128.load(inverses + c);
      const top = v128.load(tops + c);
      const step = v128.load(steps + c);
      const h = mix(counter, first, second);
      const threshold = offset & 1 ? i32x4.shr_u(h, 17) : v128.and(h, loaded(lowBitsAt));
      storeRow(places + c, offset, thresholdRow<Out>(rows + c, out + c, low, inverse, top, step, threshold, units + 2 * c));
      counter = i32x4.add(counter, loaded(nextColumnAt));
    }
    out += stride;
    offset++;
  }
}
