/** Entropy stage, the receiver: symbols from states and words. ../../entropy/rans.ts is the reference. */

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

/** Bytes of the guesses of an alphabet. */
const INVERSE_BYTES: i32 = 37 * 1088 * 2;
/** Where bounds stand in an even table. Up to 15 bytes behind the first part are overwritten. */
const BOUNDS_AT: usize = 1040;

let word: usize = 0;
let wordEnd: usize = 0;

/** Where the words of a message stand. */
export function entropyOpen(firstWord: usize, lastWord: usize): void {
  word = firstWord;
  wordEnd = lastWord;
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
