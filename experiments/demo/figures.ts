/**
 * What a part of the demo cost over all its processes. Each process counts from 0; one that was killed has told its last figures with its
 * last step, and what it sent after that is not counted.
 */
import { z } from "zod";
import { CATEGORIES, type Category } from "../../shared/ledger/ledger.ts";
import type { CommandEvent } from "./child.ts";
import { type CommandResult, resultSchema } from "./events.ts";

const count = z.number().min(0);
const categoryBytes = z.strictObject(
  Object.fromEntries(CATEGORIES.map((category) => [category, z.int()])) as Record<Category, z.ZodInt>,
);
type CategoryBytes = z.output<typeof categoryBytes>;

const stepSchema = z.looseObject({
  step: z.int().min(1),
  tokens: count,
  elements: count,
  ledger: z.looseObject({ up: categoryBytes, down: categoryBytes }),
  computeMs: count,
  codecMs: count,
  linkMs: count,
});

/** Of one process, or of several together. */
interface Figures {
  readonly tokens: number;
  readonly elements: number;
  readonly up: CategoryBytes;
  readonly down: CategoryBytes;
  readonly computeMs: number;
  readonly codecMs: number;
  readonly linkMs: number;
}

function bytesOf(of: (category: Category) => number): CategoryBytes {
  return Object.fromEntries(CATEGORIES.map((category) => [category, of(category)])) as CategoryBytes;
}

const NOTHING: Figures = {
  ...{ tokens: 0, elements: 0, computeMs: 0, codecMs: 0, linkMs: 0 },
  up: bytesOf(() => 0),
  down: bytesOf(() => 0),
};

function sum(a: Figures, b: Figures): Figures {
  return {
    tokens: a.tokens + b.tokens,
    elements: a.elements + b.elements,
    up: bytesOf((category) => a.up[category] + b.up[category]),
    down: bytesOf((category) => a.down[category] + b.down[category]),
    computeMs: a.computeMs + b.computeMs,
    codecMs: a.codecMs + b.codecMs,
    linkMs: a.linkMs + b.linkMs,
  };
}

export class PartFigures {
  /** Of processes before the present one. */
  #earlier = NOTHING;
  #present = NOTHING;
  #steps = 0;

  /** Takes an event of one of the part's processes, or its result. */
  accept(event: CommandEvent): void {
    if (event.event === "started") {
      this.#earlier = sum(this.#earlier, this.#present);
      this.#present = NOTHING;
    } else if (event.event === "step") {
      const { step, ledger, ...figures } = stepSchema.parse(event);
      this.#steps = step;
      this.#present = { ...figures, up: ledger.up, down: ledger.down };
    } else if (event.event === undefined) {
      const { steps, ledger, report, computeMs, codecMs, linkMs } = resultSchema.parse(event);
      const { tokens, elements } = report;
      this.#steps = steps;
      this.#present = { tokens, elements, computeMs, codecMs, linkMs, up: ledger.up, down: ledger.down };
    }
  }

  /** As the result of a single process would have it. */
  get result(): CommandResult {
    const { up, down, tokens, elements, ...times } = sum(this.#earlier, this.#present);
    const totalBytes = CATEGORIES.reduce((all, category) => all + up[category] + down[category], 0);
    return {
      steps: this.#steps,
      ledger: { up, down },
      report: {
        ...{ totalBytes, tokens, elements },
        baselines: { f32: elements * 4, f16: elements * 2, int8: elements },
      },
      ...times,
    };
  }
}
