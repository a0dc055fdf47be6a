/**
 * What the demo's processes tell as they run, collected into the series of a report. The events are those of `narrowband serve --json` and
 * `narrowband train --json`, checked as they come in.
 */
import { z } from "zod";
import { CATEGORIES, type Category } from "../../shared/ledger/ledger.ts";
import { jobConfigSchema } from "../../shared/protocol/job-config.ts";
import type { CommandEvent } from "./child.ts";

const count = z.number().min(0);
const times = { computeMs: count, codecMs: count, linkMs: count };
const widths = z.array(z.int());

export const joinedSchema = z.looseObject({ job: jobConfigSchema });

const clientStepSchema = z.looseObject({
  step: z.int().min(1),
  loss: z.number(),
  tokens: count,
  bytes: count,
  /** Missing of a step that an earlier process had all but finished. */
  bits: z.object({ A1: z.number(), G2: z.number() }).optional(),
});
const clientWidthsSchema = z.looseObject({ step: z.int().min(1), A1: widths, G2: widths });

const serverStepSchema = z.looseObject({
  step: z.int().min(1),
  loss: z.number(),
  tokens: count,
  bytes: count,
  members: z.array(
    z.looseObject({
      name: z.string(),
      step: z.int().min(1),
      bits: z.object({ A2: z.number(), G1: z.number() }),
    }),
  ),
});
const serverWidthsSchema = z.looseObject({ step: z.int().min(1), name: z.string(), A2: widths, G1: widths });

const categoryBytes = z.strictObject(
  Object.fromEntries(CATEGORIES.map((category) => [category, z.int()])) as Record<Category, z.ZodInt>,
);
/** The last object of either command. */
export const resultSchema = z.looseObject({
  steps: count,
  ledger: z.looseObject({ up: categoryBytes, down: categoryBytes }),
  report: z.looseObject({
    totalBytes: count,
    tokens: count,
    elements: count,
    baselines: z.object({ f32: count, f16: count, int8: count }),
  }),
  ...times,
});
export type CommandResult = z.output<typeof resultSchema>;

type ClientStep = Required<z.output<typeof clientStepSchema>>;
type WidthsRow<P extends string> = { readonly step: number } & Readonly<Record<P, readonly number[]>>;

/** Leaves out rows of a step and of later ones: a process that was killed may have told of a step that had to be made again. */
function truncate(rows: { readonly step: number }[], step: number): void {
  while (rows.length > 0 && rows[rows.length - 1].step >= step) rows.pop();
}

function put<R extends { readonly step: number }>(rows: R[], row: R): void {
  truncate(rows, row.step);
  rows.push(row);
}

/** One client's run, from its own events and from the server's about it. */
export class ClientCollector {
  readonly name: string;
  /** One for each step that was told, in order; tokens and bytes are those of all processes of the client so far. */
  readonly steps: ClientStep[] = [];
  readonly clientWidths: WidthsRow<"A1" | "G2">[] = [];
  readonly serverBits = new Map<number, { readonly A2: number; readonly G1: number }>();
  readonly serverWidths: WidthsRow<"A2" | "G1">[] = [];

  /** Of the present process, and bytes of those before it. */
  #tokens = 0;
  #bytes = 0;
  #earlierBytes = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Takes an event of the client's own process; returns the step, when it is one. */
  accept(event: CommandEvent): ClientStep | undefined {
    if (event.event === "started") {
      this.#earlierBytes += this.#bytes;
      this.#tokens = 0;
      this.#bytes = 0;
    }
    if (event.event === "widths") put(this.clientWidths, clientWidthsSchema.parse(event));
    if (event.event !== "step") return undefined;
    const told = clientStepSchema.parse(event);
    const own = told.tokens - this.#tokens;
    this.#tokens = told.tokens;
    this.#bytes = told.bytes;
    const { bits } = told;
    if (bits === undefined) return undefined;
    truncate(this.steps, told.step);
    const tokens = (this.steps.at(-1)?.tokens ?? 0) + own;
    const step = { ...told, bits, tokens, bytes: this.#earlierBytes + told.bytes };
    this.steps.push(step);
    return step;
  }
}

/** Takes an event of the server's process into the collectors of the clients that it is about; returns the step, when it is one. */
export function acceptServerEvent(
  event: CommandEvent,
  clients: ReadonlyMap<string, ClientCollector>,
): z.output<typeof serverStepSchema> | undefined {
  if (event.event === "widths") {
    const row = serverWidthsSchema.parse(event);
    const rows = clients.get(row.name)?.serverWidths;
    if (rows !== undefined) put(rows, row);
  }
  if (event.event !== "step") return undefined;
  const step = serverStepSchema.parse(event);
  for (const { name, step: own, bits } of step.members) clients.get(name)?.serverBits.set(own, bits);
  return step;
}
