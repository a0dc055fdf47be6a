/**
 * What the codecs of the zoo share: an encoder and a decoder made from one {@link BodyFormat}, two functions that
 * write and read a body. The encoder's reconstruction is what its own body reads back as, so what a rival is
 * credited with is what a receiver gets.
 */

import { fail } from "../../errors.ts";
import { requireShape } from "../checks.ts";
import type {
  CodecState,
  EncodedSections,
  EncodedTensor,
  StreamPosition,
  TensorDecoder,
  TensorEncoder,
} from "../codec.ts";
import type { StreamOptions } from "../definition.ts";
import { messageKey } from "../hash.ts";
import { requireNoTable } from "../raw.ts";
import { requireCodec } from "../state.ts";

/** The two sections of a body without a bit table. New arrays, the caller's. */
export interface Body {
  readonly scales: Uint8Array;
  readonly payload: Uint8Array;
  /** See EncodedTensor: of formats with an entropy stage. */
  readonly packedBytes?: number;
}

export interface BodyFormat {
  readonly codec: string;
  readonly channels: number;
  /** Bits of an element in the payload, scales not counted; for reports. */
  readonly bits: number;
  /** Writes x [tokens, channels], finite, tokens >= 1. `key` seeds what is random. */
  write(x: Float32Array, tokens: number, key: number): Body;
  /**
   * Reads a body into out [tokens, channels], tokens >= 1; every value it writes is finite and none subnormal.
   * Throws NB_CODEC_BODY_INVALID before anything is written.
   */
  read(body: Body, tokens: number, out: Float32Array): void;
}

const EMPTY = new Uint8Array(0);
export const NOTHING: Body = { scales: EMPTY, payload: EMPTY };

/** Throws NB_TENSOR_NOT_FINITE when x holds NaN or infinity. */
export function requireFiniteTensor(x: Float32Array): void {
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i])) fail("NB_TENSOR_NOT_FINITE", "a tensor to be encoded holds NaN or infinity");
  }
}

/** Encoder of a format that keeps nothing between messages. */
export class FormatEncoder implements TensorEncoder {
  readonly channels: number;
  readonly observes = "nothing";
  readonly meanBits: number;
  private readonly format: BodyFormat;
  private readonly options: StreamOptions;

  constructor(format: BodyFormat, options: StreamOptions) {
    this.channels = format.channels;
    this.meanBits = format.bits;
    this.format = format;
    this.options = options;
  }

  widths(): Uint8Array {
    return new Uint8Array(this.channels).fill(Math.ceil(this.meanBits));
  }

  encode(x: Float32Array, tokens: number, at: StreamPosition): EncodedTensor {
    requireShape(x, tokens, this.channels);
    requireFiniteTensor(x);
    return this.write(x, tokens, at);
  }

  /** A message's sections and what they read back as; x is finite. */
  protected write(x: Float32Array, tokens: number, at: StreamPosition): EncodedTensor {
    const { seed, streamId } = this.options;
    const reconstruction = new Float32Array(x.length);
    const body = tokens === 0 ? NOTHING : this.format.write(x, tokens, messageKey(seed, streamId, at));
    if (tokens > 0) this.format.read(body, tokens, reconstruction);
    return { bitTable: undefined, bitTableVersion: 0, ...body, reconstruction };
  }

  observe(): void {}

  endStep(_step: number): void {}

  save(): CodecState {
    return { codec: this.format.codec, bitTableVersion: 0, arrays: {}, numbers: {} };
  }

  restore(state: CodecState): void {
    requireCodec(state, this.format.codec);
  }
}

/** Decoder of a format. */
export class FormatDecoder implements TensorDecoder {
  readonly channels: number;
  private readonly format: BodyFormat;

  constructor(format: BodyFormat) {
    this.channels = format.channels;
    this.format = format;
  }

  decode(sections: EncodedSections, tokens: number, out: Float32Array): void {
    requireShape(out, tokens, this.channels);
    requireNoTable(sections, this.format.codec);
    if (tokens > 0) this.format.read(sections, tokens, out);
    else requireNothing(sections);
  }

  save(): CodecState {
    return { codec: this.format.codec, bitTableVersion: 0, arrays: {}, numbers: {} };
  }

  restore(state: CodecState): void {
    requireCodec(state, this.format.codec);
  }
}

/** Throws NB_CODEC_BODY_INVALID unless both sections are empty, as those of a message without tokens are. */
export function requireNothing({ scales, payload }: Body): void {
  const bytes = scales.length + payload.length;
  if (bytes > 0) fail("NB_CODEC_BODY_INVALID", `a body of ${bytes} bytes for no tokens`);
}
