/** What `narrowband experiment report` does. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatTable } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import { writeFileAtomically } from "../../shared/model/files-node.ts";
import type { experimentReportCommand } from "../commands/experiment-report.ts";
import type { Experiment } from "../runner/experiment.ts";
import { type CellRows, formatMetric } from "../runner/rows.ts";
import { EXPERIMENT_FILE, readExperiment } from "../runner/run-experiment.ts";
import { RowStore } from "../runner/store.ts";
import { codeHash } from "../runner/versions.ts";
import { groupBy } from "../statistics/groups.ts";
import { type ArmRuns, type ArmSummary, armsOf, compatibleRuns, type Study, studyOf } from "./study.ts";
import { studyHtml } from "./study-html.ts";

export type ExperimentReportSettings = z.output<typeof experimentReportCommand.options>;

function printArms(arms: readonly ArmSummary[], context: CommandContext): void {
  for (const group of groupBy(arms, ({ model, task, link }) =>
    JSON.stringify([model, task, link]),
  ).values()) {
    const [{ task, model, link, metric }] = group;
    context.print(`\n${task}, ${model}${link === "none" ? "" : `, over ${link}`}`);
    const rows = group.map((arm) => [
      arm.name,
      formatMetric(metric, arm.mean),
      arm.ci95 === null ? "" : `± ${formatMetric(metric, (arm.ci95[1] - arm.ci95[0]) / 2)}`,
      String(arm.seeds.length),
      arm.baseline ? "" : formatBytes(arm.cumulativeBytes),
      arm.baseline ? "" : arm.bitsPerElement.toFixed(2),
    ]);
    const head = ["arm", metric, "95 %", "seeds", "bytes", "bits"];
    for (const line of formatTable(head, rows, new Set([1, 2, 3, 4, 5]))) context.print(line);
  }
}

function printComparisons({ comparisons }: Study, context: CommandContext): void {
  if (comparisons.length === 0) return;
  context.print("\nat equal bytes, paired by seed");
  const signed = (metric: string, value: number) =>
    `${value < 0 ? "-" : "+"}${formatMetric(metric, Math.abs(value))}`;
  const rows = comparisons.map(
    ({ task, arm, against, metric, atBytes, difference, ci95, finalDifference }) => [
      task,
      arm,
      against,
      atBytes === null ? "" : formatBytes(atBytes),
      difference === null ? "" : signed(metric, difference),
      ci95 === null ? "" : `${signed(metric, ci95[0])} to ${signed(metric, ci95[1])}`,
      signed(metric, finalDifference),
    ],
  );
  const head = ["task", "arm", "against", "at", "difference", "95 %", "after all steps"];
  for (const line of formatTable(head, rows, new Set([3, 4, 5, 6]))) context.print(line);
}

/** What an experiment's directory holds that may stand in one table. */
export interface StudyRows {
  /** By model, task and link, then in the order of the experiment's file. */
  readonly arms: readonly ArmRuns[];
  readonly runs: readonly CellRows[];
  /** The file, where it is there too. */
  readonly experiment: Experiment | undefined;
  readonly name: string;
  /** Hash of the program that made the rows. */
  readonly code: string;
  /** Rows that are not used, in words. */
  readonly left: readonly string[];
}

/** Reads the rows of `narrowband experiment run`, and says what is left out. NB_CONFIG_INVALID when there are none. */
export async function readStudyRows(directory: string, context: CommandContext): Promise<StudyRows> {
  const store = new RowStore(directory);
  const all = store.hashes().map(({ config, code }) => store.read(config, code));
  const program = codeHash();
  const { runs, code, left } = compatibleRuns(all, program);
  if (runs.length === 0)
    fail(
      "NB_CONFIG_INVALID",
      `directory: ${directory} holds no rows; accepted: the --out of narrowband experiment run`,
    );
  for (const text of left) context.log.warn(`not used: ${text}`);
  if (code !== program)
    context.log.warn(`these rows are of version ${code} of the program; this is ${program}`);
  const file = join(directory, EXPERIMENT_FILE);
  const experiment = existsSync(file) ? await readExperiment(file) : undefined;
  // Tables in the order of the file, not of the hashes.
  const order = ["majority", "bag-of-words", ...(experiment?.arms.map(({ name }) => name) ?? [])];
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const arms = armsOf(runs).sort(
    (a, b) =>
      a.model.localeCompare(b.model) ||
      a.task.localeCompare(b.task) ||
      a.link.localeCompare(b.link) ||
      place(a.arm) - place(b.arm),
  );
  const name = experiment?.name ?? runs[0].cell.experiment ?? basename(directory);
  return { arms, runs, experiment, name, code, left };
}

export async function reportExperiment(
  settings: ExperimentReportSettings,
  context: CommandContext,
): Promise<void> {
  const { directory } = settings;
  const out = settings.out ?? directory;
  const { arms, runs, experiment, name, code, left } = await readStudyRows(directory, context);
  const unknown = settings.against.find((name) => !arms.some(({ arm }) => arm === name));
  if (unknown !== undefined)
    fail("NB_CONFIG_INVALID", `--against: no rows of an arm ${JSON.stringify(unknown)}`);
  const against = settings.against.length > 0 ? settings.against : experiment?.against;
  const study = studyOf(arms, against);
  await mkdir(out, { recursive: true });
  const paths = { html: join(out, "report.html"), json: join(out, "report.json") };
  const write = (path: string, text: string) => writeFileAtomically(path, [new TextEncoder().encode(text)]);
  await write(paths.json, `${JSON.stringify({ experiment: name, code, left, ...study }, null, 1)}\n`);
  await write(
    paths.html,
    await studyHtml({
      title: `narrowband experiment: ${name}`,
      question: experiment?.question,
      study,
      runs: arms,
      code,
      left,
      command: `narrowband experiment report ${directory}`,
    }),
  );
  if (out === directory) await new RowStore(directory).writeCsv(runs);
  await context.result({ experiment: name, code, left, ...study });
  printArms(study.arms, context);
  printComparisons(study, context);
  context.print(`\nThe report is ${paths.html}.`);
}
