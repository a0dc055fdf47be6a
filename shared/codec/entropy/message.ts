/**
 * The entropy-coded form of a message's symbols. docs/codecs.md defines the bytes; backend.ts says who computes.
 *
 * Channels are coded in order of index, tokens in order within a channel, each symbol given a centre and a spread class
 * (distribution.ts):
 *
 * - The *centre* is what the predictor foretells from the channels before it, or else the middle of the levels, moved
 *   by the channel's *shift*, a small number that is sent.
 * - The *spread class* is the channel's, which is sent, moved by the *token's scale*: some tokens lie farther from their
 *   predictions than others in all channels, gradients by factors of ten. Nothing is sent for that. Both ends follow
 *   each token's deviations from channel to channel.
 */

import type { Kernels } from "../kernels/kernels.ts";
import type { Levels } from "../scales.ts";
import type { WidthPlan } from "../widths.ts";
import {
  type ChannelPlace,
  type DecoderBackend,
  type EncoderBackend,
  type FitSums,
  PARAMETERS,
} from "./backend.ts";
import { CENTER_ONE, CLASSES, spreadOf } from "./distribution.ts";
import { KernelDecoder, KernelEncoder } from "./kernel.ts";
import { classFor, type Predictor } from "./predictor.ts";
import { maxStreamBytes, refuse } from "./rans.ts";
import { ReferenceDecoder, ReferenceEncoder } from "./reference.ts";

/** Shifts of a channel's centre, in eighths of its spread: −64 to 63. */
const SHIFTS = 128;
const NO_SHIFT = SHIFTS / 2;
/** Bytes before the stream: the spread classes of the two parameters. */
const HEADER_BYTES = PARAMETERS;
/** The spread class that is expected of the first channel where there is no predictor. */
const FIRST_CLASS = CLASSES >> 1;

/** The most bytes that encodeMessage() can give. */
export function maxMessageBytes(channels: number, tokens: number): number {
  return HEADER_BYTES + maxStreamBytes(channels * (tokens + PARAMETERS));
}

function placeOf(plan: WidthPlan, tokens: number, { lo, step }: Levels, channel: number): ChannelPlace {
  const from = plan.slots[channel]! * tokens;
  return { channel, from, width: plan.widths[channel]!, lo: lo[channel]!, step: step[channel]! };
}

/** The spread class that is expected of a channel, by the predictor's residual, or like the channel before it. */
function expectedClass(
  predictor: Predictor | undefined,
  { channel, step }: ChannelPlace,
  previous: number,
): number {
  if (predictor === undefined) return previous;
  if (step === 0) return 0;
  const spread = ((spreadOf(predictor.residual[channel]!) / 64) * predictor.scale[channel]!) / step;
  return classFor(Math.min(64, spread));
}

/** Sixteenths of a level that a shift moves the centres of a channel of class k: (shift / 8) · σ_k, rounded. */
function distanceOf(shift: number, k: number): number {
  return Math.floor((shift - NO_SHIFT) * 2 * spreadOf(k) + 0.5);
}

/** Spread class and shift by moments, in which tokens of large scale weigh less. */
function fitOf({ weightSquares, sum, squares }: FitSums, tokens: number): { k: number; shift: number } {
  const mean = sum / weightSquares;
  // Rounding to whole levels put 1/12 of one into the variance.
  const perToken = 1 / (tokens * 65536);
  const variance = ((squares - mean * sum) / CENTER_ONE ** 2 - weightSquares / 12) * perToken;
  // So wide at least that the shift reaches the mean.
  const reach = Math.abs(mean) / (2 * (NO_SHIFT - 1));
  const k = classFor(Math.max(Math.sqrt(Math.max(0, variance)), reach));
  const shift = Math.floor(mean / (2 * spreadOf(k)) + 0.5) + NO_SHIFT;
  return { k, shift: Math.min(SHIFTS - 1, Math.max(0, shift)) };
}

/**
 * Codes symbols (slot order) into `out` at `at`, where there must be room for maxMessageBytes(), and returns the end. With
 * `work`, symbols lie in its linear memory at symbols.byteOffset, and kernelBytes() more must be free there.
 */
export function encodeMessage(
  symbols: Uint8Array,
  plan: WidthPlan,
  tokens: number,
  levels: Levels,
  predictor: Predictor | undefined,
  out: Uint8Array,
  at: number,
  work?: Kernels,
): number {
  const channels = plan.widths.length;
  const backend: EncoderBackend =
    work === undefined
      ? new ReferenceEncoder(symbols, channels, tokens, predictor)
      : new KernelEncoder(work, symbols.byteOffset, channels, tokens, predictor);
  const spreads = new Uint8Array(channels);
  const shifts = new Uint8Array(channels);
  const expected = new Uint8Array(channels);
  let spreadSquares = 0;
  let shiftSquares = 0;
  for (let c = 0; c < channels; c++) {
    const place = placeOf(plan, tokens, levels, c);
    backend.predict(place);
    const { k, shift } = fitOf(backend.fit(place), tokens);
    backend.code(place, k, distanceOf(shift, k));
    backend.follow(place, k);
    spreads[c] = k;
    shifts[c] = shift;
    expected[c] = expectedClass(predictor, place, c === 0 ? FIRST_CLASS : spreads[c - 1]!);
    spreadSquares += (k - expected[c]!) ** 2;
    shiftSquares += (shift - NO_SHIFT) ** 2;
  }
  const spreadClass = classFor(Math.sqrt(spreadSquares / channels));
  const shiftClass = classFor(Math.sqrt(shiftSquares / channels));
  for (let c = 0; c < channels; c++) {
    backend.parameter(c, 0, CLASSES, expected[c]! * CENTER_ONE, spreadClass, spreads[c]!);
    backend.parameter(c, 1, SHIFTS, NO_SHIFT * CENTER_ONE, shiftClass, shifts[c]!);
  }
  out[at] = spreadClass;
  out[at + 1] = shiftClass;
  return backend.write(out, at + HEADER_BYTES);
}

/**
 * Undoes encodeMessage(): body[at ..] to symbols (slot order), tokens >= 1. Throws NB_CODEC_BODY_INVALID; symbols then hold
 * anything. `work` as in encodeMessage().
 */
export function decodeMessage(
  body: Uint8Array,
  at: number,
  plan: WidthPlan,
  tokens: number,
  levels: Levels,
  predictor: Predictor | undefined,
  symbols: Uint8Array,
  work?: Kernels,
): void {
  const channels = plan.widths.length;
  if (body.length - at < HEADER_BYTES) refuse("is shorter than its header");
  const spreadClass = body[at]!;
  const shiftClass = body[at + 1]!;
  if (spreadClass >= CLASSES || shiftClass >= CLASSES) refuse("names a spread class that does not exist");
  const start = at + HEADER_BYTES;
  const backend: DecoderBackend =
    work === undefined
      ? new ReferenceDecoder(body, start, symbols, channels, tokens, predictor)
      : new KernelDecoder(work, body, start, symbols.byteOffset, channels, tokens, predictor);
  let previous = FIRST_CLASS;
  for (let c = 0; c < channels; c++) {
    const place = placeOf(plan, tokens, levels, c);
    const expected = expectedClass(predictor, place, previous);
    const k = backend.parameter(0, CLASSES, expected * CENTER_ONE, spreadClass);
    const shift = backend.parameter(1, SHIFTS, NO_SHIFT * CENTER_ONE, shiftClass);
    backend.predict(place);
    backend.decode(place, k, distanceOf(shift, k));
    backend.follow(place, k);
    previous = k;
  }
  backend.finish();
}
