/**
 * How rivals whose payload is integer symbols write these: packed, as their sources do, or behind an entropy stage of ours,
 * `entropy: rans`, so that rivals can be compared with it and without. Decoded numbers are the same.
 *
 * A *part* is symbols of one width, [tokens, channels], row by row. `none`: the parts packed (bitpack.ts), one behind the
 * other, each padded to a byte. `rans`: a byte says what follows, the shortest of
 *
 *   0  the same
 *   1  each part as a message of ../entropy/message.ts without a predictor: a row of symbols for each channel, its spread
 *      class and shift; levels are 0, 1, 2 ... (lowest 0, step 1)
 *   2  each part as a table of its 2^width frequencies (LEB128 each, at most 3 bytes), which sum to 2^15, and a stream of
 *      ../entropy/rans.ts of one row, its symbols as they stand: symbol q owns the f_q integers behind those of all below
 *
 * In forms 1 and 2 each part but the last follows its length in bytes (u32). Parts without symbols are left out of all this, and
 * so is the byte where there are none. Bells suit symbols of channels that differ; tables suit codebooks whose histogram is
 * no bell, and tiles whose ends are always in use.
 */

import { z } from "zod";
import { packedBytes } from "../bitpack.ts";
import { PROBABILITY_BITS, PROBABILITY_ONE } from "../entropy/distribution.ts";
import { kernelBytes } from "../entropy/kernel.ts";
import { decodeMessage, encodeMessage, maxMessageBytes } from "../entropy/message.ts";
import { maxStreamBytes, RansReader, refuse, writeStream } from "../entropy/rans.ts";
import { type Kernels, kernels, room } from "../kernels/kernels.ts";
import { SLACK } from "../kernels/tensor.ts";
import { requireBytes } from "../quantizer.ts";
import { type Levels, makeLevels } from "../scales.ts";
import { planWidths, type WidthPlan } from "../widths.ts";
import { concat, packSymbols, unpackSymbols } from "./sections.ts";

const PACKED = 0;
const BELLS = 1;
const TABLES = 2;

/** To be spread into the settings of such a codec. */
export const entropySetting = {
  entropy: z
    .enum(["none", "rans"])
    .default("none")
    .describe(
      "lossless stage behind the symbols, which the source has not; rans codes each message by itself",
    ),
};

export type SymbolStage = "none" | "rans";

/** Symbols below 2^width, [tokens, channels], row by row. */
export interface SymbolPart {
  readonly symbols: Uint8Array;
  readonly width: number;
}

/** Parts as bytes; `packedBytes` is what they take packed. A new array. */
export function writeSymbols(
  parts: readonly SymbolPart[],
  channels: number,
  stage: SymbolStage,
): { readonly bytes: Uint8Array; readonly packedBytes: number } {
  const present = parts.filter(({ symbols }) => symbols.length > 0);
  const packed = concat(present.map(({ symbols, width }) => packSymbols(symbols, width)));
  if (stage === "none" || present.length === 0) return { bytes: packed, packedBytes: packed.length };
  let best = concat([Uint8Array.of(PACKED), packed]);
  const bells = joined(
    BELLS,
    present.map((part) => writeBells(part, channels)),
  );
  if (bells.length < best.length) best = bells;
  const tables = present.map(makeTable);
  const least = tables.reduce((sum, { leastBytes }) => sum + leastBytes, 0);
  if (least < best.length) {
    const coded = joined(
      TABLES,
      present.map((part, i) => writeWithTable(part, tables[i]!)),
    );
    if (coded.length < best.length) best = coded;
  }
  return { bytes: best, packedBytes: packed.length };
}

/**
 * Undoes writeSymbols() of parts of `count` symbols of `width` bits: bytes that are nothing else. Throws
 * NB_CODEC_BODY_INVALID. `tokens`: of the whole tensor, for the message.
 */
export function readSymbols(
  bytes: Uint8Array,
  parts: readonly { readonly count: number; readonly width: number }[],
  channels: number,
  tokens: number,
  stage: SymbolStage,
): Uint8Array[] {
  const present = parts.filter(({ count }) => count > 0);
  if (stage === "none" || present.length === 0) return readPacked(bytes, parts, channels, tokens);
  const form = bytes[0];
  if (form === PACKED) return readPacked(bytes.subarray(1), parts, channels, tokens);
  if (form !== BELLS && form !== TABLES) {
    refuse(form === undefined ? "is empty" : `begins with ${form}, which says nothing here`);
  }
  let at = 1;
  let left = present.length;
  return parts.map(({ count, width }) => {
    if (count === 0) return new Uint8Array(0);
    let end = bytes.length;
    if (--left > 0) {
      if (bytes.length - at < 4) refuse("ends before the length of a part");
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
      at += 4;
      if (length > bytes.length - at) refuse("is shorter than its parts");
      end = at + length;
    }
    const part = bytes.subarray(at, end);
    at = end;
    return form === BELLS ? readBells(part, count, width, channels) : readWithTable(part, count, width);
  });
}

function readPacked(
  bytes: Uint8Array,
  parts: readonly { readonly count: number; readonly width: number }[],
  channels: number,
  tokens: number,
): Uint8Array[] {
  const expected = parts.reduce((sum, { count, width }) => sum + packedBytes(count, width), 0);
  requireBytes("payload", bytes, expected, tokens, channels);
  let at = 0;
  return parts.map(({ count, width }) => {
    const symbols = unpackSymbols(bytes, at, count, width);
    at += packedBytes(count, width);
    return symbols;
  });
}

/** The form, and the parts, each but the last behind its length. */
function joined(form: number, parts: readonly Uint8Array[]): Uint8Array {
  const pieces = parts.flatMap((part, i) => {
    if (i === parts.length - 1) return [part];
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, part.length, true);
    return [length, part];
  });
  return concat([Uint8Array.of(form), ...pieces]);
}

/** A message whose channels all have `width` bits and the levels 0, 1, 2 ... */
function evenMessage(channels: number, width: number): { plan: WidthPlan; levels: Levels } {
  const levels = makeLevels(channels);
  levels.step.fill(1);
  return { plan: planWidths(new Uint8Array(channels).fill(width)), levels };
}

/** Calls `run` with room for symbols in the kernels' memory, or in an array where there are none. */
function withRoom<T>(
  channels: number,
  tokens: number,
  run: (symbols: Uint8Array, work: Kernels | undefined) => T,
): T {
  const count = channels * tokens;
  const work = kernels();
  const bytes = count + SLACK;
  if (work === undefined || !work.begin(room(bytes) + kernelBytes(channels, tokens, false))) {
    return run(new Uint8Array(count), undefined);
  }
  try {
    const at = work.take(bytes);
    return run(work.u8.subarray(at, at + count), work);
  } finally {
    work.finish();
  }
}

function writeBells({ symbols, width }: SymbolPart, channels: number): Uint8Array {
  const tokens = symbols.length / channels;
  const { plan, levels } = evenMessage(channels, width);
  const out = new Uint8Array(maxMessageBytes(channels, tokens));
  const bytes = withRoom(channels, tokens, (rows, work) => {
    for (let c = 0; c < channels; c++) {
      for (let t = 0; t < tokens; t++) rows[c * tokens + t] = symbols[t * channels + c]!;
    }
    return encodeMessage(rows, plan, tokens, levels, undefined, out, 0, work);
  });
  return out.subarray(0, bytes);
}

function readBells(part: Uint8Array, count: number, width: number, channels: number): Uint8Array {
  const tokens = count / channels;
  const { plan, levels } = evenMessage(channels, width);
  const symbols = new Uint8Array(count);
  withRoom(channels, tokens, (rows, work) => {
    decodeMessage(part, 0, plan, tokens, levels, undefined, rows, work);
    for (let c = 0; c < channels; c++) {
      for (let t = 0; t < tokens; t++) symbols[t * channels + c] = rows[c * tokens + t]!;
    }
  });
  return symbols;
}

interface Table {
  /** Integers of 2^15 that each symbol owns [2^width]; those that occur have one at least. */
  readonly frequencies: Uint32Array;
  /** The frequencies as they are sent. */
  readonly head: Uint8Array;
  /** Table and stream are no shorter. */
  readonly leastBytes: number;
}

function makeTable({ symbols, width }: SymbolPart): Table {
  const counts = new Float64Array(2 ** width);
  for (let i = 0; i < symbols.length; i++) counts[symbols[i]!]!++;
  const share = PROBABILITY_ONE / symbols.length;
  const frequencies = Uint32Array.from(counts, (n) => (n === 0 ? 0 : Math.max(1, Math.floor(n * share))));
  // What rounding left or took is the most frequent symbol's, which has at least 2^15 / 2^8 and can spare it.
  const most = frequencies.indexOf(Math.max(...frequencies));
  frequencies[most] = frequencies[most]! + PROBABILITY_ONE - frequencies.reduce((sum, f) => sum + f, 0);
  const head: number[] = [];
  let bits = 0;
  frequencies.forEach((f, q) => {
    if (f > 0) bits += counts[q]! * (PROBABILITY_BITS - Math.log2(f));
    let rest = f;
    for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128);
    head.push(rest);
  });
  return { frequencies, head: Uint8Array.from(head), leastBytes: head.length + Math.floor(bits / 8) };
}

function writeWithTable({ symbols }: SymbolPart, { frequencies, head }: Table): Uint8Array {
  const intervals = new Uint32Array(frequencies.length);
  let low = 0;
  frequencies.forEach((f, q) => {
    intervals[q] = low * 65536 + f;
    low += f;
  });
  const items = new Uint32Array(symbols.length);
  for (let i = 0; i < symbols.length; i++) items[i] = intervals[symbols[i]!]!;
  const out = new Uint8Array(head.length + maxStreamBytes(symbols.length));
  out.set(head);
  return out.subarray(0, writeStream(items, Uint32Array.of(symbols.length), out, head.length));
}

function readWithTable(part: Uint8Array, count: number, width: number): Uint8Array {
  const lows = new Uint32Array(2 ** width + 1);
  let at = 0;
  for (let q = 0; q < 2 ** width; q++) {
    let f = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = part[at++];
      if (byte === undefined) refuse("ends within its table");
      f += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
      if (shift === 14) refuse("has a frequency of more than 3 bytes");
    }
    lows[q + 1] = lows[q]! + f;
  }
  if (lows[2 ** width] !== PROBABILITY_ONE) refuse("has a table whose frequencies do not sum to 2^15");
  const owner = new Uint8Array(PROBABILITY_ONE);
  for (let q = 0; q < 2 ** width; q++) owner.fill(q, lows[q], lows[q + 1]);
  const reader = new RansReader(part, at, part.length);
  const symbols = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const q = owner[reader.slot(i)]!;
    reader.take(i, lows[q]!, lows[q + 1]! - lows[q]!);
    symbols[i] = q;
  }
  reader.finish();
  return symbols;
}
