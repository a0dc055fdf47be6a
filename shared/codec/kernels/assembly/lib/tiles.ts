/**
 * Tiles of 16 rows and four channels, and the levels of their values.
 *
 * Values lie row by row, symbols channel by channel. Both directions work in tiles: symbols of 16 rows are collected four to a 32-bit
 * lane, one lane a channel, and a transposition makes each channel's 16 symbols consecutive.
 */

import { evenPairs, loaded, oddPairs } from "./lanes";

/** 2^23: added to a smaller f32 it leaves that, as an integer, in the low bits. */
export const fixedAt = memory.data<f32>([8388608]);
export const oneAt = memory.data<u32>([1]);
const fourAt = memory.data<u32>([4]);
export const eightAt = memory.data<u32>([8]);
/** Exponent of the f32 1. */
const biasAt = memory.data<u32>([127]);
export const byteAt = memory.data<u32>([255]);

/**
 * Of the tile at hand, four words, each four symbols of four channels; and what joins symbols to words: the factor of the second of
 * two, that of the second two of four (i32), and what is to be taken away (i32). All are in memory because engines compute what is free as late as it
 * can be, for all rows of a tile side by side and anew in a loop: they spill their registers. Loads stay behind stores.
 */
export const words = memory.data(64, 16);
export const wordsEnd = words + 64;
export const factorAt = memory.data(16, 16);
export const squareAt = memory.data(16, 16);
export const surplusAt = memory.data(16, 16);

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
export function storeWords(
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
export function storeRow(places: usize, offset: usize, symbols: v128): void {
  store<u8>(<usize>load<u32>(places) + offset, i32x4.extract_lane(symbols, 0));
  store<u8>(<usize>load<u32>(places, 4) + offset, i32x4.extract_lane(symbols, 1));
  store<u8>(<usize>load<u32>(places, 8) + offset, i32x4.extract_lane(symbols, 2));
  store<u8>(<usize>load<u32>(places, 12) + offset, i32x4.extract_lane(symbols, 3));
}

/** 2^width as f32. */
// @ts-ignore: decorator
@inline
export function powerOf(widths: v128): v128 {
  return i32x4.shl(i32x4.add(widths, loaded(biasAt)), 23);
}

/** A power of two from 1 to 2^22 as an integer. */
// @ts-ignore: decorator
@inline
export function integerOf(power: v128): v128 {
  const fixed = loaded(fixedAt);
  return v128.xor(f32x4.add(power, fixed), fixed);
}

/** Level of the values at `at`, from 0 to top, not rounded. */
// @ts-ignore: decorator
@inline
export function levelAt(at: usize, low: v128, inverse: v128, top: v128): v128 {
  const level = f32x4.mul(f32x4.sub(v128.load(at), low), inverse);
  return f32x4.pmin(f32x4.pmax(f32x4.splat(0), level), top);
}

/** Symbols in the lowest bytes of four lanes to what they stand for. */
// @ts-ignore: decorator
@inline
export function valueOf(symbols: v128, low: v128, step: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(symbols), step), low);
}
