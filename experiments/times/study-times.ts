/** Times to target of an experiment's arms: which can be played, what they are to reach, and how long that takes over each link. */
import type { CommandContext } from "../../shared/command/context.ts";
import { fail } from "../../shared/errors.ts";
import type { ArmRuns } from "../report/study.ts";
import type { Costs } from "../simulator/costs.ts";
import { groupBy } from "../statistics/groups.ts";
import { CostBook, cellOf } from "./arm-costs.ts";
import { type ArmTimes, armTimes } from "./arm-times.ts";
import type { ExperimentTimesSettings } from "./run.ts";
import { type Target, targetValues } from "./targets.ts";

/** What the arms of one model and task are to reach. */
export interface GroupTarget {
  readonly model: string;
  readonly task: string;
  readonly metric: string;
  /** Whose last measurement it is; null for a value that was given. */
  readonly arm: string | null;
  /** By seed. */
  readonly values: Readonly<Record<string, number>>;
}

export interface StudyTimes {
  readonly targets: readonly GroupTarget[];
  readonly arms: readonly ArmTimes[];
  /** By model, task and arm, in that order. */
  readonly costs: Readonly<Record<string, Costs>>;
  /** Runs that were not used, in words. */
  readonly left: readonly string[];
}

/** Arms whose runs can be played: trained, of a U-shaped split, and of each the runs without a link where it has them. */
function playable(
  arms: readonly ArmRuns[],
  context: CommandContext,
): { readonly runs: ArmRuns[]; readonly left: string[] } {
  const left: string[] = [];
  const runs: ArmRuns[] = [];
  const trained = arms.filter(({ baseline }) => !baseline);
  for (const same of groupBy(trained, ({ model, task, arm }) =>
    JSON.stringify([model, task, arm]),
  ).values()) {
    const arm = same.find(({ link }) => link === "none") ?? same[0];
    const [rows] = arm.bySeed.values();
    if (cellOf(rows).split === "vanilla") left.push(`${arm.arm} on ${arm.task}, whose split is vanilla`);
    else if (rows.steps.length === 0) left.push(`${arm.arm} on ${arm.task}, which took no steps`);
    else runs.push(arm);
  }
  for (const text of left) context.log.warn(`not used: ${text}`);
  if (runs.length === 0) fail("NB_CONFIG_INVALID", "directory: holds no runs of a U-shaped split");
  return { runs, left };
}

function targetOf({ target, targetArm, within }: ExperimentTimesSettings, group: readonly ArmRuns[]): Target {
  if (target !== undefined) return { value: target };
  return { arm: targetArm ?? group[0].arm, within };
}

/** Times of all arms that can be played. NB_CONFIG_INVALID when there are none, or the target is no arm. */
export async function studyTimes(
  all: readonly ArmRuns[],
  settings: ExperimentTimesSettings,
  context: CommandContext,
): Promise<StudyTimes> {
  const { runs: arms, left } = playable(all, context);
  const book = await CostBook.open(settings.costs);
  const targets: GroupTarget[] = [];
  const times: ArmTimes[] = [];
  const costs: Record<string, Costs> = {};
  const network = {
    links: settings.links,
    clients: settings.clients,
    serverSpeed: settings.serverSpeed,
    slowness: settings.slowness,
    serverLine: settings.serverMbit * 1e6,
  };
  const groups = groupBy(arms, ({ model, task }) => JSON.stringify([model, task]));
  for (const group of groups.values()) {
    const [{ model, task, metric }] = group;
    const target = targetOf(settings, group);
    const values = targetValues(group, target);
    const arm = "arm" in target ? target.arm : null;
    targets.push({ model, task, metric, arm, values: Object.fromEntries(values) });
    for (const runs of group) {
      context.signal.throwIfAborted();
      const [rows] = runs.bySeed.values();
      const cell = cellOf(rows);
      const cost = await book.costsOf(cell, rows, ({ arm }) => context.note(`measuring the costs of ${arm}`));
      costs[JSON.stringify([model, task, runs.arm])] = cost;
      times.push(armTimes(runs, cell, cost, values, network));
    }
  }
  return { targets, arms: times, costs, left };
}
