/**
 * A stream's *predictor*: what the entropy stage knows of how channels go together, beyond one message.
 *
 * Channels of a model's hidden state are correlated, so most of a channel's value is foretold by the channels decoded
 * before it for the same token. The predictor is linear. For channel c with mean m_c and scale s_c, in blocks of 256
 * channels,
 *
 *     x̃_c = m_c + s_c · Σ_j (w_cj / 32) · (x̂_j − m_j) / s_j        j < c, j in c's block, w_cj an integer, |w| <= 127
 *
 * A prediction moves a symbol's probabilities, never its value. The sender learns the predictor (learn.ts) and sends it
 * seldom; the receiver keeps the last.
 *
 * Bytes: version (u32), then one rANS stream of rows, first a row for each channel: the upper bytes of m_c and s_c as
 * bfloat16, the lower ones, and r_c, the spread class of what prediction leaves over in units of s_c/64 (alphabets of
 * 256, 256, 256, 256 and 37, all equally likely). Then for each channel that is not the first of its block a row with the
 * spread class k of its weights (alphabet 37, equally likely) and w_cj + 127 for each j in order (alphabet 255, centre 127,
 * class k).
 */

import {
  bellTables,
  boundOf,
  CENTER_ONE,
  CLASSES,
  PROBABILITY_ONE,
  spreadOf,
  symbolAt,
} from "./distribution.ts";
import { maxStreamBytes, RansReader, refuse, writeStream } from "./rans.ts";

/** Channels of a block. */
export const BLOCK = 256;
/** A weight of 1. */
export const WEIGHT_ONE = 32;
export const WEIGHT_LIMIT = 127;
/** A standardized value of 1, and the largest. */
export const UNIT = 256;
export const UNIT_LIMIT = 2047;
const WEIGHT_ALPHABET = 2 * WEIGHT_LIMIT + 1;
const WEIGHT_CENTER = WEIGHT_LIMIT * CENTER_ONE;

export interface Predictor {
  /** Grows with every new predictor of a stream; 1 to 2^32 − 1. */
  readonly version: number;
  /** bfloat16 values [channels]; a scale of 0 means that the channel says nothing about others. */
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  /** Spread class of the residual in units of s/64 [channels]. */
  readonly residual: Uint8Array;
  /** w_cj at c·BLOCK + (j mod BLOCK); 0 elsewhere. */
  readonly weights: Int8Array;
}

/** The nearest bfloat16 to a finite f32 (ties away from zero; saturates below infinity). */
export function toBfloat16(value: number): number {
  scratchF[0] = value;
  const bits = scratchU[0]!;
  const rounded = Math.min((bits & 0x7fffffff) + 0x8000, 0x7f7f0000) & 0x7fff0000;
  scratchU[0] = rounded | (bits & 0x80000000);
  return scratchF[0]!;
}

const scratchF = new Float32Array(1);
const scratchU = new Uint32Array(scratchF.buffer);

function upperBits(value: number): number {
  scratchF[0] = value;
  return scratchU[0]! >>> 16;
}

function fromUpperBits(bits: number): number {
  scratchU[0] = bits << 16;
  return scratchF[0]!;
}

/** The smallest class whose spread reaches `spread`, or the largest. */
export function classFor(spread: number): number {
  let k = 0;
  // Boundaries lie half a class up: 2^(1/8), compared in squares.
  while (k < CLASSES - 1 && spread * spread > spreadOf(2 * k + 1) * 0.125) k++;
  return k;
}

/** Bounds of a symbol of `count` that are all equally likely, or nearly. */
function evenBound(symbol: number, count: number): number {
  return Math.floor((symbol * PROBABILITY_ONE) / count);
}

function evenItem(symbol: number, count: number): number {
  const low = evenBound(symbol, count);
  return low * 65536 + evenBound(symbol + 1, count) - low;
}

function takeEven(reader: RansReader, j: number, count: number): number {
  const slot = reader.slot(j);
  let symbol = Math.floor((slot * count) / PROBABILITY_ONE);
  if (evenBound(symbol + 1, count) <= slot) symbol++;
  const low = evenBound(symbol, count);
  reader.take(j, low, evenBound(symbol + 1, count) - low);
  return symbol;
}

/** The bytes of a predictor; a new array. */
export function writePredictor(predictor: Predictor): Uint8Array {
  const t = bellTables();
  const channels = predictor.mean.length;
  const items: number[] = [];
  const ends: number[] = [];
  for (let c = 0; c < channels; c++) {
    const mean = upperBits(predictor.mean[c]!);
    const scale = upperBits(predictor.scale[c]!);
    for (const byte of [mean >> 8, scale >> 8, mean & 255, scale & 255]) items.push(evenItem(byte, 256));
    items.push(evenItem(predictor.residual[c]!, CLASSES));
    ends.push(items.length);
  }
  for (let c = 0; c < channels; c++) {
    const before = c % BLOCK;
    if (before === 0) continue;
    const row = predictor.weights.subarray(c * BLOCK, c * BLOCK + before);
    let squares = 0;
    for (const w of row) squares += w * w;
    const k = classFor(Math.sqrt(squares / before));
    items.push(evenItem(k, CLASSES));
    for (const w of row) {
      const q = w + WEIGHT_LIMIT;
      const low = boundOf(t, WEIGHT_ALPHABET, WEIGHT_CENTER, k, q);
      items.push(low * 65536 + boundOf(t, WEIGHT_ALPHABET, WEIGHT_CENTER, k, q + 1) - low);
    }
    ends.push(items.length);
  }
  const out = new Uint8Array(4 + maxStreamBytes(items.length));
  new DataView(out.buffer).setUint32(0, predictor.version, true);
  return out.slice(0, writeStream(Uint32Array.from(items), Uint32Array.from(ends), out, 4));
}

/** Reads a predictor for so many channels. Throws NB_CODEC_BODY_INVALID. */
export function readPredictor(bytes: Uint8Array, channels: number): Predictor {
  if (bytes.length < 4) refuse("of a predictor has no version");
  const version = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  if (version === 0) refuse("of a predictor has version 0; versions start at 1");
  const t = bellTables();
  const reader = new RansReader(bytes, 4, bytes.length);
  const predictor = {
    version,
    mean: new Float32Array(channels),
    scale: new Float32Array(channels),
    residual: new Uint8Array(channels),
    weights: new Int8Array(channels * BLOCK),
  };
  for (let c = 0; c < channels; c++) {
    const [meanHigh, scaleHigh, meanLow, scaleLow] = [0, 1, 2, 3].map((j) => takeEven(reader, j, 256));
    predictor.mean[c] = fromUpperBits((meanHigh! << 8) | meanLow!);
    predictor.scale[c] = fromUpperBits((scaleHigh! << 8) | scaleLow!);
    predictor.residual[c] = takeEven(reader, 4, CLASSES);
    if (!Number.isFinite(predictor.mean[c]!) || !Number.isFinite(predictor.scale[c]!) || scaleHigh! & 0x80) {
      refuse(`of a predictor gives channel ${c} a mean or scale that is not finite, or a negative scale`);
    }
  }
  for (let c = 0; c < channels; c++) {
    const before = c % BLOCK;
    if (before === 0) continue;
    const k = takeEven(reader, 0, CLASSES);
    for (let j = 0; j < before; j++) {
      const q = symbolAt(t, WEIGHT_ALPHABET, WEIGHT_CENTER, k, reader.slot(j + 1));
      const low = boundOf(t, WEIGHT_ALPHABET, WEIGHT_CENTER, k, q);
      reader.take(j + 1, low, boundOf(t, WEIGHT_ALPHABET, WEIGHT_CENTER, k, q + 1) - low);
      predictor.weights[c * BLOCK + j] = q - WEIGHT_LIMIT;
    }
  }
  reader.finish();
  return predictor;
}
