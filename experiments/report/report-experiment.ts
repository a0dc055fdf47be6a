/** What `narrowband experiment report` does. */
import { join } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatTable } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import { makeDirectory, writeText } from "../../shared/output-node.ts";
import type { experimentReportCommand } from "../commands/experiment-report.ts";
import { formatDifference, formatMargin, formatMetric, metricLabel } from "../runner/rows.ts";
import { codeHash } from "../runner/versions.ts";
import { groupBy } from "../statistics/groups.ts";
import { readRows } from "./read-rows.ts";
import { type ArmSummary, type Study, studyOf } from "./study.ts";
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
      arm.ci95 === null ? "" : formatMargin(metric, (arm.ci95[1] - arm.ci95[0]) / 2),
      String(arm.seeds.length),
      arm.baseline ? "" : formatBytes(arm.cumulativeBytes),
      arm.baseline ? "" : arm.bitsPerElement.toFixed(2),
    ]);
    const head = ["arm", metricLabel(metric), "95 %", "seeds", "bytes", "bits"];
    for (const line of formatTable(head, rows, new Set([1, 2, 3, 4, 5]))) context.print(line);
  }
}

function printComparisons({ comparisons }: Study, context: CommandContext): void {
  if (comparisons.length === 0) return;
  context.print("\nat equal bytes, paired by seed");
  const rows = comparisons.map(
    ({ task, arm, against, metric, atBytes, difference, ci95, finalDifference }) => [
      task,
      arm,
      against,
      atBytes === null ? "" : formatBytes(atBytes),
      difference === null ? "" : formatDifference(metric, difference),
      ci95 === null ? "" : `${formatDifference(metric, ci95[0])} to ${formatDifference(metric, ci95[1])}`,
      formatDifference(metric, finalDifference),
    ],
  );
  const head = ["task", "arm", "against", "at", "difference", "95 %", "after all steps"];
  for (const line of formatTable(head, rows, new Set([3, 4, 5, 6]))) context.print(line);
}

export async function reportExperiment(
  settings: ExperimentReportSettings,
  context: CommandContext,
): Promise<void> {
  const { directory } = settings;
  const program = codeHash();
  const { store, experiment, name, runs, code, left, arms } = await readRows(directory, program);
  for (const text of left) context.log.warn(`not used: ${text}`);
  if (code !== program)
    context.log.warn(`these rows are of version ${code} of the program; this is ${program}`);
  const unknown = settings.against.find((name) => !arms.some(({ arm }) => arm === name));
  if (unknown !== undefined)
    fail("NB_CONFIG_INVALID", `--against: no rows of an arm ${JSON.stringify(unknown)}`);
  const against = settings.against.length > 0 ? settings.against : experiment?.against;
  const study = studyOf(arms, against);
  const published = runs.some(({ trace }) => trace !== undefined);
  const out = settings.out ?? (published || context.jsonAsked ? undefined : directory);
  const result = { experiment: name, code, left, ...study };
  if (out !== undefined) {
    makeDirectory(out);
    await writeText(join(out, "report.json"), `${JSON.stringify(result, null, 1)}\n`);
    const html = await studyHtml({
      title: `narrowband experiment: ${name}`,
      question: experiment?.question,
      study,
      runs: arms,
      code,
      left,
      command: `narrowband experiment report ${directory}`,
    });
    await writeText(join(out, "report.html"), html);
    if (out === directory) await store.writeCsv(runs);
  }
  await context.result(result);
  printArms(study.arms, context);
  printComparisons(study, context);
  context.print(
    out === undefined
      ? "\nNo page was written: --out DIR says where to."
      : `\nThe report is ${join(out, "report.html")}.`,
  );
}
