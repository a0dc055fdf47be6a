/**
 * What `narrowband experiment keep` does: a small copy of an experiment's rows, to be published. Of all that a run's file holds a report
 * reads the measurements and the totals, and those are kept whole; each step's own row repeats names, settings of codecs and a ledger of
 * bytes, and is kept where something was measured. Of the other steps a single row has the course: loss, norm of the gradient, bytes.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import { writeFileAtomically } from "../../shared/output-node.ts";
import type { experimentKeepCommand } from "../commands/experiment-keep.ts";
import { type CellRows, namesOf, type Row, traceOf, type WrittenRow } from "../runner/rows.ts";
import { EXPERIMENT_FILE } from "../runner/run-experiment.ts";
import { RowStore } from "../runner/store.ts";
import { chooseRuns } from "./read-rows.ts";

export type ExperimentKeepSettings = z.output<typeof experimentKeepCommand.options>;

/** Taken out of every row but the first. */
function bare(row: Exclude<Row, { row: "cell" }>): WrittenRow {
  const names = new Set(Object.keys(namesOf(row)));
  return Object.fromEntries(Object.entries(row).filter(([key]) => !names.has(key))) as WrittenRow;
}

/** The rows of a published cell, in the order of its file. */
export function keptRows(rows: CellRows): WrittenRow[] {
  const { cell, steps, evaluations, end } = rows;
  const measured = new Set(evaluations.map(({ step }) => step));
  const trace = traceOf(rows);
  const course = [...steps.filter(({ step }) => measured.has(step)), ...evaluations].sort(
    (a, b) => a.step - b.step,
  );
  return [cell, ...course.map(bare), ...(trace.step.length === 0 ? [] : [bare(trace)]), bare(end)];
}

export async function keepExperiment(
  { directory, out }: ExperimentKeepSettings,
  context: CommandContext,
): Promise<void> {
  if (resolve(directory) === resolve(out))
    fail("NB_CONFIG_INVALID", "--out: is the directory with the rows; accepted: another one");
  // As a report of another version of the program chooses: the newest.
  const { runs, code, left, name } = await chooseRuns(directory, "");
  const to = new RowStore(out);
  for (const text of left) context.log.warn(`not kept: ${text}`);
  const kept = new Set(runs.map(({ cell: { config } }) => `${config}.${code}`));
  const others = to.hashes().filter((hashes) => !kept.has(`${hashes.config}.${hashes.code}`));
  const otherRows = others.map((hashes) => ({ hashes, rows: to.read(hashes.config, hashes.code) }));
  const names = new Set([name, ...runs.map(({ cell }) => cell.experiment)]);
  const stranger = otherRows.find(({ rows }) => !names.has(rows.cell.experiment));
  if (stranger !== undefined)
    fail(
      "NB_CONFIG_INVALID",
      `--out: ${out} holds rows of the experiment ${JSON.stringify(stranger.rows.cell.experiment)}; accepted: a directory for ${name} alone`,
    );
  let bytes = 0;
  for (const rows of runs) {
    const lines = keptRows(rows);
    bytes += lines.reduce((sum, line) => sum + JSON.stringify(line).length + 1, 0);
    await to.write(rows.cell.config, code, lines);
  }
  // Rows in full are somebody's only copy; what was published before is not.
  const replaced = otherRows.filter(({ rows }) => rows.trace !== undefined || rows.cell.baseline);
  for (const { hashes } of replaced) to.remove(hashes.config, hashes.code);
  if (replaced.length < otherRows.length)
    context.log.warn(
      `${otherRows.length - replaced.length} runs in ${out} are of another version, with all their rows, and were left there`,
    );
  const file = join(directory, EXPERIMENT_FILE);
  if (existsSync(file)) await writeFileAtomically(join(out, EXPERIMENT_FILE), [await readFile(file)]);
  await context.result({
    experiment: name,
    out,
    code,
    kept: runs.length,
    replaced: replaced.length,
    bytes,
    left,
  });
  context.print(
    `${name}: ${runs.length} runs kept in ${out}, ${formatBytes(bytes)}, ${formatBytes(Math.round(bytes / runs.length))} each`,
  );
}
