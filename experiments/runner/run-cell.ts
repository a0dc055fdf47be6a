/** Runs any cell: a training run in memory or over processes, or a baseline that needs no training. */
import { fail } from "../../shared/errors.ts";
import { bagOfWordsBaseline, majorityBaseline } from "../tasks/baselines.ts";
import { taskNamed } from "../tasks/registry.ts";
import type { Baseline, Cell } from "./experiment.ts";
import { type RunCellOptions, runMemoryCell } from "./memory-cell.ts";
import { type Launch, runProcessCell } from "./process-cell.ts";

const BASELINE_METRICS = {
  majority: majorityBaseline,
  "bag-of-words-seen": bagOfWordsBaseline,
  "bag-of-words": bagOfWordsBaseline,
} as const;

/** Examples that all clients see together in the steps of a cell, each once at most: of a labelled text each makes a row. */
export function examplesSeen(cell: Cell, available: number): number {
  return Math.min(available, cell.steps * cell.clients * cell.microBatches * cell.rows);
}

/**
 * A reference row of a classification task, no bytes spent: from all clients' training examples, or from as many as they see in
 * their steps.
 */
function runBaseline(cell: Cell, baseline: Baseline, options: RunCellOptions): void {
  const started = performance.now();
  const task = taskNamed(cell.task);
  if (task.kind !== "classification")
    fail("NB_CONFIG_INVALID", `baselines: ${task.name} is no classification task`);
  const { train, test } = task.load();
  const all = cell.trainExamples === 0 ? train : train.slice(0, cell.trainExamples);
  const kept = baseline === "bag-of-words-seen" ? all.slice(0, examplesSeen(cell, all.length)) : all;
  const metrics = BASELINE_METRICS[baseline](task, kept, test.slice(0, cell.testExamples));
  options.onRow({ row: "evaluation", step: 0, totalBytes: 0, metrics, clients: [metrics] });
  options.onRow({
    row: "end",
    steps: 0,
    tokens: 0,
    elements: 0,
    bytes: { up: {}, down: {} },
    totalBytes: 0,
    codecBitsPerElement: 0,
    wireBitsPerElement: 0,
    phaseBits: {},
    baselineBytes: { f32: 0, f16: 0, int8: 0 },
    ms: { clientCompute: 0, clientCodec: 0, serverCompute: 0, serverCodec: 0 },
    seconds: (performance.now() - started) / 1000,
  });
}

/**
 * Runs a cell.
 *
 * @param launch starts a narrowband command as a process, for cells over processes
 * @throws the signal's reason when it is aborted, and whatever the run throws.
 */
export async function runCell(cell: Cell, launch: Launch, options: RunCellOptions): Promise<void> {
  if (cell.baseline !== undefined) runBaseline(cell, cell.baseline, options);
  else if (cell.transport === "process") await runProcessCell(cell, launch, options);
  else await runMemoryCell(cell, options);
}
