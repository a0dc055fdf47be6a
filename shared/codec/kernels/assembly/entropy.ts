/**
 * Kernels of the entropy stage. ../../entropy/message.ts and rans.ts are the reference; names are theirs.
 *
 * `tokens` of a buffer with 32-bit elements (centers, scales) and of the units is rounded up to TILE; elements behind
 * the last token hold anything. A token's context, packed from its scale, is 2^(−d/4)·256 << 16 | d, d being the classes
 * that the scale adds. Units are pairs of i16 in tiles of 32 tokens, so that a channel's prediction reads memory in order:
 * token t of channel j stands at ⌊t/32⌋·tile + ⌊j/2⌋·128 + (t mod 32)·4 + (j mod 2)·2.
 *
 * Tables: for each class from −12 to 48, those beyond the ends being repeated, 16 bytes (address of F at argument 0, shift,
 * address of guesses, 16 >> shift); guesses, i16, INVERSE_BYTES for all classes, of arguments, in sixteenths of a level, for each 32nd integer of probability and beyond both ends: for up
 * to 16 symbols, where F's step after it begins, and behind these, for 32, 64, 128 and 256, where a symbol that begins there, counted from the centre's, begins after it; cap and factor, i32 each; the contexts by scale >> 4, i32; and for each alphabet END_BYTES, what
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
const INVERSE_BYTES: i32 = 37 * 1088 * 2;

/** ⌈2^47 / size⌉ of each interval's size (u64), made at the first message. */
const reciprocals = memory.data(32768 * 8, 64);
let prepared = false;

/**
 * Of a channel whose centre is the same for all tokens, for each class that a token's scale can add, EVEN_BYTES: for encoding,
 * its symbols' intervals (u32); for decoding, the symbol that owns each 32nd integer of probability, and all bounds (u16).
 */
const evenTables = memory.data(25 * 2048, 64);
const EVEN_BYTES: i32 = 2048;
/** Up to 15 bytes behind the first table are overwritten. */
const BOUNDS_AT: usize = 1040;

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

/** Entry of class k; those beyond the ends of the table are repeated, so that a token's context can move it. */
// @ts-ignore: decorator
@inline
function entryAt(k: i32): usize {
  return classTable + (<usize>(k + SCALE_REACH) << 4);
}

/** The entry moved by the context of a token, which stands at `context`. */
// @ts-ignore: decorator
@inline
function movedBy(entry: usize, context: usize): usize {
  return entry + (<i32>load<i16>(context) << 4);
}

/** Bytes of a row of weights, i16. */
const WEIGHT_BYTES: usize = 512;

/**
 * Σ weight · unit over the first n channels, n a multiple of 2, for each of four channels, whose weights lie WEIGHT_BYTES
 * apart; i32, `pitch` bytes from one channel to the next. So units are read once for four channels.
 */
export function entropyForetell(
  weights: usize,
  units: usize,
  tile: usize,
  n: i32,
  sums: usize,
  pitch: usize,
  tokens: usize,
): void {
  const end = weights + (<usize>(n >> 1) << 2);
  let first = units;
  for (let t: usize = 0; t < tokens; t += TILE) {
    for (let part: usize = 0; part < TILE_BYTES; part += 32) {
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let b0 = a0;
      let b1 = a0;
      let c0 = a0;
      let c1 = a0;
      let d0 = a0;
      let d1 = a0;
      let u = first + part;
      for (let w = weights; w < end; w += 4) {
        const u0 = v128.load(u);
        const u1 = v128.load(u, 16);
        const wa = v128.load32_splat(w);
        const wb = v128.load32_splat(w, WEIGHT_BYTES);
        const wc = v128.load32_splat(w, 2 * WEIGHT_BYTES);
        const wd = v128.load32_splat(w, 3 * WEIGHT_BYTES);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(u0, wa));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(u1, wa));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(u0, wb));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(u1, wb));
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(u0, wc));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(u1, wc));
        d0 = i32x4.add(d0, i32x4.dot_i16x8_s(u0, wd));
        d1 = i32x4.add(d1, i32x4.dot_i16x8_s(u1, wd));
        u += TILE_BYTES;
      }
      let out = sums + (t << 2) + part;
      v128.store(out, a0);
      v128.store(out, a1, 16);
      out += pitch;
      v128.store(out, b0);
      v128.store(out, b1, 16);
      out += pitch;
      v128.store(out, c0);
      v128.store(out, c1, 16);
      out += pitch;
      v128.store(out, d0);
      v128.store(out, d1, 16);
    }
    first += tile;
  }
}

/**
 * Centres of a channel: `sums` plus Σ weight · unit over the two pairs of channels whose weights begin at `weights` and whose
 * units at `units`, mapped to levels.
 */
export function entropyPredict(
  weights: usize,
  units: usize,
  tile: usize,
  gain: f32,
  offset: f32,
  highest: f32,
  sums: usize,
  centers: usize,
  tokens: usize,
): void {
  const gains = f32x4.splat(gain);
  const offsets = f32x4.splat(offset);
  const lowest = f32x4.splat(-64);
  const tops = f32x4.splat(highest);
  const first = v128.load32_splat(weights);
  const second = v128.load32_splat(weights, 4);
  for (let t: usize = 0; t < tokens; t += TILE) {
    for (let part: usize = 0; part < TILE_BYTES; part += 16) {
      const u = units + part;
      const one = i32x4.dot_i16x8_s(v128.load(u), first);
      const other = i32x4.dot_i16x8_s(v128.load(u, TILE_BYTES), second);
      const sum = i32x4.add(v128.load(sums + (t << 2) + part), i32x4.add(one, other));
      v128.store(centers + (t << 2) + part, toCenters(sum, gains, offsets, lowest, tops));
    }
    units += tile;
  }
}

// @ts-ignore: decorator
@inline
function toCenters(sums: v128, gain: v128, offset: v128, lowest: v128, highest: v128): v128 {
  const level = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), gain), offset);
  return i32x4.trunc_sat_f32x4_s(f32x4.pmin(f32x4.pmax(level, lowest), highest));
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

/** Standardized values of a channel, the second of its pair if `second`; `units` is the address of the pair's token 0. */
export function entropyUnits(
  symbols: usize,
  slope: i32,
  origin: i32,
  units: usize,
  second: bool,
  tile: usize,
  tokens: usize,
): void {
  const slopes = i32x4.splat(slope);
  const origins = i32x4.splat(origin);
  const most = i32x4.splat(2047);
  const least = i32x4.splat(-2047);
  const mask = i32x4.splat(second ? 0xffff0000 : 0xffff);
  const shift = second ? 16 : 0;
  let out = units;
  for (let first: usize = 0; first < tokens; first += TILE) {
    let to = out;
    for (let t = first; t < first + TILE; t += 4, to += 16) {
      const q = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(symbols + t)));
      const unit = i32x4.shr_s(i32x4.add(i32x4.mul(q, slopes), origins), 8);
      const held = i32x4.max_s(least, i32x4.min_s(most, unit));
      v128.store(to, v128.bitselect(i32x4.shl(held, shift), v128.load(to), mask));
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
 * Decodes one symbol of state x before its refill; stores it at `out`. With a the step of arguments that the guess comes from, or from its end, its
 * lower bound lies at a or below and its upper one at a or above. So each can leave F's table at one end alone, also where the guess was
 * held within the symbols, and that is where each is held.
 */
// @ts-ignore: decorator
@inline
function step(x: u32, entry: usize, ends: usize, count: i32, center: i32, out: usize, large: bool, guesses: i32): u32 {
  const slot = x & 32767;
  const f = load<usize>(entry);
  const shift = load<i32>(entry, 4);
  const weight = <u32>(32768 - count);
  // Of a large alphabet, the number of symbols before one is part of where it begins: about that of those before the centre.
  const target = large ? <i32>slot - ((center + 8) >> 4) : <i32>slot;
  // The last symbol that begins before this argument is the guess, or rarely another.
  const argument = <i32>load<i16>(load<usize>(entry, 8) + guesses + (target >> 5 << 1));
  let q = (argument + (center + 7)) >> 4;
  q = select<i32>(count - 1, q, q > count - 1);
  q = select<i32>(0, q, q < 0);
  let i = ((q << 4) - (center + 8)) >> shift;
  i = select<i32>(-REACH, i, i < -REACH);
  i = select<i32>(-REACH, i, q === 0);
  let j = ((q << 4) - (center - 8)) >> shift;
  j = select<i32>(REACH, j, j > REACH);
  j = select<i32>(REACH, j, q === count - 1);
  let low: u32 = q + ((<u32>load<u16>(f + (<usize>i << 1)) * weight) >> PROBABILITY_BITS);
  let high: u32 = q + 1 + ((<u32>load<u16>(f + (<usize>j << 1)) * weight) >> PROBABILITY_BITS);
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
  let x = step(load<u32>(at), entryAt(k), endsOf(count), count, center, out, false, 0);
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
  const entry = entryAt(k);
  const moves = i32x4.splat(distance);
  const guesses = large ? (ctz<i32>(count) - 4) * INVERSE_BYTES : 0;
  for (let t: usize = 0; t < fours; t += 4) {
    const c = centers + (t << 2);
    const s = contexts + (t << 2);
    v128.store(c, i32x4.add(v128.load(c), moves));
    const out = symbols + t;
    x2 = step(x2, movedBy(entry, s), ends, count, load<i32>(c), out, large, guesses);
    x3 = step(x3, movedBy(entry, s + 4), ends, count, load<i32>(c, 4), out + 1, large, guesses);
    x0 = step(x0, movedBy(entry, s + 8), ends, count, load<i32>(c, 8), out + 2, large, guesses);
    x1 = step(x1, movedBy(entry, s + 12), ends, count, load<i32>(c, 12), out + 3, large, guesses);
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
    const entry = movedBy(entryAt(k), contexts + (t << 2));
    let x = step(load<u32>(at), entry, ends, count, center, symbols + t, false, 0);
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
    const entry = entryAt(k + d);
    const table = middle + d * EVEN_BYTES;
    let owned: usize = table;
    store<u16>(table, 0, BOUNDS_AT);
    for (let q = 0; q < count; q++) {
      const next = bound(entry, ends, count, center, q + 1);
      store<u16>(table + (<usize>q << 1), next, BOUNDS_AT + 2);
      // The last of these may overwrite the places of symbols to come, which are yet to be written.
      const end = table + <usize>((next + 31) >>> 5);
      const owner = i8x16.splat(<i8>q);
      for (; owned < end; owned += 16) v128.store(owned, owner);
      owned = end;
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

/** Sum of symbols and of their squares, i32 at `out`; at most 32767 tokens. */
export function entropySums(symbols: usize, tokens: usize, out: usize): void {
  let sums = i32x4.splat(0);
  let squares = sums;
  const whole = tokens & ~15;
  for (let t: usize = 0; t < whole; t += 16) {
    const q = v128.load(symbols + t);
    sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(q)));
    const low = i16x8.extend_low_i8x16_u(q);
    const high = i16x8.extend_high_i8x16_u(q);
    squares = i32x4.add(squares, i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high)));
  }
  let sum = total(sums);
  let square = total(squares);
  for (let t = whole; t < tokens; t++) {
    const q = <i32>load<u8>(symbols + t);
    sum += q;
    square += q * q;
  }
  store<i32>(out, sum);
  store<i32>(out, square, 4);
}

/** Samples of a channel, i16 at `out`: what `table` has for its symbols, then zeros up to `stride` samples. */
export function entropySamples(symbols: usize, table: usize, tokens: usize, stride: usize, out: usize): void {
  for (let t: usize = 0; t < tokens; t++) {
    store<i16>(out + (t << 1), load<i16>(table + (<usize>load<u8>(symbols + t) << 1)));
  }
  memory.fill(out + (tokens << 1), 0, (stride - tokens) << 1);
}

/**
 * Sums of products of the samples of two channels, `stride` samples apart, with those of the n channels from `others` on, i32
 * at `out` and at `out` + 1024. `stride` is a multiple of 8 samples.
 */
export function entropyCorrelate(own: usize, others: usize, n: usize, stride: usize, out: usize): void {
  const row = stride << 1;
  for (let j: usize = 0; j < n; j += 4) {
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let other = others + j * row;
    for (let x = own; x < own + row; x += 16, other += 16) {
      const a = v128.load(x);
      const b = v128.load(x + row);
      const y0 = v128.load(other);
      const y1 = v128.load(other + row);
      const y2 = v128.load(other + 2 * row);
      const y3 = v128.load(other + 3 * row);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, y0));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, y0));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, y1));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, y1));
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(a, y2));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(b, y2));
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(a, y3));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(b, y3));
    }
    const to = out + (j << 2);
    store<i32>(to, total(a0));
    store<i32>(to, total(a1), 4);
    store<i32>(to, total(a2), 8);
    store<i32>(to, total(a3), 12);
    store<i32>(to, total(b0), 1024);
    store<i32>(to, total(b1), 1028);
    store<i32>(to, total(b2), 1032);
    store<i32>(to, total(b3), 1036);
  }
}

// @ts-ignore: decorator
@inline
function total(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}
