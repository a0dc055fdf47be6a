/**
 * The codec `int8`: 8 bits in blocks of 4096 elements under their largest magnitude, as Petals and hivemind send
 * tensors (BLOCKWISE_8BIT). The codebook is the dynamic one of Dettmers et al., or evenly spaced.
 *
 * Scales: the largest magnitude of each block, f32. Payload: one code per element, row by row (symbols.ts). Both ends know the
 * codebook; hivemind sends its 1024 bytes with every tensor, which is not charged here.
 */

import { z } from "zod";
import { fail } from "../../errors.ts";
import type { CodecDefinition } from "../definition.ts";
import { requireBytes } from "../quantizer.ts";
import { type BodyFormat, FormatDecoder, FormatEncoder } from "./format.ts";
import { nearestIndex } from "./minifloat.ts";
import { requireNotNegative, settle } from "./sections.ts";
import { entropySetting, readSymbols, writeSymbols } from "./symbols.ts";

const schema = z.strictObject({
  codec: z.literal("int8"),
  codebook: z
    .enum(["dynamic", "linear"])
    .default("dynamic")
    .describe("where the 256 values lie: more closely near zero, or evenly"),
  block: z.int().min(16).max(65536).default(4096).describe("elements that share a scale"),
  ...entropySetting,
});

type Int8Spec = z.output<typeof schema>;

/** 255 evenly spaced values from −1 to 1; the last stands twice, so that 0 is among them. */
const LINEAR = Float64Array.from({ length: 256 }, (_, code) => (Math.min(code, 254) - 127) / 127);

/**
 * Dynamic tree quantization, arXiv:2110.02861, section 2.3: magnitudes 10^(i−6), i = 0..6, the decade i shared out
 * to 2^i values at the middles of even intervals of [0.1, 1]; with both signs, and 0 and 1.
 */
const DYNAMIC = (() => {
  const values = [0, 1];
  for (let i = 0; i <= 6; i++) {
    for (let k = 0; k < 2 ** i; k++) {
      const value = 10 ** (i - 6) * (0.1 + (0.9 * (k + 0.5)) / 2 ** i);
      values.push(value, -value);
    }
  }
  return Float64Array.from(values).sort();
})();

function format({ codebook, block, entropy }: Int8Spec, channels: number): BodyFormat {
  const values = codebook === "dynamic" ? DYNAMIC : LINEAR;
  return {
    codec: "int8",
    channels,
    bits: 8,
    write(x) {
      const largest = new Float32Array(Math.ceil(x.length / block));
      for (let i = 0; i < x.length; i++) {
        const b = Math.floor(i / block);
        largest[b] = Math.max(largest[b]!, Math.abs(x[i]!));
      }
      for (let b = 0; b < largest.length; b++) largest[b] = settle(largest[b]!);
      const codes = new Uint8Array(x.length);
      for (let i = 0; i < x.length; i++) {
        const scale = largest[Math.floor(i / block)]!;
        codes[i] = nearestIndex(values, scale === 0 ? 0 : x[i]! / scale);
      }
      const { bytes, packedBytes } = writeSymbols([{ symbols: codes, width: 8 }], channels, entropy);
      return { scales: new Uint8Array(largest.buffer), payload: bytes, packedBytes };
    },
    read({ scales, payload }, tokens, out) {
      requireBytes("scales", scales, 4 * Math.ceil(out.length / block), tokens, channels);
      const largest = new Float32Array(new Uint8Array(scales).buffer);
      if (!largest.every(Number.isFinite)) fail("NB_CODEC_BODY_INVALID", "a block's scale is not finite");
      requireNotNegative(largest);
      const [codes] = readSymbols(payload, [{ count: out.length, width: 8 }], channels, tokens, entropy);
      for (let i = 0; i < out.length; i++) {
        out[i] = settle(values[codes![i]!]! * largest[Math.floor(i / block)]!);
      }
    },
  };
}

export const int8Codec: CodecDefinition<Int8Spec> = {
  name: "int8",
  wireId: 8,
  summary: "8 bits in blocks of 4096 elements under their largest magnitude",
  source:
    "Petals (arXiv:2209.01188) and hivemind BLOCKWISE_8BIT; codebook of Dettmers et al., arXiv:2110.02861",
  forms: "int8, int8:dynamic or int8:linear",
  examples: ["int8:dynamic", "int8:linear", "int8:dynamic,entropy=rans"],
  schema,
  parseArgument: (argument) => (argument === undefined ? {} : { codebook: argument }),
  label: (spec) => `int8:${spec.codebook}`,
  createEncoder: (spec, options) => new FormatEncoder(format(spec, options.channels), options),
  createDecoder: (spec, channels) => new FormatDecoder(format(spec, channels)),
};
