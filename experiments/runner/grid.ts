/**
 * Runs the cells of an experiment that are not there yet, several at a time, and keeps each one's rows when it is done.
 */
import { cpus } from "node:os";
import { asNarrowbandError, type NarrowbandError } from "../../shared/errors.ts";
import { HEADLINE } from "../tasks/measure.ts";
import { taskNamed } from "../tasks/registry.ts";
import { type Cell, cellsOf, type Experiment } from "./experiment.ts";
import type { BareRow, CellRow, CellRows, Row, RowNames } from "./rows.ts";
import { parseCellRows } from "./rows.ts";
import type { RowStore } from "./store.ts";
import { type CellInputs, codeHash, configHash, inputsOf } from "./versions.ts";

/** A cell with what it reads and its hash. */
export interface PlannedCell {
  readonly cell: Cell;
  readonly inputs: CellInputs;
  readonly config: string;
}

export interface Plan {
  readonly experiment: Experiment;
  /** Hash of this program. */
  readonly code: string;
  /** All cells, each once: arms that are the same run share it only if they also share their name. */
  readonly cells: readonly PlannedCell[];
}

/** The cells of an experiment and their hashes. NB_DATASET_MISSING, NB_FILE_UNREADABLE when data or a model is not there. */
export function planOf(experiment: Experiment): Plan {
  const digests = new Map<string, string>();
  const cells = cellsOf(experiment).map((cell) => {
    const inputs = inputsOf(cell, digests);
    return { cell, inputs, config: configHash(cell, inputs) };
  });
  return { experiment, code: codeHash(), cells };
}

/** Runs one cell somewhere. The signal's reason, or the run's error, is thrown. */
export type CellRunner = (
  cell: Cell,
  options: { readonly signal: AbortSignal; readonly onRow: (row: BareRow) => void },
) => Promise<void>;

/** What happens while a grid runs. `slot` numbers the runs that go on at once, from 0. */
export interface GridListener {
  started?(slot: number, cell: Cell): void;
  row?(slot: number, cell: Cell, row: Row): void;
  finished?(slot: number, cell: Cell, rows: CellRows): void;
  failed?(slot: number, cell: Cell, error: NarrowbandError): void;
}

export interface GridResult {
  readonly finished: number;
  /** Those that were there before. */
  readonly kept: number;
  readonly failed: readonly { readonly cell: Cell; readonly error: NarrowbandError }[];
}

function namesOf({ experiment, code }: Plan, { cell, config }: PlannedCell): RowNames {
  const { task, model, arm, seed, link } = cell;
  return { experiment: experiment.name, config, code, task, model, arm, seed, link };
}

function firstRow(plan: Plan, planned: PlannedCell): CellRow {
  const { cell, inputs } = planned;
  const arm = plan.experiment.arms.find(({ name }) => name === cell.arm);
  return {
    row: "cell",
    ...namesOf(plan, planned),
    cell: { ...cell },
    inputs: { ...inputs },
    ...HEADLINE[taskNamed(cell.task).kind],
    baseline: cell.baseline !== undefined,
    ...(arm?.packedAs === undefined ? {} : { packedAs: arm.packedAs }),
    machine: {
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model ?? "unknown",
    },
    started: new Date().toISOString(),
  };
}

/**
 * Runs what is missing. A cell that fails does not stop the others; it is missing again next time.
 *
 * @throws the signal's reason when it is aborted; finished cells are kept.
 */
export async function runGrid(
  plan: Plan,
  store: RowStore,
  run: CellRunner,
  options: { readonly workers: number; readonly signal: AbortSignal; readonly listener?: GridListener },
): Promise<GridResult> {
  const { workers, signal, listener } = options;
  const queue = [...plan.cells];
  let kept = 0;
  const failed: { cell: Cell; error: NarrowbandError }[] = [];
  let finished = 0;
  const work = async (slot: number): Promise<void> => {
    for (let planned = queue.shift(); planned !== undefined; planned = queue.shift()) {
      const { cell, config } = planned;
      if (store.has(config, plan.code)) {
        kept++;
        continue;
      }
      signal.throwIfAborted();
      listener?.started?.(slot, cell);
      const names = namesOf(plan, planned);
      const rows: Row[] = [firstRow(plan, planned)];
      try {
        await run(cell, {
          signal,
          onRow: (bare) => {
            const { row, ...rest } = bare;
            // Names first, for whoever reads the file.
            const full = { row, ...names, ...rest } as Row;
            rows.push(full);
            listener?.row?.(slot, cell, full);
          },
        });
        await store.write(config, plan.code, rows);
        finished++;
        const text = rows.map((row) => JSON.stringify(row)).join("\n");
        listener?.finished?.(slot, cell, parseCellRows(config, text));
      } catch (cause) {
        signal.throwIfAborted();
        const error = asNarrowbandError(cause);
        failed.push({ cell, error });
        listener?.failed?.(slot, cell, error);
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: workers }, (_, slot) => work(slot)));
  for (const result of settled) if (result.status === "rejected") throw result.reason;
  return { finished, kept, failed };
}

/** The finished cells of a plan, in its order; those that are not there, or damaged, are left out. */
export function finishedCells(plan: Plan, store: RowStore): CellRows[] {
  return plan.cells.flatMap(({ config }) => store.find(config, plan.code) ?? []);
}
