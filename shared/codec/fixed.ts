/** The codec `fixed`: every channel has the same number of bits for the whole run, so there is no bit table. */

import { z } from "zod";
import { fail } from "../errors.ts";
import { requireShape } from "./checks.ts";
import type {
  CodecState,
  EncodedSections,
  EncodedTensor,
  EncodeOutputs,
  StreamPosition,
  TensorDecoder,
  TensorEncoder,
} from "./codec.ts";
import { type CodecDefinition, integerArgument, type StreamOptions } from "./definition.ts";
import { messageKey } from "./hash.ts";
import { PipelineEncoder } from "./pipeline.ts";
import { PipelineDecoder } from "./pipeline-decoder.ts";
import { quantizerLayout, quantizerOptions, quantizerSettings, width } from "./quantizer-spec.ts";
import { requireNoTable } from "./raw.ts";
import { integerOf, keptOf, requireCodec, requireTableVersion, requireVersion } from "./state.ts";
import { planWidths, type WidthPlan } from "./widths.ts";

/**
 * What it writes depends on (seed, streamId, position, x) alone, but for ranges that are learned or averaged and the
 * scales that the receiver then keeps, which are its table.
 */
export class FixedEncoder implements TensorEncoder {
  readonly channels: number;
  readonly meanBits: number;
  readonly observes: "nothing" | "reconstruction";
  private readonly plan: WidthPlan;
  private readonly quantizer: PipelineEncoder;
  private readonly seed: number;
  private readonly streamId: number;
  /** Version of the scales that the receiver is to keep; 0 while there are none. */
  private version = 0;
  /** True once a step has committed in which they were sent. */
  private announced = true;
  private sentInStep = -1;

  constructor(spec: FixedSpec, options: StreamOptions) {
    const { channels, role, seed, streamId } = options;
    this.channels = channels;
    this.meanBits = spec.bits;
    this.plan = planWidths(new Uint8Array(channels).fill(spec.bits));
    const quantizer = quantizerOptions(spec, role);
    this.quantizer = new PipelineEncoder(channels, role, quantizer);
    this.observes = quantizer.clip === "learned" && role === "activation" ? "reconstruction" : "nothing";
    this.seed = seed;
    this.streamId = streamId;
  }

  widths(): Uint8Array {
    return this.plan.widths.slice();
  }

  encode(x: Float32Array, tokens: number, at: StreamPosition, outputs: EncodeOutputs = {}): EncodedTensor {
    requireShape(x, tokens, this.channels);
    const key = messageKey(this.seed, this.streamId, at);
    const withTable = !this.announced && at.microBatch === 0;
    const bitTable = withTable ? this.quantizer.keptScales(this.plan) : undefined;
    const body = this.quantizer.encode(x, tokens, this.plan, at, key, outputs);
    if (withTable) this.sentInStep = at.step;
    return { bitTable, bitTableVersion: this.version, ...body };
  }

  observe(x: Float32Array, reconstruction: Float32Array, gradient: Float32Array, tokens: number): void {
    this.quantizer.learn(x, reconstruction, gradient, tokens, this.plan);
  }

  endStep(step: number): void {
    if (this.sentInStep === step) this.announced = true;
    this.quantizer.endStep(step);
    if (!this.quantizer.renewScales(this.plan)) return;
    this.version++;
    this.announced = false;
    this.sentInStep = -1;
  }

  forgetPeer(): void {
    this.quantizer.forgetPeer();
  }

  save(): CodecState {
    const arrays: Record<string, CodecState["arrays"][string]> = {};
    const numbers = { announced: this.announced ? 1 : 0, sentInStep: this.sentInStep };
    this.quantizer.save(arrays, numbers);
    return { codec: "fixed", bitTableVersion: this.version, arrays, numbers };
  }

  restore(state: CodecState): void {
    requireCodec(state, "fixed");
    const announced = integerOf(state, "announced", 0, 1);
    const sentInStep = integerOf(state, "sentInStep", -1);
    const version = requireVersion(state, 0);
    const restoreRanges = this.quantizer.prepare(state);
    restoreRanges();
    this.version = version;
    this.announced = announced === 1 || version === 0;
    this.sentInStep = sentInStep;
  }
}

export class FixedDecoder implements TensorDecoder {
  readonly channels: number;
  private readonly plan: WidthPlan;
  private readonly quantizer: PipelineDecoder;
  private readonly keepsScales: boolean;
  /** The scales that were sent last to be kept, and their version; none while it is 0. */
  private kept: Uint8Array = new Uint8Array(0);
  private version = 0;

  constructor(spec: FixedSpec, channels: number) {
    const layout = quantizerLayout(spec);
    this.channels = channels;
    this.plan = planWidths(new Uint8Array(channels).fill(spec.bits));
    this.quantizer = new PipelineDecoder(channels, layout);
    this.keepsScales = layout.keepsScales;
  }

  decode(sections: EncodedSections, tokens: number, out: Float32Array): void {
    requireShape(out, tokens, this.channels);
    const kept = this.keptFor(sections);
    this.quantizer.decode(sections.scales, sections.payload, tokens, this.plan, out, kept);
    this.kept = kept;
    this.version = sections.bitTableVersion;
  }

  save(): CodecState {
    const arrays: Record<string, CodecState["arrays"][string]> = {};
    if (this.kept.length > 0) arrays.kept = this.kept.slice();
    this.quantizer.save(arrays);
    return { codec: "fixed", bitTableVersion: this.version, arrays, numbers: {} };
  }

  restore(state: CodecState): void {
    requireCodec(state, "fixed");
    const version = requireVersion(state, 0);
    const kept = keptOf(state, this.channels);
    const takeRest = this.quantizer.prepare(state);
    takeRest();
    this.kept = kept;
    this.version = version;
  }

  /** The kept scales of the version that a body names: those it brings, or those at hand. */
  private keptFor(sections: EncodedSections): Uint8Array {
    if (!this.keepsScales) {
      requireNoTable(sections, "fixed");
      return this.kept;
    }
    const { bitTable, bitTableVersion } = sections;
    if (bitTable !== undefined) {
      requireTableVersion(bitTableVersion);
      this.quantizer.checkKept(bitTable, this.plan);
      return bitTable.slice();
    }
    if (bitTableVersion !== this.version) {
      fail(
        "NB_CODEC_BODY_INVALID",
        `the body counts on scales of version ${bitTableVersion}; at hand is version ${this.version}`,
      );
    }
    return this.kept;
  }
}

const fixedSchema = z.strictObject({
  codec: z.literal("fixed"),
  bits: width.describe("bits per element"),
  ...quantizerSettings,
});

export type FixedSpec = z.output<typeof fixedSchema>;

export const fixedCodec: CodecDefinition<FixedSpec> = {
  name: "fixed",
  wireId: 3,
  summary: "uniform levels per channel, the same number of bits for every channel and step",
  source: "uniform quantizer; ranges after J. Max, IRE Trans. Inform. Theory 6(1), 1960",
  forms: "fixed:BITS (2 to 8)",
  examples: [
    "fixed:3",
    "fixed:8",
    "fixed:2,clip=none,rounding=stochastic,grid=zero",
    "fixed:3,clip=percentile",
    "fixed:4,clip=learned",
    "fixed:4,clip=ema",
    "fixed:3,sinks=auto",
    "fixed:4,rotate=64",
    "fixed:3,rounding=dithered",
    "fixed:4,entropy=rans",
    "fixed:3,entropy=predict",
    "fixed:4,clip=ema,sinks=auto,rotate=64,entropy=predict",
    "fixed:3,clip=ema,rounding=dithered,sinks=auto,rotate=16",
    "fixed:3,tokenScale=pow2",
    "fixed:2,tokenScale=pow2,clip=learned,sinks=auto,rotate=16,rounding=dithered,entropy=rans",
  ],
  schema: fixedSchema,
  parseArgument: integerArgument("bits"),
  label: (spec) => `fixed:${spec.bits}`,
  createEncoder: (spec, options) => new FixedEncoder(spec, options),
  createDecoder: (spec, channels) => new FixedDecoder(spec, channels),
};
