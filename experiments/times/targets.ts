/** How many steps each run of an arm took until it had reached a target. */
import { fail } from "../../shared/errors.ts";
import { type ArmRuns, finals } from "../report/study.ts";
import type { CellRows } from "../runner/rows.ts";
import { type Curve, firstReach } from "../statistics/curves.ts";

/** What is to be reached: one value for all, or what an arm reached in the end, seed by seed. */
export type Target =
  | { readonly value: number }
  | {
      readonly arm: string;
      /** Share by which it may be missed. */
      readonly within: number;
    };

/** The run's measurements of its metric over the trunk's steps. */
function curveOf({ metric }: ArmRuns, { evaluations }: CellRows): Curve {
  return evaluations.flatMap(({ step, metrics }) => {
    const value = metrics[metric as keyof typeof metrics];
    return value === undefined || !Number.isFinite(value) ? [] : [[step, value] as const];
  });
}

/**
 * The target's value for every seed of `group`, arms of one model and task.
 *
 * @throws NB_CONFIG_INVALID when the group has no such arm
 */
export function targetValues(group: readonly ArmRuns[], target: Target): ReadonlyMap<number, number> {
  if ("value" in target)
    return new Map(group.flatMap(({ bySeed }) => [...bySeed.keys()]).map((seed) => [seed, target.value]));
  const { arm: name, within } = target;
  const arm = group.find((runs) => runs.arm === name);
  if (arm === undefined) {
    const names = group.map((runs) => runs.arm).join(", ");
    return fail(
      "NB_CONFIG_INVALID",
      `--target-arm: no rows of an arm ${JSON.stringify(name)} on ${group[0].task}; accepted: ${names}`,
    );
  }
  const slack = 1 + (arm.higherIsBetter ? -within : within);
  return new Map(
    [...finals(arm)].flatMap(([seed, value]) => (Number.isFinite(value) ? [[seed, value * slack]] : [])),
  );
}

/**
 * Trunk steps until a run first has its seed's target, by straight lines between measurements; undefined when it never has, or its
 * seed has no target.
 */
export function stepsToTarget(
  arm: ArmRuns,
  seed: number,
  targets: ReadonlyMap<number, number>,
): number | undefined {
  const rows = arm.bySeed.get(seed);
  const target = targets.get(seed);
  if (rows === undefined || target === undefined) return undefined;
  return firstReach(curveOf(arm, rows), target, arm.higherIsBetter);
}
