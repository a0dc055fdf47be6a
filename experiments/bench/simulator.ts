/**
 * The simulator against real sockets: the same job over each link profile, once through the shaping proxies with paced computations, once
 * in simulated time with costs taken from the run over no link. `npm run bench:simulator`; a table, or rows with --json.
 *
 * The whole matrix takes about six minutes, in which the machine must have nothing else to do. With --keep FILE rows stay in a file,
 * and the next call goes on with those that are missing; --seconds bounds a call, --only measures the rows that it names, again if need be.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { formatTable } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import { PROFILE_NAMES, PROFILES, type ProfileName } from "../link/profiles.ts";
import { type Costs, costsSchema } from "../simulator/costs.ts";
import { simulatedJob } from "../simulator/job.ts";
import { costsOf, type PacedJobOptions, runPacedJob } from "../simulator/paced-job.ts";
import { simulate } from "../simulator/simulate.ts";

const STEPS = 8;
const CLIENTS = 2;
const SEED = 3;
/** Micro-batches of a step, and how many of them may be in flight. */
const PIPELINES = ["1/1", "4/2", "8/4"] as const;
type Pipeline = (typeof PIPELINES)[number];

/** Near the costs of base-6m with 4 rows of 128 tokens; 32 channels of f32 are as many bytes as 256 of 4 bits. */
const PACE = { bottom: 15, top: 50, bottomBackward: 15, forward: 45, backward: 75, optimizer: 1 };
const ROWS = 4;
const ROW_TOKENS = 128;
const HIDDEN = 32;

/** Milliseconds that a run takes besides its steps. */
const AROUND_MS = 1_500;

const ms = z.number().min(0);
const rowSchema = z.strictObject({
  row: z.literal("step"),
  pipeline: z.enum(PIPELINES),
  link: z.enum(PROFILE_NAMES),
  /** Of each step but the first, which finds connections cold. */
  measuredMs: z.array(ms).min(1),
  predictedMs: z.array(ms).min(1),
  /** Processes that wanted to run on the machine, the mean of the minute before. */
  load: ms,
});
/** From the run over no link. */
const costsRowSchema = z.strictObject({
  row: z.literal("costs"),
  pipeline: z.enum(PIPELINES),
  costs: costsSchema,
});
/** A line of the file in which rows are kept. */
const lineSchema = z.discriminatedUnion("row", [costsRowSchema, rowSchema]);
type Row = z.infer<typeof rowSchema>;

interface Kept {
  costs: Partial<Record<Pipeline, Costs>>;
  rows: Row[];
}

interface Settings {
  readonly json: boolean;
  readonly keep?: string;
  readonly only: readonly { readonly pipeline: Pipeline; readonly link: ProfileName }[];
  readonly seconds: number;
}

function rowNames(text: string, before: Settings["only"]): Settings["only"] {
  const [link, pipeline] = text.split(",").map((part) => part.trim());
  const known = (PROFILE_NAMES as readonly string[]).includes(link);
  if (!known || !(PIPELINES as readonly string[]).includes(pipeline))
    throw new InvalidArgumentError(
      `LINK,MICRO-BATCHES/IN-FLIGHT: one of ${PROFILE_NAMES.join(" ")} and one of ${PIPELINES.join(" ")}`,
    );
  return [...before, { pipeline: pipeline as Pipeline, link: link as ProfileName }];
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0");
  return value;
}

function readKept(path: string | undefined): Kept {
  const kept: Kept = { costs: {}, rows: [] };
  if (path === undefined || !existsSync(path)) return kept;
  for (const [i, line] of readFileSync(path, "utf8").trim().split("\n").entries()) {
    const parsed = lineSchema.safeParse(JSON.parse(line));
    if (!parsed.success) {
      const [{ path: at, message }] = parsed.error.issues;
      return fail("NB_CONFIG_INVALID", `--keep: ${path}:${i + 1}: ${at.join(".")}: ${message}`);
    }
    if (parsed.data.row === "costs") kept.costs[parsed.data.pipeline] = parsed.data.costs;
    else kept.rows.push(parsed.data);
  }
  return kept;
}

/** Writes rows in the order of the matrix, each pipeline's costs before them. */
function writeKept(path: string, { costs, rows }: Kept): void {
  const lines = PIPELINES.flatMap((pipeline) => {
    const own = costs[pipeline];
    const of = PROFILE_NAMES.flatMap((link) => rows.find((row) => isOf(row, pipeline, link)) ?? []);
    return [...(own === undefined ? [] : [{ row: "costs", pipeline, costs: own }]), ...of];
  });
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

function jobOf(pipeline: Pipeline) {
  const [microBatches, inFlight] = pipeline.split("/").map(Number);
  return simulatedJob({
    steps: STEPS,
    clients: CLIENTS,
    microBatches,
    inFlight,
    hidden: HIDDEN,
    tokens: ROWS * ROW_TOKENS,
    activations: "f32",
    gradients: "f32",
  });
}

function optionsFor(pipeline: Pipeline, link: ProfileName): PacedJobOptions {
  return {
    ...jobOf(pipeline),
    pace: PACE,
    rows: ROWS,
    rowTokens: ROW_TOKENS,
    links: Array.from({ length: CLIENTS }, () => PROFILES[link]),
    seed: SEED,
  };
}

/** Milliseconds of each step but the first. */
function stepsOf(commitMs: readonly number[]): number[] {
  return commitMs.slice(1).map((at, i) => at - commitMs[i]);
}

function predicted(pipeline: Pipeline, link: ProfileName, costs: Costs): number[] {
  const { links, config, policy } = optionsFor(pipeline, link);
  const clients = links.map((profile) => ({ link: profile, slowness: 1, dropEverySeconds: 0 }));
  return stepsOf(simulate({ config, policy, costs, clients, seed: SEED }).commitMs);
}

/** Measures a row and puts it into what is kept, in place of an older one. Over no link the pipeline's costs are measured too. */
async function measure(kept: Kept, pipeline: Pipeline, link: ProfileName): Promise<void> {
  const [load] = loadavg();
  const options = optionsFor(pipeline, link);
  const result = await runPacedJob(options);
  if (link === "none") kept.costs[pipeline] = costsOf(options, result);
  const row: Row = {
    row: "step",
    pipeline,
    link,
    measuredMs: stepsOf(result.commitMs),
    predictedMs: [],
    load,
  };
  kept.rows = [...kept.rows.filter((other) => !isOf(other, pipeline, link)), row];
  // New costs are the basis of all the pipeline's rows.
  for (const other of kept.rows)
    if (other === row || (link === "none" && other.pipeline === pipeline))
      other.predictedMs = predicted(pipeline, other.link, kept.costs[pipeline]!);
}

const isOf = (row: Row, pipeline: Pipeline, link: ProfileName) =>
  row.pipeline === pipeline && row.link === link;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Rows in the order of the matrix, with what is worked out from them. */
function figures({ rows }: Kept) {
  return PIPELINES.flatMap((pipeline) =>
    PROFILE_NAMES.flatMap((link) => {
      const row = rows.find((other) => isOf(other, pipeline, link));
      if (row === undefined) return [];
      const [measuredMs, predictedMs] = [median(row.measuredMs), median(row.predictedMs)];
      const unlimited = rows.find((other) => isOf(other, pipeline, "none"))?.measuredMs;
      const [microBatches, inFlight] = pipeline.split("/").map(Number);
      return {
        microBatches,
        inFlight,
        link,
        measuredMs,
        predictedMs,
        error: predictedMs / measuredMs - 1,
        shortest: { measuredMs: Math.min(...row.measuredMs), predictedMs: Math.min(...row.predictedMs) },
        speed: unlimited === undefined ? null : median(unlimited) / measuredMs,
        load: row.load,
      };
    }),
  );
}

function printTable(kept: Kept): void {
  const rows = figures(kept).map((row) => {
    const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
    const { shortest, speed } = row;
    return [
      `${row.microBatches} / ${row.inFlight}`,
      row.link,
      `${row.measuredMs.toFixed(0)} ms`,
      `${row.predictedMs.toFixed(0)} ms`,
      percent(row.error),
      percent(shortest.predictedMs / shortest.measuredMs - 1),
      speed === null ? "" : `${(100 * speed).toFixed(0)} %`,
      row.load.toFixed(1),
    ];
  });
  const head = [
    "micro-batches / in flight",
    "link",
    "measured",
    "predicted",
    "error",
    "of the shortest",
    "of no link's speed",
    "load",
  ];
  for (const line of formatTable(head, rows, new Set([2, 3, 4, 5, 6, 7]))) console.log(line);
}

const program = new Command("bench:simulator")
  .description(
    "step times that the simulator predicts beside those over real sockets and the shaping proxies",
  )
  .option("--json", "rows instead of a table", false)
  .option("--keep <file>", "file of JSON lines in which rows are kept, so that further calls go on")
  .option("--only <row>", 'measure this row, such as "fibre,1/1"; may be repeated', rowNames, [])
  .option("--seconds <n>", "begin no row that would end later", positive, Number.POSITIVE_INFINITY);
const settings: Settings = program.parse().opts();

const kept = readKept(settings.keep);
const wanted =
  settings.only.length > 0
    ? [...settings.only]
    : PIPELINES.flatMap((pipeline) => PROFILE_NAMES.map((link) => ({ pipeline, link }))).filter(
        ({ pipeline, link }) => !kept.rows.some((row) => isOf(row, pipeline, link)),
      );
const start = performance.now();
let left = 0;
while (wanted.length > 0) {
  const { pipeline, link } = wanted[0];
  const costs = kept.costs[pipeline];
  // Costs come from the run over no link.
  if (costs === undefined && link !== "none") {
    wanted.unshift({ pipeline, link: "none" });
    continue;
  }
  wanted.shift();
  const about = costs === undefined ? 0 : STEPS * median(predicted(pipeline, link, costs));
  if (performance.now() - start + about + AROUND_MS > 1_000 * settings.seconds) {
    left++;
    if (costs !== undefined) continue;
    left += wanted.length;
    break;
  }
  await measure(kept, pipeline, link);
  if (settings.keep !== undefined) writeKept(settings.keep, kept);
}

if (settings.json) console.log(JSON.stringify(figures(kept), null, 2));
else printTable(kept);
if (left > 0) console.error(`${left} rows are left for another call`);
