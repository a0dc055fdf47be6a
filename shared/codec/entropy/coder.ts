/**
 * The entropy stage as the last stage of a quantizer (../symbols.ts): the sender's end and the receiver's.
 *
 * A payload begins with a byte that says what follows; the sender takes the shorter form, so a payload is never more than
 * that byte longer than a packed one:
 *
 *   0  the packed symbols
 *   1  a coded message
 *   2  the version of a predictor (u32), which the receiver holds, and a message coded with it
 *   3  the number of bytes of a predictor (u32), its bytes, and a message coded with it; the receiver keeps it from now on
 *
 * With `rans` messages stand for themselves. With `predict` the sender learns a predictor of its channels, renews it
 * seldom (RENEWALS) and where it pays, and sends it until a step has committed in which it was sent, or again to a receiver that is new.
 * It changes between steps alone.
 */

import { fail } from "../../errors.ts";
import type { CodecState, StreamPosition } from "../codec.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { Levels } from "../scales.ts";
import { integerOf } from "../state.ts";
import { packedSymbols, type SymbolCoder } from "../symbols.ts";
import { payloadBytes, type WidthPlan } from "../widths.ts";
import { kernelBytes, measureBytes } from "./kernel.ts";
import { averagesOf, gainOn, type MessageStatistics, measureMessage, Statistics } from "./learn.ts";
import { decodeMessage, encodeMessage, maxMessageBytes } from "./message.ts";
import { type Predictor, readPredictor, writePredictor } from "./predictor.ts";
import { refuse } from "./rans.ts";

/** What a codec's `entropy` setting can be. */
export const ENTROPY_STAGES = ["none", "rans", "predict"] as const;
export type EntropyStage = (typeof ENTROPY_STAGES)[number];

export const PACKED = 0;
export const CODED = 1;
export const PREDICTED = 2;
export const WITH_PREDICTOR = 3;

/** The predictor is made anew after so many steps with a message, if that pays; then every RENEWAL_PERIOD. */
const RENEWALS: readonly number[] = [2, 4, 8, 16, 32];
const RENEWAL_PERIOD = 32;
/** From this many messages on, only one in SAMPLE_PERIOD is learned from. */
const EAGER_MESSAGES = 16;
const SAMPLE_PERIOD = 4;
/** A predictor travels with a message of so many values that it is no longer than this for each. */
const BYTES_PER_VALUE = 2;
/** Fewer tokens say too little of correlations. */
const LEAST_TOKENS = 16;

const EMPTY = new Uint8Array(0);

/** The stage of a stream's sender, or undefined for none. */
export function entropyEncoder(stage: EntropyStage, channels: number): EntropyEncoder | undefined {
  return stage === "none" ? undefined : new EntropyEncoder(channels, stage === "predict");
}

/** The stage of a stream's receiver, or undefined for none. */
export function entropyDecoder(stage: EntropyStage, channels: number): EntropyDecoder | undefined {
  return stage === "none" ? undefined : new EntropyDecoder(channels, stage === "predict");
}

function workBytesOf(plan: WidthPlan, tokens: number, predict: boolean): number {
  const coded = kernelBytes(plan.widths.length, tokens, predict);
  return (
    coded + packedSymbols.workBytes(plan, tokens) + (predict ? measureBytes(plan.widths.length, tokens) : 0)
  );
}

export class EntropyEncoder implements SymbolCoder {
  private readonly channels: number;
  private readonly statistics: Statistics | undefined;
  /** What this step's first micro-batch adds to the statistics; encoding it again replaces it. */
  private gathered: { readonly step: number; readonly message: MessageStatistics } | undefined;
  private predictor: Predictor | undefined;
  private predictorBytes: Uint8Array = EMPTY;
  /** True once a step has committed in which the present predictor was sent. */
  private announced = false;
  private sentInStep = -1;
  /** True from forgetPeer() until a step has committed in which the predictor was sent; no part of the state. */
  private forgotten = false;
  /** Steps with a message that have committed. */
  private steps = 0;
  private at: StreamPosition = { step: 0, microBatch: 0 };
  private coded: Uint8Array<ArrayBuffer> = EMPTY;

  constructor(channels: number, predict: boolean) {
    this.channels = channels;
    this.statistics = predict ? new Statistics(channels) : undefined;
  }

  /** Says where the next message stands. */
  start(at: StreamPosition): void {
    this.at = at;
  }

  maxBytes(plan: WidthPlan, tokens: number): number {
    return 1 + payloadBytes(plan, tokens) + this.predictorBytes.length;
  }

  workBytes(plan: WidthPlan, tokens: number): number {
    return workBytesOf(plan, tokens, this.statistics !== undefined);
  }

  write(
    symbols: Uint8Array,
    plan: WidthPlan,
    tokens: number,
    out: Uint8Array,
    levels: Levels,
    work: Kernels | undefined,
  ): number {
    this.gather(symbols, plan, tokens, levels, work);
    const mustSend = this.predictor !== undefined && this.mustSend();
    // A short message does without, so that its frame stays within what its tokens allow.
    const tooLong = mustSend && this.predictorBytes.length > BYTES_PER_VALUE * symbols.length;
    const predictor = tooLong ? undefined : this.predictor;
    const withPredictor = mustSend && !tooLong;
    const head = predictor === undefined ? 1 : withPredictor ? 5 + this.predictorBytes.length : 5;
    const most = head + maxMessageBytes(this.channels, tokens);
    if (this.coded.length < most) this.coded = new Uint8Array(most);
    const { coded } = this;
    const bytes = encodeMessage(symbols, plan, tokens, levels, predictor, coded, head, work);
    const packed = 1 + payloadBytes(plan, tokens);
    // A predictor pays later: that it makes its first message longer than a packed one is no reason not to send it.
    if (bytes - (withPredictor ? this.predictorBytes.length : 0) >= packed) {
      out[0] = PACKED;
      return 1 + packedSymbols.write(symbols, plan, tokens, out.subarray(1), levels, work);
    }
    const view = new DataView(coded.buffer);
    coded[0] = predictor === undefined ? CODED : withPredictor ? WITH_PREDICTOR : PREDICTED;
    if (predictor !== undefined)
      view.setUint32(1, withPredictor ? this.predictorBytes.length : predictor.version, true);
    if (withPredictor) {
      coded.set(this.predictorBytes, 5);
      this.sentInStep = this.at.step;
    }
    out.set(coded.subarray(0, bytes));
    return bytes;
  }

  read(): void {
    fail("NB_INTERNAL", "a sender's entropy stage does not read");
  }

  /** Called when `step` has committed. */
  endStep(step: number): void {
    const { statistics, gathered } = this;
    if (statistics === undefined) return;
    if (this.sentInStep === step) {
      this.announced = true;
      this.forgotten = false;
    }
    this.gathered = undefined;
    if (gathered?.step !== step) return;
    this.steps++;
    const { message } = gathered;
    if (message.tokens === 0) return;
    const next = [...RENEWALS, this.steps + RENEWAL_PERIOD].find((step) => step > this.steps)!;
    const due = RENEWALS.includes(this.steps) || this.steps % RENEWAL_PERIOD === 0;
    // Whether a new predictor pays is judged on a message that it has not seen, against the one at hand.
    const trial = due && statistics.messages > 0 ? statistics.fit(1) : undefined;
    statistics.add(message);
    if (trial === undefined) return;
    const gain =
      gainOn(trial, message) - (this.predictor === undefined ? 0 : gainOn(this.predictor, message));
    this.renew(gain * message.tokens * this.channels * (next - this.steps));
  }

  /** The receiver is new: it holds no predictor. */
  forgetPeer(): void {
    this.forgotten = true;
    this.sentInStep = -1;
  }

  save(arrays: Record<string, CodecState["arrays"][string]>, numbers: Record<string, number>): void {
    const { statistics, gathered } = this;
    if (statistics === undefined) return;
    statistics.save("entropy.", arrays, numbers);
    arrays["entropy.predictor"] = this.predictorBytes.slice();
    numbers["entropy.steps"] = this.steps;
    numbers["entropy.sentInStep"] = this.sentInStep;
    numbers["entropy.gatheredStep"] = gathered?.step ?? -1;
    numbers.predictorAnnounced = this.announced ? 1 : 0;
    if (gathered !== undefined) saveMessage(gathered.message, arrays, numbers);
  }

  /** Reads what save() wrote; the function that it returns takes it over, so that a wrong state changes nothing. */
  prepare(state: CodecState): () => void {
    const { statistics } = this;
    if (statistics === undefined) return () => {};
    const takeStatistics = statistics.prepare("entropy.", state);
    const bytes = predictorOf(state);
    const predictor = bytes.length === 0 ? undefined : readSaved(bytes, this.channels);
    const steps = integerOf(state, "entropy.steps", 0);
    const sentInStep = integerOf(state, "entropy.sentInStep", -1);
    const gatheredStep = integerOf(state, "entropy.gatheredStep", -1);
    const announced = integerOf(state, "predictorAnnounced", 0, 1);
    const gathered =
      gatheredStep < 0 ? undefined : { step: gatheredStep, message: messageOf(state, this.channels) };
    return () => {
      takeStatistics();
      this.predictor = predictor;
      this.predictorBytes = bytes;
      this.steps = steps;
      this.sentInStep = sentInStep;
      this.announced = announced === 1;
      this.gathered = gathered;
    };
  }

  private mustSend(): boolean {
    if (this.announced && !this.forgotten) return false;
    return this.at.microBatch === 0 || this.sentInStep !== this.at.step;
  }

  private gather(
    symbols: Uint8Array,
    plan: WidthPlan,
    tokens: number,
    levels: Levels,
    work: Kernels | undefined,
  ): void {
    const { statistics, at } = this;
    if (statistics === undefined || at.microBatch !== 0) return;
    const wanted = statistics.messages < EAGER_MESSAGES || (this.steps + 1) % SAMPLE_PERIOD === 0;
    const measured = wanted && tokens >= LEAST_TOKENS;
    this.gathered = {
      step: at.step,
      message: measured ? measureMessage(symbols, plan, tokens, levels, work) : NOTHING,
    };
  }

  /** Takes a new predictor, if its bytes are fewer than the bits that it will save. */
  private renew(savedBits: number): void {
    const { statistics } = this;
    if (statistics === undefined || savedBits <= 0) return;
    const predictor = statistics.fit((this.predictor?.version ?? 0) + 1);
    const bytes = writePredictor(predictor);
    if (8 * bytes.length > savedBits) return;
    this.predictor = predictor;
    this.predictorBytes = bytes;
    this.announced = false;
    this.sentInStep = -1;
  }
}

export class EntropyDecoder implements SymbolCoder {
  private readonly channels: number;
  private readonly predict: boolean;
  private predictor: Predictor | undefined;
  private predictorBytes: Uint8Array = EMPTY;

  constructor(channels: number, predict: boolean) {
    this.channels = channels;
    this.predict = predict;
  }

  maxBytes(plan: WidthPlan, tokens: number): number {
    return 1 + payloadBytes(plan, tokens);
  }

  workBytes(plan: WidthPlan, tokens: number): number {
    return workBytesOf(plan, tokens, this.predict);
  }

  write(): number {
    return fail("NB_INTERNAL", "a receiver's entropy stage does not write");
  }

  read(
    payload: Uint8Array,
    plan: WidthPlan,
    tokens: number,
    symbols: Uint8Array,
    levels: Levels,
    work: Kernels | undefined,
  ): void {
    const mode = payload[0];
    if (mode === PACKED) {
      packedSymbols.read(payload.subarray(1), plan, tokens, symbols, levels, work);
    } else if (mode === CODED) {
      decodeMessage(payload, 1, plan, tokens, levels, undefined, symbols, work);
    } else if (this.predict && (mode === PREDICTED || mode === WITH_PREDICTOR)) {
      this.readPredicted(payload, plan, tokens, symbols, levels, work);
    } else {
      refuse(mode === undefined ? "is empty" : `begins with ${mode}, which says nothing here`);
    }
  }

  private readPredicted(
    payload: Uint8Array,
    plan: WidthPlan,
    tokens: number,
    symbols: Uint8Array,
    levels: Levels,
    work: Kernels | undefined,
  ): void {
    if (payload.length < 5) refuse("is shorter than its head");
    const word = new DataView(payload.buffer, payload.byteOffset).getUint32(1, true);
    if (payload[0] === PREDICTED) {
      const held = this.predictor;
      if (held === undefined || held.version !== word) {
        refuse(`is coded with predictor ${word}; at hand is ${held === undefined ? "none" : held.version}`);
      }
      decodeMessage(payload, 5, plan, tokens, levels, held, symbols, work);
      return;
    }
    if (word > payload.length - 5) refuse("is shorter than its predictor");
    const bytes = payload.slice(5, 5 + word);
    const predictor = readPredictor(bytes, this.channels);
    decodeMessage(payload, 5 + word, plan, tokens, levels, predictor, symbols, work);
    this.predictor = predictor;
    this.predictorBytes = bytes;
  }

  save(arrays: Record<string, CodecState["arrays"][string]>): void {
    if (this.predictor !== undefined) arrays["entropy.predictor"] = this.predictorBytes.slice();
  }

  /** Reads what save() wrote; the function that it returns takes it over. */
  prepare(state: CodecState): () => void {
    const bytes =
      this.predict && state.arrays["entropy.predictor"] !== undefined ? predictorOf(state) : EMPTY;
    const predictor = bytes.length === 0 ? undefined : readSaved(bytes, this.channels);
    return () => {
      this.predictor = predictor;
      this.predictorBytes = bytes;
    };
  }
}

const NOTHING: MessageStatistics = {
  tokens: 0,
  mean: new Float64Array(0),
  variance: new Float64Array(0),
  correlation: new Float32Array(0),
};

function saveMessage(
  message: MessageStatistics,
  arrays: Record<string, CodecState["arrays"][string]>,
  numbers: Record<string, number>,
): void {
  numbers["entropy.gatheredTokens"] = message.tokens;
  if (message.tokens === 0) return;
  arrays["entropy.gatheredMean"] = message.mean.slice();
  arrays["entropy.gatheredVariance"] = message.variance.slice();
  arrays["entropy.gatheredCorrelation"] = message.correlation.slice();
}

function messageOf(state: CodecState, channels: number): MessageStatistics {
  const tokens = integerOf(state, "entropy.gatheredTokens", 0);
  if (tokens === 0) return NOTHING;
  return { tokens, ...averagesOf(state, "entropy.gathered", channels) };
}

function predictorOf(state: CodecState): Uint8Array<ArrayBuffer> {
  const bytes = state.arrays["entropy.predictor"];
  if (!(bytes instanceof Uint8Array)) {
    return fail("NB_CODEC_STATE_INVALID", "array entropy.predictor of the saved state is missing");
  }
  return Uint8Array.from(bytes);
}

function readSaved(bytes: Uint8Array, channels: number): Predictor {
  try {
    return readPredictor(bytes, channels);
  } catch {
    return fail("NB_CODEC_STATE_INVALID", `the saved state's predictor is not one of ${channels} channels`);
  }
}
