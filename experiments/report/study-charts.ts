/** Plots of an experiment: figures against bytes, bits over steps, differences with their intervals. */

import { isShare, metricLabel } from "../runner/rows.ts";
import { type Style, svg } from "./charts.ts";
import { type ArmComparison, type ArmRuns, type ArmSummary, meanCurve } from "./study.ts";

/** Series beyond the page's own three; see {@link STUDY_STYLE}. */
const COLOURS = 7;
const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3]];

/** Okabe and Ito's colours (2008), darkened on light and lightened on dark paper until all can be read. */
export const STUDY_STYLE = `
:root { --arm-1: #0072b2; --arm-2: #b34700; --arm-3: #007a5a; --arm-4: #a0528a; --arm-5: #8a6d00; --arm-6: #1f8fbf; --arm-7: #55554f; }
@media (prefers-color-scheme: dark) {
  :root { --arm-1: #56b4e9; --arm-2: #f0a860; --arm-3: #3cc9a0; --arm-4: #e19ac6; --arm-5: #e6d54a; --arm-6: #9bd3f0; --arm-7: #c9c8c1; }
}
.contents { margin: 0; padding: 0; list-style: none; columns: 300px auto; column-gap: 24px; }
.contents a { color: var(--series-1); }
/* Which arm a line is of stays in sight while the rest is moved. */
.scroll th:first-child, .scroll td:first-child { position: sticky; left: 0; background: var(--page); }
.grid + h3, .scroll + h3 { margin-top: 24px; }
`;

/** Colour and dashes of each arm, the same in all plots of a page. */
export function armStyles(names: readonly string[]): Map<string, Style> {
  return new Map(
    names.map((name, i) => [
      name,
      {
        colour: `var(--arm-${(i % COLOURS) + 1})`,
        dash: DASHES[Math.floor(i / COLOURS) % DASHES.length],
      },
    ]),
  );
}

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

/** A task's figure against cumulative bytes, mean over seeds, with 95 % bands; reference rows as level lines. */
export function costChart(
  arms: readonly ArmRuns[],
  baselines: readonly Pick<ArmSummary, "mean">[],
  styles: ReadonlyMap<string, Style>,
  size: PlotSize = SIZE,
): Promise<string> {
  const [{ metric }] = arms;
  const layers = arms.flatMap((arm) => {
    const { colour, dash } = styles.get(arm.arm)!;
    // Before the first step nothing but greetings has been sent: no place on a scale of ratios.
    const values = meanCurve(arm)
      .filter(({ step }) => step > 0)
      .map(({ bytes, value }) => ({
        megabytes: bytes / MEGABYTE,
        value: value.mean,
        low: value.ci95?.[0] ?? value.mean,
        high: value.ci95?.[1] ?? value.mean,
      }));
    const x = {
      field: "megabytes",
      type: "quantitative",
      title: "megabytes on the wire, all clients",
      scale: { type: "log", nice: false },
      axis: { grid: false, values: ROUND_NUMBERS, format: "~g", labelOverlap: true },
    };
    const y = {
      field: "value",
      type: "quantitative",
      title: AXIS_TITLES[metric] ?? metricLabel(metric),
      scale: { zero: false },
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
          point: { fill: colour, stroke: null, size: 28 },
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

/** Bits per element that each arm's codec spent in each step, over steps, mean of phases and seeds. */
export function spentBitsChart(
  arms: readonly ArmRuns[],
  styles: ReadonlyMap<string, Style>,
): Promise<string> | undefined {
  const layers = arms.flatMap((arm) => {
    const { colour, dash } = styles.get(arm.arm)!;
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
    if (sums.size === 0) return [];
    const values = [...sums].map(([step, { sum, count }]) => ({ step, bits: sum / count }));
    return [
      {
        data: { values },
        mark: { type: "line", stroke: colour, strokeDash: [...dash] },
        encoding: {
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
            scale: { zero: true },
          },
        },
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
