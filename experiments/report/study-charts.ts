/** Plots of an experiment: figures against bytes, bits over steps, differences with their intervals. */

import { isShare, metricLabel } from "../runner/rows.ts";
import { ARM_VARIABLES, type ArmStyle } from "./arm-styles.ts";
import { svg } from "./charts.ts";
import { SHAPE_AREAS } from "./shapes.ts";
import { type ArmComparison, type ArmRuns, type ArmSummary, meanCurve } from "./study.ts";

export const STUDY_STYLE = `${ARM_VARIABLES}.contents { margin: 0; padding: 0; list-style: none; columns: 300px auto; column-gap: 24px; }
.contents a { color: var(--series-1); }
/* Which arm a line is of stays in sight while the rest is moved. */
.scroll th:first-child, .scroll td:first-child { position: sticky; left: 0; background: var(--page); }
.grid + h3, .scroll + h3 { margin-top: 24px; }
`;

const MEGABYTE = 1e6;
const AXIS_TITLES: Readonly<Record<string, string>> = { loss: "loss, nats per token" };

/** Ticks of a scale of ratios; those outside of it are not drawn. */
export const ROUND_NUMBERS = [-3, -2, -1, 0, 1, 2, 3, 4].flatMap((power) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${power}`)),
);

/** Of a plot's inner area, pixels. */
export interface PlotSize {
  readonly width: number;
  readonly height: number;
}
const SIZE: PlotSize = { width: 420, height: 240 };

/** How an axis writes a metric: shares as percentages. */
export function metricAxis(metric: string): Record<string, unknown> {
  return { tickCount: 5, ...(isShare(metric) && { format: ".0%" }) };
}

/** Of points on lines, square pixels. */
const POINT = 58;

/** An arm's measurements in megabytes. Before the first step nothing but greetings has been sent: no place on a scale of ratios. */
function costPoints(arm: ArmRuns) {
  return meanCurve(arm)
    .filter(({ step }) => step > 0)
    .map(({ bytes, value }) => ({
      megabytes: bytes / MEGABYTE,
      value: value.mean,
      low: value.ci95?.[0] ?? value.mean,
      high: value.ci95?.[1] ?? value.mean,
    }));
}

const rangeOf = (values: readonly number[]) => [Math.min(...values), Math.max(...values)];

/**
 * A task's figure against cumulative bytes, mean over seeds, with 95 % bands; reference rows as level lines.
 *
 * @param beside arms of another chart, that this is to be compared with by eye: the axes have room for them, too
 */
export function costChart(
  arms: readonly ArmRuns[],
  baselines: readonly Pick<ArmSummary, "mean">[],
  styles: ReadonlyMap<string, ArmStyle>,
  size: PlotSize = SIZE,
  beside: readonly ArmRuns[] = [],
): Promise<string> {
  const [{ metric }] = arms;
  const points = [...arms, ...beside].flatMap(costPoints);
  const megabytes = rangeOf(points.map((point) => point.megabytes));
  const heights = rangeOf([
    ...points.flatMap(({ low, high }) => [low, high]),
    ...baselines.map(({ mean }) => mean),
  ]);
  const layers = arms.flatMap((arm) => {
    const { colour, dash, shape } = styles.get(arm.arm)!;
    const values = costPoints(arm);
    const x = {
      field: "megabytes",
      type: "quantitative",
      title: "megabytes on the wire, all clients",
      scale: { type: "log", nice: false, domain: megabytes },
      axis: { grid: false, values: ROUND_NUMBERS, format: "~g", labelOverlap: true },
    };
    const y = {
      field: "value",
      type: "quantitative",
      title: AXIS_TITLES[metric] ?? metricLabel(metric),
      scale: { zero: false, domain: heights, nice: true },
      axis: metricAxis(metric),
    };
    return [
      {
        data: { values },
        mark: { type: "area", fill: colour, opacity: 0.14 },
        encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
      },
      {
        data: { values },
        mark: {
          type: "line",
          stroke: colour,
          strokeDash: [...dash],
          point: {
            shape,
            fill: colour,
            stroke: "var(--card)",
            strokeWidth: 1,
            size: POINT * SHAPE_AREAS[shape],
          },
        },
        encoding: { x, y },
      },
    ];
  });
  const levels = baselines.map(({ mean }) => ({
    data: { values: [{ value: mean }] },
    mark: { type: "rule", stroke: "var(--ink-3)", strokeDash: [2, 3] },
    encoding: { y: { field: "value", type: "quantitative" } },
  }));
  return svg({ values: [], layers: [...layers, ...levels], ...size });
}

/** Bits per element that an arm's codec spent in each step, mean of phases and seeds. */
function spentBits(arm: ArmRuns): { readonly step: number; readonly bits: number }[] {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { steps } of arm.bySeed.values())
    for (const { step, wireBits } of steps) {
      const values = Object.values(wireBits ?? {});
      if (values.length === 0) continue;
      const at = sums.get(step) ?? { sum: 0, count: 0 };
      at.sum += values.reduce((a, b) => a + b, 0) / values.length;
      at.count++;
      sums.set(step, at);
    }
  return [...sums]
    .map(([step, { sum, count }]) => ({ step, bits: sum / count }))
    .sort((a, b) => a.step - b.step);
}

/**
 * Bits per element that each arm's codec spent in each step, over steps, mean of phases and seeds; each line has its points at its ends. Undefined where
 * the rows do not know.
 *
 * @param beside as in {@link costChart}
 */
export function spentBitsChart(
  arms: readonly ArmRuns[],
  styles: ReadonlyMap<string, ArmStyle>,
  beside: readonly ArmRuns[] = [],
): Promise<string> | undefined {
  const most = Math.max(...[...arms, ...beside].flatMap(spentBits).map(({ bits }) => bits));
  const layers = arms.flatMap((arm) => {
    const { colour, dash, shape } = styles.get(arm.arm)!;
    const values = spentBits(arm);
    if (values.length === 0) return [];
    const encoding = {
      x: {
        field: "step",
        type: "quantitative",
        title: "step",
        scale: { zero: true },
        axis: { grid: false, tickCount: 6 },
      },
      y: {
        field: "bits",
        type: "quantitative",
        title: "bits per element",
        scale: { domain: [0, most], nice: true },
      },
    };
    const ends = values.filter((_, i) => i === 0 || i === values.length - 1);
    return [
      { data: { values }, mark: { type: "line", stroke: colour, strokeDash: [...dash] }, encoding },
      {
        data: { values: ends },
        mark: {
          type: "point",
          shape,
          fill: colour,
          stroke: "var(--card)",
          strokeWidth: 1,
          size: POINT * SHAPE_AREAS[shape],
          opacity: 1,
        },
        encoding,
      },
    ];
  });
  return layers.length === 0 ? undefined : svg({ values: [], layers, ...SIZE });
}

/** Differences to a reference at equal bytes, with their intervals; zero is the reference. */
export function differenceChart(comparisons: readonly ArmComparison[]): Promise<string> {
  const [{ metric, against }] = comparisons;
  const values = comparisons.map(({ arm, difference, ci95 }) => ({
    arm,
    difference,
    low: ci95?.[0] ?? difference,
    high: ci95?.[1] ?? difference,
  }));
  const y = {
    field: "arm",
    type: "nominal",
    sort: null,
    title: null,
    axis: { labelLimit: 400, grid: false, ticks: false, domain: false },
  };
  const x = {
    field: "difference",
    type: "quantitative",
    title: `${metricLabel(metric)}, arm minus ${against}, at equal bytes`,
    axis: { tickCount: 5, ...(isShare(metric) && { format: "+.0%" }) },
  };
  return svg({
    values,
    layers: [
      {
        data: { values: [{ zero: 0 }] },
        mark: { type: "rule", stroke: "var(--axis)" },
        encoding: { x: { field: "zero", type: "quantitative" } },
      },
      {
        mark: { type: "rule", stroke: "var(--arm-1)", strokeWidth: 2 },
        encoding: { y, x: { ...x, field: "low" }, x2: { field: "high" } },
      },
      {
        mark: { type: "point", filled: true, fill: "var(--arm-1)", size: 60, opacity: 1 },
        encoding: { y, x },
      },
    ],
    width: 320,
    height: 28 * values.length + 10,
  });
}
