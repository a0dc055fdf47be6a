/**
 * Runs one codec over one stream of a capture, bytes and all, and measures what the receiver gets.
 *
 * With x an element, e = x̂ − x its error, d = x − mean of its channel, g the loss gradient with respect to x̂, over
 * tokens t and channels c:
 *
 *     bits per element     8 · bytes of bit tables, scales and payloads / elements, to a receiver that is new and must be
 *                          sent tables and predictors first; frame headers are not counted
 *     steady               the same to a receiver that has them, as it is most of the time
 *     NMSE                 Σ e² / Σ d²; a codec that sends only means has 1
 *     worst channel        the largest NMSE of a channel
 *     dead channels        how many channels have an NMSE of 1 or more: their mean alone would have said as much
 *     gradient-weighted    Σ g²e² / Σ g²d²: the error where the loss feels it
 *     coherence            Σ_t (Σ_c g·e)² / Σ g²e²: 1 when a token's errors meet the loss independently, above when they add up
 *     error of sums        Σ_c (Σ_t e)² / Σ_c (Σ_t x)²: of what gradients are added up to; biased rounding shows here
 */

import type { CapturedPair } from "../../shared/capture/capture.ts";
import type { EncodedTensor, TensorDecoder, TensorEncoder } from "../../shared/codec/codec.ts";
import {
  type CodecSpec,
  createDecoder,
  createEncoder,
  definitionOf,
  forNewConnection,
  type TensorRole,
} from "../../shared/codec/registry.ts";
import { fail } from "../../shared/errors.ts";

/**
 * The first half of a stream's messages is for learning, the rest is measured: a codec must not have seen what it is
 * judged on. Codecs that learn are given this many steps on the first half, again and again.
 */
export const LEARNING_STEPS = 40;

/** One direction of one cut: its tensors and, for activations, the gradients that came back. */
export interface Stream {
  readonly role: TensorRole;
  readonly channels: number;
  readonly pairs: readonly CapturedPair[];
}

export interface Measurement {
  readonly bitsPerElement: number;
  readonly steadyBits: number;
  readonly nmse: number;
  readonly worstChannelNmse: number;
  readonly deadChannels: number;
  /** Of activations whose gradient was captured. */
  readonly gradientWeighted: number | undefined;
  readonly coherence: number | undefined;
  /** Of gradients. */
  readonly errorOfSums: number | undefined;
  /** Whether only messages were measured whose rows had come before: of codecs that remember rows, where any had. */
  readonly laterVisits: boolean;
  readonly messages: number;
}

/** Codecs with widths, ranges or thresholds that are learned over steps. */
const LEARNERS: readonly string[] = ["amaq", "fixed"];

interface Sent {
  readonly pair: CapturedPair;
  readonly bytes: number;
  readonly decoded: Float32Array;
  /** Whether all rows had been sent before. */
  readonly known: boolean;
}

/** The messages that codecs learn from, and those that they are measured on; a single one is measured. */
export function partsOf({ pairs }: Stream): { learned: CapturedPair[]; measured: CapturedPair[] } {
  const half = Math.floor(pairs.length / 2);
  return { learned: pairs.slice(0, half), measured: pairs.slice(half) };
}

function sizeOf({ bitTable, scales, payload }: EncodedTensor): number {
  return (bitTable?.length ?? 0) + scales.length + payload.length;
}

/** Sends tensors once, in order, as steps from `firstStep` on; returns what was sent and the step after. */
function pass(
  encoder: TensorEncoder,
  decoder: TensorDecoder,
  pairs: readonly CapturedPair[],
  firstStep: number,
): { sent: Sent[]; nextStep: number } {
  const seen = new Set<number>();
  const sent: Sent[] = [];
  let step = firstStep;
  pairs.forEach((pair, i) => {
    const { activation: x, gradient } = pair;
    const previous = pairs[i - 1]?.activation;
    if (previous !== undefined && previous.step !== x.step) encoder.endStep(step++);
    const at = { step, microBatch: x.microBatch, ...(x.rows === undefined ? {} : { rows: x.rows }) };
    const body = encoder.encode(x.values, x.tokens, at);
    const decoded = new Float32Array(x.values.length);
    decoder.decode(body, x.tokens, decoded);
    if (gradient !== undefined) {
      encoder.observe(x.values, body.reconstruction, gradient.values, x.tokens);
    }
    const ids = x.rows === undefined ? [] : Array.from(x.rows.ids);
    const known = ids.length > 0 && ids.every((id) => seen.has(id));
    for (const id of ids) seen.add(id);
    sent.push({ pair, bytes: sizeOf(body), decoded, known });
  });
  encoder.endStep(step);
  return { sent, nextStep: step + 1 };
}

/** Measures a codec on a stream of at least one token. */
export function measure(spec: CodecSpec, stream: Stream): Measurement {
  const { role, channels } = stream;
  const encoder = createEncoder(spec, { channels, role, seed: 0, streamId: 0 });
  const { learned, measured } = partsOf(stream);
  const pupil = createDecoder(spec, { channels });
  const learns = LEARNERS.includes(spec.codec) && learned.length > 0;
  let step = 0;
  while (learns && step < LEARNING_STEPS) step = pass(encoder, pupil, learned, step).nextStep;
  const state = encoder.save();
  const steady = learns ? bitsOf(pass(encoder, pupil, measured, step).sent) : undefined;
  encoder.restore(forNewConnection(state));
  encoder.forgetPeer?.();
  const all = pass(encoder, createDecoder(spec, { channels }), measured, step).sent;
  const remembers = definitionOf(spec).remembersRows === true && role === "activation";
  const later = remembers ? all.filter(({ known }) => known) : [];
  const laterVisits = later.length > 0;
  const sent = laterVisits ? later : all;
  const bitsPerElement = bitsOf(sent);
  const steadyBits = steady ?? bitsPerElement;
  return {
    bitsPerElement,
    steadyBits,
    ...errorsOf(sent, role, channels),
    laterVisits,
    messages: sent.length,
  };
}

/** Bits per element of messages. */
function bitsOf(sent: readonly Sent[]): number {
  let [bytes, elements] = [0, 0];
  for (const message of sent) {
    bytes += message.bytes;
    elements += message.decoded.length;
  }
  if (elements === 0) fail("NB_DATA_INVALID", "capture: a stream of it has no tokens");
  return (8 * bytes) / elements;
}

function errorsOf(
  sent: readonly Sent[],
  role: TensorRole,
  channels: number,
): Omit<Measurement, "bitsPerElement" | "steadyBits" | "laterVisits" | "messages"> {
  const means = channelMeans(sent, channels);
  const [errors, signals, errorSums, valueSums] = [0, 0, 0, 0].map(() => new Float64Array(channels));
  let weightedError = 0;
  let weightedSignal = 0;
  let dots = 0;
  for (const { pair, decoded } of sent) {
    const { values, tokens } = pair.activation;
    const g = pair.gradient?.values;
    for (let t = 0; t < tokens; t++) {
      let dot = 0;
      for (let c = 0; c < channels; c++) {
        const i = t * channels + c;
        const x = values[i]!;
        const error = decoded[i]! - x;
        const distance = x - means[c]!;
        errors![c] = errors![c]! + error * error;
        signals![c] = signals![c]! + distance * distance;
        errorSums![c] = errorSums![c]! + error;
        valueSums![c] = valueSums![c]! + x;
        if (g === undefined) continue;
        const product = g[i]! * error;
        dot += product;
        weightedError += product * product;
        weightedSignal += (g[i]! * distance) ** 2;
      }
      dots += dot * dot;
    }
  }
  const ratios = [...errors!].map((error, c) => (signals![c]! === 0 ? 0 : error / signals![c]!));
  return {
    nmse: sum(errors!) / sum(signals!),
    worstChannelNmse: Math.max(...ratios),
    deadChannels: ratios.filter((ratio) => ratio >= 1).length,
    gradientWeighted: weightedSignal === 0 ? undefined : weightedError / weightedSignal,
    coherence: weightedError === 0 ? undefined : dots / weightedError,
    errorOfSums: role === "gradient" ? squares(errorSums!) / squares(valueSums!) : undefined,
  };
}

function channelMeans(sent: readonly Sent[], channels: number): Float64Array {
  const sums = new Float64Array(channels);
  let tokens = 0;
  for (const { pair } of sent) {
    const { values, tokens: count } = pair.activation;
    tokens += count;
    for (let i = 0; i < values.length; i++) sums[i % channels] = sums[i % channels]! + values[i]!;
  }
  return sums.map((total) => total / tokens);
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}

function squares(values: Float64Array): number {
  return values.reduce((a, b) => a + b * b, 0);
}
