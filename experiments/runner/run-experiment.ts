/** What `narrowband experiment run` does: the file, the grid, a table that follows it. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatDuration, formatTable } from "../../shared/command/format.ts";
import type { ProgressBar } from "../../shared/command/progress.ts";
import { fail, NarrowbandError } from "../../shared/errors.ts";
import { writeFileAtomically } from "../../shared/output-node.ts";
import type { experimentRunCommand } from "../commands/experiment-run.ts";
import { lockDirectory } from "./directory-lock.ts";
import { type Cell, cellLabel, type Experiment, parseExperiment } from "./experiment.ts";
import { finishedCells, type GridListener, type Plan, planOf, runGrid } from "./grid.ts";
import { type CellRows, formatMetric, type Row, totalOf } from "./rows.ts";
import { RowStore } from "./store.ts";
import { processRunner } from "./worker-pool.ts";

export type ExperimentRunSettings = z.output<typeof experimentRunCommand.options>;

/** Name of the copy of the experiment file in a run's directory. */
export const EXPERIMENT_FILE = "experiment.yaml";

/** Reads an experiment file. NB_FILE_UNREADABLE, NB_CONFIG_INVALID. */
export async function readExperiment(path: string): Promise<Experiment> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new NarrowbandError("NB_FILE_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
  return parseExperiment(path, text);
}

/** The plan of the chosen arms, baselines included. */
function chosenPlan(plan: Plan, only: readonly string[]): Plan {
  if (only.length === 0) return plan;
  const names = plan.experiment.arms.map(({ name }) => name);
  const unknown = only.find((arm) => !names.includes(arm));
  if (unknown !== undefined)
    fail("NB_CONFIG_INVALID", `--only: ${JSON.stringify(unknown)} is no arm; accepted: ${names.join(", ")}`);
  const cells = plan.cells.filter(({ cell }) => cell.baseline !== undefined || only.includes(cell.arm));
  return { ...plan, cells };
}

/** One line of a finished cell, for people. */
function resultLine(cell: Cell, { cell: { metric }, evaluations, end }: CellRows): string {
  const value = evaluations.at(-1)?.metrics[metric as "loss"] ?? Number.NaN;
  const bits = end.elements === 0 ? "" : ` | ${end.wireBitsPerElement.toFixed(2)} bits`;
  return `${cellLabel(cell)} | ${metric} ${formatMetric(metric, value)} | ${formatBytes(end.totalBytes)}${bits} | ${formatDuration(end.seconds * 1000)}`;
}

/** Follows a grid: a bar for the whole, and one for each run that goes on. */
class GridView implements GridListener {
  readonly #context: CommandContext;
  readonly #all: ProgressBar;
  readonly #slots: readonly ProgressBar[];
  #done: number;

  constructor(context: CommandContext, all: ProgressBar, slots: readonly ProgressBar[], done: number) {
    this.#context = context;
    this.#all = all;
    this.#slots = slots;
    this.#done = done;
    all.update(done, "");
  }

  started(slot: number, cell: Cell): void {
    this.#slots[slot]?.update(0, cellLabel(cell));
  }

  row(slot: number, cell: Cell, row: Row): void {
    if (row.row !== "step") return;
    const share = Math.min(99, Math.floor((100 * row.step) / cell.steps));
    const figures = `step ${row.step}/${cell.steps} | loss ${row.loss.toFixed(3)} | ${formatBytes(totalOf(row.bytes))}`;
    this.#slots[slot]?.update(share, `${cellLabel(cell)} | ${figures}`);
  }

  finished(_slot: number, cell: Cell, rows: CellRows): void {
    this.#all.update(++this.#done, "");
    this.#context.note(resultLine(cell, rows));
    const { task, arm, seed, link } = cell;
    this.#context.event("cell", {
      task,
      arm,
      seed,
      link,
      metric: rows.cell.metric,
      metrics: rows.evaluations.at(-1)?.metrics,
      totalBytes: rows.end.totalBytes,
      seconds: rows.end.seconds,
    });
  }

  failed(_slot: number, cell: Cell, error: NarrowbandError): void {
    this.#context.note(`${cellLabel(cell)} | failed: ${error.code}: ${error.message}`);
    this.#context.event("failed", { task: cell.task, arm: cell.arm, seed: cell.seed, code: error.code });
  }
}

function listCells(plan: Plan, there: ReadonlySet<string>, context: CommandContext): void {
  const rows = plan.cells.map(({ cell, config }) => [
    config,
    cell.task,
    cell.arm,
    String(cell.seed),
    cell.link,
    there.has(config) ? "there" : "missing",
  ]);
  for (const line of formatTable(["hash", "task", "arm", "seed", "link", "rows"], rows)) context.print(line);
}

/** Hashes of the cells whose rows are there. Says which others are there and not used: those of other versions, and damaged ones. */
function cellsThere(plan: Plan, store: RowStore, context: CommandContext): ReadonlySet<string> {
  const damaged = (what: string) => context.log.warn(`a run counts as missing: ${what}`);
  const there = plan.cells.filter(({ config }) => store.find(config, plan.code, damaged) !== undefined);
  const known = new Set(plan.cells.map(({ config }) => config));
  const all = store.hashes();
  const otherCode = all.filter(({ config, code }) => known.has(config) && code !== plan.code).length;
  const otherConfig = all.filter(({ config }) => !known.has(config)).length;
  if (otherCode > 0)
    context.log.warn(
      `${otherCode} runs in ${store.directory} are of another version of the program, and are not used`,
    );
  if (otherConfig > 0)
    context.log.warn(
      `${otherConfig} runs in ${store.directory} are of other settings, models or data, and are not used`,
    );
  return new Set(there.map(({ config }) => config));
}

export async function runExperiment(settings: ExperimentRunSettings, context: CommandContext): Promise<void> {
  const experiment = await readExperiment(settings.file);
  const whole = planOf(experiment);
  const plan = chosenPlan(whole, settings.only);
  const out = settings.out ?? join("runs", experiment.name);
  const store = new RowStore(out);
  const there = cellsThere(whole, store, context);
  if (settings.list) {
    listCells(plan, there, context);
    return;
  }
  const unlock = lockDirectory(out);
  try {
    await writeFileAtomically(join(out, EXPERIMENT_FILE), [await readFile(settings.file)]);
    const missing = plan.cells.filter(({ config }) => !there.has(config)).length;
    await makeRuns(whole, plan, store, { missing, most: settings.workers }, context);
  } finally {
    unlock();
  }
}

/** Makes what is missing of `plan`, and the table of all runs of `whole` that are there. */
async function makeRuns(
  whole: Plan,
  plan: Plan,
  store: RowStore,
  { missing, most }: { readonly missing: number; readonly most: number },
  context: CommandContext,
): Promise<void> {
  const { experiment } = plan;
  const automatic = experiment.transport === "process" ? 1 : availableParallelism();
  const workers = Math.max(1, Math.min(most || automatic, missing));
  const progress = await context.progress();
  const all = progress.bar("runs", plan.cells.length);
  const slots =
    missing === 0 ? [] : Array.from({ length: workers }, (_, i) => progress.bar(`worker ${i + 1}`, 100));
  const view = new GridView(context, all, slots, plan.cells.length - missing);
  let result: Awaited<ReturnType<typeof runGrid>>;
  try {
    result = await runGrid(plan, store, processRunner(process.argv[1]), {
      workers,
      signal: context.signal,
      listener: view,
    });
  } finally {
    progress.stop();
    await store.writeCsv(finishedCells(whole, store));
  }
  await context.result({
    experiment: experiment.name,
    out: store.directory,
    code: plan.code,
    finished: result.finished,
    kept: result.kept,
    failed: result.failed.length,
  });
  context.print(
    `${experiment.name}: ${result.finished} runs made, ${result.kept} were there, ${result.failed.length} failed; rows are in ${store.directory}`,
  );
  const [first] = result.failed;
  if (first !== undefined) fail(first.error.code, `${cellLabel(first.cell)}: ${first.error.message}`);
}
