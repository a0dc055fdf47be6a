/** A directory of rows as a report and the tables of documents take it: which runs count, and its arms in the order of the experiment file. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../shared/errors.ts";
import { BASELINES, type Experiment, gridOf, taskNamesOf } from "../runner/experiment.ts";
import type { CellRows } from "../runner/rows.ts";
import { EXPERIMENT_FILE, readExperiment } from "../runner/run-experiment.ts";
import { RowStore } from "../runner/store.ts";
import { type ArmRuns, armsOf, compatibleRuns } from "./study.ts";

/** Runs that may stand in one table. */
export interface ChosenRuns {
  readonly store: RowStore;
  /** Undefined when no experiment file stands beside the rows. */
  readonly experiment: Experiment | undefined;
  /** Of the experiment. */
  readonly name: string;
  readonly runs: readonly CellRows[];
  /** Hash of the program that made them. */
  readonly code: string;
  /** What was not taken, in words. */
  readonly left: readonly string[];
}

export interface ReadRows extends ChosenRuns {
  /** By model, task and link, and in each in the order of the file. */
  readonly arms: readonly ArmRuns[];
}

/** A comparison of places in a list; whatever is not in it comes last. */
function placeIn(order: readonly string[]): (a: string, b: string) => number {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return (a, b) => place(a) - place(b);
}

/**
 * Chooses runs among the rows that narrowband experiment run or keep left in a directory: those of the experiment file beside them.
 *
 * @param preferredCode taken when it has rows, else the newest version of the program
 * @throws NB_CONFIG_INVALID when there are none, and what {@link RowStore} and {@link compatibleRuns} throw
 */
export async function chooseRuns(directory: string, preferredCode: string): Promise<ChosenRuns> {
  const store = new RowStore(directory);
  const all = store.hashes().map(({ config, code }) => store.read(config, code));
  const file = join(directory, EXPERIMENT_FILE);
  const experiment = existsSync(file) ? await readExperiment(file) : undefined;
  const isCell = experiment && gridOf(experiment);
  const chosen = compatibleRuns(all, preferredCode, isCell && (({ cell }) => isCell(cell.cell)));
  if (chosen.runs.length === 0)
    fail(
      "NB_CONFIG_INVALID",
      all.length === 0
        ? `directory: ${directory} holds no rows; accepted: the --out of narrowband experiment run`
        : `directory: none of the ${all.length} runs in ${directory} is of ${file}; accepted: a directory with runs of the experiment file in it`,
    );
  return { store, experiment, name: experiment?.name ?? chosen.runs[0].cell.experiment, ...chosen };
}

/** Reads a directory of rows; as {@link chooseRuns}. */
export async function readRows(directory: string, preferredCode: string): Promise<ReadRows> {
  const chosen = await chooseRuns(directory, preferredCode);
  const { experiment, runs } = chosen;
  const byModel = placeIn(experiment?.models ?? []);
  const byTask = placeIn(experiment === undefined ? [] : taskNamesOf(experiment));
  const byArm = placeIn([
    ...BASELINES,
    ...(experiment?.arms.flatMap(({ name, packedAs }) => [name, packedAs ?? []].flat()) ?? []),
  ]);
  const packedAs = experiment && new Map(experiment.arms.map((arm) => [arm.name, arm.packedAs]));
  const arms = armsOf(runs, packedAs && ((name) => packedAs.get(name))).sort(
    (a, b) =>
      byModel(a.model, b.model) ||
      a.model.localeCompare(b.model) ||
      byTask(a.task, b.task) ||
      a.task.localeCompare(b.task) ||
      a.link.localeCompare(b.link) ||
      byArm(a.arm, b.arm),
  );
  return { ...chosen, arms };
}
