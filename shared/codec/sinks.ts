/**
 * Sink tokens: the few rows of a tensor that are many times as large as the others (the first token of a row and
 * delimiters, in most language models; M. Sun et al., "Massive Activations in Large Language Models",
 * arXiv:2402.17762). One of them in a message makes the range of the channels that it fills useless for every other
 * token. So they are taken out before ranges are measured and sent by themselves, as f16.
 *
 * Bytes, first in the scales section:
 *
 *   u16          k, the number of sink tokens, at most one in MIN_TOKENS_PER_SINK
 *   k × u32      their places among the tokens of the message, ascending
 *   byte         e, a signed exponent, −102 to 112; only when k > 0
 *   k · C × f16  their values, token by token; value = half · 2^e
 *
 * The other tokens follow as if they were all.
 */

import { fail } from "../errors.ts";
import { floatsToHalves, halvesToFloats, isFiniteHalf } from "../half.ts";
import { exponentFor, readExponent } from "./scales.ts";

/** At most one token in this many is a sink: more of them are no exception but how the tensor is. */
export const MIN_TOKENS_PER_SINK = 16;

/** A candidate has this many times the median energy of the tokens: eight times their size. */
const ENERGY_RATIO = 64;

const MAX_SINKS = 0xffff;

export function maxSinks(tokens: number): number {
  return Math.min(MAX_SINKS, Math.floor(tokens / MIN_TOKENS_PER_SINK));
}

/**
 * Tokens of x [tokens, channels] that stand out: those of at least 64 times the median energy Σ x², if they are at most one in
 * MIN_TOKENS_PER_SINK; else none. Ascending. Throws NB_TENSOR_NOT_FINITE.
 */
export function findSinks(x: Float32Array, tokens: number, channels: number): Uint32Array {
  const energy = new Float64Array(tokens);
  for (let t = 0, i = 0; t < tokens; t++) {
    let sum = 0;
    for (const end = i + channels; i < end; i++) sum += x[i]! * x[i]!;
    energy[t] = sum;
  }
  if (!energy.every(Number.isFinite)) {
    fail("NB_TENSOR_NOT_FINITE", `a tensor of ${tokens} tokens holds NaN or infinity`);
  }
  const most = maxSinks(tokens);
  if (most === 0) return new Uint32Array(0);
  const threshold = ENERGY_RATIO * energy.slice().sort()[tokens >> 1]!;
  const found: number[] = [];
  for (let t = 0; t < tokens && found.length <= most; t++) if (energy[t]! > threshold) found.push(t);
  return Uint32Array.from(found.length > most ? [] : found);
}

/** Copies the tokens of x that are not sinks into `rest` [tokens − sinks, channels], in order. */
export function takeRest(
  x: Float32Array,
  tokens: number,
  channels: number,
  sinks: Uint32Array,
  rest: Float32Array,
): void {
  let from = 0;
  let at = 0;
  for (let s = 0; s <= sinks.length; s++) {
    const to = s < sinks.length ? sinks[s]! : tokens;
    rest.set(x.subarray(from * channels, to * channels), at);
    at += (to - from) * channels;
    from = to + 1;
  }
}

/** Undoes takeRest(): puts `rest` and the sinks' values [sinks, channels] where they were, into `out`. */
export function putTogether(
  rest: Float32Array,
  values: Float32Array,
  tokens: number,
  channels: number,
  sinks: Uint32Array,
  out: Float32Array,
): void {
  let from = 0;
  let at = 0;
  for (let s = 0; s <= sinks.length; s++) {
    const to = s < sinks.length ? sinks[s]! : tokens;
    const length = (to - from) * channels;
    out.set(rest.subarray(at, at + length), from * channels);
    if (s < sinks.length) out.set(values.subarray(s * channels, (s + 1) * channels), to * channels);
    at += length;
    from = to + 1;
  }
}

/** Bytes of the section's part for k sinks. */
export function sinkBytes(count: number, channels: number): number {
  return 2 + (count === 0 ? 0 : count * 4 + 1 + count * channels * 2);
}

/** Sink tokens as they stand in a message. */
export interface Sinks {
  readonly tokens: Uint32Array;
  /** [sinks, channels], as the receiver has them. */
  readonly values: Float32Array;
  /** What they take in the scales section. */
  readonly bytes: Uint8Array;
}

/** Writes these tokens of x [tokens, channels]. Values beyond f16's reach are clipped to it. */
export function writeSinks(x: Float32Array, channels: number, tokens: Uint32Array): Sinks {
  const count = tokens.length;
  const bytes = new Uint8Array(sinkBytes(count, channels));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, count, true);
  const values = new Float32Array(count * channels);
  if (count === 0) return { tokens, values, bytes };
  let largest = 0;
  tokens.forEach((token, s) => {
    view.setUint32(2 + 4 * s, token, true);
    values.set(x.subarray(token * channels, (token + 1) * channels), s * channels);
  });
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  const exponent = exponentFor(largest);
  const at = 2 + 4 * count;
  view.setInt8(at, exponent);
  const halves = new Uint16Array(values.length);
  floatsToHalves(values, halves, 2 ** -exponent, true);
  bytes.set(new Uint8Array(halves.buffer), at + 1);
  halvesToFloats(halves, values, 2 ** exponent);
  return { tokens, values, bytes };
}

const malformed = (message: string): never => fail("NB_CODEC_BODY_INVALID", message);

/** Reads the sinks at the start of a section. Throws NB_CODEC_BODY_INVALID; allocates nothing before lengths are checked. */
export function readSinks(section: Uint8Array, tokens: number, channels: number): Sinks {
  if (section.length < 2) malformed(`scales of ${section.length} bytes; sink tokens are counted in 2`);
  const view = new DataView(section.buffer, section.byteOffset, section.length);
  const count = view.getUint16(0, true);
  if (count > maxSinks(tokens)) {
    malformed(`${count} sink tokens among ${tokens}; at most ${maxSinks(tokens)} are accepted`);
  }
  const length = sinkBytes(count, channels);
  if (section.length < length) {
    malformed(
      `scales of ${section.length} bytes; ${count} sink tokens of ${channels} channels take ${length}`,
    );
  }
  const places = new Uint32Array(count);
  for (let s = 0; s < count; s++) {
    const place = view.getUint32(2 + 4 * s, true);
    if (place >= tokens || (s > 0 && place <= places[s - 1]!)) {
      malformed(`sink token ${s} is token ${place} of ${tokens}; places must be in bounds and ascend`);
    }
    places[s] = place;
  }
  const values = new Float32Array(count * channels);
  if (count === 0) return { tokens: places, values, bytes: section.subarray(0, length) };
  const at = 2 + 4 * count;
  const exponent = readExponent(section.subarray(at));
  const halves = new Uint16Array(count * channels);
  new Uint8Array(halves.buffer).set(section.subarray(at + 1, length));
  if (!halves.every(isFiniteHalf)) malformed("a sink token holds NaN or infinity");
  halvesToFloats(halves, values, 2 ** exponent);
  return { tokens: places, values, bytes: section.subarray(0, length) };
}
