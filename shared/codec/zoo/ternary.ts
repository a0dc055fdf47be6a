/**
 * The codec `ternary`: −s, 0 or s, at random with the value as its mean, as TernGrad has it.
 *
 *     x := x held within ±2.5 σ;  s = max |x|;  x̂ = s · sign(x) · b,  b = 1 with probability |x| / s
 *
 * TernGrad takes σ and s of a whole layer's gradient; here of a channel, or of the tensor. Five elements share a byte:
 * Σ symbol_i · 3^i, symbols 0 for 0, 1 for s, 2 for −s. Scales: e, then s as f16 (sections.ts).
 */

import { z } from "zod";
import { fail } from "../../errors.ts";
import { type CodecDefinition, noArgument } from "../definition.ts";
import { uniform } from "../hash.ts";
import { requireBytes } from "../quantizer.ts";
import { type BodyFormat, FormatDecoder, FormatEncoder } from "./format.ts";
import { readMagnitudes, scaledBytes, settle, writeScaled } from "./sections.ts";

const PER_BYTE = 5;
const CODES = 3 ** PER_BYTE;

const schema = z.strictObject({
  codec: z.literal("ternary"),
  scale: z.enum(["channel", "tensor"]).default("channel").describe("what shares a scale"),
  clipSigma: z
    .number()
    .min(0)
    .max(1e6)
    .default(2.5)
    .describe("standard deviations beyond which values are clipped; 0 for no clipping"),
  rounding: z.enum(["stochastic", "nearest"]).default("stochastic").describe("how a value becomes a symbol"),
});

type TernarySpec = z.output<typeof schema>;

/** Largest magnitude of each group after clipping at `sigmas` standard deviations. */
function scalesOf(
  x: Float32Array,
  groups: number,
  groupOf: (i: number) => number,
  sigmas: number,
): Float64Array {
  const largest = new Float64Array(groups);
  const [count, sum, squares] = [0, 0, 0].map(() => new Float64Array(groups));
  for (let i = 0; i < x.length; i++) {
    const g = groupOf(i);
    const value = x[i]!;
    largest[g] = Math.max(largest[g]!, Math.abs(value));
    count![g] = count![g]! + 1;
    sum![g] = sum![g]! + value;
    squares![g] = squares![g]! + value * value;
  }
  if (sigmas === 0) return largest;
  return largest.map((most, g) => {
    const mean = sum![g]! / count![g]!;
    const deviation = Math.sqrt(Math.max(0, squares![g]! / count![g]! - mean * mean));
    // A constant channel has no deviation, and nothing to clip.
    return deviation === 0 ? most : Math.min(most, sigmas * deviation);
  });
}

function format(spec: TernarySpec, channels: number): BodyFormat {
  const groups = spec.scale === "tensor" ? 1 : channels;
  const groupOf = (element: number) => (groups === 1 ? 0 : element % channels);
  return {
    codec: "ternary",
    channels,
    bits: 8 / PER_BYTE,
    write(x, _, key) {
      const scales = new Uint8Array(scaledBytes(groups));
      writeScaled(scalesOf(x, groups, groupOf, spec.clipSigma), () => "nearest", scales, 0);
      const scale = readMagnitudes(scales, 0, groups);
      const payload = new Uint8Array(Math.ceil(x.length / PER_BYTE));
      let power = 1;
      for (let i = 0; i < x.length; i++) {
        const s = scale[groupOf(i)]!;
        const chance = s === 0 ? 0 : Math.abs(x[i]!) / s;
        const hit = spec.rounding === "stochastic" ? uniform(key, i) < chance : chance >= 0.5;
        const byte = Math.floor(i / PER_BYTE);
        power = i % PER_BYTE === 0 ? 1 : power * 3;
        if (hit) payload[byte] = payload[byte]! + power * (x[i]! > 0 ? 1 : 2);
      }
      return { scales, payload };
    },
    read({ scales, payload }, tokens, out) {
      requireBytes("scales", scales, scaledBytes(groups), tokens, channels);
      requireBytes("payload", payload, Math.ceil(out.length / PER_BYTE), tokens, channels);
      const scale = readMagnitudes(scales, 0, groups);
      if (payload.some((code) => code >= CODES)) {
        fail("NB_CODEC_BODY_INVALID", `a byte is not below ${CODES}, so it stands for no five symbols`);
      }
      const last = out.length % PER_BYTE;
      if (last > 0 && payload.at(-1)! >= 3 ** last) {
        fail("NB_CODEC_BODY_INVALID", "the symbols after the last element are not zero");
      }
      let code = 0;
      for (let i = 0; i < out.length; i++) {
        if (i % PER_BYTE === 0) code = payload[i / PER_BYTE]!;
        const symbol = code % 3;
        code = (code - symbol) / 3;
        const s = scale[groupOf(i)]!;
        out[i] = symbol === 0 ? 0 : settle(symbol === 1 ? s : -s);
      }
    },
  };
}

export const ternaryCodec: CodecDefinition<TernarySpec> = {
  name: "ternary",
  wireId: 14,
  summary: "−s, 0 or s at random, with the value as its mean: 1.6 bits",
  source: "TernGrad, Wen et al., arXiv:1705.07878",
  forms: "ternary",
  examples: ["ternary", "ternary,scale=tensor,rounding=nearest,clipSigma=0"],
  schema,
  parseArgument: noArgument,
  label: () => "ternary",
  createEncoder: (spec, options) => new FormatEncoder(format(spec, options.channels), options),
  createDecoder: (spec, channels) => new FormatDecoder(format(spec, channels)),
};
