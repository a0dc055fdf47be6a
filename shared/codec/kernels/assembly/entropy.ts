/**
 * Kernels of the entropy stage. ../../entropy/message.ts and rans.ts are the reference; names are theirs.
 *
 * `tokens` of a buffer with 32-bit elements (centers, scales) and of the units is rounded up to TILE; elements behind
 * the last token hold anything. A token's context, packed from its scale, is 2^(−d/4)·256 << 16 | d, d being the classes
 * that the scale adds. Units are pairs of i16 in tiles of 32 tokens, so that a channel's prediction reads memory in order:
 * token t of channel j stands at ⌊t/32⌋·tile + ⌊j/2⌋·128 + (t mod 32)·4 + (j mod 2)·2.
 *
 * Tables: for each class from −12 to 48, those beyond the ends being repeated, 16 bytes (address of F at argument 0, shift,
 * address of inverse, 0); cap and factor, i32 each; the contexts by scale >> 4, i32; and for each alphabet END_BYTES, what
 * is added to the argument of the bound of each q, i32: the spread classes first, then 2, 4 ... 256 symbols.
 */

/** Tokens that predict() works on at once. */
const TILE: i32 = 32;
/** A tile's part of one pair of channels. */
const TILE_BYTES: usize = 128;
const CLASSES: i32 = 37;
const PROBABILITY_BITS: u32 = 15;
const SCALE_LIMIT: i32 = 32767;
const SCALE_REACH: i32 = 12;
const REACH: i32 = 272;
const END_BYTES: usize = 260 * 4;

/** ⌈2^47 / size⌉ of each interval's size (u64), made at the first message. */
const reciprocals = memory.data(32768 * 8, 64);
let prepared = false;

/**
 * Of a channel whose centre is the same for all tokens, for each class that a token's scale can add, EVEN_BYTES: for encoding,
 * its symbols' intervals (u32); for decoding, the symbol that owns each 32nd integer of probability, and all bounds (u16).
 */
const evenTables = memory.data(25 * 2048, 64);
const EVEN_BYTES: i32 = 2048;
const BOUNDS_AT: usize = 1024;

let classTable: usize = 0;
let contextTable: usize = 0;
let endTable: usize = 0;
let capTable: usize = 0;
let factorTable: usize = 0;
let states: usize = 0;
let word: usize = 0;
let wordEnd: usize = 0;

/** Where the tables of a message and the four states stand. */
export function entropyBegin(
  classes: usize,
  contexts: usize,
  ends: usize,
  caps: usize,
  factors: usize,
  lanes: usize,
  firstWord: usize,
  lastWord: usize,
): void {
  classTable = classes;
  contextTable = contexts;
  endTable = ends;
  capTable = caps;
  factorTable = factors;
  states = lanes;
  word = firstWord;
  wordEnd = lastWord;
  if (prepared) return;
  prepared = true;
  for (let size: u64 = 1; size < 32768; size++) {
    store<u64>(reciprocals + (<usize>size << 3), (((<u64>1 << 47) - 1) / size + 1));
  }
}

/**
 * boundOf(), without a branch: outermost symbols are too common for branches to be foretold. `ends` takes the arguments of
 * the first bound and the last to the ends of F.
 */
// @ts-ignore: decorator
@inline
function bound(entry: usize, ends: usize, count: i32, center: i32, q: i32): u32 {
  let i = (q * 16 - 8 - center + load<i32>(ends + (<usize>q << 2))) >> load<i32>(entry, 4);
  i = select<i32>(REACH, i, i > REACH);
  i = select<i32>(-REACH, i, i < -REACH);
  const f = <u32>load<u16>(load<usize>(entry) + ((<usize>i) << 1));
  return q + ((f * <u32>(32768 - count)) >> PROBABILITY_BITS);
}

/** The ends of an alphabet of 2^n symbols, or of the spread classes. */
// @ts-ignore: decorator
@inline
function endsOf(count: i32): usize {
  return endTable + (count === CLASSES ? 0 : <usize>ctz<i32>(count)) * END_BYTES;
}

/** Entry of class k, moved by a token's context; those beyond the ends of the table are repeated. */
// @ts-ignore: decorator
@inline
function entryAt(k: i32, context: i32): usize {
  return classTable + (<usize>(k + SCALE_REACH + <i32>(<i16>context)) << 4);
}

/** Centres of a channel: Σ weight · unit over n channels, mapped to levels. */
export function entropyPredict(
  weights: usize,
  units: usize,
  tile: usize,
  n: i32,
  gain: f32,
  offset: f32,
  highest: f32,
  centers: usize,
  tokens: usize,
): void {
  const gains = f32x4.splat(gain);
  const offsets = f32x4.splat(offset);
  const lowest = f32x4.splat(-64);
  const tops = f32x4.splat(highest);
  const pairs = <usize>((n + 1) >> 1);
  let first = units;
  for (let t: usize = 0; t < tokens; t += TILE) {
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let a4 = a0;
    let a5 = a0;
    let a6 = a0;
    let a7 = a0;
    let u = first;
    first += tile;
    const end = weights + (pairs << 2);
    for (let w = weights; w < end; w += 4) {
      const weight = v128.load32_splat(w);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load(u), weight));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load(u, 16), weight));
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v128.load(u, 32), weight));
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v128.load(u, 48), weight));
      a4 = i32x4.add(a4, i32x4.dot_i16x8_s(v128.load(u, 64), weight));
      a5 = i32x4.add(a5, i32x4.dot_i16x8_s(v128.load(u, 80), weight));
      a6 = i32x4.add(a6, i32x4.dot_i16x8_s(v128.load(u, 96), weight));
      a7 = i32x4.add(a7, i32x4.dot_i16x8_s(v128.load(u, 112), weight));
      u += TILE_BYTES;
    }
    const out = centers + (t << 2);
    v128.store(out, toCenters(a0, gains, offsets, lowest, tops));
    v128.store(out, toCenters(a1, gains, offsets, lowest, tops), 16);
    v128.store(out, toCenters(a2, gains, offsets, lowest, tops), 32);
    v128.store(out, toCenters(a3, gains, offsets, lowest, tops), 48);
    v128.store(out, toCenters(a4, gains, offsets, lowest, tops), 64);
    v128.store(out, toCenters(a5, gains, offsets, lowest, tops), 80);
    v128.store(out, toCenters(a6, gains, offsets, lowest, tops), 96);
    v128.store(out, toCenters(a7, gains, offsets, lowest, tops), 112);
  }
}

// @ts-ignore: decorator
@inline
function toCenters(sums: v128, gain: v128, offset: v128, lowest: v128, highest: v128): v128 {
  const level = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), gain), offset);
  return i32x4.trunc_sat_f32x4_s(f32x4.min(highest, f32x4.max(lowest, level)));
}

/** Sets all centres, for a channel without prediction. */
export function entropyFill(centers: usize, value: i32, tokens: usize): void {
  const values = i32x4.splat(value);
  for (let t: usize = 0; t < tokens; t += 4) v128.store(centers + (t << 2), values);
}

/** The least and, in the upper half, the greatest number of classes that the contexts of these tokens add. */
// @ts-ignore: decorator
@inline
function reachOf(contexts: usize, tokens: usize): i32 {
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
function tablesPay(reach: i32, count: i32, tokens: usize): bool {
  return ((reach >> 16) - <i32>(<i16>reach) + 1) * (count + 32) <= 2 * <i32>tokens;
}

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
  for (let t: usize = 0; t < tokens; t++) {
    const entry = entryAt(k, load<i32>(contexts + (t << 2)));
    const center = load<i32>(centers + (t << 2)) + distance;
    store<i32>(centers + (t << 2), center);
    const q = <i32>load<u8>(symbols + t);
    const low = bound(entry, ends, count, center, q);
    store<u32>(items + (t << 2), (low << 16) | (bound(entry, ends, count, center, q + 1) - low));
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
    const entry = entryAt(k, d);
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
  const entry = entryAt(k, 0);
  const ends = endsOf(count);
  const low = bound(entry, ends, count, center, q);
  return (low << 16) | (bound(entry, ends, count, center, q + 1) - low);
}

/** Lets token scales, and their contexts, follow a channel's symbols. */
export function entropyFollow(
  symbols: usize,
  centers: usize,
  scales: usize,
  contexts: usize,
  k: i32,
  rate: i32,
  tokens: usize,
): void {
  const caps = i32x4.splat(load<i32>(capTable + (<usize>k << 2)));
  const factors = i32x4.splat(load<i32>(factorTable + (<usize>k << 2)));
  const limit = i32x4.splat(SCALE_LIMIT);
  for (let t: usize = 0; t < tokens; t += 4) {
    const q = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(symbols + t)));
    const distance = i32x4.sub(i32x4.shl(q, 4), v128.load(centers + (t << 2)));
    const deviation = i32x4.min_s(caps, i32x4.abs(distance));
    const scale = v128.load(scales + (t << 2));
    const observed = i32x4.shr_s(i32x4.mul(deviation, factors), 8);
    const next = i32x4.add(scale, i32x4.shr_s(i32x4.sub(observed, scale), rate));
    const held = i32x4.min_s(limit, next);
    v128.store(scales + (t << 2), held);
    const place = v128.and(i32x4.shr_u(held, 2), i32x4.splat(~3));
    const to = contexts + (t << 2);
    store<i32>(to, load<i32>(contextTable + i32x4.extract_lane(place, 0)));
    store<i32>(to, load<i32>(contextTable + i32x4.extract_lane(place, 1)), 4);
    store<i32>(to, load<i32>(contextTable + i32x4.extract_lane(place, 2)), 8);
    store<i32>(to, load<i32>(contextTable + i32x4.extract_lane(place, 3)), 12);
  }
}

/** Standardized values of a channel; `units` is the address of its token 0. */
export function entropyUnits(
  symbols: usize,
  slope: i32,
  origin: i32,
  units: usize,
  tile: usize,
  tokens: usize,
): void {
  let out = units;
  for (let first: usize = 0; first < tokens; first += TILE) {
    const last = min(tokens, first + TILE);
    let to = out;
    for (let t = first; t < last; t++, to += 4) {
      const unit = (<i32>load<u8>(symbols + t) * slope + origin) >> 8;
      const above = select<i32>(-2047, unit, unit < -2047);
      store<i16>(to, <i16>select<i32>(2047, above, above > 2047));
    }
    out += tile;
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

/**
 * Decodes one symbol of state x before its refill; stores it at `out`. In a large alphabet the guess is often short by
 * one, which is looked at without a branch.
 */
// @ts-ignore: decorator
@inline
function step(x: u32, entry: usize, ends: usize, count: i32, center: i32, out: usize, large: bool): u32 {
  const slot = x & 32767;
  // The argument below which F stays under the slot: q is this guess, or the next symbol, or rarely another.
  const argument = <i32>load<i16>(load<usize>(entry, 8) + (<usize>(slot >>> 5) << 1));
  let q = ((argument << load<i32>(entry, 4)) + center + 8) >> 4;
  q = select<i32>(count - 1, q, q > count - 1);
  q = select<i32>(0, q, q < 0);
  let low = bound(entry, ends, count, center, q);
  let high = bound(entry, ends, count, center, q + 1);
  if (large) {
    const next = bound(entry, ends, count, center, q + 2);
    const above = high <= slot;
    low = select<u32>(high, low, above);
    high = select<u32>(next, high, above);
    q += <i32>above;
  }
  while (low > slot) {
    q--;
    high = low;
    low = bound(entry, ends, count, center, q);
  }
  while (high <= slot) {
    q++;
    low = high;
    high = bound(entry, ends, count, center, q + 1);
  }
  store<u8>(out, <u8>q);
  return (high - low) * (x >>> 15) + slot - low;
}

/** Decodes one symbol of a lane to `out`. False when words run out. */
export function entropyTake(lane: usize, k: i32, center: i32, count: i32, out: usize): bool {
  const at = states + (lane << 2);
  let x = step(load<u32>(at), entryAt(k, 0), endsOf(count), count, center, out, true);
  if (x < 65536) {
    if (word + 2 > wordEnd) return false;
    x = (x << 16) | <u32>load<u16>(word);
    word += 2;
  }
  store<u32>(at, x);
  return true;
}

/** Four tokens at a time, as many as there are; false when words run out. */
// @ts-ignore: decorator
@inline
function decodeFours(
  symbols: usize,
  centers: usize,
  contexts: usize,
  k: i32,
  distance: i32,
  count: i32,
  fours: usize,
  large: bool,
): bool {
  let x0 = load<u32>(states);
  let x1 = load<u32>(states, 4);
  let x2 = load<u32>(states, 8);
  let x3 = load<u32>(states, 12);
  let next = word;
  const last = wordEnd;
  const ends = endsOf(count);
  const moves = i32x4.splat(distance);
  for (let t: usize = 0; t < fours; t += 4) {
    const c = centers + (t << 2);
    const s = contexts + (t << 2);
    const moved = i32x4.add(v128.load(c), moves);
    v128.store(c, moved);
    const out = symbols + t;
    x2 = step(x2, entryAt(k, load<i32>(s)), ends, count, i32x4.extract_lane(moved, 0), out, large);
    x3 = step(x3, entryAt(k, load<i32>(s, 4)), ends, count, i32x4.extract_lane(moved, 1), out + 1, large);
    x0 = step(x0, entryAt(k, load<i32>(s, 8)), ends, count, i32x4.extract_lane(moved, 2), out + 2, large);
    x1 = step(x1, entryAt(k, load<i32>(s, 12)), ends, count, i32x4.extract_lane(moved, 3), out + 3, large);
    let refill = x2 < 65536;
    x2 = select<u32>((x2 << 16) | <u32>load<u16>(next), x2, refill);
    next += <usize>refill << 1;
    refill = x3 < 65536;
    x3 = select<u32>((x3 << 16) | <u32>load<u16>(next), x3, refill);
    next += <usize>refill << 1;
    refill = x0 < 65536;
    x0 = select<u32>((x0 << 16) | <u32>load<u16>(next), x0, refill);
    next += <usize>refill << 1;
    refill = x1 < 65536;
    x1 = select<u32>((x1 << 16) | <u32>load<u16>(next), x1, refill);
    next += <usize>refill << 1;
    if (next > last) return false;
  }
  store<u32>(states, x0);
  store<u32>(states, x1, 4);
  store<u32>(states, x2, 8);
  store<u32>(states, x3, 12);
  word = next;
  return true;
}

/**
 * Moves centres by `distance` and decodes a channel's symbols, the first in lane 2. False when words run out. Up to 8
 * bytes behind wordEnd are read.
 */
export function entropySymbols(
  symbols: usize,
  centers: usize,
  contexts: usize,
  k: i32,
  distance: i32,
  count: i32,
  tokens: usize,
): bool {
  const fours = tokens & ~3;
  const done =
    count > 16
      ? decodeFours(symbols, centers, contexts, k, distance, count, fours, true)
      : decodeFours(symbols, centers, contexts, k, distance, count, fours, false);
  if (!done) return false;
  const ends = endsOf(count);
  for (let t = fours; t < tokens; t++) {
    const c = centers + (t << 2);
    const center = load<i32>(c) + distance;
    store<i32>(c, center);
    const at = states + (((t + 2) & 3) << 2);
    const entry = entryAt(k, load<i32>(contexts + (t << 2)));
    let x = step(load<u32>(at), entry, ends, count, center, symbols + t, true);
    if (x < 65536) {
      if (word + 2 > wordEnd) return false;
      x = (x << 16) | <u32>load<u16>(word);
      word += 2;
    }
    store<u32>(at, x);
  }
  return true;
}

/** Decodes a symbol by the tables of its class. */
// @ts-ignore: decorator
@inline
function evenStep(x: u32, table: usize, out: usize): u32 {
  const slot = x & 32767;
  let q = <usize>load<u8>(table + (slot >>> 5));
  let bounds = load<u32>(table + (q << 1), BOUNDS_AT);
  while (bounds >>> 16 <= slot) {
    q++;
    bounds = load<u32>(table + (q << 1), BOUNDS_AT);
  }
  store<u8>(out, <u8>q);
  const low = bounds & 0xffff;
  return ((bounds >>> 16) - low) * (x >>> 15) + slot - low;
}

/** As entropySymbols(), for a channel whose centres, the distance included, are all `center`; sets them. */
export function entropyEvenSymbols(
  symbols: usize,
  centers: usize,
  contexts: usize,
  k: i32,
  center: i32,
  count: i32,
  tokens: usize,
): bool {
  entropyFill(centers, center, tokens);
  const reach = reachOf(contexts, tokens);
  if (!tablesPay(reach, count, tokens)) return entropySymbols(symbols, centers, contexts, k, 0, count, tokens);
  const ends = endsOf(count);
  const middle = evenTables + SCALE_REACH * EVEN_BYTES;
  for (let d = <i32>(<i16>reach); d <= reach >> 16; d++) {
    const entry = entryAt(k, d);
    const table = middle + d * EVEN_BYTES;
    let slot: u32 = 0;
    store<u16>(table, 0, BOUNDS_AT);
    for (let q = 0; q < count; q++) {
      const next = bound(entry, ends, count, center, q + 1);
      store<u16>(table + (<usize>q << 1), next, BOUNDS_AT + 2);
      for (; slot < next; slot += 32) store<u8>(table + (slot >>> 5), q);
    }
  }
  let x0 = load<u32>(states);
  let x1 = load<u32>(states, 4);
  let x2 = load<u32>(states, 8);
  let x3 = load<u32>(states, 12);
  let next = word;
  const last = wordEnd;
  for (let t: usize = 0; t < tokens; t += 4) {
    const c = contexts + (t << 2);
    const out = symbols + t;
    x2 = evenStep(x2, middle + <i32>load<i16>(c) * EVEN_BYTES, out);
    let refill = x2 < 65536;
    x2 = select<u32>((x2 << 16) | <u32>load<u16>(next), x2, refill);
    next += <usize>refill << 1;
    if (t + 1 >= tokens) break;
    x3 = evenStep(x3, middle + <i32>load<i16>(c, 4) * EVEN_BYTES, out + 1);
    refill = x3 < 65536;
    x3 = select<u32>((x3 << 16) | <u32>load<u16>(next), x3, refill);
    next += <usize>refill << 1;
    if (t + 2 >= tokens) break;
    x0 = evenStep(x0, middle + <i32>load<i16>(c, 8) * EVEN_BYTES, out + 2);
    refill = x0 < 65536;
    x0 = select<u32>((x0 << 16) | <u32>load<u16>(next), x0, refill);
    next += <usize>refill << 1;
    if (t + 3 >= tokens) break;
    x1 = evenStep(x1, middle + <i32>load<i16>(c, 12) * EVEN_BYTES, out + 3);
    refill = x1 < 65536;
    x1 = select<u32>((x1 << 16) | <u32>load<u16>(next), x1, refill);
    next += <usize>refill << 1;
    if (next > last) return false;
  }
  if (next > last) return false;
  store<u32>(states, x0);
  store<u32>(states, x1, 4);
  store<u32>(states, x2, 8);
  store<u32>(states, x3, 12);
  word = next;
  return true;
}

/** True when every word was taken and every state is the one that the encoder began with. */
export function entropyFinished(): bool {
  return (
    word === wordEnd &&
    load<u32>(states) === 65536 &&
    load<u32>(states, 4) === 65536 &&
    load<u32>(states, 8) === 65536 &&
    load<u32>(states, 12) === 65536
  );
}

/** Sums of products of a channel's samples with those of n others, i32 at `out`. `stride` is a multiple of 8 samples. */
export function entropyCorrelate(own: usize, others: usize, n: usize, stride: usize, out: usize): void {
  const row = stride << 1;
  let j: usize = 0;
  for (; j + 4 <= n; j += 4) {
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b = others + j * row;
    for (let t: usize = 0; t < row; t += 16) {
      const x = v128.load(own + t);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, v128.load(b + t)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(x, v128.load(b + row + t)));
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(x, v128.load(b + 2 * row + t)));
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(x, v128.load(b + 3 * row + t)));
    }
    store<i32>(out + (j << 2), total(a0));
    store<i32>(out + (j << 2), total(a1), 4);
    store<i32>(out + (j << 2), total(a2), 8);
    store<i32>(out + (j << 2), total(a3), 12);
  }
  for (; j < n; j++) {
    let a = i32x4.splat(0);
    const b = others + j * row;
    for (let t: usize = 0; t < row; t += 16) a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load(own + t), v128.load(b + t)));
    store<i32>(out + (j << 2), total(a));
  }
}

// @ts-ignore: decorator
@inline
function total(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}
