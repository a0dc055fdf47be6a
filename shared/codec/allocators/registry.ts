/** The one list of allocators: their names, what each does, where it comes from, and how it is made. */

import type { Allocator, AllocatorOptions } from "./allocator.ts";
import { ClosedFormAllocator } from "./closed-form.ts";
import { SensitivityGateAllocator, SteGateAllocator } from "./gate.ts";
import { RateGateAllocator } from "./gate-rate.ts";
import { GreedyAllocator } from "./greedy.ts";
import { TiedAllocator } from "./tied.ts";
import { UniformAllocator } from "./uniform.ts";

/** Settings of `amaq` that are an allocator's, all of which gates with running averages have; others say how large the budget is, and when it is shared out. */
const ALLOCATOR_SETTINGS = [
  "minBits",
  "maxBits",
  "signal",
  "averaging",
  "gateLearningRate",
  "alpha",
  "freeze",
  "hysteresis",
] as const;
/** Of allocators that share out anew what running averages say. */
const AVERAGED_SETTINGS = ["minBits", "maxBits", "signal", "averaging", "hysteresis"] as const;

export type AllocatorSetting = (typeof ALLOCATOR_SETTINGS)[number];

export interface AllocatorDefinition {
  readonly name: string;
  /** One sentence: who gets the bits. */
  readonly summary: string;
  /** The paper or method that it follows. */
  readonly source: string;
  /** Those that make a difference to it. */
  readonly settings: readonly AllocatorSetting[];
  create(options: AllocatorOptions): Allocator;
}

export const ALLOCATORS = [
  {
    name: "uniform",
    summary: "all channels alike, within one bit; the control",
    source: "none",
    settings: ["minBits", "maxBits"],
    create: (options) => new UniformAllocator(options),
  },
  {
    name: "gate-ste",
    summary: "learned gates, moved by the loss gradient of a bit to first order",
    source: "in the manner of AMAQ, arXiv:2510.05468",
    settings: ["minBits", "maxBits", "signal", "gateLearningRate", "alpha", "freeze", "hysteresis"],
    create: (options) => new SteGateAllocator(options),
  },
  {
    name: "gate-sensitivity",
    summary: "the same gates, moved by running averages of E[g²] · E[(x̂ − x)²]",
    source: "AMAQ's gates with the empirical Fisher information as in HAWQ, arXiv:1905.03696",
    settings: ALLOCATOR_SETTINGS,
    create: (options) => new SensitivityGateAllocator(options),
  },
  {
    name: "closed-form",
    summary: "reverse water-filling on E[g²] · range², rounded to integers",
    source:
      "Huang and Schultheiss, IEEE Trans. Commun. Syst. 11(3), 1963; for networks BAQ, arXiv:2506.05664",
    settings: AVERAGED_SETTINGS,
    create: (options) => new ClosedFormAllocator(options),
  },
  {
    name: "greedy",
    summary: "the exact integer optimum of the same costs, by marginal analysis",
    source: "Fox, Management Science 13(3), 1966; Shoham and Gersho, IEEE Trans. ASSP 36(9), 1988",
    settings: AVERAGED_SETTINGS,
    create: (options) => new GreedyAllocator(options),
  },
  {
    name: "gate-rate",
    summary: "gates that set step sizes, under a budget of the bits that are sent after entropy coding",
    source: "Uhlich et al., ICLR 2020, arXiv:1905.11452, with an integral controller of the rate",
    settings: ALLOCATOR_SETTINGS,
    create: (options) => new RateGateAllocator(options),
  },
  {
    name: "tied",
    summary: "for gradients: as the activations of the same cut have them, offset to the stream's own budget",
    source: "the tie of both directions' widths that AMAQ leaves open",
    settings: ["minBits", "maxBits", "hysteresis"],
    create: (options) => new TiedAllocator(options),
  },
] as const satisfies readonly AllocatorDefinition[];

export type AllocatorName = (typeof ALLOCATORS)[number]["name"];

export const ALLOCATOR_NAMES = ALLOCATORS.map(({ name }) => name) as [AllocatorName, ...AllocatorName[]];

export function createAllocator(name: AllocatorName, options: AllocatorOptions): Allocator {
  return ALLOCATORS.find((allocator) => allocator.name === name)!.create(options);
}
