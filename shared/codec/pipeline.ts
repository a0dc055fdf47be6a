/**
 * What `fixed` and `amaq` do with a tensor around the plain quantizer (quantizer.ts), where their settings ask for it:
 *
 *   sink tokens taken out (sinks.ts) → rotation of the rest (rotation.ts) → scales of tokens (token-scale.ts) → ranges
 *   (ranges.ts, learned-ranges.ts, average-ranges.ts) → quantizer → dither (rounding.ts)
 *
 * and, in pipeline-decoder.ts, the way back. The scales section is then, in this order: the sink tokens, if the codec looks for them; the scales of
 * tokens, if it has them; lowest levels and steps, which with `clip: ema` may be left out where the receiver keeps some; a dither key of 4 bytes, if the sender
 * dithers, which a receiver knows by a mark in the scales. Without any of these settings everything goes straight to the
 * quantizer and this file costs nothing.
 *
 * Widths belong to the channels that are quantized. With a rotation these are the rotated ones, so what gates learn from
 * is taken there: {@link PipelineEncoder.levelSpace}. The rotation is orthogonal, so a gradient with respect to x̂ is rotated
 * like x̂ itself. Sink tokens, which no width concerns, are left out of it.
 */

import { fail } from "../errors.ts";
import { AverageRanges } from "./average-ranges.ts";
import type { CodecState, SentLevels, StreamPosition } from "./codec.ts";
import type { TensorRole } from "./definition.ts";
import { type EntropyEncoder, type EntropyStage, entropyEncoder } from "./entropy/coder.ts";
import { openTensor } from "./kernels/tensor.ts";
import { LearnedRanges } from "./learned-ranges.ts";
import { MicroBatchSums } from "./micro-batch-sums.ts";
import { DITHER_MARK, KEY_BYTES, leastExponent, markAt } from "./pipeline-layout.ts";
import { type QuantizedBody, QuantizerEncoder, type QuantizerOutputs } from "./quantizer.ts";
import { type Clip, percentileRanges, RangeChooser, type Rounding } from "./ranges.ts";
import { MAX_ROTATED_VALUE, Rotation } from "./rotation.ts";
import { type Grid, type Levels, makeLevels, scalesBytes, writeScales } from "./scales.ts";
import { findSinks, MIN_TOKENS_PER_SINK, putTogether, type Sinks, takeRest, writeSinks } from "./sinks.ts";
import { integerOf, numberOf } from "./state.ts";
import { packedSymbols, type SymbolCoder } from "./symbols.ts";
import { shiftTokens, tokenShifts, writeShifts } from "./token-scale.ts";
import { type WidthPlan, widenToSteps } from "./widths.ts";

export interface PipelineOptions {
  readonly clip: Clip | "percentile" | "learned" | "ema";
  readonly rounding: Rounding | "dithered";
  readonly grid: Grid;
  readonly sinks: "none" | "auto";
  /** Channels of a rotation block, a power of two, or 0. */
  readonly rotate: number;
  readonly tokenScale: "none" | "pow2";
  /** Of `clip: percentile`: percent of the values that lie within the range. */
  readonly clipPercent: number;
  /** Of `clip: ema`: tokens over which statistics are averaged. */
  readonly emaTokens: number;
  readonly entropy: EntropyStage;
}

/** Bits of an element of a sink token. */
const SINK_BITS = 16;
/** Steps over which the share of sink tokens is averaged. */
const SINK_STEPS = 16;
/** A change of the share by this costs 1/32 bit an element, which is no reason for new widths. */
const SHARE_SLACK = 1 / (32 * SINK_BITS);
const EMPTY = new Uint8Array(0);

/** Values as the quantizer gets them, while one call lasts; shared by all. */
let scratch = new Float32Array(0);
let scratchBack = new Float32Array(0);

/** Tensors of one message in the space of the quantized channels, without sink tokens. */
export interface LevelSpace {
  readonly tokens: number;
  readonly x: Float32Array;
  readonly reconstruction: Float32Array;
  /** Only where one was given. */
  readonly gradient: Float32Array | undefined;
}

export class PipelineEncoder {
  private readonly channels: number;
  private readonly role: TensorRole;
  private readonly options: PipelineOptions;
  /** Nothing is done around the quantizer but to write a dither key. */
  readonly plain: boolean;
  /** Ranges are those that the quantizer chooses by itself. */
  private readonly ownRanges: boolean;
  private readonly dithered: boolean;
  private readonly minExponent: number;
  private readonly quantizer: QuantizerEncoder;
  private readonly entropy: EntropyEncoder | undefined;
  private readonly chooser: RangeChooser;
  private readonly rotation: Rotation | undefined;
  private readonly learned: LearnedRanges | undefined;
  private readonly average: AverageRanges | undefined;
  private readonly levels: Levels;
  private readonly section: Uint8Array;
  /** The section with the dither key behind it. */
  private readonly keyed: Uint8Array;
  private readonly lo: Float64Array;
  private readonly hi: Float64Array;
  /** Per micro-batch: sink tokens, tokens. */
  private readonly sinkCounts = new MicroBatchSums("sinkTokens", 2);
  /** Running mean of the part of all tokens that are sinks, and the steps that went into it. */
  private sinkShare = 0;
  private sinkSteps = 0;
  /** The share that widths are to leave room for: follows `sinkShare` when it is off by more than SHARE_SLACK. */
  private paidShare = 0;

  constructor(channels: number, role: TensorRole, options: PipelineOptions) {
    const { clip, rounding, grid, sinks, rotate, tokenScale, emaTokens } = options;
    this.entropy = entropyEncoder(options.entropy, channels);
    const coder: SymbolCoder = this.entropy ?? packedSymbols;
    this.channels = channels;
    this.role = role;
    this.options = options;
    this.ownRanges = clip === "none" || clip === "optimal";
    this.plain = this.ownRanges && sinks === "none" && rotate === 0 && tokenScale === "none";
    this.dithered = rounding === "dithered";
    this.minExponent = leastExponent(this.dithered || rotate > 0, tokenScale === "pow2");
    this.quantizer = new QuantizerEncoder(
      channels,
      {
        clip: clip === "none" ? "none" : "optimal",
        rounding: rounding === "dithered" ? "stochastic" : rounding,
        grid,
        noise: rounding === "stochastic" ? "stochastic" : "nearest",
        dithered: this.dithered,
        minExponent: this.minExponent,
      },
      coder,
    );
    this.chooser = new RangeChooser(this.plain ? 1 : channels);
    this.rotation = rotate === 0 ? undefined : new Rotation(channels, rotate);
    this.learned = clip === "learned" ? new LearnedRanges(channels) : undefined;
    this.average =
      clip === "ema" ? new AverageRanges(channels, emaTokens, rounding === "stochastic" ? 6 : 12) : undefined;
    this.levels = makeLevels(channels);
    this.section = new Uint8Array(scalesBytes(channels, 1));
    this.keyed = new Uint8Array(this.section.length + KEY_BYTES);
    this.lo = new Float64Array(channels);
    this.hi = new Float64Array(channels);
  }

  /**
   * The mean width that leaves room, within `bits` per element, for the sink tokens that there have lately been: w with
   * (1 − f) · w + f · 16 = bits, f their part of all tokens. The same as `bits` without sink tokens. Moves in endStep().
   */
  widthBudget(bits: number): number {
    return (bits - SINK_BITS * this.paidShare) / (1 - this.paidShare);
  }

  /**
   * Encodes x [tokens, channels] with the plan's widths. `key` seeds stochastic rounding and dither. Sums of errors are
   * given only where the pipeline is `plain`. Throws NB_TENSOR_NOT_FINITE.
   */
  encode(
    x: Float32Array,
    tokens: number,
    plan: WidthPlan,
    at: StreamPosition,
    key: number,
    outputs: QuantizerOutputs = {},
  ): QuantizedBody {
    this.entropy?.start(at);
    if (this.plain || tokens === 0) {
      const body = this.quantizer.encode(x, tokens, plan, key, outputs);
      if (!this.dithered || tokens === 0) return body;
      return { ...body, scales: this.sectionOf(EMPTY, body.scales, key) };
    }
    const { channels } = this;
    const sinks = this.separate(x, tokens, plan);
    const places = sinks?.tokens;
    const count = places === undefined ? 0 : places.length;
    const rest = tokens - count;
    const values = this.toLevelSpace(x, tokens, places);
    const shifts = this.shiftsOf(values, rest);
    if (shifts !== undefined) shiftTokens(values, shifts, channels, 1);
    const given = this.ownRanges || this.chooseRanges(values, rest, plan);
    if (!this.ownRanges) this.setLevels(plan);
    if (this.average !== undefined) this.average.gather(at, values, rest);
    const learns = this.learned !== undefined && this.role === "gradient";
    const wanted = outputs.reconstruction !== false;
    if (scratchBack.length < values.length) scratchBack = new Float32Array(values.length);
    const back = scratchBack.subarray(0, values.length);
    const {
      scales: own,
      payload,
      packedBytes,
    } = this.quantizer.encode(
      values,
      rest,
      plan,
      key,
      { payload: outputs.payload, reconstruction: (wanted || learns) && back },
      this.ownRanges ? undefined : { scales: this.section, levels: this.levels },
    );
    if (learns) this.learned!.gather(at, this.learned!.gradientOf(values, back, undefined, this.lo, this.hi));
    const reconstruction = outputs.reconstruction || new Float32Array(wanted ? x.length : 0);
    if (wanted) {
      if (shifts !== undefined) shiftTokens(back, shifts, channels, -1);
      this.rotation?.inverse(back);
      if (sinks === undefined) reconstruction.set(back);
      else putTogether(back, sinks.values, tokens, channels, sinks.tokens, reconstruction);
    }
    if (sinks !== undefined) this.sinkCounts.put(at, Float64Array.of(count, tokens));
    const first = joined(sinks?.bytes ?? EMPTY, shifts === undefined ? EMPTY : writeShifts(shifts));
    const scales = this.sectionOf(first, given ? own : EMPTY, key);
    return { scales, payload, packedBytes, reconstruction };
  }

  /** Of a `plain` pipeline: the levels of the tensor that was encoded last. */
  sentLevels(plan: WidthPlan): SentLevels {
    return this.quantizer.sentLevels(plan);
  }

  /**
   * The tensors of a message that was encoded, where its widths and ranges apply. The arrays are the given ones, or new.
   */
  levelSpace(
    x: Float32Array,
    reconstruction: Float32Array,
    gradient: Float32Array | undefined,
    tokens: number,
    plan: WidthPlan,
  ): LevelSpace {
    const places = this.plain || tokens === 0 ? undefined : this.separate(x, tokens, plan)?.tokens;
    if ((places === undefined || places.length === 0) && this.rotation === undefined) {
      return { tokens, x, reconstruction, gradient };
    }
    const move = (tensor: Float32Array) => this.toLevelSpace(tensor, tokens, places).slice();
    return {
      tokens: tokens - (places?.length ?? 0),
      x: move(x),
      reconstruction: move(reconstruction),
      gradient: gradient && move(gradient),
    };
  }

  /** Learns ranges from a message's gradient [tokens, channels], where they are learned from one. */
  learn(
    x: Float32Array,
    reconstruction: Float32Array,
    gradient: Float32Array,
    tokens: number,
    plan: WidthPlan,
  ): void {
    if (this.learned === undefined || this.role === "gradient") return;
    this.observe(this.levelSpace(x, reconstruction, gradient, tokens, plan), plan);
  }

  /** The same for tensors as levelSpace() gives them. */
  observe(seen: LevelSpace, plan: WidthPlan): void {
    if (this.learned === undefined || seen.gradient === undefined || seen.tokens === 0) return;
    const { x, reconstruction, gradient } = this.scaled(seen, seen.gradient);
    this.chooseRanges(x, seen.tokens, plan);
    this.learned.observe(this.learned.gradientOf(x, reconstruction, gradient, this.lo, this.hi));
  }

  /** Called when `step` has committed. */
  endStep(step: number): void {
    this.entropy?.endStep(step);
    this.learned?.endStep(step);
    this.average?.endStep(step);
    const counts = this.sinkCounts.take(step);
    if (counts !== undefined) {
      this.sinkSteps = Math.min(this.sinkSteps + 1, SINK_STEPS);
      this.sinkShare += (counts[0]! / counts[1]! - this.sinkShare) / this.sinkSteps;
      if (Math.abs(this.sinkShare - this.paidShare) > SHARE_SLACK) this.paidShare = this.sinkShare;
    }
  }

  /** Called after endStep(), with the plan of the next step. True when the scales that the receiver is to keep change. */
  renewScales(plan: WidthPlan): boolean {
    return this.average?.renew(plan.widths) ?? false;
  }

  /** The scales that the receiver is to keep, for its table; empty when there are none. */
  keptScales(plan: WidthPlan): Uint8Array {
    const kept = this.average?.kept();
    if (kept === undefined) return EMPTY;
    this.lo.set(kept.lo);
    this.hi.set(kept.hi);
    this.setLevels(plan);
    const scales = this.section.slice();
    if (this.dithered) this.mark(scales);
    return scales;
  }

  /** The receiver is new: it has none of what it was to keep, beside the table. */
  forgetPeer(): void {
    this.entropy?.forgetPeer();
  }

  save(arrays: Record<string, CodecState["arrays"][string]>, numbers: Record<string, number>): void {
    this.entropy?.save(arrays, numbers);
    this.learned?.save(arrays, numbers);
    this.average?.save(arrays, numbers);
    if (this.options.sinks === "none") return;
    this.sinkCounts.save(arrays, numbers);
    numbers.sinkShare = this.sinkShare;
    numbers.sinkSteps = this.sinkSteps;
    numbers.paidShare = this.paidShare;
  }

  /** Reads what save() wrote; the function that it returns takes it over, so that a wrong state changes nothing. */
  prepare(state: CodecState): () => void {
    const parts = [this.entropy?.prepare(state), this.learned?.prepare(state), this.average?.prepare(state)];
    if (this.options.sinks !== "none") {
      const share = numberOf(state, "sinkShare", 0, 1 / MIN_TOKENS_PER_SINK);
      const steps = integerOf(state, "sinkSteps", 0, SINK_STEPS);
      const paid = numberOf(state, "paidShare", 0, 1 / MIN_TOKENS_PER_SINK);
      parts.push(this.sinkCounts.prepare(state), () => {
        this.sinkShare = share;
        this.sinkSteps = steps;
        this.paidShare = paid;
      });
    }
    return () => {
      for (const take of parts) take?.();
    };
  }

  /**
   * The sink tokens of x, where the settings look for them. Candidates that stand out are taken out only if that lowers
   * the error to be expected by more than their bits would, spent on the widths: a factor 4 for each bit an element.
   */
  private separate(x: Float32Array, tokens: number, plan: WidthPlan): Sinks | undefined {
    if (this.options.sinks === "none") return undefined;
    const { channels } = this;
    const none = new Uint32Array(0);
    const found = findSinks(x, tokens, channels);
    if (found.length === 0) return writeSinks(x, channels, none);
    const all = this.expectedError(this.toLevelSpace(x, tokens, undefined), tokens, plan);
    const rest = tokens - found.length;
    const without = this.expectedError(this.toLevelSpace(x, tokens, found), rest, plan);
    const extraBits = ((SINK_BITS - plan.totalBits / channels) * found.length) / tokens;
    return writeSinks(x, channels, without * 4 ** extraBits < all ? found : none);
  }

  /** The scales of tokens for values in level space, where the settings ask for them. */
  private shiftsOf(values: Float32Array, tokens: number): Uint8Array | undefined {
    return this.options.tokenScale === "none" ? undefined : tokenShifts(values, tokens, this.channels);
  }

  /** Tensors of level space with the scales of their tokens, as ranges apply to them: copies where there are scales. */
  private scaled({ x, reconstruction, tokens }: LevelSpace, gradient: Float32Array) {
    const shifts = this.shiftsOf(x, tokens);
    if (shifts === undefined) return { x, reconstruction, gradient };
    const shifted = (tensor: Float32Array, direction: 1 | -1) => {
      const copy = tensor.slice();
      shiftTokens(copy, shifts, this.channels, direction);
      return copy;
    };
    return { x: shifted(x, 1), reconstruction: shifted(reconstruction, 1), gradient: shifted(gradient, -1) };
  }

  private expectedError(values: Float32Array, tokens: number, plan: WidthPlan): number {
    const { clip, rounding } = this.options;
    const means = rounding === "stochastic" ? "stochastic" : "nearest";
    const tensor = openTensor(tokens, this.channels, 0);
    try {
      this.chooser.choose(values, tokens, plan.widths, clip === "none" ? "none" : "optimal", means, tensor);
    } finally {
      tensor?.close();
    }
    return this.chooser.error.reduce((a, b) => a + b, 0);
  }

  /** The tensor without sinks and rotated, in the shared scratch array. Throws NB_TENSOR_NOT_FINITE. */
  private toLevelSpace(tensor: Float32Array, tokens: number, sinks: Uint32Array | undefined): Float32Array {
    const { channels, rotation } = this;
    const length = tensor.length - (sinks?.length ?? 0) * channels;
    if (scratch.length < length) scratch = new Float32Array(length);
    const values = scratch.subarray(0, length);
    if (sinks === undefined) values.set(tensor);
    else takeRest(tensor, tokens, channels, sinks, values);
    if (rotation === undefined) return values;
    for (let i = 0; i < length; i++) {
      const value = values[i]!;
      if (!Number.isFinite(value)) {
        fail(
          "NB_TENSOR_NOT_FINITE",
          `channel ${i % channels} of a tensor of ${tokens} tokens holds ${value}`,
        );
      }
      values[i] = Math.min(MAX_ROTATED_VALUE, Math.max(-MAX_ROTATED_VALUE, value));
    }
    rotation.forward(values);
    return values;
  }

  /**
   * Sets lo and hi for values [tokens, channels] in level space. True when the receiver has not got them. Throws
   * NB_TENSOR_NOT_FINITE.
   */
  private chooseRanges(values: Float32Array, tokens: number, plan: WidthPlan): boolean {
    const { lo, hi, chooser, options } = this;
    const error = this.expectedError(values, tokens, plan);
    lo.set(chooser.lo);
    hi.set(chooser.hi);
    if (options.clip === "percentile") percentileRanges(values, tokens, options.clipPercent, lo, hi);
    this.learned?.stretch(lo, hi);
    const kept = this.average?.kept();
    if (kept === undefined || this.average!.prefersOwn(values, tokens, plan.widths, error)) return true;
    lo.set(kept.lo);
    hi.set(kept.hi);
    return false;
  }

  /** Sets the scales section and its levels from lo and hi. */
  private setLevels(plan: WidthPlan): void {
    const { clip, grid } = this.options;
    // Scales that the receiver keeps do not move with an allocator's steps.
    if (clip !== "ema") widenToSteps(this.lo, this.hi, plan);
    writeScales(
      this.lo,
      this.hi,
      plan.widths,
      grid,
      clip === "none",
      this.section,
      this.levels,
      this.minExponent,
    );
  }

  private mark(scales: Uint8Array): void {
    const at = markAt(this.channels);
    scales[at] = scales[at]! | DITHER_MARK;
  }

  /** What goes into the scales section, from its parts. Overwritten by the next call. */
  private sectionOf(first: Uint8Array, scales: Uint8Array, key: number): Uint8Array {
    if (!this.dithered && first.length === 0) return scales;
    const length = first.length + scales.length + (this.dithered ? KEY_BYTES : 0);
    const out = length <= this.keyed.length ? this.keyed.subarray(0, length) : new Uint8Array(length);
    out.set(first);
    out.set(scales, first.length);
    if (this.dithered) {
      if (scales.length > 0) this.mark(out.subarray(first.length));
      new DataView(out.buffer, out.byteOffset + length - KEY_BYTES).setUint32(0, key >>> 0, true);
    }
    return out;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
