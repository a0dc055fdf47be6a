/**
 * Values to symbols, and symbols to the values that they stand for. Reference: ../reference.ts.
 *
 * Values lie row by row, symbols channel by channel. Both directions work in tiles of 16 rows and four channels: symbols
 * of 16 rows are collected four to a 32-bit lane, one lane a channel, and a transposition makes each channel's 16 symbols
 * consecutive.
 */

import { withoutDither } from "./lib/dither";
import { evenPairs, loaded, oddPairs } from "./lib/lanes";
import { mix } from "./lib/mix";

/** 1.5 · 2^23: added to a number from 0 to 255 it leaves the nearest integer, ties to even, in the low bits. */
const rounderAt = memory.data<f32>([12582912]);
const rounderBitsAt = memory.data<u32>([0x4b400000]);
const oneAt = memory.data<u32>([1]);
const fourAt = memory.data<u32>([4]);
/** Exponent of the f32 1. */
const biasAt = memory.data<u32>([127]);
const eightAt = memory.data<u32>([8]);
/** 2^23: added to a level times 2^15 it leaves that, as an integer, in the low bits. */
const fixedAt = memory.data<f32>([8388608]);
const fractionsAt = memory.data<f32>([32768]);
const GOLDEN: i32 = 0x9e3779b9;
const firstFactorAt = memory.data<u32>([0x85ebca6b]);
const secondFactorAt = memory.data<u32>([0xc2b2ae35]);
const lowBitsAt = memory.data<u32>([0x7fff]);
/** What the 16 bits of 2^23 in 2^-15 are as a signed number. */
const halfBitsAt = memory.data<i32>([0x9600 - 0x10000]);
const byteAt = memory.data<u32>([255]);
const nextColumnAt = memory.data<u32>([4 * GOLDEN]);
/** What a counter grows by from two rows to the next two; set by each call, and in memory for the reason that loaded() tells. */
const nextPairAt = memory.data(4, 4);

/**
 * Of the tile at hand, four words, each four symbols of four channels; and what joins symbols to words: the factor of the second of
 * two, that of the second two of four (i32), and what is to be taken away (i32). All are in memory because engines compute what is free as late as it
 * can be, for all rows of a tile side by side and anew in a loop: they spill their registers. Loads stay behind stores.
 */
const words = memory.data(64, 16);
const wordsEnd = words + 64;
const factorAt = memory.data(16, 16);
const squareAt = memory.data(16, 16);
const surplusAt = memory.data(16, 16);

/** Four words, each four symbols of four channels, go to the channels' places, 16 symbols each. */
// @ts-ignore: decorator
@inline
function storeTile(places: usize, offset: usize): void {
  const a = v128.load(words);
  const b = v128.load(words, 16);
  const c = v128.load(words, 32);
  const d = v128.load(words, 48);
  const ab0 = evenPairs(a, b);
  const ab1 = oddPairs(a, b);
  const cd0 = evenPairs(c, d);
  const cd1 = oddPairs(c, d);
  v128.store(<usize>load<u32>(places) + offset, v128.shuffle<u64>(ab0, cd0, 0, 2));
  v128.store(<usize>load<u32>(places, 4) + offset, v128.shuffle<u64>(ab0, cd0, 1, 3));
  v128.store(<usize>load<u32>(places, 8) + offset, v128.shuffle<u64>(ab1, cd1, 0, 2));
  v128.store(<usize>load<u32>(places, 12) + offset, v128.shuffle<u64>(ab1, cd1, 1, 3));
}

/**
 * As storeTile(), packed: words hold four symbols of `width` bits each, which become 2·width bytes, behind those of the
 * `tile` tiles before.
 */
// @ts-ignore: decorator
@inline
function packTile(places: usize, widths: usize, tile: usize): void {
  const a = v128.load(words);
  const b = v128.load(words, 16);
  const c = v128.load(words, 32);
  const d = v128.load(words, 48);
  const ab0 = evenPairs(a, b);
  const ab1 = oddPairs(a, b);
  const cd0 = evenPairs(c, d);
  const cd1 = oddPairs(c, d);
  storePacked(v128.shuffle<u64>(ab0, cd0, 0, 2), load<u32>(places), load<i32>(widths), tile);
  storePacked(v128.shuffle<u64>(ab0, cd0, 1, 3), load<u32>(places, 4), load<i32>(widths, 4), tile);
  storePacked(v128.shuffle<u64>(ab1, cd1, 0, 2), load<u32>(places, 8), load<i32>(widths, 8), tile);
  storePacked(v128.shuffle<u64>(ab1, cd1, 1, 3), load<u32>(places, 12), load<i32>(widths, 12), tile);
}

/** Up to 8 bytes behind the symbols are overwritten. */
// @ts-ignore: decorator
@inline
function storePacked(words: v128, place: usize, width: i32, tile: usize): void {
  const to = place + 2 * <usize>width * tile;
  if (width === 8) {
    v128.store(to, words);
    return;
  }
  const low = v128.and(words, i64x2.splat(0xffffffff));
  const joined = v128.or(low, i64x2.shl(i64x2.shr_u(words, 32), 4 * width));
  v128.store64_lane(to, joined, 0);
  v128.store64_lane(to + <usize>width, joined, 1);
}

/**
 * packTile() for widths up to 4: two words hold eight symbols each, `width` bytes. Stored are four, and what is above the
 * symbols is overwritten by what comes behind them.
 */
// @ts-ignore: decorator
@inline
function packNarrow(places: usize, widths: usize, tile: usize, a: v128, b: v128): void {
  let width = <usize>load<u32>(widths);
  let to = <usize>load<u32>(places) + 2 * width * tile;
  v128.store32_lane(to, a, 0);
  v128.store32_lane(to + width, b, 0);
  width = load<u32>(widths, 4);
  to = <usize>load<u32>(places, 4) + 2 * width * tile;
  v128.store32_lane(to, a, 1);
  v128.store32_lane(to + width, b, 1);
  width = load<u32>(widths, 8);
  to = <usize>load<u32>(places, 8) + 2 * width * tile;
  v128.store32_lane(to, a, 2);
  v128.store32_lane(to + width, b, 2);
  width = load<u32>(widths, 12);
  to = <usize>load<u32>(places, 12) + 2 * width * tile;
  v128.store32_lane(to, a, 3);
  v128.store32_lane(to + width, b, 3);
}

/**
 * The symbols of 16 rows go to the channels' places, as storeTile() or, with `widths`, packTile() has it. `bits` are the widths
 * or 8.
 */
// @ts-ignore: decorator
@inline
function storeWords(
  places: usize,
  widths: usize,
  offset: usize,
  bits: v128,
): void {
  if (widths === 0) storeTile(places, offset);
  else if (v128.any_true(i32x4.gt_s(bits, loaded(fourAt)))) packTile(places, widths, offset >> 4);
  else {
    const square = v128.load(squareAt);
    const fourth = i32x4.mul(square, square);
    const first = i32x4.add(v128.load(words), i32x4.mul(v128.load(words, 16), fourth));
    const second = i32x4.add(v128.load(words, 32), i32x4.mul(v128.load(words, 48), fourth));
    packNarrow(places, widths, offset >> 4, first, second);
  }
}

/** The lowest byte of each lane goes to its channel's place. */
// @ts-ignore: decorator
@inline
function storeRow(places: usize, offset: usize, symbols: v128): void {
  store<u8>(<usize>load<u32>(places) + offset, i32x4.extract_lane(symbols, 0));
  store<u8>(<usize>load<u32>(places, 4) + offset, i32x4.extract_lane(symbols, 1));
  store<u8>(<usize>load<u32>(places, 8) + offset, i32x4.extract_lane(symbols, 2));
  store<u8>(<usize>load<u32>(places, 12) + offset, i32x4.extract_lane(symbols, 3));
}

/** 2^width as f32. */
// @ts-ignore: decorator
@inline
function powerOf(widths: v128): v128 {
  return i32x4.shl(i32x4.add(widths, loaded(biasAt)), 23);
}

/** A power of two from 1 to 2^22 as an integer. */
// @ts-ignore: decorator
@inline
function integerOf(power: v128): v128 {
  const fixed = loaded(fixedAt);
  return v128.xor(f32x4.add(power, fixed), fixed);
}

/** Level of the values at `at`, from 0 to top, not rounded. */
// @ts-ignore: decorator
@inline
function levelAt(at: usize, low: v128, inverse: v128, top: v128): v128 {
  const level = f32x4.mul(f32x4.sub(v128.load(at), low), inverse);
  return f32x4.pmin(f32x4.pmax(f32x4.splat(0), level), top);
}

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

/** Symbols in the lowest bytes of four lanes to what they stand for. */
// @ts-ignore: decorator
@inline
function valueOf(symbols: v128, low: v128, step: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(symbols), step), low);
}

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
