/**
 * Interleaved rANS: turns intervals of probability into bytes and back.
 *
 * J. Duda, "Asymmetric numeral systems: entropy coding combining speed of Huffman coding with compression rate of
 * arithmetic coding" (arXiv:1311.2540, 2013); interleaved as in F. Giesen, "Interleaved entropy coders"
 * (arXiv:1402.3392, 2014). Four states x in [2^16, 2^32) share one string of 16-bit words. Symbols come in *rows*; symbol j
 * of a row belongs to state j mod 4. Decoding a symbol that owns the integers [low, low + size) of 2^15:
 *
 *     slot = x mod 2^15;   x = size · floor(x / 2^15) + slot − low;   if x < 2^16: x = x · 2^16 + next word
 *
 * The stream is four states (u32), then the words in the order in which the decoder takes them. The encoder runs backwards
 * from x = 2^16 in every state, so a decoder that has taken all symbols MUST find 2^16 in every state and no word left.
 * Given the intervals there is exactly one such stream.
 */

import { fail } from "../../errors.ts";
import { PROBABILITY_BITS } from "./distribution.ts";

export const LANES = 4;
/** Bytes of the states. */
export const STATE_BYTES = 4 * LANES;
/** Every state ends, for the decoder, at this. */
export const LOWEST = 2 ** 16;
const SLOT_MASK = (1 << PROBABILITY_BITS) - 1;

/** The most bytes that so many symbols can take: an interval is at least one integer of 2^15, 15 bits. */
export function maxStreamBytes(symbols: number): number {
  return STATE_BYTES + 2 * symbols;
}

/**
 * Codes intervals, low << 16 | size, in the order of decoding, into `out` at `at`; returns the end. `rowEnds` are the rows'
 * ends, the last being the number of items. `out` must have room for maxStreamBytes().
 */
export function writeStream(items: Uint32Array, rowEnds: Uint32Array, out: Uint8Array, at: number): number {
  const count = rowEnds.length === 0 ? 0 : rowEnds[rowEnds.length - 1]!;
  const states = new Float64Array(LANES).fill(LOWEST);
  const words = new Uint16Array(count);
  let next = count;
  for (let row = rowEnds.length - 1; row >= 0; row--) {
    const start = row === 0 ? 0 : rowEnds[row - 1]!;
    for (let i = rowEnds[row]! - 1; i >= start; i--) {
      const item = items[i]!;
      const size = item & 0xffff;
      const lane = (i - start) & (LANES - 1);
      let x = states[lane]!;
      if (x >= size * 2 ** (32 - PROBABILITY_BITS)) {
        words[--next] = x;
        x = Math.floor(x / 65536);
      }
      // x − ⌊x / size⌋ · size is the remainder, exactly, and far quicker than %.
      const quotient = Math.floor(x / size);
      states[lane] = quotient * 2 ** PROBABILITY_BITS + (item >>> 16) + (x - quotient * size);
    }
  }
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  for (let lane = 0; lane < LANES; lane++) view.setUint32(at + 4 * lane, states[lane]!, true);
  let end = at + STATE_BYTES;
  for (; next < count; next++, end += 2) view.setUint16(end, words[next]!, true);
  return end;
}

/** Takes a stream apart. A string of any bytes is safe: words that are missing and states that are too small are refused. */
export class RansReader {
  private readonly bytes: DataView;
  private at: number;
  private readonly end: number;
  private readonly states = new Float64Array(LANES);

  /** The stream is bytes[from .. to). Throws NB_CODEC_BODY_INVALID. */
  constructor(bytes: Uint8Array, from: number, to: number) {
    this.bytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (to - from < STATE_BYTES) refuse("is shorter than its states");
    for (let lane = 0; lane < LANES; lane++) {
      const x = this.bytes.getUint32(from + 4 * lane, true);
      if (x < LOWEST) refuse("begins with a state below 2^16");
      this.states[lane] = x;
    }
    this.at = from + STATE_BYTES;
    this.end = to;
  }

  /** The integer of probability that decides symbol j of a row. */
  slot(j: number): number {
    return this.states[j & (LANES - 1)]! & SLOT_MASK;
  }

  /** Takes symbol j of a row, which owns [low, low + size) and with it slot(j). */
  take(j: number, low: number, size: number): void {
    const lane = j & (LANES - 1);
    const x = this.states[lane]!;
    let next = size * Math.floor(x / 2 ** PROBABILITY_BITS) + (x & SLOT_MASK) - low;
    if (next < LOWEST) {
      if (this.at + 2 > this.end) refuse("ends too early");
      next = next * 65536 + this.bytes.getUint16(this.at, true);
      this.at += 2;
    }
    this.states[lane] = next;
  }

  /** After the last symbol: nothing may be left. */
  finish(): void {
    if (this.at !== this.end) refuse("has bytes after its last symbol");
    if (!this.states.every((x) => x === LOWEST)) refuse("does not end in the states that it must");
  }
}

export function refuse(problem: string): never {
  return fail("NB_CODEC_BODY_INVALID", `the entropy-coded stream ${problem}`);
}
