/** Grids whose runs take no time and whose models need not be there, for tests of what is around the runs. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cellsOf, parseExperiment } from "../../experiments/runner/experiment.ts";
import { type CellRunner, type Plan, runGrid } from "../../experiments/runner/grid.ts";
import { finalRow } from "../../experiments/runner/row-making.ts";
import { EXPERIMENT_FILE } from "../../experiments/runner/run-experiment.ts";
import { RowStore } from "../../experiments/runner/store.ts";
import { type CellInputs, configHash, digestOf } from "../../experiments/runner/versions.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";

export const INPUTS: CellInputs = { model: digestOf("model"), data: "text@1", engine: "e@1" };

export interface StandInOptions {
  readonly code?: string | undefined;
  readonly inputs?: CellInputs;
}

/** The plan of an experiment file's text. */
export async function standInPlan(
  text: string,
  { code = digestOf("code"), inputs = INPUTS }: StandInOptions = {},
): Promise<Plan> {
  const experiment = await parseExperiment("grid.yaml", text);
  const cells = cellsOf(experiment).map((cell) => ({ cell, inputs, config: configHash(cell, inputs) }));
  return { experiment, code, cells };
}

/** Runs at once; `told` gets the cells that were run. A run measures its seed plus one, for ten bytes. */
export function quick(told: string[], before: (name: string) => void = () => {}): CellRunner {
  return async (cell, { onRow }) => {
    const name = `${cell.arm}${cell.seed}`;
    told.push(name);
    before(name);
    const metrics = { loss: cell.seed + 1 };
    onRow({ row: "evaluation", step: 1, totalBytes: 10, metrics, clients: [metrics] });
    const ms = { clientCompute: 1, clientCodec: 2, serverCompute: 3, serverCodec: 4 };
    onRow(finalRow(new ByteLedger().snapshot(), { steps: 1, ms, seconds: 0.1 }));
  };
}

/** What narrowband experiment run leaves in a directory: the file and the rows that are not there yet, of `only` or of all arms. */
export async function standInRun(
  directory: string,
  text: string,
  options: StandInOptions & { readonly only?: readonly string[] } = {},
): Promise<void> {
  const plan = await standInPlan(text, options);
  const cells = plan.cells.filter(({ cell }) => options.only?.includes(cell.arm) ?? true);
  const { signal } = new AbortController();
  await runGrid({ ...plan, cells }, new RowStore(directory), quick([]), { workers: 1, signal });
  writeFileSync(join(directory, EXPERIMENT_FILE), text);
}
