/**
 * The codec `fp8`: 8-bit floats, E4M3 or E5M2, under one scale for the tensor (as training recipes have it) or one
 * for each channel. The largest magnitude becomes the format's largest value.
 *
 * Scales: e, then the scale or scales as f16 (sections.ts). Payload: one code per element, row by row.
 */

import { z } from "zod";
import { fail } from "../../errors.ts";
import type { CodecDefinition } from "../definition.ts";
import { requireBytes } from "../quantizer.ts";
import { type BodyFormat, FormatDecoder, FormatEncoder } from "./format.ts";
import { E4M3, E5M2, fromMinifloat, toMinifloat } from "./minifloat.ts";
import { readMagnitudes, scaledBytes, settle, writeScaled } from "./sections.ts";

const schema = z.strictObject({
  codec: z.literal("fp8"),
  format: z.enum(["e4m3", "e5m2"]).default("e4m3").describe("4 exponent and 3 mantissa bits, or 5 and 2"),
  scale: z.enum(["tensor", "channel"]).default("tensor").describe("what shares a scale"),
});

type Fp8Spec = z.output<typeof schema>;

function format(spec: Fp8Spec, channels: number): BodyFormat {
  const float = spec.format === "e4m3" ? E4M3 : E5M2;
  const count = spec.scale === "tensor" ? 1 : channels;
  const scaleOf = (element: number) => (count === 1 ? 0 : element % channels);
  const values = Float64Array.from({ length: 256 }, (_, code) => fromMinifloat(code, float));
  return {
    codec: "fp8",
    channels,
    bits: 8,
    write(x) {
      const largest = new Float64Array(count);
      for (let i = 0; i < x.length; i++) {
        const c = scaleOf(i);
        largest[c] = Math.max(largest[c]!, Math.abs(x[i]!));
      }
      const scales = new Uint8Array(scaledBytes(count));
      writeScaled(
        largest.map((value) => value / float.max),
        () => "up",
        scales,
        0,
      );
      const steps = readMagnitudes(scales, 0, count);
      const payload = new Uint8Array(x.length);
      for (let i = 0; i < x.length; i++) {
        const step = steps[scaleOf(i)]!;
        payload[i] = step === 0 ? 0 : toMinifloat(x[i]! / step, float);
      }
      return { scales, payload };
    },
    read({ scales, payload }, tokens, out) {
      requireBytes("scales", scales, scaledBytes(count), tokens, channels);
      requireBytes("payload", payload, out.length, tokens, channels);
      const steps = readMagnitudes(scales, 0, count);
      for (const code of payload) {
        if (Number.isNaN(values[code]!)) fail("NB_CODEC_BODY_INVALID", "an element is NaN or infinity");
      }
      for (let i = 0; i < out.length; i++) out[i] = settle(values[payload[i]!]! * steps[scaleOf(i)]!);
    },
  };
}

export const fp8Codec: CodecDefinition<Fp8Spec> = {
  name: "fp8",
  wireId: 6,
  summary: "8-bit floats under one scale per tensor or channel",
  source: "OCP 8-bit Floating Point Specification (OFP8), 2023; Micikevicius et al., arXiv:2209.05433",
  forms: "fp8, fp8:e4m3 or fp8:e5m2",
  examples: ["fp8:e4m3", "fp8:e5m2", "fp8:e4m3,scale=channel"],
  schema,
  parseArgument: (argument) => (argument === undefined ? {} : { format: argument }),
  label: (spec) => `fp8:${spec.format}`,
  createEncoder: (spec, options) => new FormatEncoder(format(spec, options.channels), options),
  createDecoder: (spec, channels) => new FormatDecoder(format(spec, channels)),
};
