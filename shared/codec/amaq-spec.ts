/** Settings of the codec `amaq`, as people and machines write them; docs/amaq.md gives the reasons of the defaults. */

import { z } from "zod";
import { ALLOCATOR_NAMES } from "./allocators/registry.ts";
import { quantizerSettings, width } from "./quantizer-spec.ts";

/** Distance alpha·Q moves in one step of steady gradient, when alpha is left out. */
export const GATE_SPEED = 0.05;

/** Coded bits may go below the narrowest width; widths cannot. */
function leastBudget(spec: { allocator: string; entropy?: string | undefined; minBits: number }): number {
  return spec.allocator === "gate-rate" && (spec.entropy ?? "none") !== "none" ? 1 : spec.minBits;
}

export const amaqSchema = z
  .strictObject({
    codec: z.literal("amaq"),
    startBits: z.number().min(1).max(8).default(8).describe("mean bits per element at step 0"),
    targetBits: z.number().min(1).max(8).default(3).describe("mean bits per element after the anneal"),
    minBits: width.default(2).describe("narrowest that a channel may become, bits"),
    maxBits: width.default(8).describe("widest that a channel may become, bits"),
    annealSteps: z
      .int()
      .min(0)
      .max(1e9)
      .default(200)
      .describe("optimizer steps that the anneal takes; 0 for none"),
    anneal: z
      .enum(["linear", "cosine", "step"])
      .default("linear")
      .describe("shape of the anneal; step falls by one bit at a time"),
    allocator: z
      .enum(ALLOCATOR_NAMES)
      .default("greedy")
      .describe("who gets the bits: which channels are wide and which narrow"),
    gateLearningRate: z.number().positive().max(10).default(0.02).describe("learning rate of the gates Q"),
    alpha: z
      .number()
      .positive()
      .max(1e6)
      .optional()
      .describe(`slope of the gates' sigmoid; left out, ${GATE_SPEED} / gateLearningRate`),
    signal: z
      .enum(["gradient", "distortion"])
      .optional()
      .describe(
        "what allocators learn from: the loss gradient that comes back, or the quantizer's own error",
      ),
    averaging: z
      .number()
      .min(0)
      .max(0.9999)
      .default(0.9)
      .describe("weight of all earlier steps in running averages"),
    freeze: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe("share of steps in which a gate's gradient may turn its sign before the gate is frozen"),
    hysteresis: z
      .number()
      .min(0)
      .max(8)
      .default(0.1)
      .describe("bits by which two channels together must pass the point of exchange before a bit moves"),
    dwell: z
      .int()
      .min(1)
      .max(1e9)
      .default(8)
      .describe("least steps between two changes of the bit table, but for those that the budget demands"),
    salient: z
      .enum(["none", "auto"])
      .optional()
      .describe(
        "whether channels that matter far more than the others are found and kept at maxBits, within the budget",
      ),
    ...quantizerSettings,
  })
  .refine((spec) => leastBudget(spec) <= spec.targetBits && spec.targetBits <= spec.maxBits, {
    path: ["targetBits"],
    message: "must lie within minBits and maxBits",
  })
  .refine((spec) => leastBudget(spec) <= spec.startBits && spec.startBits <= spec.maxBits, {
    path: ["startBits"],
    message: "must lie within minBits and maxBits",
  });

export type AmaqSpec = z.output<typeof amaqSchema>;

/** What allocators learn from where the spec says nothing. There is no gradient of a gradient to learn from. */
export const SIGNAL_DEFAULTS = { activation: "gradient", gradient: "distortion" } as const;

/** Settings of `START-TARGET` and `START-TARGET@STEPS`; undefined when the text is neither. */
export function parseAmaqArgument(text: string | undefined): Record<string, number> | undefined {
  if (text === undefined) return {};
  const number = "(\\d{1,3}(?:\\.\\d{1,9})?)";
  const match = new RegExp(`^${number}-${number}(?:@(\\d{1,10}))?$`).exec(text);
  if (match === null) return undefined;
  const bits = { startBits: Number(match[1]), targetBits: Number(match[2]) };
  return match[3] === undefined ? bits : { ...bits, annealSteps: Number(match[3]) };
}

export function amaqLabel(spec: AmaqSpec): string {
  return `amaq:${spec.startBits}-${spec.targetBits}@${spec.annealSteps}`;
}
