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
const byteAt = memory.data<u32>([255]);
const centerAt = memory.data<i32>([-32767]);
const nextColumnAt = memory.data<u32>([4 * GOLDEN]);

const words = memory.data(64, 16);

/** The four 32-bit words of `words`, each four symbols of four channels, go to the channels' places, 16 symbols each. */
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
function powerOf(widths: v128, bias: v128): v128 {
  return i32x4.shl(i32x4.add(widths, bias), 23);
}

/**
 * Four symbols of each channel to a word of 4·width bits, the first lowest; r is rounder + symbol, `factor` 2^width,
 * `square` its square. Two symbols have at most 16 bits, so f32 joins them exactly. `surplus` is what the rounders leave.
 */
// @ts-ignore: decorator
@inline
function joinRounded(r0: v128, r1: v128, r2: v128, r3: v128, rounder: v128, factor: v128, square: v128, surplus: v128): v128 {
  const low = f32x4.add(r0, f32x4.mul(f32x4.sub(r1, rounder), factor));
  const high = f32x4.add(r2, f32x4.mul(f32x4.sub(r3, rounder), factor));
  return i32x4.sub(i32x4.add(low, i32x4.mul(high, square)), surplus);
}

/** The same for symbols; `pairs` holds 1 and 2^width in the halves of each lane. */
// @ts-ignore: decorator
@inline
function joinSymbols(r0: v128, r1: v128, r2: v128, r3: v128, pairs: v128, square: v128): v128 {
  const low = i32x4.dot_i16x8_s(v128.or(r0, i32x4.shl(r1, 16)), pairs);
  const high = i32x4.dot_i16x8_s(v128.or(r2, i32x4.shl(r3, 16)), pairs);
  return i32x4.add(low, i32x4.mul(high, square));
}

/** Level of the values at `at`, from 0 to top, not rounded. */
// @ts-ignore: decorator
@inline
function levelAt(at: usize, low: v128, inverse: v128, top: v128): v128 {
  const level = f32x4.mul(f32x4.sub(v128.load(at), low), inverse);
  return f32x4.pmin(f32x4.pmax(f32x4.splat(0), level), top);
}

/** Rounds the values at `at` to the nearest level, stores at `to`, if asked to, what that stands for and returns rounder + symbol. */
// @ts-ignore: decorator
@inline
function nearestRow(
  at: usize,
  to: usize,
  low: v128,
  inverse: v128,
  top: v128,
  step: v128,
  rounder: v128,
  keeps: bool,
): v128 {
  const rounded = f32x4.add(levelAt(at, low, inverse, top), rounder);
  if (keeps) v128.store(to, f32x4.add(f32x4.mul(f32x4.sub(rounded, rounder), step), low));
  return rounded;
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
    nearestRows(rows, count, stride, out, vectors, lows, inverses, tops, steps, places, offset, widths, false);
  else nearestRows(rows, count, stride, out, vectors, lows, inverses, tops, steps, places, offset, widths, true);
}

// @ts-ignore: decorator
@inline
function nearestRows(
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
  keeps: bool,
): void {
  const rounder = loaded(rounderAt);
  const rounderBits = loaded(rounderBitsAt);
  const one = loaded(oneAt);
  const bias = loaded(biasAt);
  const eight = loaded(eightAt);
  const width = <usize>vectors * 16;
  for (let r: usize = 0; r < <usize>count; ) {
    const whole = r + 16 <= <usize>count;
    for (let c: usize = 0; c < width; c += 16) {
      const low = v128.load(lows + c);
      const inverse = v128.load(inverses + c);
      const top = v128.load(tops + c);
      const step = v128.load(steps + c);
      let at = rows + c;
      let to = out + c;
      if (whole) {
        const factor = powerOf(widths !== 0 ? v128.load(widths + c) : eight, bias);
        const square = i32x4.trunc_sat_f32x4_s(f32x4.mul(factor, factor));
        const surplus = i32x4.mul(i32x4.add(square, one), rounderBits);
        for (let word = words; word < words + 64; word += 16) {
          const r0 = nearestRow(at, to, low, inverse, top, step, rounder, keeps);
          at += stride;
          to += stride;
          const r1 = nearestRow(at, to, low, inverse, top, step, rounder, keeps);
          at += stride;
          to += stride;
          const r2 = nearestRow(at, to, low, inverse, top, step, rounder, keeps);
          at += stride;
          to += stride;
          const r3 = nearestRow(at, to, low, inverse, top, step, rounder, keeps);
          at += stride;
          to += stride;
          v128.store(word, joinRounded(r0, r1, r2, r3, rounder, factor, square, surplus));
        }
        if (widths !== 0) packTile(places + c, widths + c, (offset + r) >> 4);
        else storeTile(places + c, offset + r);
      } else {
        storeRow(places + c, offset + r, nearestRow(at, to, low, inverse, top, step, rounder, keeps));
      }
    }
    const done: usize = whole ? 16 : 1;
    rows += done * stride;
    out += done * stride;
    r += done;
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
        nearestRow(at, to, low, inverse, top, step, rounder, true);
      }
    }
    rows += 16 * stride;
    out += 16 * stride;
  }
}

/** What of its values quantizeStochastic() stores. */
const NOTHING: i32 = 0;
const LEVELS: i32 = 1;
const WITHOUT_DITHER: i32 = 2;

/**
 * Rounds up where the level's fraction, in 2^-15, and the threshold reach 2^15; stores what `keeps` says and returns the
 * symbols.
 */
// @ts-ignore: decorator
@inline
function thresholdRow(
  at: usize,
  to: usize,
  low: v128,
  inverse: v128,
  top: v128,
  step: v128,
  threshold: v128,
  fractions: v128,
  fixed: v128,
  byte: v128,
  units: usize,
  keeps: i32,
): v128 {
  const sum = f32x4.add(f32x4.mul(levelAt(at, low, inverse, top), fractions), fixed);
  const symbols = v128.and(i32x4.shr_u(i32x4.add(sum, threshold), 15), byte);
  if (keeps !== NOTHING) {
    const level = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(symbols), step), low);
    if (keeps === LEVELS) v128.store(to, level);
    else v128.store(to, withoutDither(level, threshold, loaded(centerAt), units));
  }
  return symbols;
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
  if (out === 0) {
    stochasticRows(
      rows,
      count,
      stride,
      out,
      vectors,
      lows,
      inverses,
      tops,
      steps,
      places,
      offset,
      key,
      channels,
      widths,
      units,
      NOTHING,
    );
  } else if (units === 0) {
    stochasticRows(
      rows,
      count,
      stride,
      out,
      vectors,
      lows,
      inverses,
      tops,
      steps,
      places,
      offset,
      key,
      channels,
      widths,
      units,
      LEVELS,
    );
  } else {
    stochasticRows(
      rows,
      count,
      stride,
      out,
      vectors,
      lows,
      inverses,
      tops,
      steps,
      places,
      offset,
      key,
      channels,
      widths,
      units,
      WITHOUT_DITHER,
    );
  }
}

// @ts-ignore: decorator
@inline
function stochasticRows(
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
  keeps: i32,
): void {
  const width = <usize>vectors * 16;
  const first = loaded(firstFactorAt);
  const second = loaded(secondFactorAt);
  const lowest = loaded(lowBitsAt);
  const fractions = loaded(fractionsAt);
  const fixed = loaded(fixedAt);
  const byte = loaded(byteAt);
  const nextColumn = loaded(nextColumnAt);
  const one = loaded(oneAt);
  const bias = loaded(biasAt);
  const eight = loaded(eightAt);
  const nextPair = i32x4.splat(channels * GOLDEN);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(GOLDEN));
  for (let r: usize = 0; r < <usize>count; ) {
    const whole = r + 16 <= <usize>count;
    let counters = i32x4.add(lanes, i32x4.splat(key + (<i32>(offset + r) >> 1) * channels * GOLDEN));
    for (let c: usize = 0; c < width; c += 16) {
      const low = v128.load(lows + c);
      const inverse = v128.load(inverses + c);
      const top = v128.load(tops + c);
      const step = v128.load(steps + c);
      const unit = units + 2 * c;
      let at = rows + c;
      let to = out + c;
      if (whole) {
        const factor = powerOf(widths !== 0 ? v128.load(widths + c) : eight, bias);
        const square = i32x4.trunc_sat_f32x4_s(f32x4.mul(factor, factor));
        const pairs = v128.or(one, i32x4.shl(i32x4.trunc_sat_f32x4_s(factor), 16));
        let counter = counters;
        for (let word = words; word < words + 64; word += 16) {
          const h0 = mix(counter, first, second);
          counter = i32x4.add(counter, nextPair);
          const h1 = mix(counter, first, second);
          counter = i32x4.add(counter, nextPair);
          const r0 = thresholdRow(at, to, low, inverse, top, step, v128.and(h0, lowest), fractions, fixed, byte, unit, keeps);
          at += stride;
          to += stride;
          const r1 = thresholdRow(at, to, low, inverse, top, step, i32x4.shr_u(h0, 17), fractions, fixed, byte, unit, keeps);
          at += stride;
          to += stride;
          const r2 = thresholdRow(at, to, low, inverse, top, step, v128.and(h1, lowest), fractions, fixed, byte, unit, keeps);
          at += stride;
          to += stride;
          const r3 = thresholdRow(at, to, low, inverse, top, step, i32x4.shr_u(h1, 17), fractions, fixed, byte, unit, keeps);
          at += stride;
          to += stride;
          v128.store(word, joinSymbols(r0, r1, r2, r3, pairs, square));
        }
        if (widths !== 0) packTile(places + c, widths + c, (offset + r) >> 4);
        else storeTile(places + c, offset + r);
      } else {
        const h = mix(counters, first, second);
        const threshold = r & 1 ? i32x4.shr_u(h, 17) : v128.and(h, lowest);
        storeRow(places + c, offset + r, thresholdRow(at, to, low, inverse, top, step, threshold, fractions, fixed, byte, unit, keeps));
      }
      counters = i32x4.add(counters, nextColumn);
    }
    const done: usize = whole ? 16 : 1;
    rows += done * stride;
    out += done * stride;
    r += done;
  }
}

/** Symbols in the lowest bytes of four lanes to what they stand for. */
// @ts-ignore: decorator
@inline
function valueOf(symbols: v128, low: v128, step: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(symbols), step), low);
}

// @ts-ignore: decorator
@inline
function valueRows(at: usize, stride: usize, words: v128, low: v128, step: v128, mask: v128): void {
  v128.store(at, valueOf(v128.and(words, mask), low, step));
  v128.store(at + stride, valueOf(v128.and(i32x4.shr_u(words, 8), mask), low, step));
  v128.store(at + 2 * stride, valueOf(v128.and(i32x4.shr_u(words, 16), mask), low, step));
  v128.store(at + 3 * stride, valueOf(i32x4.shr_u(words, 24), low, step));
}

/** Takes dither away from four rows of four channels; `counter` is that of the first two. */
// @ts-ignore: decorator
@inline
function ditherRows(at: usize, stride: usize, counter: v128, nextPair: v128, units: usize): void {
  const first = loaded(firstFactorAt);
  const second = loaded(secondFactorAt);
  const lowest = loaded(lowBitsAt);
  const center = loaded(centerAt);
  const h0 = mix(counter, first, second);
  const h1 = mix(i32x4.add(counter, nextPair), first, second);
  v128.store(at, withoutDither(v128.load(at), v128.and(h0, lowest), center, units));
  at += stride;
  v128.store(at, withoutDither(v128.load(at), i32x4.shr_u(h0, 17), center, units));
  at += stride;
  v128.store(at, withoutDither(v128.load(at), v128.and(h1, lowest), center, units));
  at += stride;
  v128.store(at, withoutDither(v128.load(at), i32x4.shr_u(h1, 17), center, units));
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
  const mask = loaded(byteAt);
  const lowest = loaded(lowBitsAt);
  const nextPair = i32x4.splat(channels * GOLDEN);
  const nextColumn = loaded(nextColumnAt);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(GOLDEN));
  const width = <usize>vectors * 16;
  for (let r: usize = 0; r < <usize>count; ) {
    const whole = r + 16 <= <usize>count;
    let counters = i32x4.add(lanes, i32x4.splat(key + (<i32>(offset + r) >> 1) * channels * GOLDEN));
    for (let c: usize = 0; c < width; c += 16) {
      const low = v128.load(lows + c);
      const step = v128.load(steps + c);
      const from0 = <usize>load<u32>(places + c) + offset + r;
      const from1 = <usize>load<u32>(places + c, 4) + offset + r;
      const from2 = <usize>load<u32>(places + c, 8) + offset + r;
      const from3 = <usize>load<u32>(places + c, 12) + offset + r;
      let at = rows + c;
      if (whole) {
        const v0 = v128.load(from0);
        const v1 = v128.load(from1);
        const v2 = v128.load(from2);
        const v3 = v128.load(from3);
        const even0 = evenPairs(v0, v1);
        const odd0 = oddPairs(v0, v1);
        const even1 = evenPairs(v2, v3);
        const odd1 = oddPairs(v2, v3);
        valueRows(at, stride, v128.shuffle<u64>(even0, even1, 0, 2), low, step, mask);
        valueRows(at + 4 * stride, stride, v128.shuffle<u64>(even0, even1, 1, 3), low, step, mask);
        valueRows(at + 8 * stride, stride, v128.shuffle<u64>(odd0, odd1, 0, 2), low, step, mask);
        valueRows(at + 12 * stride, stride, v128.shuffle<u64>(odd0, odd1, 1, 3), low, step, mask);
        if (units !== 0) {
          let counter = counters;
          for (let four = 0; four < 4; four++) {
            ditherRows(at, stride, counter, nextPair, units + 2 * c);
            at += 4 * stride;
            counter = i32x4.add(counter, i32x4.add(nextPair, nextPair));
          }
        }
      } else {
        let symbols = i32x4.splat(load<u8>(from0));
        symbols = i32x4.replace_lane(symbols, 1, load<u8>(from1));
        symbols = i32x4.replace_lane(symbols, 2, load<u8>(from2));
        symbols = i32x4.replace_lane(symbols, 3, load<u8>(from3));
        let value = valueOf(symbols, low, step);
        if (units !== 0) {
          const h = mix(counters, loaded(firstFactorAt), loaded(secondFactorAt));
          const threshold = r & 1 ? i32x4.shr_u(h, 17) : v128.and(h, lowest);
          value = withoutDither(value, threshold, loaded(centerAt), units + 2 * c);
        }
        v128.store(at, value);
      }
      counters = i32x4.add(counters, nextColumn);
    }
    const done: usize = whole ? 16 : 1;
    rows += done * stride;
    r += done;
  }
}
