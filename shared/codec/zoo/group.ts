/**
 * The codec `group`: asymmetric levels for groups of 64 channels of a token, the usual group-wise quantizer of
 * language models (called QAT-Group where training runs through it).
 *
 * Scales: e, then lowest level and step of each group as f16 (tiles.ts): half a bit an element at 64. Payload: levels,
 * row by row (symbols.ts).
 */

import { z } from "zod";
import { type CodecDefinition, integerArgument } from "../definition.ts";
import { requireBytes } from "../quantizer.ts";
import { width } from "../quantizer-spec.ts";
import { type BodyFormat, FormatDecoder, FormatEncoder } from "./format.ts";
import { settle } from "./sections.ts";
import { entropySetting, readSymbols, writeSymbols } from "./symbols.ts";
import { quantizeTiles, readTileScales, tileRange, tileScalesBytes, tilesPerToken } from "./tiles.ts";

const schema = z.strictObject({
  codec: z.literal("group"),
  bits: width.describe("bits per element"),
  size: z.int().min(8).max(1024).default(64).describe("channels of a group"),
  ...entropySetting,
});

type GroupSpec = z.output<typeof schema>;

function format({ bits, size, entropy }: GroupSpec, channels: number): BodyFormat {
  const perToken = tilesPerToken(channels, size);
  return {
    codec: "group",
    channels,
    bits,
    write(x, tokens) {
      const groups = tokens * perToken;
      const scales = new Uint8Array(tileScalesBytes(groups));
      const levels = quantizeTiles(Float64Array.from(x), groups, channels, size, () => bits, scales, 0);
      const { bytes, packedBytes } = writeSymbols([{ symbols: levels, width: bits }], channels, entropy);
      return { scales, payload: bytes, packedBytes };
    },
    read({ scales, payload }, tokens, out) {
      const groups = tokens * perToken;
      requireBytes("scales", scales, tileScalesBytes(groups), tokens, channels);
      const ranges = readTileScales(scales, 0, groups);
      const [levels] = readSymbols(payload, [{ count: out.length, width: bits }], channels, tokens, entropy);
      for (let g = 0; g < groups; g++) {
        const { from, to } = tileRange(g, channels, size);
        const [min, step] = [ranges[2 * g]!, ranges[2 * g + 1]!];
        for (let i = from; i < to; i++) out[i] = settle(min + levels![i]! * step);
      }
    },
  };
}

export const groupCodec: CodecDefinition<GroupSpec> = {
  name: "group",
  wireId: 12,
  summary: "levels between smallest and largest value of 64 channels of a token",
  source: "group-wise asymmetric quantization, as in ZeroQuant, arXiv:2206.01861; AMAQ's baseline QAT-Group",
  forms: "group:BITS (2 to 8)",
  examples: ["group:4", "group:2,size=8", "group:3,entropy=rans"],
  schema,
  parseArgument: integerArgument("bits"),
  label: (spec) => `group:${spec.bits}`,
  createEncoder: (spec, options) => new FormatEncoder(format(spec, options.channels), options),
  createDecoder: (spec, channels) => new FormatDecoder(format(spec, channels)),
};
