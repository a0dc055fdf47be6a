/** The codec `bf16`: the upper half of each f32, rounded to nearest, ties to even. No scales. */

import { z } from "zod";
import { fail } from "../../errors.ts";
import { type CodecDefinition, noArgument } from "../definition.ts";
import { requireBytes } from "../quantizer.ts";
import { type BodyFormat, FormatDecoder, FormatEncoder, NOTHING } from "./format.ts";

const LARGEST = 0x7f7f;
const SMALLEST_NORMAL = 0x0080;

function format(channels: number): BodyFormat {
  return {
    codec: "bf16",
    channels,
    bits: 16,
    write(x) {
      const bits = new Uint32Array(x.slice().buffer);
      const codes = new Uint16Array(x.length);
      for (let i = 0; i < codes.length; i++) {
        const magnitude = bits[i]! & 0x7fffffff;
        const rounded = (magnitude + 0x7fff + ((magnitude >>> 16) & 1)) >>> 16;
        const held = rounded < SMALLEST_NORMAL ? 0 : Math.min(rounded, LARGEST);
        codes[i] = ((bits[i]! >>> 16) & 0x8000) | held;
      }
      return { scales: NOTHING.scales, payload: new Uint8Array(codes.buffer) };
    },
    read({ scales, payload }, tokens, out) {
      requireBytes("scales", scales, 0, tokens, channels);
      requireBytes("payload", payload, 2 * out.length, tokens, channels);
      const codes = new Uint16Array(new Uint8Array(payload).buffer);
      for (const code of codes) {
        const magnitude = code & 0x7fff;
        if (magnitude > LARGEST || (magnitude > 0 && magnitude < SMALLEST_NORMAL)) {
          fail("NB_CODEC_BODY_INVALID", "an element is NaN, infinite or subnormal");
        }
      }
      const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
      for (let i = 0; i < codes.length; i++) bits[i] = codes[i]! << 16;
    },
  };
}

export const bf16Codec: CodecDefinition<{ codec: "bf16" }> = {
  name: "bf16",
  wireId: 5,
  summary: "the upper 16 bits of each f32, rounded",
  source: "bfloat16; Kalamkar et al., arXiv:1905.12322",
  forms: "bf16",
  examples: ["bf16"],
  schema: z.strictObject({ codec: z.literal("bf16") }),
  parseArgument: noArgument,
  label: () => "bf16",
  createEncoder: (_, options) => new FormatEncoder(format(options.channels), options),
  createDecoder: (_, channels) => new FormatDecoder(format(channels)),
};
