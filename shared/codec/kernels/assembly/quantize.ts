/** Values to symbols, each rounded to the nearest level. Reference: ../reference.ts. */

import { loaded } from "./lib/lanes";
import {
  eightAt,
  factorAt,
  integerOf,
  levelAt,
  oneAt,
  powerOf,
  squareAt,
  storeRow,
  storeWords,
  surplusAt,
  words,
  wordsEnd,
} from "./lib/tiles";

/** 1.5 · 2^23: added to a number from 0 to 255 it leaves the nearest integer, ties to even, in the low bits. */
const rounderAt = memory.data<f32>([12582912]);
const rounderBitsAt = memory.data<u32>([0x4b400000]);

/**
 * Rounds the values at `at` to the nearest level and returns rounder + symbol. Stores at `to` what that stands for where
 * Out is f32, nothing where it is void: functions of a type are compiled anew for each, without a test in the loop.
 */
// @ts-ignore: decorator
@inline
function nearestRow<Out>(
  at: usize,
  to: usize,
  low: v128,
  inverse: v128,
  top: v128,
  step: v128,
  rounder: v128,
): v128 {
  const rounded = f32x4.add(levelAt(at, low, inverse, top), rounder);
  if (isFloat<Out>()) v128.store(to, f32x4.add(f32x4.mul(f32x4.sub(rounded, rounder), step), low));
  return rounded;
}

/**
 * Four rows: four symbols of each channel to a word of 4·width bits, the first lowest. Two symbols have at most 16 bits, so f32
 * joins them exactly.
 */
// @ts-ignore: decorator
@inline
function nearestWord<Out>(
  word: usize,
  at: usize,
  to: usize,
  stride: usize,
  low: v128,
  inverse: v128,
  top: v128,
  step: v128,
  rounder: v128,
): void {
  const factor = v128.load(factorAt);
  const r0 = nearestRow<Out>(at, to, low, inverse, top, step, rounder);
  const r1 = nearestRow<Out>(at + stride, to + stride, low, inverse, top, step, rounder);
  const first = f32x4.add(r0, f32x4.mul(f32x4.sub(r1, rounder), factor));
  const r2 = nearestRow<Out>(at + 2 * stride, to + 2 * stride, low, inverse, top, step, rounder);
  const r3 = nearestRow<Out>(at + 3 * stride, to + 3 * stride, low, inverse, top, step, rounder);
  const second = f32x4.add(r2, f32x4.mul(f32x4.sub(r3, rounder), factor));
  v128.store(word, i32x4.sub(i32x4.add(first, i32x4.mul(second, v128.load(squareAt))), v128.load(surplusAt)));
}

/**
 * Quantizes `count` rows to the nearest level: the symbol of row r of channel c is stored at places[c] + offset + r
 * (places: u32 pointers), and what it stands for in row r at `out` (0 for nowhere), which has the same stride and may be
 * `rows`. With `widths` (i32; 0 for none) symbols are packed on the way, in the order of bitpack.ts from places[c] on;
 * `count` and `offset` are then multiples of 16.
 */
export function quantizeNearest(
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
  widths: usize,
): void {
  if (out === 0)
    nearestRows<void>(rows, count, stride, out, vectors, lows, inverses, tops, steps, places, offset, widths);
  else nearestRows<f32>(rows, count, stride, out, vectors, lows, inverses, tops, steps, places, offset, widths);
}

function nearestRows<Out>(
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
  widths: usize,
): void {
  const rounder = loaded(rounderAt);
  const width = <usize>vectors * 16;
  const end = rows + <usize>count * stride;
  for (; rows + 15 * stride < end; rows += 16 * stride) {
    for (let c: usize = 0; c < width; c += 16) {
      const low = v128.load(lows + c);
      const inverse = v128.load(inverses + c);
      const top = v128.load(tops + c);
      const step = v128.load(steps + c);
      const bits = widths !== 0 ? v128.load(widths + c) : loaded(eightAt);
      const factor = powerOf(bits);
      const square = integerOf(f32x4.mul(factor, factor));
      v128.store(factorAt, factor);
      v128.store(squareAt, square);
      // What the rounders leave.
      v128.store(surplusAt, i32x4.mul(i32x4.add(square, loaded(oneAt)), loaded(rounderBitsAt)));
      let at = rows + c;
      let to = out + c;
      for (let word = words; word < wordsEnd; word += 16) {
        nearestWord<Out>(word, at, to, stride, low, inverse, top, step, rounder);
        at += 4 * stride;
        to += 4 * stride;
      }
      storeWords(places + c, widths === 0 ? 0 : widths + c, offset, bits);
    }
    out += 16 * stride;
    offset += 16;
  }
  for (; rows < end; rows += stride) {
    for (let c: usize = 0; c < width; c += 16) {
      const low = v128.load(lows + c);
      const inverse = v128.load(inverses + c);
      const top = v128.load(tops + c);
      const step = v128.load(steps + c);
      storeRow(places + c, offset, nearestRow<Out>(rows + c, out + c, low, inverse, top, step, rounder));
    }
    out += stride;
    offset++;
  }
}

/** What quantizeNearest() stores at `out`, alone. */
export function roundNearest(
  rows: usize,
  count: i32,
  stride: usize,
  out: usize,
  vectors: i32,
  lows: usize,
  inverses: usize,
  tops: usize,
  steps: usize,
): void {
  const rounder = loaded(rounderAt);
  const width = <usize>vectors * 16;
  for (let done = 0; done < count; done += 16) {
    const end = rows + <usize>min(16, count - done) * stride;
    for (let c: usize = 0; c < width; c += 16) {
      const low = v128.load(lows + c);
      const inverse = v128.load(inverses + c);
      const top = v128.load(tops + c);
      const step = v128.load(steps + c);
      let to = out + c;
      for (let at = rows + c; at < end; at += stride, to += stride) {
        nearestRow<f32>(at, to, low, inverse, top, step, rounder);
      }
    }
    rows += 16 * stride;
    out += 16 * stride;
  }
}
