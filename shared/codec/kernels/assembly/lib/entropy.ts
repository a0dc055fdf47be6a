/**
 * What the kernels of the entropy stage share: tables, and the bounds of intervals. ../../../entropy/distribution.ts is the reference; names
 * are its and those of message.ts and rans.ts.
 *
 * `tokens` of a buffer with 32-bit elements (centers, scales) and of the units is rounded up to TILE; elements behind
 * the last token hold anything. A token's context, packed from its scale, is 2^(−d/4)·256 << 16 | d, d being the classes
 * that the scale adds.
 *
 * Tables: for each class from −12 to 48, those beyond the ends being repeated, 16 bytes (address of F at argument 0, shift,
 * address of guesses, 16 >> shift); guesses, i16, INVERSE_BYTES for all classes, of arguments, in sixteenths of a level, for each
 * 32nd integer of probability and beyond both ends: for up to 16 symbols, where F's step after it begins, and behind these, for 32,
 * 64, 128 and 256, where a symbol that begins there, counted from the centre's, begins after it; cap and factor, i32 each; the
 * contexts by scale >> 4, i32; and for each alphabet END_BYTES, what is added to the argument of the bound of each q, i32: the
 * spread classes first, then 2, 4 ... 256 symbols.
 */

const CLASSES: i32 = 37;
export const PROBABILITY_BITS: u32 = 15;
export const SCALE_REACH: i32 = 12;
export const REACH: i32 = 272;
const END_BYTES: usize = 260 * 4;

/**
 * Of a channel whose centre is the same for all tokens, for each class that a token's scale can add, EVEN_BYTES: for encoding,
 * its symbols' intervals (u32); for decoding, the symbol that owns each 32nd integer of probability, and all bounds (u16).
 */
export const evenTables = memory.data(25 * 2048, 64);
export const EVEN_BYTES: i32 = 2048;

let classTable: usize = 0;
let endTable: usize = 0;
export let contextTable: usize = 0;
export let capTable: usize = 0;
export let factorTable: usize = 0;
/** The four states. */
export let states: usize = 0;

/** Where everything of a message stands. */
export function setPlaces(
  classes: usize,
  contexts: usize,
  ends: usize,
  caps: usize,
  factors: usize,
  lanes: usize,
): void {
  classTable = classes;
  contextTable = contexts;
  endTable = ends;
  capTable = caps;
  factorTable = factors;
  states = lanes;
}

/**
 * boundOf(), without a branch: outermost symbols are too common for branches to be foretold. `ends` takes the arguments of
 * the first bound and the last to the ends of F.
 */
// @ts-ignore: decorator
@inline
export function bound(entry: usize, ends: usize, count: i32, center: i32, q: i32): u32 {
  let i = (q * 16 - 8 - center + load<i32>(ends + (<usize>q << 2))) >> load<i32>(entry, 4);
  i = select<i32>(REACH, i, i > REACH);
  i = select<i32>(-REACH, i, i < -REACH);
  const f = <u32>load<u16>(load<usize>(entry) + ((<usize>i) << 1));
  return q + ((f * <u32>(32768 - count)) >> PROBABILITY_BITS);
}

/** The ends of an alphabet of 2^n symbols, or of the spread classes. */
// @ts-ignore: decorator
@inline
export function endsOf(count: i32): usize {
  return endTable + (count === CLASSES ? 0 : <usize>ctz<i32>(count)) * END_BYTES;
}

/** Entry of class k; those beyond the ends of the table are repeated, so that a token's context can move it. */
// @ts-ignore: decorator
@inline
export function entryAt(k: i32): usize {
  return classTable + (<usize>(k + SCALE_REACH) << 4);
}

/** The entry moved by the context of a token, which stands at `context`. */
// @ts-ignore: decorator
@inline
export function movedBy(entry: usize, context: usize): usize {
  return entry + (<i32>load<i16>(context) << 4);
}

/** The least and, in the upper half, the greatest number of classes that the contexts of these tokens add. */
// @ts-ignore: decorator
@inline
export function reachOf(contexts: usize, tokens: usize): i32 {
  let least = i32x4.splat(SCALE_REACH);
  let greatest = i32x4.splat(-SCALE_REACH);
  for (let t: usize = 0; t < tokens; t += 4) {
    const d = i32x4.shr_s(i32x4.shl(v128.load(contexts + (t << 2)), 16), 16);
    least = i32x4.min_s(least, d);
    greatest = i32x4.max_s(greatest, d);
  }
  least = i32x4.min_s(least, v128.shuffle<u64>(least, least, 1, 0));
  greatest = i32x4.max_s(greatest, v128.shuffle<u64>(greatest, greatest, 1, 0));
  const low = min<i32>(i32x4.extract_lane(least, 0), i32x4.extract_lane(least, 1));
  const high = max<i32>(i32x4.extract_lane(greatest, 0), i32x4.extract_lane(greatest, 1));
  return (high << 16) | (low & 0xffff);
}

/** Whether tables of that many classes are worth their making: a table takes about as long as so many symbols without. */
// @ts-ignore: decorator
@inline
export function tablesPay(reach: i32, count: i32, tokens: usize): bool {
  return ((reach >> 16) - <i32>(<i16>reach) + 1) * (count + 32) <= 2 * <i32>tokens;
}
