/** What `narrowband experiment times` does. */
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatTable,
} from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import { checkWritable, writeText } from "../../shared/output-node.ts";
import type { experimentTimesCommand } from "../commands/experiment-times.ts";
import { readRows } from "../report/read-rows.ts";
import { timesHtml } from "../report/times-html.ts";
import { codeHash } from "../runner/versions.ts";
import { totalMs } from "../simulator/critical-path.ts";
import { CostBook } from "./arm-costs.ts";
import type { ArmTimes, LinkTime } from "./arm-times.ts";
import { type GroupTarget, studyTimes } from "./study-times.ts";
import { duration, shownParts, stepsText, targetText } from "./texts.ts";

export type ExperimentTimesSettings = z.output<typeof experimentTimesCommand.options>;

function printGroup(arms: readonly ArmTimes[], target: GroupTarget, context: CommandContext): void {
  context.print(`\n${target.task}, ${target.model}. Time to the target: ${targetText(target)}`);
  const columns = arms[0].times.map(({ link, clients }, i) => ({ link, clients, i }));
  const several = new Set(columns.map(({ clients }) => clients)).size > 1;
  const name = ({ link, clients }: { link: string; clients: number }) =>
    several ? `${link}, ${formatCount(clients)}` : link;
  const right = new Set(columns.map((_, i) => i + 2).concat(1));
  const head = ["arm", "steps", ...columns.map(name)];
  const table = (cell: (time: LinkTime) => string) =>
    arms.map((arm) => [arm.arm, stepsText(arm), ...arm.times.map(cell)]);
  for (const line of formatTable(head, table(duration), right)) context.print(line);
  context.print("\na step; of it the link's share on the critical path");
  const step = (time: LinkTime) =>
    `${formatDuration(time.stepMs)} ${formatPercent(shownParts(time.stepPath).link / totalMs(time.stepPath), 0).padStart(5)}`;
  for (const line of formatTable(head, table(step), right)) context.print(line);
  if (!several) return;
  context.print("\nbytes a step; the server's load");
  const load = (time: LinkTime) =>
    `${formatBytes(Math.round(time.upBytesPerStep + time.downBytesPerStep))} ${formatPercent(time.serverBusy, 0).padStart(5)}`;
  for (const line of formatTable(head, table(load), right)) context.print(line);
}

/** The command that makes the page again. */
function commandOf(settings: ExperimentTimesSettings): string {
  const { directory, only, target, targetArm, within, links, clients, slowness, serverSpeed, serverMbit } =
    settings;
  const flag = (name: string, value: string | number | undefined, besides?: number) =>
    value === undefined || value === "" || value === besides
      ? []
      : [`--${name} ${/\s/.test(String(value)) ? JSON.stringify(value) : value}`];
  return [
    `narrowband experiment times ${directory}`,
    ...flag("only", only.join(",")),
    ...flag("target", target),
    ...flag("target-arm", targetArm),
    ...flag("within", within, 0),
    ...flag("links", links.join(",")),
    ...flag("clients", clients.join(",")),
    ...flag("slowness", slowness, 1),
    ...flag("server-speed", serverSpeed, 1),
    ...flag("server-mbit", serverMbit, 0),
  ].join(" ");
}

export async function runExperimentTimes(
  settings: ExperimentTimesSettings,
  context: CommandContext,
): Promise<void> {
  const { directory, out, target, targetArm } = settings;
  if (target !== undefined && targetArm !== undefined)
    fail("NB_CONFIG_INVALID", `--target: ${target} was given with --target-arm; accepted: one, not both`);
  if (out !== undefined) checkWritable(out);
  const program = codeHash();
  const { arms, name, code, left } = await readRows(directory, program);
  for (const text of left) context.log.warn(`not used: ${text}`);
  if (code !== program)
    context.log.warn(`these rows are of version ${code} of the program; this is ${program}`);
  const times = await studyTimes(arms, settings, await CostBook.open(settings.costs), context);
  for (const text of times.left) context.log.warn(`not used: ${text}`);
  const notUsed = [...left, ...times.left];
  if (out !== undefined) {
    const html = await timesHtml({
      title: `narrowband experiment: ${name}, time to target`,
      times: { ...times, left: notUsed },
      code,
      settings,
      command: commandOf(settings),
    });
    await writeText(out, html);
  }
  await context.result({ experiment: name, code, ...times, left: notUsed });
  for (const group of times.targets) {
    const arms = times.arms.filter(({ model, task }) => model === group.model && task === group.task);
    if (arms.length > 0) printGroup(arms, group, context);
  }
  if (out !== undefined) context.print(`\nThe page is ${out}.`);
}
