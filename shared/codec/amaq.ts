/**
 * The codec `amaq`: a quantizer whose width per channel is learned under a bit budget that anneals over the
 * run, in the manner of AMAQ (arXiv:2510.05468). docs/amaq.md lists what the paper fixes, what it leaves open
 * and what was chosen.
 *
 * The sender owns the allocator (allocators/). From the tensors of a step it sums what they say about each
 * channel; when the step commits, the allocator learns from the sums and gives integer widths whose sum is the
 * budget to the bit. The receiver learns of widths through the bit table alone.
 */

import { fail } from "../errors.ts";
import type { Allocator } from "./allocators/allocator.ts";
import { errorTable } from "./allocators/error-model.ts";
import { createAllocator } from "./allocators/registry.ts";
import {
  type AmaqSpec,
  amaqLabel,
  amaqSchema,
  GATE_SPEED,
  parseAmaqArgument,
  SIGNAL_DEFAULTS,
} from "./amaq-spec.ts";
import { budgetAt } from "./budget.ts";
import { requireShape } from "./checks.ts";
import type {
  CodecState,
  EncodedSections,
  EncodedTensor,
  EncodeOutputs,
  SentLevels,
  StreamPosition,
  TensorDecoder,
  TensorEncoder,
} from "./codec.ts";
import type { CodecDefinition, StreamOptions } from "./definition.ts";
import { type ChannelSums, channelSums, readSums, roundingSums, sumsLength } from "./gain.ts";
import { messageKey } from "./hash.ts";
import { MicroBatchSums } from "./micro-batch-sums.ts";
import { PipelineEncoder } from "./pipeline.ts";
import { PipelineDecoder } from "./pipeline-decoder.ts";
import type { QuantizedBody } from "./quantizer.ts";
import { quantizerLayout, quantizerOptions } from "./quantizer-spec.ts";
import { SalientChannels } from "./salient.ts";
import {
  f64Of,
  integerOf,
  keptOf,
  requireCodec,
  requireTableVersion,
  requireVersion,
  widthsOf,
} from "./state.ts";
import { planWidths, readTable, tableBytes, type WidthPlan, writeTable } from "./widths.ts";

/** While annealing, the mean width may trail the budget by this many bits before the table must change. */
const BUDGET_LAG = 1 / 32;

const EMPTY: Uint8Array = new Uint8Array(0);

export class AmaqEncoder implements TensorEncoder {
  readonly channels: number;
  readonly observes: "nothing" | "levels" | "reconstruction";
  private readonly spec: AmaqSpec;
  private readonly options: StreamOptions;
  private readonly signal: "gradient" | "distortion";
  private readonly quantizer: PipelineEncoder;
  private readonly allocator: Allocator;
  /** Whether anyone learns from what tensors say of their channels. */
  private readonly learns: boolean;
  /** Where the spec asks for them. */
  private readonly salient: SalientChannels | undefined;
  private plan: WidthPlan;
  private table: Uint8Array;
  private version = 1;
  /** True once a step has committed in which the present table was sent. */
  private announced = false;
  /** Step in which the present table was last sent; −1 for none. */
  private sentInStep = -1;
  /** Step from which the present table holds. */
  private changedAt = 0;
  /** What observe() has gathered in this step, as channelSums() has it. */
  private observed: Float64Array;
  /** The same for each micro-batch of a gradient stream, by encode(). */
  private readonly distortions: MicroBatchSums;
  /** Of each micro-batch, where the allocator counts them: coded bits, elements. */
  private readonly coded = new MicroBatchSums("coded", 2);

  constructor(spec: AmaqSpec, options: StreamOptions) {
    const { channels, role } = options;
    this.spec = spec;
    this.options = options;
    this.channels = channels;
    // There is no gradient of a gradient to learn from, whatever the spec says for activations.
    this.signal = role === "gradient" ? "distortion" : (spec.signal ?? SIGNAL_DEFAULTS[role]);
    const quantizer = quantizerOptions(spec, role);
    this.quantizer = new PipelineEncoder(channels, role, quantizer);
    const learning = {
      channels,
      maxBits: spec.maxBits,
      errorAt: errorTable(quantizer.clip === "none" ? "none" : "optimal"),
      averaging: spec.averaging,
    };
    this.salient = spec.salient === "auto" ? new SalientChannels(learning) : undefined;
    this.allocator = createAllocator(spec.allocator, {
      ...learning,
      minBits: spec.minBits,
      hysteresis: spec.hysteresis,
      kept: this.salient?.kept,
      alpha: spec.alpha ?? GATE_SPEED / spec.gateLearningRate,
      gateLearningRate: spec.gateLearningRate,
      freeze: spec.freeze,
      entropyCoded: quantizer.entropy !== "none",
    });
    this.learns = this.allocator.learns || this.salient !== undefined;
    if (role === "gradient" || !(this.learns || quantizer.clip === "learned")) this.observes = "nothing";
    else
      this.observes = this.quantizer.plain && quantizer.rounding === "nearest" ? "levels" : "reconstruction";
    this.observed = new Float64Array(sumsLength(channels));
    this.distortions = new MicroBatchSums("distortion", sumsLength(channels));
    const budget = budgetAt(spec, 0);
    this.allocator.endStep(undefined, new Uint8Array(channels), budget);
    const even = new Uint8Array(channels).fill(Math.round(budget));
    this.plan = this.planFor(this.allocator.allocate(this.bitsFor(budget), even));
    this.table = this.makeTable();
  }

  get meanBits(): number {
    const { steps, totalBits } = this.plan;
    const bits =
      steps === undefined ? totalBits : steps.reduce((sum, count) => sum + Math.log2(count + 1), 0);
    return bits / this.channels;
  }

  widths(): Uint8Array {
    return this.plan.widths.slice();
  }

  encode(x: Float32Array, tokens: number, at: StreamPosition, outputs: EncodeOutputs = {}): EncodedTensor {
    requireShape(x, tokens, this.channels);
    const { seed, streamId, role } = this.options;
    const key = messageKey(seed, streamId, at);
    const gathers = role === "gradient" && this.learns && tokens > 0;
    const body = gathers
      ? this.encodeGathering(x, tokens, at, key, outputs)
      : this.quantizer.encode(x, tokens, this.plan, at, key, outputs);
    if (this.plan.steps !== undefined && tokens > 0) {
      this.coded.put(at, Float64Array.of(8 * body.payload.length, x.length));
    }
    const withTable = !this.announced && at.microBatch === 0;
    if (withTable) this.sentInStep = at.step;
    return {
      bitTable: withTable ? this.table.slice() : undefined,
      bitTableVersion: this.version,
      ...body,
    };
  }

  sentLevels(): SentLevels {
    return this.quantizer.sentLevels(this.plan);
  }

  observe(
    x: Float32Array,
    reconstruction: Float32Array | SentLevels,
    gradient: Float32Array,
    tokens: number,
  ): void {
    if (this.observes === "nothing") return;
    requireShape(x, tokens, this.channels);
    requireShape(gradient, tokens, this.channels);
    const learnsFrom = (g: Float32Array | undefined) => (this.signal === "gradient" ? g : undefined);
    if (!(reconstruction instanceof Float32Array)) {
      this.gather(roundingSums(x, reconstruction, reconstruction.widths, learnsFrom(gradient)));
      return;
    }
    requireShape(reconstruction, tokens, this.channels);
    const seen = this.quantizer.levelSpace(x, reconstruction, gradient, tokens, this.plan);
    this.gather(channelSums(seen.x, seen.reconstruction, learnsFrom(seen.gradient), this.channels));
    this.quantizer.observe(seen, this.plan);
  }

  private gather(sums: Float64Array): void {
    if (!sums.every(Number.isFinite)) {
      fail("NB_TENSOR_NOT_FINITE", "a gradient that came back to the codec holds NaN or infinity");
    }
    addInto(this.observed, sums);
  }

  follow(widths: Uint8Array): void {
    this.allocator.follow?.(widths);
  }

  endStep(step: number): void {
    const { channels, spec } = this;
    if (this.sentInStep === step) this.announced = true;
    const next = step + 1;
    this.quantizer.endStep(step);
    const budget = this.widthBudget(next);
    const coded = this.coded.take(step);
    const codedBits = coded === undefined ? undefined : coded[0]! / coded[1]!;
    const gathered = this.gathered(step);
    this.salient?.learn(gathered, this.plan);
    this.allocator.endStep(gathered, this.plan.widths, budget, codedBits);
    this.observed.fill(0);

    const total = this.bitsFor(budget);
    const behind = Math.abs(this.plan.totalBits / channels - budget) > BUDGET_LAG;
    const final = next >= spec.annealSteps && this.plan.totalBits !== total;
    const setsSteps = this.plan.steps !== undefined;
    let renewed = false;
    if (setsSteps || behind || final || next - this.changedAt >= spec.dwell) {
      // Where steps are set, one bit is the least that a channel may get.
      if (this.salient?.choose(total, setsSteps ? 1 : spec.minBits)) {
        this.allocator.endStep(undefined, this.plan.widths, budget);
      }
      const widths = this.allocator.allocate(total, this.plan.widths);
      renewed = widths.some((width, c) => width !== this.plan.widths[c]);
      if (renewed) this.changedAt = next;
      // Steps go with the scales; only widths stand in the table.
      if (renewed || setsSteps) this.plan = this.planFor(widths);
    }
    if (this.quantizer.renewScales(this.plan)) renewed = true;
    if (!renewed) return;
    this.table = this.makeTable();
    this.version++;
    this.announced = false;
    this.sentInStep = -1;
  }

  forgetPeer(): void {
    this.quantizer.forgetPeer();
  }

  save(): CodecState {
    const learned = this.allocator.save();
    const arrays: Record<string, CodecState["arrays"][string]> = {
      ...learned.arrays,
      widths: this.plan.widths.slice(),
      observed: this.observed.slice(),
    };
    const numbers: Record<string, number> = {
      ...learned.numbers,
      announced: this.announced ? 1 : 0,
      sentInStep: this.sentInStep,
      changedAt: this.changedAt,
    };
    this.distortions.save(arrays, numbers);
    this.coded.save(arrays, numbers);
    this.salient?.save(arrays, numbers);
    this.quantizer.save(arrays, numbers);
    return { codec: "amaq", bitTableVersion: this.version, arrays, numbers };
  }

  restore(state: CodecState): void {
    requireCodec(state, "amaq");
    const { channels, spec } = this;
    const widths = widthsOf(state, "widths", channels, spec.minBits, spec.maxBits);
    const observed = f64Of(state, "observed", sumsLength(channels));
    const announced = integerOf(state, "announced", 0, 1);
    const sentInStep = integerOf(state, "sentInStep", -1);
    const changedAt = integerOf(state, "changedAt", 0);
    const version = requireVersion(state, 1);
    const parts = [this.distortions, this.coded, this.quantizer, this.salient].map((part) =>
      part?.prepare(state),
    );
    // Takes nothing when it refuses.
    this.allocator.restore(state);
    for (const take of parts) take?.();
    this.plan = this.planFor(widths);
    this.table = this.makeTable();
    this.version = version;
    this.announced = announced === 1;
    this.sentInStep = sentInStep;
    this.changedAt = changedAt;
    this.observed = observed;
  }

  /** The plan of these widths, with the allocator's steps. */
  private planFor(widths: Uint8Array): WidthPlan {
    return { ...planWidths(widths), steps: this.allocator.steps?.() };
  }

  /** The sum of widths that comes nearest to a mean. */
  private bitsFor(meanBits: number): number {
    return Math.round(meanBits * this.channels);
  }

  /** Mean width in `step` that keeps to the budget, sink tokens included. */
  private widthBudget(step: number): number {
    const { minBits, maxBits } = this.spec;
    const bits = this.quantizer.widthBudget(budgetAt(this.spec, step));
    // Coded bits are the allocator's to keep to, and may be below the narrowest width.
    return this.plan.steps === undefined ? Math.min(maxBits, Math.max(minBits, bits)) : bits;
  }

  /** Widths and, with `clip: ema`, a byte that says whether scales for the receiver to keep follow, and these. */
  private makeTable(): Uint8Array {
    const widths = writeTable(this.plan.widths);
    if (this.spec.clip !== "ema") return widths;
    const scales = this.quantizer.keptScales(this.plan);
    return Uint8Array.of(...widths, scales.length > 0 ? 1 : 0, ...scales);
  }

  /** encode() that keeps the error of a gradient tensor. Encoding a micro-batch again replaces it, so a repeat counts once. */
  private encodeGathering(
    x: Float32Array,
    tokens: number,
    at: StreamPosition,
    key: number,
    outputs: EncodeOutputs,
  ): QuantizedBody {
    const { channels, plan, quantizer } = this;
    if (quantizer.plain) {
      const errors = new Float64Array(sumsLength(channels));
      errors[3 * channels] = tokens;
      const body = quantizer.encode(x, tokens, plan, at, key, { ...outputs, errors });
      this.distortions.put(at, errors);
      return body;
    }
    const { payload, reconstruction } = outputs;
    const made = reconstruction === false ? { payload } : outputs;
    const body = quantizer.encode(x, tokens, plan, at, key, made);
    const seen = quantizer.levelSpace(x, body.reconstruction, undefined, tokens, plan);
    this.distortions.put(at, channelSums(seen.x, seen.reconstruction, undefined, channels));
    return body;
  }

  /** What the tensors of this step said, or undefined when there were none. */
  private gathered(step: number): ChannelSums | undefined {
    const sums = readSums(this.distortions.take(step) ?? this.observed, this.signal);
    return sums.tokens === 0 ? undefined : sums;
  }
}

export class AmaqDecoder implements TensorDecoder {
  readonly channels: number;
  private readonly spec: AmaqSpec;
  private readonly quantizer: PipelineDecoder;
  private readonly keepsScales: boolean;
  private plan: WidthPlan | undefined;
  /** Scales that the table at hand brought; empty for none. */
  private kept = EMPTY;
  private version = 0;

  constructor(spec: AmaqSpec, channels: number) {
    this.spec = spec;
    this.channels = channels;
    const layout = quantizerLayout(spec);
    this.quantizer = new PipelineDecoder(channels, layout);
    this.keepsScales = layout.keepsScales;
  }

  decode(sections: EncodedSections, tokens: number, out: Float32Array): void {
    requireShape(out, tokens, this.channels);
    const { plan, kept } = this.planOf(sections);
    this.quantizer.decode(sections.scales, sections.payload, tokens, plan, out, kept);
    this.plan = plan;
    this.kept = kept;
    this.version = sections.bitTableVersion;
  }

  widths(): Uint8Array | undefined {
    return this.plan?.widths.slice();
  }

  save(): CodecState {
    const arrays: Record<string, CodecState["arrays"][string]> = {};
    if (this.plan !== undefined) arrays.widths = this.plan.widths.slice();
    if (this.plan !== undefined && this.kept.length > 0) arrays.kept = this.kept.slice();
    this.quantizer.save(arrays);
    return { codec: "amaq", bitTableVersion: this.version, arrays, numbers: {} };
  }

  restore(state: CodecState): void {
    requireCodec(state, "amaq");
    const version = requireVersion(state, 0);
    const { minBits, maxBits } = this.spec;
    const plan =
      version === 0 ? undefined : planWidths(widthsOf(state, "widths", this.channels, minBits, maxBits));
    const kept = keptOf(state, this.channels);
    const takeRest = this.quantizer.prepare(state);
    takeRest();
    this.kept = kept;
    this.plan = plan;
    this.version = version;
  }

  /** What a body is packed by: the table it brings, or the one at hand when that is the version it names. */
  private planOf(sections: EncodedSections): { readonly plan: WidthPlan; readonly kept: Uint8Array } {
    const { bitTable, bitTableVersion } = sections;
    if (bitTable !== undefined) {
      requireTableVersion(bitTableVersion);
      const { minBits, maxBits } = this.spec;
      const length = this.keepsScales ? tableBytes(this.channels) : bitTable.length;
      const plan = planWidths(readTable(bitTable.subarray(0, length), this.channels, minBits, maxBits));
      if (!this.keepsScales) return { plan, kept: EMPTY };
      const kept = bitTable.slice(length + 1);
      if (bitTable[length] === 1) this.quantizer.checkKept(kept, plan);
      else if (bitTable[length] !== 0 || kept.length > 0) {
        fail(
          "NB_CODEC_BODY_INVALID",
          `byte ${length} of the bit table must say 0 or 1: whether scales follow`,
        );
      }
      return { plan, kept };
    }
    if (this.plan === undefined || bitTableVersion !== this.version) {
      const held = this.plan === undefined ? "none" : `version ${this.version}`;
      fail(
        "NB_CODEC_BODY_INVALID",
        `the body is packed by bit table version ${bitTableVersion}; at hand is ${held}`,
      );
    }
    return { plan: this.plan, kept: this.kept };
  }
}

function addInto(total: Float64Array, part: Float64Array): void {
  for (let i = 0; i < total.length; i++) total[i] = total[i]! + part[i]!;
}

export const amaqCodec: CodecDefinition<AmaqSpec> = {
  name: "amaq",
  wireId: 4,
  summary:
    "uniform levels per channel, whose number is learned for each channel under an annealed bit budget",
  source: "in the manner of AMAQ, arXiv:2510.05468; docs/amaq.md says what was chosen",
  forms: "amaq, amaq:START-TARGET or amaq:START-TARGET@STEPS (bits, 2 to 8)",
  examples: [
    "amaq:8-3@10",
    "amaq:3.4-3.4@0",
    "amaq:2-2@0",
    "amaq:4-3@5,clip=ema",
    "amaq:8-3@10,entropy=rans",
    "amaq:5-3@3,entropy=predict",
    "amaq:4-4@0,clip=learned,rounding=dithered,sinks=auto,rotate=64",
    "amaq:4-3@5,tokenScale=pow2,clip=ema,entropy=predict",
    "amaq:4-3@5,salient=auto,allocator=gate-sensitivity",
    "amaq:4-4@0,salient=auto,sinks=auto,dwell=1,averaging=0",
  ],
  schema: amaqSchema,
  parseArgument: parseAmaqArgument,
  label: amaqLabel,
  createEncoder: (spec, options) => new AmaqEncoder(spec, options),
  createDecoder: (spec, channels) => new AmaqDecoder(spec, channels),
};
