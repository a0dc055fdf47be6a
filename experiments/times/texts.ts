/** Times to target in words and figures, for tables and pages. */
import { formatDuration, formatPercent } from "../../shared/command/format.ts";
import { formatMetric } from "../runner/rows.ts";
import type { PathTimes } from "../simulator/critical-path.ts";
import type { ArmTimes, LinkTime } from "./arm-times.ts";
import type { GroupTarget } from "./study-times.ts";

/** The parts of a critical path that people are shown: the codec's of both sides together. */
export function shownParts({
  clientCompute,
  clientCodec,
  serverCompute,
  serverCodec,
  link,
  waiting,
}: PathTimes) {
  return { clientCompute, serverCompute, codec: clientCodec + serverCodec, link: link + waiting };
}

export function duration(time: LinkTime): string {
  return time.secondsToTarget === null ? "not reached" : formatDuration(1_000 * time.secondsToTarget);
}

export function stepsText({ steps, reached, seeds }: ArmTimes): string {
  if (steps === null) return "not reached";
  return `${steps.toFixed(1)}${reached < seeds ? ` (${reached} of ${seeds} seeds)` : ""}`;
}

export function targetText({ metric, arm, within, values }: GroupTarget): string {
  const all = Object.values(values);
  const [low, high] = [Math.min(...all), Math.max(...all)].map((value) => formatMetric(metric, value));
  if (arm === null) return `${metric} ${low}`;
  const near = within === 0 ? "" : `within ${formatPercent(within)} of `;
  return `${near}what ${arm} reached, ${metric} ${low === high ? low : `${low} to ${high} by seed`}`;
}
