/**
 * What a codec is to do, as people and machines write it: a string such as `amaq:8-3@200`, or an object with
 * every setting. Both ends of a stream are given the same one, in the job's settings; it never travels in a
 * tensor frame.
 */

import { z } from "zod";
import { fail } from "../errors.ts";

const clip = z.enum(["none", "optimal"]);
const rounding = z.enum(["nearest", "stochastic"]);
const grid = z.enum(["span", "zero"]);

/** What `fixed` and `amaq` share. Left out, a setting is what is best for the stream's role: see ROLE_DEFAULTS. */
const quantizer = {
  /** Which range the levels span. */
  clip: clip.optional(),
  rounding: rounding.optional(),
  /** Where the levels lie in it. */
  grid: grid.optional(),
};

const width = z.int().min(2).max(8);

const f32Spec = z.strictObject({ codec: z.literal("f32") });
const f16Spec = z.strictObject({ codec: z.literal("f16") });
const fixedSpec = z.strictObject({
  codec: z.literal("fixed"),
  /** Bits per element. */
  bits: width,
  ...quantizer,
});
const amaqSpec = z
  .strictObject({
    codec: z.literal("amaq"),
    /** Mean bits per element at step 0. */
    startBits: z.number().min(2).max(8).default(8),
    /** Mean bits per element from step `annealSteps` on. */
    targetBits: z.number().min(2).max(8).default(3),
    /** Narrowest and widest that a channel may become. */
    minBits: width.default(2),
    maxBits: width.default(8),
    /** Optimizer steps that the anneal takes; 0 for none. */
    annealSteps: z.int().min(0).max(1e9).default(200),
    anneal: z.enum(["linear", "cosine"]).default("linear"),
    /** Learning rate of the gates Q. */
    gateLearningRate: z.number().positive().max(10).default(0.02),
    /** Slope of the sigmoid; left out, GATE_SPEED / gateLearningRate. */
    alpha: z.number().positive().max(1e6).optional(),
    /** What the gates learn from: the loss gradient that comes back, or the quantizer's own error. By role. */
    signal: z.enum(["gradient", "distortion"]).optional(),
    /** Bits by which two channels together must pass the point of exchange before a bit moves between them. */
    hysteresis: z.number().min(0).max(8).default(0.5),
    /** Least steps between two changes of the bit table, but for those that the budget demands. */
    dwell: z.int().min(1).max(1e9).default(8),
    ...quantizer,
  })
  .refine((spec) => spec.minBits <= spec.targetBits && spec.targetBits <= spec.maxBits, {
    path: ["targetBits"],
    message: "must lie within minBits and maxBits",
  })
  .refine((spec) => spec.minBits <= spec.startBits && spec.startBits <= spec.maxBits, {
    path: ["startBits"],
    message: "must lie within minBits and maxBits",
  });

const codecSpec = z.discriminatedUnion("codec", [f32Spec, f16Spec, fixedSpec, amaqSpec]);

export type CodecSpec = z.infer<typeof codecSpec>;
export type FixedSpec = z.infer<typeof fixedSpec>;
export type AmaqSpec = z.infer<typeof amaqSpec>;
export type CodecName = CodecSpec["codec"];

/** What a stream carries: smashed data, or the loss gradient with respect to it. */
export type TensorRole = "activation" | "gradient";

/**
 * What a quantizer does where its spec says nothing. Clipping is what prevents collapse at 2 and 3 bits.
 * Gradients are summed over tokens and steps, so their rounding must not be biased and zero must stay zero;
 * measured in docs/amaq.md.
 */
export const ROLE_DEFAULTS = {
  activation: { clip: "optimal", rounding: "nearest", grid: "span", signal: "gradient" },
  gradient: { clip: "optimal", rounding: "stochastic", grid: "zero", signal: "distortion" },
} as const;

/** Distance alpha·Q moves in one step of steady gradient, when alpha is left out. */
export const GATE_SPEED = 0.05;

const ACCEPTED = "f32, f16, fixed:BITS (2 to 8), amaq, amaq:START-TARGET or amaq:START-TARGET@STEPS";

/**
 * A codec's settings with every default filled in, from an object or a compact string: `f32`, `f16`,
 * `fixed:4`, `amaq`, `amaq:8-3`, `amaq:8-3@200`. Throws NB_CONFIG_INVALID, naming the field.
 */
export function parseCodecSpec(input: unknown): CodecSpec {
  const value = typeof input === "string" ? expand(input) : input;
  const parsed = codecSpec.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${["codec", ...issue.path].join(".")}: ${issue.message}`,
  );
  return fail(
    "NB_CONFIG_INVALID",
    `codec settings ${JSON.stringify(input)} are not accepted: ${problems.join("; ")}. As a string, ${ACCEPTED} are accepted`,
  );
}

function expand(text: string): unknown {
  const number = "(\\d+(?:\\.\\d+)?)";
  if (text === "f32" || text === "f16" || text === "amaq") return { codec: text };
  const fixed = /^fixed:(\d+)$/.exec(text);
  if (fixed) return { codec: "fixed", bits: Number(fixed[1]) };
  const amaq = new RegExp(`^amaq:${number}-${number}(?:@(\\d+))?$`).exec(text);
  if (amaq) {
    const spec = { codec: "amaq", startBits: Number(amaq[1]), targetBits: Number(amaq[2]) };
    return amaq[3] === undefined ? spec : { ...spec, annealSteps: Number(amaq[3]) };
  }
  return fail("NB_CONFIG_INVALID", `codec ${JSON.stringify(text)} is not known; accepted are ${ACCEPTED}`);
}

/** A short name of a spec for tables and logs; what sets it apart beyond the compact string is left out. */
export function codecLabel(spec: CodecSpec): string {
  if (spec.codec === "fixed") return `fixed:${spec.bits}`;
  if (spec.codec === "amaq") return `amaq:${spec.startBits}-${spec.targetBits}@${spec.annealSteps}`;
  return spec.codec;
}
