/** Times to target of an experiment's arms: which can be played, what they are to reach, and how long that takes over each link. */
import type { CommandContext } from "../../shared/command/context.ts";
import { fail } from "../../shared/errors.ts";
import type { ArmRuns } from "../report/study.ts";
import type { Cell } from "../runner/experiment.ts";
import type { Costs } from "../simulator/costs.ts";
import { groupBy } from "../statistics/groups.ts";
import { type CostBook, cellOf, computingKey, shareComputing } from "./arm-costs.ts";
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
  /** Share by which that may be missed. */
  readonly within: number;
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

/** What is played, to reach what, and over which network. */
export type StudyTimesSettings = Pick<
  ExperimentTimesSettings,
  "only" | "target" | "targetArm" | "within" | "links" | "clients" | "serverSpeed" | "slowness" | "serverMbit"
>;

/** Why an arm's runs cannot be played, or undefined. */
export function whyNotPlayed({ arm, task, bySeed }: ArmRuns): string | undefined {
  const [rows] = bySeed.values();
  if (cellOf(rows).split === "vanilla") return `${arm} on ${task}, whose split is vanilla`;
  return rows.steps.length === 0 ? `${arm} on ${task}, which took no steps` : undefined;
}

/** Arms whose runs can be played: trained, of a U-shaped split, and of each the runs without a link where it has them. */
function playable(arms: readonly ArmRuns[]): { readonly runs: ArmRuns[]; readonly left: string[] } {
  const left: string[] = [];
  const runs: ArmRuns[] = [];
  const trained = arms.filter(({ baseline }) => !baseline);
  for (const same of groupBy(trained, ({ model, task, arm }) =>
    JSON.stringify([model, task, arm]),
  ).values()) {
    const arm = same.find(({ link }) => link === "none") ?? same[0];
    const why = whyNotPlayed(arm);
    if (why === undefined) runs.push(arm);
    else left.push(why);
  }
  if (runs.length === 0) fail("NB_CONFIG_INVALID", "directory: holds no runs of a U-shaped split");
  return { runs, left };
}

function targetOf({ target, targetArm, within }: StudyTimesSettings, group: readonly ArmRuns[]): Target {
  if (target !== undefined) return { value: target };
  return { arm: targetArm ?? group[0].arm, within };
}

/** An arm, the settings of its runs, and what their computations cost. */
interface Player {
  readonly runs: ArmRuns;
  readonly cell: Cell;
  readonly costs: Costs;
}

async function players(
  arms: readonly ArmRuns[],
  book: CostBook,
  context: Pick<CommandContext, "signal" | "note">,
): Promise<Player[]> {
  const measured: (Player & { readonly key: string })[] = [];
  for (const runs of arms) {
    context.signal.throwIfAborted();
    const [rows] = runs.bySeed.values();
    const cell = cellOf(rows, runs.packedOf !== undefined);
    const costs = await book.costsOf(cell, rows, () => context.note(`measuring the costs of ${runs.arm}`));
    measured.push({ runs, cell, costs, key: computingKey(cell, rows) });
  }
  const shared = [...groupBy(measured, ({ key }) => key).values()].flatMap((same) => {
    const costs = shareComputing(same.map((player) => player.costs));
    return same.map((player, i) => ({ ...player, costs: costs[i] }));
  });
  // In the order of the arms again.
  return arms.map((runs) => shared.find((player) => player.runs === runs)!);
}

/**
 * Times of all arms that can be played.
 *
 * @param book what computing and coding cost
 * @throws NB_CONFIG_INVALID when there are none, or the target is no arm, and what {@link CostBook.costsOf} throws
 */
export async function studyTimes(
  all: readonly ArmRuns[],
  settings: StudyTimesSettings,
  book: CostBook,
  context: Pick<CommandContext, "signal" | "note">,
): Promise<StudyTimes> {
  const { runs, left } = playable(all);
  const unknown = settings.only.find((name) => !runs.some(({ arm }) => arm === name));
  if (unknown !== undefined)
    fail("NB_CONFIG_INVALID", `--only: no rows of an arm ${JSON.stringify(unknown)}`);
  const network = {
    links: settings.links,
    clients: settings.clients,
    serverSpeed: settings.serverSpeed,
    slowness: settings.slowness,
    serverLine: settings.serverMbit * 1e6,
  };
  const targets: GroupTarget[] = [];
  const arms: ArmTimes[] = [];
  const costs: Record<string, Costs> = {};
  const groups = groupBy(runs, ({ model, task }) => JSON.stringify([model, task]));
  for (const group of groups.values()) {
    const [{ model, task, metric }] = group;
    const target = targetOf(settings, group);
    const values = targetValues(group, target);
    const { arm = null, within = 0 } = "arm" in target ? target : {};
    targets.push({ model, task, metric, arm, within, values: Object.fromEntries(values) });
    // All arms have a part in what computing takes, whether they are shown or not.
    for (const player of await players(group, book, context)) {
      if (settings.only.length > 0 && !settings.only.includes(player.runs.arm)) continue;
      context.signal.throwIfAborted();
      costs[JSON.stringify([model, task, player.runs.arm])] = player.costs;
      arms.push(armTimes(player.runs, player.cell, player.costs, values, network));
    }
  }
  return { targets, arms, costs, left };
}
