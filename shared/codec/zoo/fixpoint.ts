/**
 * The codec `fixpoint`: a symmetric range per channel and message, as AC-SGD's direct quantizer has it.
 *
 *     s_c = f16(max |x|);  q = clip(round(x / s_c · 2^(b−1)), −2^(b−1), 2^(b−1) − 1);  x̂ = q / 2^(b−1) · s_c
 *
 * So the largest positive value is one step short, as in the source. The source adds 1e-6 to s_c before it divides,
 * which would halve gradients of that size; only s_c = 0 is set apart here.
 *
 * Scales: e, then s_c as f16 (sections.ts). Payload: q + 2^(b−1), row by row (symbols.ts).
 */

import { z } from "zod";
import { type CodecDefinition, integerArgument } from "../definition.ts";
import { uniform } from "../hash.ts";
import { requireBytes } from "../quantizer.ts";
import { width } from "../quantizer-spec.ts";
import { type BodyFormat, FormatDecoder, FormatEncoder } from "./format.ts";
import { readMagnitudes, scaledBytes, settle, writeScaled } from "./sections.ts";
import { entropySetting, readSymbols, type SymbolStage, writeSymbols } from "./symbols.ts";

const schema = z.strictObject({
  codec: z.literal("fixpoint"),
  bits: width.describe("bits per element"),
  rounding: z.enum(["nearest", "stochastic"]).default("nearest").describe("how a value becomes a level"),
  ...entropySetting,
});

type FixpointSpec = z.output<typeof schema>;

/** The largest magnitude of each group of elements [groups]. */
export function largestOf(
  x: ArrayLike<number>,
  groups: number,
  groupOf: (i: number) => number,
): Float64Array {
  const largest = new Float64Array(groups);
  for (let i = 0; i < x.length; i++) {
    const g = groupOf(i);
    largest[g] = Math.max(largest[g]!, Math.abs(x[i]!));
  }
  return largest;
}

/** The level of x under `scale`, as it is sent. `offset` in [0, 1) is added before rounding down: 0.5 is nearest. */
export function fixpointLevel(x: number, scale: number, bits: number, offset: number): number {
  const half = 2 ** (bits - 1);
  const level = scale === 0 ? 0 : Math.floor((x / scale) * half + offset);
  return Math.max(-half, Math.min(half - 1, level)) + half;
}

/** The value of a level as it is sent. */
export function fixpointValue(level: number, scale: number, bits: number): number {
  const half = 2 ** (bits - 1);
  return ((level - half) / half) * scale;
}

/**
 * Fixed point under one scale for each group of elements; `groupOf` gives an element's group, below `groups(tokens)`.
 */
export function fixpointFormat(
  codec: string,
  channels: number,
  bits: number,
  stochastic: boolean,
  stage: SymbolStage,
  groups: (tokens: number) => number,
  groupOf: (element: number) => number,
): BodyFormat {
  return {
    codec,
    channels,
    bits,
    write(x, tokens, key) {
      const count = groups(tokens);
      const scales = new Uint8Array(scaledBytes(count));
      writeScaled(largestOf(x, count, groupOf), () => "nearest", scales, 0);
      const scale = readMagnitudes(scales, 0, count);
      const levels = new Uint8Array(x.length);
      for (let i = 0; i < x.length; i++) {
        levels[i] = fixpointLevel(x[i]!, scale[groupOf(i)]!, bits, stochastic ? uniform(key, i) : 0.5);
      }
      const { bytes, packedBytes } = writeSymbols([{ symbols: levels, width: bits }], channels, stage);
      return { scales, payload: bytes, packedBytes };
    },
    read({ scales, payload }, tokens, out) {
      const count = groups(tokens);
      requireBytes("scales", scales, scaledBytes(count), tokens, channels);
      const scale = readMagnitudes(scales, 0, count);
      const [levels] = readSymbols(payload, [{ count: out.length, width: bits }], channels, tokens, stage);
      for (let i = 0; i < out.length; i++) {
        out[i] = settle(fixpointValue(levels![i]!, scale[groupOf(i)]!, bits));
      }
    },
  };
}

function format(spec: FixpointSpec, channels: number): BodyFormat {
  const stochastic = spec.rounding === "stochastic";
  return fixpointFormat(
    "fixpoint",
    channels,
    spec.bits,
    stochastic,
    spec.entropy,
    () => channels,
    (i) => i % channels,
  );
}

export const fixpointCodec: CodecDefinition<FixpointSpec> = {
  name: "fixpoint",
  wireId: 9,
  summary: "symmetric levels under each channel's largest magnitude",
  source: "direct quantizer of AC-SGD, arXiv:2206.01299, and its program (DS3Lab/AC-SGD)",
  forms: "fixpoint:BITS (2 to 8)",
  examples: ["fixpoint:3", "fixpoint:8,rounding=stochastic", "fixpoint:4,entropy=rans"],
  schema,
  parseArgument: integerArgument("bits"),
  label: (spec) => `fixpoint:${spec.bits}`,
  createEncoder: (spec, options) => new FormatEncoder(format(spec, options.channels), options),
  createDecoder: (spec, channels) => new FormatDecoder(format(spec, channels)),
};
