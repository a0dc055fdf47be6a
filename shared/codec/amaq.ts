/**
 * The codec `amaq`: a quantizer whose width per channel is learned under a bit budget that anneals over the
 * run, in the manner of AMAQ (arXiv:2510.05468). docs/amaq.md lists what the paper fixes, what it leaves open
 * and what was chosen.
 *
 * The sender owns the gates. From the tensors of a step it sums dL/db_c for each channel; when the step
 * commits, the gates take one step of Adam, are put back on the budget, and integer widths are chosen near
 * them whose sum is the budget to the bit. The receiver learns of widths through the bit table alone.
 */

import { fail } from "../errors.ts";
import { allocateWidths, budgetAt } from "./budget.ts";
import { requireShape } from "./checks.ts";
import type {
  CodecState,
  EncodedSections,
  EncodedTensor,
  StreamPosition,
  TensorDecoder,
  TensorEncoder,
} from "./codec.ts";
import { distortionSums, gainFromDistortion, gainFromProducts, productSums } from "./gain.ts";
import { Gates } from "./gates.ts";
import { messageKey } from "./hash.ts";
import { QuantizerDecoder, QuantizerEncoder } from "./quantizer.ts";
import { type AmaqSpec, GATE_SPEED, ROLE_DEFAULTS, type TensorRole } from "./spec.ts";
import { f64Of, integerOf, requireCodec, widthsOf } from "./state.ts";
import { planWidths, readTable, type WidthPlan, writeTable } from "./widths.ts";

/** Largest bit table version that a frame header can carry. */
export const MAX_TABLE_VERSION = 0xffffffff;

/** While annealing, the mean width may trail the budget by this many bits before the table must change. */
const BUDGET_LAG = 1 / 32;

/** A name in saved arrays: the error of micro-batch `n` of a gradient stream. */
const DISTORTION_PREFIX = "distortion.";

export interface StreamOptions {
  readonly channels: number;
  readonly role: TensorRole;
  /** Seed of the job: a safe integer, not negative. */
  readonly seed: number;
  /** Sets this stream's random numbers apart from those of the job's other streams: 0 to 2^32 − 1. */
  readonly streamId: number;
}

export class AmaqEncoder implements TensorEncoder {
  readonly channels: number;
  private readonly spec: AmaqSpec;
  private readonly options: StreamOptions;
  private readonly signal: "gradient" | "distortion";
  private readonly quantizer: QuantizerEncoder;
  private readonly gates: Gates;
  private plan: WidthPlan;
  private table: Uint8Array;
  private version = 1;
  /** True once a step has committed in which the present table was sent. */
  private announced = false;
  /** Step in which the present table was last sent; −1 for none. */
  private sentInStep = -1;
  /** Step from which the present table holds. */
  private changedAt = 0;
  /** What observe() has gathered in this step: Σ dL/db_c or Σ (x̂ − x)² [channels], and last Σ x². */
  private observed: Float64Array;
  /** The same for each micro-batch of a gradient stream, by encode(); of step `distortionStep` only. */
  private distortions = new Map<number, Float64Array>();
  private distortionStep = -1;

  constructor(spec: AmaqSpec, options: StreamOptions) {
    const { channels, role } = options;
    const defaults = ROLE_DEFAULTS[role];
    this.spec = spec;
    this.options = options;
    this.channels = channels;
    // There is no gradient of a gradient to learn from, whatever the spec says for activations.
    this.signal = role === "gradient" ? "distortion" : (spec.signal ?? defaults.signal);
    this.quantizer = new QuantizerEncoder(channels, {
      clip: spec.clip ?? defaults.clip,
      rounding: spec.rounding ?? defaults.rounding,
      grid: spec.grid ?? defaults.grid,
    });
    this.gates = new Gates(channels, {
      minBits: spec.minBits,
      maxBits: spec.maxBits,
      alpha: spec.alpha ?? GATE_SPEED / spec.gateLearningRate,
      learningRate: spec.gateLearningRate,
    });
    this.observed = new Float64Array(channels + 1);
    const budget = budgetAt(spec, 0);
    this.gates.project(budget);
    const even = new Uint8Array(channels).fill(Math.round(budget));
    this.plan = planWidths(allocateWidths(this.gates.bits(), even, this.bitsFor(budget), spec));
    this.table = writeTable(this.plan.widths);
  }

  get meanBits(): number {
    return this.plan.totalBits / this.channels;
  }

  widths(): Uint8Array {
    return this.plan.widths.slice();
  }

  encode(x: Float32Array, tokens: number, at: StreamPosition): EncodedTensor {
    requireShape(x, tokens, this.channels);
    const { seed, streamId, role } = this.options;
    const body = this.quantizer.encode(x, tokens, this.plan, messageKey(seed, streamId, at));
    if (role === "gradient") this.rememberDistortion(x, body.reconstruction, tokens, at);
    const withTable = !this.announced && at.microBatch === 0;
    if (withTable) this.sentInStep = at.step;
    return {
      bitTable: withTable ? this.table.slice() : undefined,
      bitTableVersion: this.version,
      ...body,
    };
  }

  observe(x: Float32Array, reconstruction: Float32Array, gradient: Float32Array, tokens: number): void {
    requireShape(x, tokens, this.channels);
    requireShape(reconstruction, tokens, this.channels);
    requireShape(gradient, tokens, this.channels);
    if (this.options.role === "gradient") return;
    const sums =
      this.signal === "gradient"
        ? productSums(x, reconstruction, gradient, this.channels)
        : distortionSums(x, reconstruction, this.channels);
    if (!sums.every(Number.isFinite)) {
      fail("NB_TENSOR_NOT_FINITE", "a gradient that came back to the codec holds NaN or infinity");
    }
    addInto(this.observed, sums);
  }

  endStep(step: number): void {
    const { channels, spec } = this;
    if (this.sentInStep === step) this.announced = true;
    const gain = this.gain(step);
    if (gain !== undefined) this.gates.learn(gain);
    this.observed.fill(0);
    this.distortions.clear();

    const next = step + 1;
    const budget = budgetAt(spec, next);
    this.gates.project(budget);
    const total = this.bitsFor(budget);
    const behind = Math.abs(this.plan.totalBits / channels - budget) > BUDGET_LAG;
    const final = next >= spec.annealSteps && this.plan.totalBits !== total;
    if (!behind && !final && next - this.changedAt < spec.dwell) return;
    const widths = allocateWidths(this.gates.bits(), this.plan.widths, total, spec);
    if (widths.every((width, c) => width === this.plan.widths[c])) return;
    this.plan = planWidths(widths);
    this.table = writeTable(widths);
    this.version++;
    this.announced = false;
    this.sentInStep = -1;
    this.changedAt = next;
  }

  save(): CodecState {
    const arrays: Record<string, Float64Array | Uint8Array> = {
      q: this.gates.q.slice(),
      m: this.gates.m.slice(),
      v: this.gates.v.slice(),
      widths: this.plan.widths.slice(),
      observed: this.observed.slice(),
    };
    for (const [microBatch, sums] of this.distortions) {
      arrays[DISTORTION_PREFIX + microBatch] = sums.slice();
    }
    const numbers = {
      gateSteps: this.gates.steps,
      announced: this.announced ? 1 : 0,
      sentInStep: this.sentInStep,
      changedAt: this.changedAt,
      distortionStep: this.distortionStep,
    };
    return { codec: "amaq", bitTableVersion: this.version, arrays, numbers };
  }

  restore(state: CodecState): void {
    requireCodec(state, "amaq");
    const { channels, spec } = this;
    const [q, m, v] = ["q", "m", "v"].map((name) => f64Of(state, name, channels));
    const widths = widthsOf(state, "widths", channels, spec.minBits, spec.maxBits);
    const observed = f64Of(state, "observed", channels + 1);
    const gateSteps = integerOf(state, "gateSteps", 0);
    const announced = integerOf(state, "announced", 0, 1);
    const sentInStep = integerOf(state, "sentInStep", -1);
    const changedAt = integerOf(state, "changedAt", 0);
    const distortionStep = integerOf(state, "distortionStep", -1);
    const version = requireVersion(state, 1);
    const distortions = new Map<number, Float64Array>();
    for (const name of Object.keys(state.arrays)) {
      if (!name.startsWith(DISTORTION_PREFIX)) continue;
      const microBatch = Number(name.slice(DISTORTION_PREFIX.length));
      if (!Number.isInteger(microBatch)) {
        fail("NB_CODEC_STATE_INVALID", `array ${name} of the saved state names no micro-batch`);
      }
      distortions.set(microBatch, f64Of(state, name, channels + 1));
    }
    this.gates.q.set(q!);
    this.gates.m.set(m!);
    this.gates.v.set(v!);
    this.gates.steps = gateSteps;
    this.plan = planWidths(widths);
    this.table = writeTable(widths);
    this.version = version;
    this.announced = announced === 1;
    this.sentInStep = sentInStep;
    this.changedAt = changedAt;
    this.observed = observed;
    this.distortions = distortions;
    this.distortionStep = distortionStep;
  }

  /** The sum of widths that comes nearest to a mean. */
  private bitsFor(meanBits: number): number {
    return Math.round(meanBits * this.channels);
  }

  /** Keeps the error of a gradient tensor. Encoding a micro-batch again replaces it, so a repeat counts once. */
  private rememberDistortion(
    x: Float32Array,
    reconstruction: Float32Array,
    tokens: number,
    at: StreamPosition,
  ): void {
    if (at.step !== this.distortionStep) this.distortions.clear();
    this.distortionStep = at.step;
    if (tokens > 0) this.distortions.set(at.microBatch, distortionSums(x, reconstruction, this.channels));
  }

  /** dL/db_c of this step [channels], or undefined when nothing was seen. */
  private gain(step: number): Float64Array | undefined {
    const { observed } = this;
    if (this.options.role === "gradient" && this.distortionStep === step) {
      const order = [...this.distortions.keys()].sort((a, b) => a - b);
      for (const microBatch of order) addInto(observed, this.distortions.get(microBatch)!);
    }
    const { widths } = this.plan;
    const bits = this.gates.bits();
    const gain =
      this.signal === "gradient"
        ? gainFromProducts(observed, widths, bits)
        : gainFromDistortion(observed, widths, bits);
    return gain.some((value) => value !== 0) && gain.every(Number.isFinite) ? gain : undefined;
  }
}

export class AmaqDecoder implements TensorDecoder {
  readonly channels: number;
  private readonly spec: AmaqSpec;
  private readonly quantizer: QuantizerDecoder;
  private plan: WidthPlan | undefined;
  private version = 0;

  constructor(spec: AmaqSpec, channels: number) {
    this.spec = spec;
    this.channels = channels;
    this.quantizer = new QuantizerDecoder(channels);
  }

  decode(sections: EncodedSections, tokens: number, out: Float32Array): void {
    requireShape(out, tokens, this.channels);
    const plan = this.planOf(sections);
    this.quantizer.decode(sections.scales, sections.payload, tokens, plan, out);
    this.plan = plan;
    this.version = sections.bitTableVersion;
  }

  save(): CodecState {
    return {
      codec: "amaq",
      bitTableVersion: this.version,
      arrays: this.plan === undefined ? {} : { widths: this.plan.widths.slice() },
      numbers: {},
    };
  }

  restore(state: CodecState): void {
    requireCodec(state, "amaq");
    const version = requireVersion(state, 0);
    const { minBits, maxBits } = this.spec;
    this.plan =
      version === 0 ? undefined : planWidths(widthsOf(state, "widths", this.channels, minBits, maxBits));
    this.version = version;
  }

  /** The plan that a body is packed by: of the table it brings, or of the one at hand when that is the version it names. */
  private planOf(sections: EncodedSections): WidthPlan {
    const { bitTable, bitTableVersion } = sections;
    if (bitTable !== undefined) {
      if (
        !(Number.isInteger(bitTableVersion) && bitTableVersion >= 1 && bitTableVersion <= MAX_TABLE_VERSION)
      ) {
        fail(
          "NB_CODEC_BODY_INVALID",
          `a bit table came with version ${bitTableVersion}; versions start at 1`,
        );
      }
      return planWidths(readTable(bitTable, this.channels, this.spec.minBits, this.spec.maxBits));
    }
    if (this.plan === undefined || bitTableVersion !== this.version) {
      const held = this.plan === undefined ? "none" : `version ${this.version}`;
      fail(
        "NB_CODEC_BODY_INVALID",
        `the body is packed by bit table version ${bitTableVersion}; at hand is ${held}`,
      );
    }
    return this.plan;
  }
}

function requireVersion(state: CodecState, least: number): number {
  const version = state.bitTableVersion;
  if (!Number.isInteger(version) || version < least || version > MAX_TABLE_VERSION) {
    fail(
      "NB_CODEC_STATE_INVALID",
      `bit table version ${version} of the saved state is not at least ${least}`,
    );
  }
  return version;
}

function addInto(total: Float64Array, part: Float64Array): void {
  for (let i = 0; i < total.length; i++) total[i] = total[i]! + part[i]!;
}
