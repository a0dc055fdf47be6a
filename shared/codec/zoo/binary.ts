/**
 * The codec `binary`: the sign of each value, with error feedback, as 1-bit SGD has it. A channel's negative values
 * stand for their mean, the others for theirs.
 *
 * Scales: e, then both means of each channel as f16 (sections.ts), the negative one first. Payload: one bit per
 * element, 1 where it is not negative, row by row.
 */

import { z } from "zod";
import { packedBytes } from "../bitpack.ts";
import { type CodecDefinition, noArgument } from "../definition.ts";
import { requireBytes } from "../quantizer.ts";
import { FeedbackEncoder } from "./feedback.ts";
import { type BodyFormat, FormatDecoder, FormatEncoder } from "./format.ts";
import { packSymbols, readScaled, scaledBytes, settle, unpackSymbols, writeScaled } from "./sections.ts";

const schema = z.strictObject({
  codec: z.literal("binary"),
  feedback: z.boolean().default(true).describe("add what a message lost to the next one"),
});

type BinarySpec = z.output<typeof schema>;

function format(channels: number): BodyFormat {
  return {
    codec: "binary",
    channels,
    bits: 1,
    write(x) {
      const sums = new Float64Array(2 * channels);
      const counts = new Float64Array(2 * channels);
      const signs = new Uint8Array(x.length);
      for (let i = 0; i < x.length; i++) {
        signs[i] = x[i]! < 0 ? 0 : 1;
        const side = 2 * (i % channels) + signs[i]!;
        sums[side] = sums[side]! + x[i]!;
        counts[side] = counts[side]! + 1;
      }
      const means = sums.map((sum, side) => (counts[side] === 0 ? 0 : sum / counts[side]!));
      const scales = new Uint8Array(scaledBytes(2 * channels));
      writeScaled(means, () => "nearest", scales, 0);
      return { scales, payload: packSymbols(signs, 1) };
    },
    read({ scales, payload }, tokens, out) {
      requireBytes("scales", scales, scaledBytes(2 * channels), tokens, channels);
      requireBytes("payload", payload, packedBytes(out.length, 1), tokens, channels);
      const means = readScaled(scales, 0, 2 * channels);
      const signs = unpackSymbols(payload, 0, out.length, 1);
      for (let i = 0; i < out.length; i++) out[i] = settle(means[2 * (i % channels) + signs[i]!]!);
    },
  };
}

export const binaryCodec: CodecDefinition<BinarySpec> = {
  name: "binary",
  wireId: 15,
  summary: "the sign of each value, for the mean of its side in the channel; with error feedback",
  source: "1-bit SGD, Seide et al., Interspeech 2014",
  forms: "binary",
  examples: ["binary", "binary,feedback=false"],
  schema,
  parseArgument: noArgument,
  label: () => "binary",
  createEncoder: (spec, options) => {
    const body = format(options.channels);
    return spec.feedback ? new FeedbackEncoder(body, options) : new FormatEncoder(body, options);
  },
  createDecoder: (_, channels) => new FormatDecoder(format(channels)),
};
