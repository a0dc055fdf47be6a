/**
 * Settings of the quantizer that `fixed` and `amaq` share. Left out, a setting is what is best for the stream's
 * role, so that one spec serves activations and gradients.
 */

import { z } from "zod";
import type { TensorRole } from "./definition.ts";
import { ENTROPY_STAGES } from "./entropy/coder.ts";
import type { PipelineOptions } from "./pipeline.ts";
import type { PipelineLayout } from "./pipeline-layout.ts";

/** Bits per element of a channel. */
export const width = z.int().min(2).max(8);

/** Where the spec says nothing; measured in docs/amaq.md. */
const DEFAULT_CLIP_PERCENT = 99;
const DEFAULT_EMA_TOKENS = 2048;

/** To be spread into the settings of a codec that is built on the quantizer. */
export const quantizerSettings = {
  clip: z
    .enum(["none", "optimal", "percentile", "learned", "ema"])
    .optional()
    .describe(
      "range of the levels: smallest to largest value; of least expected error; leaving out a part at the ends; stretched by a learned factor; or of running averages, which the receiver keeps",
    ),
  clipPercent: z
    .number()
    .min(50)
    .max(100)
    .optional()
    .describe(`of clip=percentile: percent of the values within the range; ${DEFAULT_CLIP_PERCENT}`),
  emaTokens: z
    .int()
    .min(16)
    .max(1e6)
    .optional()
    .describe(`of clip=ema: tokens that the averages reach back; ${DEFAULT_EMA_TOKENS}`),
  rounding: z
    .enum(["nearest", "stochastic", "dithered"])
    .optional()
    .describe("how a value becomes a level; dithered costs 4 bytes a message"),
  sinks: z
    .enum(["none", "auto"])
    .optional()
    .describe("whether tokens far larger than the others are found and sent apart, as f16"),
  rotate: z
    .literal([0, 16, 32, 64, 128, 256])
    .optional()
    .describe("channels of a block that a Hadamard rotation mixes before they are quantized; 0 for none"),
  tokenScale: z
    .enum(["none", "pow2"])
    .optional()
    .describe("whether each token is scaled by a power of two, of 4 bits, before it is quantized"),
  grid: z
    .enum(["span", "zero"])
    .optional()
    .describe("where the levels lie: ends of the range on levels, or 0 on a level"),
  entropy: z
    .enum(ENTROPY_STAGES)
    .optional()
    .describe(
      "lossless stage behind the quantizer: none; rans codes each message by itself; predict also foretells channels from one another",
    ),
};

const quantizerSpec = z.object(quantizerSettings);
export type QuantizerSpec = z.output<typeof quantizerSpec>;

/**
 * What a quantizer does where its spec says nothing. Clipping is what prevents collapse at 2 and 3 bits.
 * Gradients are summed over tokens and steps, so their rounding must not be biased; dither is that at half the noise of
 * stochastic rounding. Measured in docs/amaq.md.
 */
export const ROLE_DEFAULTS = {
  activation: { clip: "optimal", rounding: "nearest", grid: "span" },
  gradient: { clip: "optimal", rounding: "dithered", grid: "span" },
} as const satisfies Record<TensorRole, Pick<PipelineOptions, "clip" | "rounding" | "grid">>;

/** The quantizer's options for a stream of this role, with every default filled in. */
export function quantizerOptions(spec: QuantizerSpec, role: TensorRole): PipelineOptions {
  const defaults = ROLE_DEFAULTS[role];
  return {
    clip: spec.clip ?? defaults.clip,
    rounding: spec.rounding ?? defaults.rounding,
    grid: spec.grid ?? defaults.grid,
    sinks: spec.sinks ?? "none",
    rotate: spec.rotate ?? 0,
    tokenScale: spec.tokenScale ?? "none",
    clipPercent: spec.clipPercent ?? DEFAULT_CLIP_PERCENT,
    emaTokens: spec.emaTokens ?? DEFAULT_EMA_TOKENS,
    entropy: spec.entropy ?? "none",
  };
}

/** What the receiver must know of the settings. It is not told the role, so none of this may depend on that. */
export function quantizerLayout(spec: QuantizerSpec): PipelineLayout {
  return {
    sinks: spec.sinks === "auto",
    block: spec.rotate ?? 0,
    tokenScale: spec.tokenScale === "pow2",
    keepsScales: spec.clip === "ema",
    entropy: spec.entropy ?? "none",
  };
}
