/**
 * The one list of codecs: their numbers on the wire, and how to make an encoder and a decoder from a spec.
 *
 * A wire number, once released, is never given to another codec; a codec whose bytes change gets a new one.
 */

import { fail } from "../errors.ts";
import { AmaqDecoder, AmaqEncoder, type StreamOptions } from "./amaq.ts";
import type { TensorDecoder, TensorEncoder } from "./codec.ts";
import { FixedDecoder, FixedEncoder } from "./fixed.ts";
import { RawDecoder, RawEncoder } from "./raw.ts";
import { type CodecName, type CodecSpec, ROLE_DEFAULTS } from "./spec.ts";

export type { StreamOptions } from "./amaq.ts";
export { type CodecName, type CodecSpec, codecLabel, parseCodecSpec, type TensorRole } from "./spec.ts";
export { forNewPeer } from "./state.ts";

/** Number of each codec in a frame header; 0 is kept for "none given". */
export const CODEC_WIRE_IDS: Readonly<Record<CodecName, number>> = { f32: 1, f16: 2, fixed: 3, amaq: 4 };

/** The codec with this wire number, or undefined. */
export function codecOfWireId(id: number): CodecName | undefined {
  return (Object.keys(CODEC_WIRE_IDS) as CodecName[]).find((name) => CODEC_WIRE_IDS[name] === id);
}

/** Most channels of a stream; far above any model's hidden size, and keeps sizes well within safe integers. */
export const MAX_CHANNELS = 65536;

/** The sending end of a stream. `spec` as {@link parseCodecSpec} returns it. Throws NB_CONFIG_INVALID. */
export function createEncoder(spec: CodecSpec, options: StreamOptions): TensorEncoder {
  const { channels, role, seed, streamId } = options;
  requireInteger("channels", channels, 1, MAX_CHANNELS);
  requireInteger("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  requireInteger("streamId", streamId, 0, 0xffffffff);
  if (spec.codec === "amaq") return new AmaqEncoder(spec, options);
  if (spec.codec === "fixed") {
    const { clip, rounding, grid } = ROLE_DEFAULTS[role];
    const quantizer = {
      clip: spec.clip ?? clip,
      rounding: spec.rounding ?? rounding,
      grid: spec.grid ?? grid,
    };
    return new FixedEncoder(channels, spec.bits, quantizer, seed, streamId);
  }
  return new RawEncoder(spec.codec, channels);
}

/** The receiving end of a stream. Needs the spec that the encoder was made with, but neither role nor seed. */
export function createDecoder(spec: CodecSpec, options: { readonly channels: number }): TensorDecoder {
  const { channels } = options;
  requireInteger("channels", channels, 1, MAX_CHANNELS);
  if (spec.codec === "amaq") return new AmaqDecoder(spec, channels);
  if (spec.codec === "fixed") return new FixedDecoder(channels, spec.bits);
  return new RawDecoder(spec.codec, channels);
}

function requireInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    fail("NB_CONFIG_INVALID", `codec ${name} is ${value}; it must be an integer from ${min} to ${max}`);
  }
}
