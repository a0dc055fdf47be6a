/** How long the runs that are missing will take, from what the same runs, or others like them, took before. */
import type { CellRows } from "../runner/rows.ts";

/** What is known of a run before it starts. */
export interface PlannedRun {
  readonly model: string;
  readonly task: string;
  readonly arm: string;
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Seconds that runs will take one after another: of each the mean of finished ones of its arm, task and model, else of its task and model, else of
 * all. Undefined when nothing has been finished to judge by.
 */
export function secondsOf(runs: readonly PlannedRun[], finished: readonly CellRows[]): number | undefined {
  if (finished.length === 0) return runs.length === 0 ? 0 : undefined;
  const known = new Map<string, number[]>();
  const keysOf = ({ model, task, arm }: PlannedRun) => [
    JSON.stringify([model, task, arm]),
    JSON.stringify([model, task]),
    "",
  ];
  for (const { cell, end } of finished)
    for (const key of keysOf(cell)) {
      // A baseline is no measure of a run that trains.
      if (cell.baseline && key !== keysOf(cell)[0]) continue;
      known.set(key, [...(known.get(key) ?? []), end.seconds]);
    }
  return runs.reduce((sum, run) => {
    const key = keysOf(run).find((k) => known.has(k));
    return sum + (key === undefined ? 0 : mean(known.get(key)!));
  }, 0);
}
