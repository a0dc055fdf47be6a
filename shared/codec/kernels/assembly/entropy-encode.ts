/** Entropy stage, the sender: intervals of symbols, and the words that states give away. ../../entropy/rans.ts is the reference. */

import { entropyFill } from "./entropy";
import {
  bound,
  endsOf,
  entryAt,
  EVEN_BYTES,
  evenTables,
  movedBy,
  PROBABILITY_BITS,
  REACH,
  reachOf,
  SCALE_REACH,
  states,
  tablesPay,
} from "./lib/entropy";

/** The sums of FitSums, as f64 at `out`. They are exact. */
export function entropyFit(symbols: usize, centers: usize, contexts: usize, tokens: usize, out: usize): void {
  let weightSquares: v128 = i64x2.splat(0);
  let sum = weightSquares;
  let squares = weightSquares;
  const whole = tokens & ~3;
  let t: usize = 0;
  for (; t < whole; t += 4) {
    const q = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(symbols + t)));
    const weight = i32x4.shr_s(v128.load(contexts + (t << 2)), 16);
    const leveled = i32x4.mul(i32x4.sub(i32x4.shl(q, 4), v128.load(centers + (t << 2))), weight);
    weightSquares = i64x2.add(weightSquares, i64x2.extmul_low_i32x4_s(weight, weight));
    weightSquares = i64x2.add(weightSquares, i64x2.extmul_high_i32x4_s(weight, weight));
    sum = i64x2.add(sum, i64x2.extmul_low_i32x4_s(leveled, weight));
    sum = i64x2.add(sum, i64x2.extmul_high_i32x4_s(leveled, weight));
    squares = i64x2.add(squares, i64x2.extmul_low_i32x4_s(leveled, leveled));
    squares = i64x2.add(squares, i64x2.extmul_high_i32x4_s(leveled, leveled));
  }
  let lastWeights = i64x2.extract_lane(weightSquares, 0) + i64x2.extract_lane(weightSquares, 1);
  let lastSum = i64x2.extract_lane(sum, 0) + i64x2.extract_lane(sum, 1);
  let lastSquares = i64x2.extract_lane(squares, 0) + i64x2.extract_lane(squares, 1);
  for (; t < tokens; t++) {
    const weight = load<i32>(contexts + (t << 2)) >> 16;
    const leveled = <i64>(((<i32>load<u8>(symbols + t) << 4) - load<i32>(centers + (t << 2))) * weight);
    lastWeights += <i64>(weight * weight);
    lastSum += leveled * weight;
    lastSquares += leveled * leveled;
  }
  store<f64>(out, <f64>lastWeights);
  store<f64>(out, <f64>lastSum, 8);
  store<f64>(out, <f64>lastSquares, 16);
}

/** Arguments of the first and of the second bound of four symbols, in steps of their classes. */
const arguments4 = memory.data(32, 16);

/** Moves centres by `distance` and writes each symbol's interval, low << 16 | size, to `items`. */
export function entropyIntervals(
  symbols: usize,
  centers: usize,
  contexts: usize,
  k: i32,
  distance: i32,
  count: i32,
  tokens: usize,
  items: usize,
): void {
  const ends = endsOf(count);
  const entry = entryAt(k);
  const moves = i32x4.splat(distance);
  const eights = i32x4.splat(8);
  const sixteens = i32x4.splat(16);
  const zero = i32x4.splat(0);
  const ones = i32x4.splat(1);
  const tops = i32x4.splat(count - 1);
  const least = i32x4.splat(-REACH);
  const most = i32x4.splat(REACH);
  const weights = i32x4.splat(32768 - count);
  const fours = tokens & ~3;
  let t: usize = 0;
  for (; t < fours; t += 4) {
    const context = contexts + (t << 2);
    const e0 = movedBy(entry, context);
    const e1 = movedBy(entry, context + 4);
    const e2 = movedBy(entry, context + 8);
    const e3 = movedBy(entry, context + 12);
    let factors = v128.load32_zero(e0, 12);
    factors = v128.load32_lane(e1, factors, 1, 12);
    factors = v128.load32_lane(e2, factors, 2, 12);
    factors = v128.load32_lane(e3, factors, 3, 12);
    const at = centers + (t << 2);
    const center = i32x4.add(v128.load(at), moves);
    v128.store(at, center);
    const q = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(symbols + t)));
    const argument = i32x4.sub(i32x4.sub(i32x4.shl(q, 4), eights), center);
    // Times 16 >> shift, divided by 16: each lane has a shift of its own.
    const i = i32x4.shr_s(i32x4.mul(argument, factors), 4);
    const j = i32x4.shr_s(i32x4.mul(i32x4.add(argument, sixteens), factors), 4);
    const held = i32x4.max_s(least, i32x4.min_s(most, i));
    const next = i32x4.max_s(least, i32x4.min_s(most, j));
    v128.store(arguments4, i32x4.shl(v128.bitselect(least, held, i32x4.eq(q, zero)), 1));
    v128.store(arguments4, i32x4.shl(v128.bitselect(most, next, i32x4.eq(q, tops)), 1), 16);
    const f0 = load<usize>(e0);
    const f1 = load<usize>(e1);
    const f2 = load<usize>(e2);
    const f3 = load<usize>(e3);
    let below = v128.load16_lane(f0 + load<usize>(arguments4), zero, 0);
    below = v128.load16_lane(f1 + load<usize>(arguments4, 4), below, 2);
    below = v128.load16_lane(f2 + load<usize>(arguments4, 8), below, 4);
    below = v128.load16_lane(f3 + load<usize>(arguments4, 12), below, 6);
    let above = v128.load16_lane(f0 + load<usize>(arguments4, 16), zero, 0);
    above = v128.load16_lane(f1 + load<usize>(arguments4, 20), above, 2);
    above = v128.load16_lane(f2 + load<usize>(arguments4, 24), above, 4);
    above = v128.load16_lane(f3 + load<usize>(arguments4, 28), above, 6);
    const low = i32x4.add(q, i32x4.shr_u(i32x4.mul(below, weights), PROBABILITY_BITS));
    const high = i32x4.add(i32x4.add(q, ones), i32x4.shr_u(i32x4.mul(above, weights), PROBABILITY_BITS));
    v128.store(items + (t << 2), v128.or(i32x4.shl(low, 16), i32x4.sub(high, low)));
  }
  for (; t < tokens; t++) {
    const own = movedBy(entry, contexts + (t << 2));
    const center = load<i32>(centers + (t << 2)) + distance;
    store<i32>(centers + (t << 2), center);
    const q = <i32>load<u8>(symbols + t);
    const low = bound(own, ends, count, center, q);
    store<u32>(items + (t << 2), (low << 16) | (bound(own, ends, count, center, q + 1) - low));
  }
}

/**
 * As entropyIntervals(), for a channel whose centres, the distance included, are all `center`; sets them. The intervals of all
 * symbols are looked up, where tokens are many enough for that.
 */
export function entropyEvenIntervals(
  symbols: usize,
  centers: usize,
  contexts: usize,
  k: i32,
  center: i32,
  count: i32,
  tokens: usize,
  items: usize,
): void {
  entropyFill(centers, center, tokens);
  const reach = reachOf(contexts, tokens);
  if (!tablesPay(reach, count, tokens)) {
    entropyIntervals(symbols, centers, contexts, k, 0, count, tokens, items);
    return;
  }
  const ends = endsOf(count);
  const middle = evenTables + SCALE_REACH * EVEN_BYTES;
  for (let d = <i32>(<i16>reach); d <= reach >> 16; d++) {
    const entry = entryAt(k + d);
    const table = middle + d * EVEN_BYTES;
    let low: u32 = 0;
    for (let q = 0; q < count; q++) {
      const next = bound(entry, ends, count, center, q + 1);
      store<u32>(table + (<usize>q << 2), (low << 16) | (next - low));
      low = next;
    }
  }
  for (let t: usize = 0; t < tokens; t++) {
    const table = middle + <i32>load<i16>(contexts + (t << 2)) * EVEN_BYTES;
    store<u32>(items + (t << 2), load<u32>(table + (<usize>load<u8>(symbols + t) << 2)));
  }
}

/** The interval of one symbol of an alphabet, for parameters. */
export function entropyInterval(k: i32, center: i32, count: i32, q: i32): u32 {
  const entry = entryAt(k);
  const ends = endsOf(count);
  const low = bound(entry, ends, count, center, q);
  return (low << 16) | (bound(entry, ends, count, center, q + 1) - low);
}

/** ⌈2^47 / size⌉ of each interval's size (u64), made when the first message is written. */
const reciprocals = memory.data(32768 * 8, 64);
let prepared = false;

function prepare(): void {
  prepared = true;
  for (let size: u64 = 1; size < 32768; size++) {
    store<u64>(reciprocals + (<usize>size << 3), (((<u64>1 << 47) - 1) / size + 1));
  }
}

/**
 * Codes an interval into state x. A word of 16 bits is stored before `out`; it counts if `over`. x / size is by a
 * reciprocal: x < size · 2^17 then, so that the product has 64 bits and x · (⌈2^47/size⌉ · size − 2^47) < 2^47, which
 * leaves the quotient's whole part as it is.
 */
// @ts-ignore: decorator
@inline
function coded(x: u32, item: u32, over: u32): u32 {
  const size = item & 0xffff;
  const y = x >>> (over << 4);
  const quotient = <u32>((<u64>y * load<u64>(reciprocals + (<usize>size << 3))) >> 47);
  return y + (item >>> 16) + quotient * (32768 - size);
}

/** 1 if state x must give a word away before it takes the interval. */
// @ts-ignore: decorator
@inline
function isOver(x: u32, item: u32): u32 {
  return <u32>(x >= (item & 0xffff) << 17);
}

/**
 * Codes rows of `length` intervals, from the last to the first, into words. They take the place of intervals that are
 * done: the words end where the items do. Returns the address of the first; the states are left behind.
 */
export function entropyWrite(items: usize, rows: usize, length: usize): usize {
  if (!prepared) prepare();
  let x0: u32 = 65536;
  let x1: u32 = 65536;
  let x2: u32 = 65536;
  let x3: u32 = 65536;
  let out = items + rows * length * 4;
  for (let row = rows; row > 0; row--) {
    const first = items + (row - 1) * length * 4;
    let i = <isize>length - 1;
    for (; i >= 0 && (i & 3) !== 3; i--) {
      const item = load<u32>(first + (<usize>i << 2));
      const x = (i & 3) === 0 ? x0 : (i & 3) === 1 ? x1 : x2;
      const over = isOver(x, item);
      store<u16>(out - 2, <u16>x);
      out -= <usize>over << 1;
      const next = coded(x, item, over);
      if ((i & 3) === 0) x0 = next;
      else if ((i & 3) === 1) x1 = next;
      else x2 = next;
    }
    for (; i >= 0; i -= 4) {
      const at = first + (<usize>(i - 3) << 2);
      const item3 = load<u32>(at, 12);
      const item2 = load<u32>(at, 8);
      const item1 = load<u32>(at, 4);
      const item0 = load<u32>(at);
      const over3 = isOver(x3, item3);
      const over2 = isOver(x2, item2);
      const over1 = isOver(x1, item1);
      const over0 = isOver(x0, item0);
      store<u16>(out - 2, <u16>x3);
      out -= <usize>over3 << 1;
      store<u16>(out - 2, <u16>x2);
      out -= <usize>over2 << 1;
      store<u16>(out - 2, <u16>x1);
      out -= <usize>over1 << 1;
      store<u16>(out - 2, <u16>x0);
      out -= <usize>over0 << 1;
      x3 = coded(x3, item3, over3);
      x2 = coded(x2, item2, over2);
      x1 = coded(x1, item1, over1);
      x0 = coded(x0, item0, over0);
    }
  }
  store<u32>(states, x0);
  store<u32>(states, x1, 4);
  store<u32>(states, x2, 8);
  store<u32>(states, x3, 12);
  return out;
}
