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
  bits: z.object({ A1: z.number(), G2: z.number() }),
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

type ClientStep = z.output<typeof clientStepSchema>;
type WidthsRow<P extends string> = { readonly step: number } & Readonly<Record<P, readonly number[]>>;

/** One client's run, from its own events and from the server's about it. */
export class ClientCollector {
  readonly name: string;
  readonly steps: ClientStep[] = [];
  readonly clientWidths: WidthsRow<"A1" | "G2">[] = [];
  readonly serverBits = new Map<number, { readonly A2: number; readonly G1: number }>();
  readonly serverWidths: WidthsRow<"A2" | "G1">[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Takes an event of the client's own process; returns the step, when it is one. */
  accept(event: CommandEvent): ClientStep | undefined {
    if (event.event === "widths") this.clientWidths.push(clientWidthsSchema.parse(event));
    if (event.event !== "step") return undefined;
    const step = clientStepSchema.parse(event);
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
    clients.get(row.name)?.serverWidths.push(row);
  }
  if (event.event !== "step") return undefined;
  const step = serverStepSchema.parse(event);
  for (const { name, step: own, bits } of step.members) clients.get(name)?.serverBits.set(own, bits);
  return step;
}
