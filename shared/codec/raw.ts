/**
 * The codecs without a quantizer: `f32`, the values as they are, and `f16`, half precision under one exponent
 * per message. They are what every other codec is compared with.
 *
 * `f16` has a scales section of one byte, the exponent e (see scales.ts), and carries x · 2^-e: a plain f16
 * would turn gradients below 6e-8 into zeros and outliers above 65504 into infinity, which would make it a
 * poor yardstick.
 */

import { z } from "zod";
import { fail } from "../errors.ts";
import { floatsToHalves, halvesToFloats } from "../half.ts";
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
import { type CodecDefinition, noArgument } from "./definition.ts";
import { requireBytes } from "./quantizer.ts";
import { exponentFor, readExponent } from "./scales.ts";
import { requireCodec } from "./state.ts";

export type RawName = "f32" | "f16";

const EMPTY = new Uint8Array(0);
const NOTHING = new Float32Array(0);

/** Encoder of both; it has no state but its buffers. */
export class RawEncoder implements TensorEncoder {
  readonly channels: number;
  readonly observes = "nothing";
  readonly meanBits: 32 | 16;
  private readonly codec: RawName;
  private readonly exponent = new Uint8Array(1);
  private halves = new Uint16Array(0);

  constructor(codec: RawName, channels: number) {
    this.codec = codec;
    this.channels = channels;
    this.meanBits = codec === "f32" ? 32 : 16;
  }

  widths(): Uint8Array {
    return new Uint8Array(this.channels).fill(this.meanBits);
  }

  encode(x: Float32Array, tokens: number, _at: StreamPosition, outputs: EncodeOutputs = {}): EncodedTensor {
    requireShape(x, tokens, this.channels);
    const magnitude = largestMagnitude(x);
    const wanted = outputs.reconstruction !== false;
    const sections = this.codec === "f32" ? encodeF32(x, wanted) : this.encodeF16(x, magnitude, wanted);
    return { bitTable: undefined, bitTableVersion: 0, ...sections };
  }

  private encodeF16(x: Float32Array, magnitude: number, wanted: boolean) {
    const reconstruction = wanted ? new Float32Array(x.length) : NOTHING;
    if (x.length === 0) return { scales: EMPTY, payload: EMPTY, reconstruction };
    const exponent = exponentFor(magnitude);
    this.exponent[0] = exponent;
    if (this.halves.length < x.length) this.halves = new Uint16Array(x.length);
    const halves = this.halves.subarray(0, x.length);
    floatsToHalves(x, halves, 2 ** -exponent, true);
    if (wanted) halvesToFloats(halves, reconstruction, 2 ** exponent);
    return { scales: this.exponent, payload: bytesOf(halves), reconstruction };
  }

  observe(): void {}

  endStep(): void {}

  save(): CodecState {
    return { codec: this.codec, bitTableVersion: 0, arrays: {}, numbers: {} };
  }

  restore(state: CodecState): void {
    requireCodec(state, this.codec);
  }
}

export class RawDecoder implements TensorDecoder {
  readonly channels: number;
  private readonly codec: RawName;

  constructor(codec: RawName, channels: number) {
    this.codec = codec;
    this.channels = channels;
  }

  decode(sections: EncodedSections, tokens: number, out: Float32Array): void {
    requireShape(out, tokens, this.channels);
    requireNoTable(sections, this.codec);
    const { channels } = this;
    const bytes = this.codec === "f32" ? 4 : 2;
    requireBytes("scales", sections.scales, this.codec === "f16" && tokens > 0 ? 1 : 0, tokens, channels);
    requireBytes("payload", sections.payload, out.length * bytes, tokens, channels);
    if (tokens === 0) return;
    // A frame's payload may start at any byte; a copy is aligned. (Not slice(): that of a Node Buffer does not copy.)
    const copy = new Uint8Array(sections.payload);
    if (this.codec === "f32") {
      const values = new Float32Array(copy.buffer);
      requireFiniteBits(new Uint32Array(copy.buffer), 0x7f800000);
      out.set(values);
    } else {
      const exponent = readExponent(sections.scales);
      const halves = new Uint16Array(copy.buffer);
      requireFiniteBits(halves, 0x7c00);
      halvesToFloats(halves, out, 2 ** exponent);
    }
  }

  save(): CodecState {
    return { codec: this.codec, bitTableVersion: 0, arrays: {}, numbers: {} };
  }

  restore(state: CodecState): void {
    requireCodec(state, this.codec);
  }
}

/** Refuses a bit table, or a version of one, where the codec has none. */
export function requireNoTable(sections: EncodedSections, codec: string): void {
  if (sections.bitTable !== undefined || sections.bitTableVersion !== 0) {
    fail(
      "NB_CODEC_BODY_INVALID",
      `codec ${codec} has no bit table; version ${sections.bitTableVersion} was sent`,
    );
  }
}

function encodeF32(x: Float32Array, wanted: boolean) {
  const reconstruction = wanted ? x.slice() : NOTHING;
  return { scales: EMPTY, payload: bytesOf(x.slice()), reconstruction };
}

/** The bytes of a typed array, as they stand in memory. */
function bytesOf(array: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function largestMagnitude(x: Float32Array): number {
  let magnitude = 0;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const value = Math.abs(x[i]!);
    sum += value;
    if (value > magnitude) magnitude = value;
  }
  if (!Number.isFinite(sum)) fail("NB_TENSOR_NOT_FINITE", "a tensor to be encoded holds NaN or infinity");
  return magnitude;
}

function requireFiniteBits(values: Uint16Array | Uint32Array, exponentMask: number): void {
  let bad = 0;
  for (let i = 0; i < values.length; i++) {
    if ((values[i]! & exponentMask) === exponentMask) bad++;
  }
  if (bad > 0) fail("NB_CODEC_BODY_INVALID", `${bad} of ${values.length} elements are NaN or infinity`);
}

function rawCodec<Name extends RawName>(
  name: Name,
  about: Pick<CodecDefinition<{ codec: Name }>, "wireId" | "summary" | "source">,
): CodecDefinition<{ codec: Name }> {
  return {
    name,
    ...about,
    forms: name,
    examples: [name],
    schema: z.strictObject({ codec: z.literal(name) }),
    parseArgument: noArgument,
    label: () => name,
    createEncoder: (_, { channels }) => new RawEncoder(name, channels),
    createDecoder: (_, channels) => new RawDecoder(name, channels),
  };
}

export const f32Codec = rawCodec("f32", {
  wireId: 1,
  summary: "the values as they are",
  source: "IEEE 754 binary32",
});

export const f16Codec = rawCodec("f16", {
  wireId: 2,
  summary: "half precision under one exponent per message",
  source: "IEEE 754 binary16",
});
