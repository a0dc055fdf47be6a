/** What the computations of an experiment's runs cost on this machine: measured once for each kind of run, and kept in a file if there is one. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { fail } from "../../shared/errors.ts";
import { canonicalJson } from "../../shared/job/fingerprint.ts";
import { openModelDirectory } from "../../shared/model/files-node.ts";
import { checkWritable, writeText } from "../../shared/output-node.ts";
import { codecSpecOf } from "../../shared/protocol/codecs.ts";
import { jobOf } from "../runner/cell-job.ts";
import type { Cell } from "../runner/experiment.ts";
import type { CellRows } from "../runner/rows.ts";
import { digestOf } from "../runner/versions.ts";
import { measureCosts } from "../simulator/calibrate.ts";
import { type Costs, codecCosts, costsSchema } from "../simulator/costs.ts";

const count = z.int().min(1);

/** What is read of a run's settings here; the rest is the job's, which checks it. */
const neededSchema = z.looseObject({
  model: z.string(),
  task: z.string(),
  arm: z.string(),
  steps: count,
  clients: count,
  rows: count,
  length: count,
  microBatches: count,
  inFlight: count,
  split: z.enum(["u-shape", "vanilla"]),
  mode: z.enum(["sync", "sequential"]),
  codecs: z.strictObject({ A1: z.string(), A2: z.string(), G2: z.string(), G1: z.string() }),
});

/** A codec's settings without its entropy stage. */
function packedCodec(text: string): string {
  const spec = codecSpecOf(text);
  return "entropy" in spec ? JSON.stringify({ ...spec, entropy: "none" }) : text;
}

/**
 * The settings of a run, from its rows. NB_DATA_INVALID when they are not settings.
 *
 * @param packed as they would be without the codecs' entropy stage
 */
export function cellOf({ cell }: CellRows, packed = false): Cell {
  const parsed = neededSchema.safeParse(cell.cell);
  if (parsed.success) {
    const own = cell.cell as unknown as Cell;
    if (!packed) return own;
    const codecs = Object.entries(own.codecs).map(([phase, text]) => [phase, packedCodec(text)]);
    return { ...own, codecs: Object.fromEntries(codecs) as unknown as Cell["codecs"] };
  }
  const { path, message } = parsed.error.issues[0];
  return fail("NB_DATA_INVALID", `rows of ${cell.arm}, ${cell.config}: cell.${path.join(".")}: ${message}`);
}

/** Tokens of a row that the run had on average: texts may be shorter than its setting allows. */
export function meanRowTokens({ rows, microBatches, mode, clients }: Cell, { steps }: CellRows): number {
  const last = steps.at(-1);
  if (last === undefined) return 1;
  const perStep = rows * microBatches * (mode === "sequential" ? 1 : clients);
  return Math.max(1, Math.round(last.tokens / (last.step * perStep)));
}

const bookSchema = z.record(
  z.string(),
  z.strictObject({ arm: z.string(), task: z.string(), model: z.string(), costs: costsSchema }),
);

export class CostBook {
  readonly #path: string | undefined;
  readonly #entries: z.infer<typeof bookSchema>;
  readonly #measures: boolean;

  private constructor(path: string | undefined, entries: z.infer<typeof bookSchema>, measures: boolean) {
    this.#path = path;
    this.#entries = entries;
    this.#measures = measures;
  }

  /**
   * @param path of a file that is read if it is there, and written whenever something was measured
   * @param measures whether what is not in the file is measured; else it is refused
   * @throws NB_CONFIG_INVALID when the file holds something else
   */
  static async open(path?: string, measures = true): Promise<CostBook> {
    if (path === undefined || !existsSync(path)) return new CostBook(path, {}, measures);
    let json: unknown;
    try {
      json = JSON.parse(await readFile(path, "utf8"));
    } catch (error) {
      return fail("NB_CONFIG_INVALID", `--costs: ${path}: ${(error as Error).message}`);
    }
    const parsed = bookSchema.safeParse(json);
    if (parsed.success) return new CostBook(path, parsed.data, measures);
    const [{ path: at, message }] = parsed.error.issues;
    return fail("NB_CONFIG_INVALID", `--costs: ${path}: ${at.join(".")}: ${message}`);
  }

  /**
   * Costs of a micro-batch of such a run, from the file or measured now.
   *
   * @throws NB_DATA_INVALID when the file has none and nothing is to be measured
   */
  async costsOf(cell: Cell, rows: CellRows, onMeasure: (cell: Cell) => void): Promise<Costs> {
    const { model, task, arm, bottom, top, rank, codecs, steps } = cell;
    const rowTokens = meanRowTokens(cell, rows);
    const inputs = rows.cell.inputs.model ?? model;
    const of = { inputs, rows: cell.rows, rowTokens, bottom, top, rank, codecs, steps };
    const key = digestOf(canonicalJson(of));
    const known = this.#entries[key];
    if (known !== undefined) return known.costs;
    if (!this.#measures)
      return fail(
        "NB_DATA_INVALID",
        `${this.#path}: has no costs of ${JSON.stringify(arm)} on ${task}, ${model}; narrowband experiment times --costs measures what is not there`,
      );
    if (this.#path !== undefined) checkWritable(this.#path);
    onMeasure(cell);
    const costs = await measure(cell, rowTokens);
    this.#entries[key] = { arm, task, model, costs };
    if (this.#path !== undefined) await writeText(this.#path, `${JSON.stringify(this.#entries, null, 1)}\n`);
    return costs;
  }
}

async function measure(cell: Cell, rowTokens: number): Promise<Costs> {
  const model = await openModelDirectory(cell.model);
  try {
    const { config } = jobOf(cell, model.config, { model: "", tokenizer: "" });
    return await measureCosts(config, model, cell.rows, rowTokens);
  } finally {
    await model.close();
  }
}

/** Of runs with one key computing is the same, whatever their codec. */
export function computingKey(cell: Cell, rows: CellRows): string {
  const { model, bottom, top, rank } = cell;
  const rowTokens = meanRowTokens(cell, rows);
  return canonicalJson({
    inputs: rows.cell.inputs.model ?? model,
    rows: cell.rows,
    rowTokens,
    bottom,
    top,
    rank,
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/**
 * Costs of runs that differ in their codecs alone, with the median of all for what computing takes: two measurements of the same work differ by
 * some percent, which must not look like a difference of codecs.
 */
export function shareComputing(all: readonly Costs[]): Costs[] {
  const middle = (of: (costs: Costs, codec: NonNullable<Costs["codec"]>) => number) =>
    median(all.map((costs) => of(costs, codecCosts(costs))));
  const client = {
    bottom: middle((costs, codec) => costs.client.bottom - codec.client.bottom),
    top: middle((costs, codec) => costs.client.top - codec.client.top),
    backward: middle((costs, codec) => costs.client.backward - codec.client.backward),
    apply: middle((costs) => costs.client.apply),
  };
  const server = {
    forward: middle((costs, codec) => costs.server.forward - codec.server.forward),
    backward: middle((costs, codec) => costs.server.backward - codec.server.backward),
    addGradients: middle((costs) => costs.server.addGradients),
    optimizer: middle((costs) => costs.server.optimizer),
  };
  return all.map((costs) => {
    const codec = codecCosts(costs);
    return {
      ...costs,
      client: {
        ...client,
        bottom: client.bottom + codec.client.bottom,
        top: client.top + codec.client.top,
        backward: client.backward + codec.client.backward,
      },
      server: {
        ...server,
        forward: server.forward + codec.server.forward,
        backward: server.backward + codec.server.backward,
      },
    };
  });
}
