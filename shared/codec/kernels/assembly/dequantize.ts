/** Symbols to the values that they stand for. Reference: ../reference.ts. */

import { withoutDither } from "./lib/dither";
import { evenPairs, loaded, oddPairs } from "./lib/lanes";
import { firstFactorAt, GOLDEN, lowBitsAt, mix, nextColumnAt, secondFactorAt } from "./lib/mix";
import { byteAt, valueOf } from "./lib/tiles";

/** What a counter grows by from two rows to the next two; set by each call. */
const nextPairAt = memory.data(4, 4);

/**
 * Four rows of four channels, whose symbols are the bytes of `words`: stores what they stand for, without the dither of
 * `counter` where Out is f64.
 */
// @ts-ignore: decorator
@inline
function valueRows<Out>(
  at: usize,
  stride: usize,
  words: v128,
  low: v128,
  step: v128,
  counter: v128,
  units: usize,
): void {
  const byte = loaded(byteAt);
  const v0 = valueOf(v128.and(words, byte), low, step);
  const v1 = valueOf(v128.and(i32x4.shr_u(words, 8), byte), low, step);
  const v2 = valueOf(v128.and(i32x4.shr_u(words, 16), byte), low, step);
  const v3 = valueOf(i32x4.shr_u(words, 24), low, step);
  if (sizeof<Out>() === 4) {
    v128.store(at, v0);
    v128.store(at + stride, v1);
    v128.store(at + 2 * stride, v2);
    v128.store(at + 3 * stride, v3);
  } else {
    const first = loaded(firstFactorAt);
    const second = loaded(secondFactorAt);
    const lowest = loaded(lowBitsAt);
    const h0 = mix(counter, first, second);
    const h1 = mix(i32x4.add(counter, loaded(nextPairAt)), first, second);
    v128.store(at, withoutDither(v0, v128.and(h0, lowest), units));
    v128.store(at + stride, withoutDither(v1, i32x4.shr_u(h0, 17), units));
    v128.store(at + 2 * stride, withoutDither(v2, v128.and(h1, lowest), units));
    v128.store(at + 3 * stride, withoutDither(v3, i32x4.shr_u(h1, 17), units));
  }
}

/**
 * Fills `count` rows with what the symbols at places[c] + offset … stand for; with `units`, without the dither of `key`, as
 * quantizeStochastic() has it.
 */
export function dequantize(
  rows: usize,
  count: i32,
  stride: usize,
  vectors: i32,
  lows: usize,
  steps: usize,
  places: usize,
  offset: usize,
  units: usize,
  key: i32,
  channels: i32,
): void {
  if (units === 0) valuesOf<f32>(rows, count, stride, vectors, lows, steps, places, offset, units, key, channels);
  else valuesOf<f64>(rows, count, stride, vectors, lows, steps, places, offset, units, key, channels);
}

function valuesOf<Out>(
  rows: usize,
  count: i32,
  stride: usize,
  vectors: i32,
  lows: usize,
  steps: usize,
  places: usize,
  offset: usize,
  units: usize,
  key: i32,
  channels: i32,
): void {
  const width = <usize>vectors * 16;
  const end = rows + <usize>count * stride;
  store<i32>(nextPairAt, channels * GOLDEN);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(GOLDEN));
  for (; rows + 15 * stride < end; rows += 16 * stride) {
    let counters = i32x4.add(lanes, i32x4.splat(key + (<i32>offset >> 1) * channels * GOLDEN));
    for (let c: usize = 0; c < width; c += 16) {
      const low = v128.load(lows + c);
      const step = v128.load(steps + c);
      const a = v128.load(<usize>load<u32>(places + c) + offset);
      const b = v128.load(<usize>load<u32>(places + c, 4) + offset);
      const ab0 = evenPairs(a, b);
      const ab1 = oddPairs(a, b);
      const d = v128.load(<usize>load<u32>(places + c, 8) + offset);
      const e = v128.load(<usize>load<u32>(places + c, 12) + offset);
      const de0 = evenPairs(d, e);
      const de1 = oddPairs(d, e);
      const unit = units + 2 * c;
      const nextPair = loaded(nextPairAt);
      const nextFour = i32x4.add(nextPair, nextPair);
      let at = rows + c;
      let counter = counters;
      valueRows<Out>(at, stride, v128.shuffle<u64>(ab0, de0, 0, 2), low, step, counter, unit);
      at += 4 * stride;
      counter = i32x4.add(counter, nextFour);
      valueRows<Out>(at, stride, v128.shuffle<u64>(ab0, de0, 1, 3), low, step, counter, unit);
      at += 4 * stride;
      counter = i32x4.add(counter, nextFour);
      valueRows<Out>(at, stride, v128.shuffle<u64>(ab1, de1, 0, 2), low, step, counter, unit);
      at += 4 * stride;
      counter = i32x4.add(counter, nextFour);
      valueRows<Out>(at, stride, v128.shuffle<u64>(ab1, de1, 1, 3), low, step, counter, unit);
      counters = i32x4.add(counters, loaded(nextColumnAt));
    }
    offset += 16;
  }
  for (; rows < end; rows += stride) {
    let counter = i32x4.add(lanes, i32x4.splat(key + (<i32>offset >> 1) * channels * GOLDEN));
    for (let c: usize = 0; c < width; c += 16) {
      let symbols = i32x4.splat(load<u8>(<usize>load<u32>(places + c) + offset));
      symbols = i32x4.replace_lane(symbols, 1, load<u8>(<usize>load<u32>(places + c, 4) + offset));
      symbols = i32x4.replace_lane(symbols, 2, load<u8>(<usize>load<u32>(places + c, 8) + offset));
      symbols = i32x4.replace_lane(symbols, 3, load<u8>(<usize>load<u32>(places + c, 12) + offset));
      let value = valueOf(symbols, v128.load(lows + c), v128.load(steps + c));
      if (sizeof<Out>() === 8) {
        const h = mix(counter, loaded(firstFactorAt), loaded(secondFactorAt));
        const threshold = offset & 1 ? i32x4.shr_u(h, 17) : v128.and(h, loaded(lowBitsAt));
        value = withoutDither(value, threshold, units + 2 * c);
        counter = i32x4.add(counter, loaded(nextColumnAt));
      }
      v128.store(rows + c, value);
    }
    offset++;
  }
}
