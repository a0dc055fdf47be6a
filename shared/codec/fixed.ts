/** The codec `fixed`: every channel has the same number of bits for the whole run, so there is no bit table. */

import { requireShape } from "./checks.ts";
import type {
  CodecState,
  EncodedSections,
  EncodedTensor,
  StreamPosition,
  TensorDecoder,
  TensorEncoder,
} from "./codec.ts";
import { messageKey } from "./hash.ts";
import { QuantizerDecoder, QuantizerEncoder, type QuantizerOptions } from "./quantizer.ts";
import { requireNoTable } from "./raw.ts";
import { requireCodec } from "./state.ts";
import { planWidths, type WidthPlan } from "./widths.ts";

/** Stateless: what it writes depends on (seed, streamId, position, x) alone. */
export class FixedEncoder implements TensorEncoder {
  readonly channels: number;
  readonly meanBits: number;
  private readonly plan: WidthPlan;
  private readonly quantizer: QuantizerEncoder;
  private readonly seed: number;
  private readonly streamId: number;

  constructor(channels: number, bits: number, options: QuantizerOptions, seed: number, streamId: number) {
    this.channels = channels;
    this.meanBits = bits;
    this.plan = planWidths(new Uint8Array(channels).fill(bits));
    this.quantizer = new QuantizerEncoder(channels, options);
    this.seed = seed;
    this.streamId = streamId;
  }

  widths(): Uint8Array {
    return this.plan.widths.slice();
  }

  encode(x: Float32Array, tokens: number, at: StreamPosition): EncodedTensor {
    requireShape(x, tokens, this.channels);
    const body = this.quantizer.encode(x, tokens, this.plan, messageKey(this.seed, this.streamId, at));
    return { bitTable: undefined, bitTableVersion: 0, ...body };
  }

  observe(): void {}

  endStep(): void {}

  save(): CodecState {
    return { codec: "fixed", bitTableVersion: 0, arrays: {}, numbers: {} };
  }

  restore(state: CodecState): void {
    requireCodec(state, "fixed");
  }
}

export class FixedDecoder implements TensorDecoder {
  readonly channels: number;
  private readonly plan: WidthPlan;
  private readonly quantizer: QuantizerDecoder;

  constructor(channels: number, bits: number) {
    this.channels = channels;
    this.plan = planWidths(new Uint8Array(channels).fill(bits));
    this.quantizer = new QuantizerDecoder(channels);
  }

  decode(sections: EncodedSections, tokens: number, out: Float32Array): void {
    requireShape(out, tokens, this.channels);
    requireNoTable(sections, "fixed");
    this.quantizer.decode(sections.scales, sections.payload, tokens, this.plan, out);
  }

  save(): CodecState {
    return { codec: "fixed", bitTableVersion: 0, arrays: {}, numbers: {} };
  }

  restore(state: CodecState): void {
    requireCodec(state, "fixed");
  }
}
