/**
 * The codec `fp4`: 4-bit floats (E2M1) in blocks of 32 channels of a token, each block under a power of two, as the
 * MX specification has it: 4.25 bits an element where 32 divides the channels.
 *
 * Scales: one byte per block, exponent + 127 (E8M0). Payload: 4-bit codes, row by row, low half of a byte first.
 */

import { z } from "zod";
import { fail } from "../../errors.ts";
import { packedBytes } from "../bitpack.ts";
import { type CodecDefinition, noArgument } from "../definition.ts";
import { requireBytes } from "../quantizer.ts";
import { type BodyFormat, FormatDecoder, FormatEncoder } from "./format.ts";
import { E2M1, fromMinifloat, toMinifloat } from "./minifloat.ts";
import { packSymbols, settle, unpackSymbols } from "./sections.ts";

const BLOCK = 32;
const BIAS = 127;
const NOT_A_NUMBER = 255;
const VALUES = Float64Array.from({ length: 16 }, (_, code) => fromMinifloat(code, E2M1));

function format(channels: number): BodyFormat {
  const perToken = Math.ceil(channels / BLOCK);
  const blockOf = (element: number) => {
    const token = Math.floor(element / channels);
    return token * perToken + Math.floor((element - token * channels) / BLOCK);
  };
  return {
    codec: "fp4",
    channels,
    bits: 4,
    write(x, tokens) {
      const largest = new Float64Array(tokens * perToken);
      for (let i = 0; i < x.length; i++) {
        const b = blockOf(i);
        largest[b] = Math.max(largest[b]!, Math.abs(x[i]!));
      }
      const scales = Uint8Array.from(largest, (value) =>
        value === 0 ? 0 : Math.max(0, Math.floor(Math.log2(value)) - E2M1.maxExponent + BIAS),
      );
      const codes = new Uint8Array(x.length);
      for (let i = 0; i < x.length; i++)
        codes[i] = toMinifloat(x[i]! / 2 ** (scales[blockOf(i)]! - BIAS), E2M1);
      return { scales, payload: packSymbols(codes, 4) };
    },
    read({ scales, payload }, tokens, out) {
      requireBytes("scales", scales, tokens * perToken, tokens, channels);
      requireBytes("payload", payload, packedBytes(out.length, 4), tokens, channels);
      if (scales.includes(NOT_A_NUMBER)) fail("NB_CODEC_BODY_INVALID", "a block's scale is NaN");
      const codes = unpackSymbols(payload, 0, out.length, 4);
      for (let i = 0; i < out.length; i++) {
        out[i] = settle(VALUES[codes[i]!]! * 2 ** (scales[blockOf(i)]! - BIAS));
      }
    },
  };
}

export const fp4Codec: CodecDefinition<{ codec: "fp4" }> = {
  name: "fp4",
  wireId: 7,
  summary: "4-bit floats (E2M1) in blocks of 32 channels under a power of two",
  source: "OCP Microscaling Formats (MX) v1.0, 2023; Rouhani et al., arXiv:2310.10537",
  forms: "fp4",
  examples: ["fp4"],
  schema: z.strictObject({ codec: z.literal("fp4") }),
  parseArgument: noArgument,
  label: () => "fp4",
  createEncoder: (_, options) => new FormatEncoder(format(options.channels), options),
  createDecoder: (_, channels) => new FormatDecoder(format(channels)),
};
