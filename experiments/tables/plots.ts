/** `plot: cost`, `plot: dots`, `plot: bits`: pictures of documents, a panel for each task and model. */
import { z } from "zod";
import { DOTTED, SOLID, svg } from "../report/charts.ts";
import { armStyles, costChart, metricAxis } from "../report/study-charts.ts";
import { groupBy } from "../statistics/groups.ts";
import { type Figure, figureNamed, isClear, isPercentage, metricName } from "./figures.ts";
import type { Mark } from "./marks.ts";
import {
  groupKey,
  modelName,
  optionsOf,
  type ResultsReader,
  select,
  selectionOptions,
  type TableRow,
} from "./selection.ts";
import { LEVEL_STYLE, type LegendEntry, type Panel, standaloneSvg } from "./standalone-svg.ts";

/** A picture's file beside the document, and what it shows. */
export interface Plot {
  readonly file: string;
  readonly svg: string;
  readonly alt: string;
}

const plotOptions = {
  ...selectionOptions,
  /** Of the picture, from the document. */
  file: z.string().regex(/^[\w./-]+\.svg$/, "accepted: a path that ends with .svg"),
  alt: z.string().optional(),
  /** Panels in a row. */
  across: z.coerce.number().int().min(1).max(6).default(3),
};
const plotSchema = z.strictObject(plotOptions);
const valueSchema = z.strictObject({ ...plotOptions, value: z.string().default("difference") });

/** Inner widths of a panel by how many stand in a row, so that all together fit a page. */
const WIDTHS = [520, 330, 220, 150, 120, 100];
const HEIGHT = 210;

function panelsOf(
  rows: readonly TableRow[],
): { readonly title: string; readonly rows: readonly TableRow[] }[] {
  const groups = [...groupBy(rows, ({ arm }) => groupKey(arm)).values()];
  const several = new Set(rows.map(({ arm }) => arm.model)).size > 1;
  return groups.map((group) => {
    const [{ arm }] = group;
    const model = several ? `, ${modelName(arm.model)}` : "";
    return { title: `${arm.task}${model}${arm.link === "none" ? "" : `, ${arm.link}`}`, rows: group };
  });
}

const widthOf = (panels: number, across: number) => WIDTHS[Math.min(panels, across) - 1];
const namesOf = (rows: readonly TableRow[]) => [...new Set(rows.map(({ arm }) => arm.arm))];
const unitOf = (metric: string) =>
  `${metricName(metric)}${isPercentage(metric) ? "" : metric === "loss" ? ", nats" : ""}`;

/** Each arm's metric against its bytes, with 95 % bands. */
export async function costPlot(mark: Mark, read: ResultsReader): Promise<Plot | undefined> {
  const { file, alt, across, ...options } = optionsOf(plotSchema, mark);
  const rows = await select(mark, options, read);
  if (rows === undefined) return undefined;
  const trained = rows.filter(({ arm }) => !arm.baseline);
  const styles = armStyles(namesOf(trained));
  const groups = panelsOf(rows);
  const size = { width: widthOf(groups.length, across), height: HEIGHT };
  const panels: Panel[] = [];
  for (const { title, rows: group } of groups) {
    const levels = group.filter(({ arm }) => arm.baseline).map(({ summary }) => summary);
    const arms = group.filter(({ arm }) => !arm.baseline).map(({ arm }) => arm);
    panels.push({ title, svg: await costChart(arms, levels, styles, size) });
  }
  const legend: LegendEntry[] = [...styles].map(([name, style]) => ({ name, style }));
  if (rows.some(({ arm }) => arm.baseline)) legend.push({ name: "without training", style: LEVEL_STYLE });
  const what =
    alt ??
    `${[...new Set(trained.map(({ arm }) => metricName(arm.metric)))].join(", ")} against bytes, by arm`;
  return { file, alt: what, svg: standaloneSvg(what, panels, legend, across) };
}

interface Dot {
  readonly arm: string;
  readonly figure: Figure;
}

/** A figure of each arm with its interval, arms from top to bottom; filled where a difference is clear of zero. */
function dotChart(
  names: readonly string[],
  dots: readonly Dot[],
  options: {
    readonly width: number;
    readonly title: string;
    readonly format?: string;
    readonly withNames: boolean;
  },
): Promise<string> {
  const values = dots.map(({ arm, figure }) => ({
    arm,
    value: figure.value,
    low: figure.ci95?.[0] ?? figure.value,
    high: figure.ci95?.[1] ?? figure.value,
    clear: isClear(figure) || !figure.difference ? 1 : 0,
  }));
  const y = {
    field: "arm",
    type: "nominal",
    title: null,
    scale: { domain: names },
    axis: {
      labels: options.withNames,
      labelLimit: 260,
      labelColor: "var(--ink)",
      grid: true,
      ticks: false,
      domain: false,
      labelPadding: 8,
    },
  };
  const x = {
    field: "value",
    type: "quantitative",
    title: options.title,
    scale: { zero: false },
    axis: {
      tickCount: Math.round(options.width / 65),
      labelOverlap: true,
      grid: false,
      ...(options.format ? { format: options.format } : {}),
    },
  };
  const differences = dots.some(({ figure }) => figure.difference);
  return svg({
    values,
    layers: [
      ...(differences
        ? [
            {
              data: { values: [{ zero: 0 }] },
              mark: { type: "rule", stroke: "var(--ink-3)", strokeDash: [...DOTTED] },
              encoding: { x: { ...x, field: "zero" } },
            },
          ]
        : []),
      {
        mark: { type: "rule", stroke: "var(--arm-1)", strokeWidth: 2 },
        encoding: { y, x: { ...x, field: "low" }, x2: { field: "high" } },
      },
      ...[1, 0].map((clear) => ({
        transform: [{ filter: `datum.clear === ${clear}` }],
        mark: {
          type: "point",
          shape: "circle",
          fill: clear === 1 ? "var(--arm-1)" : "var(--card)",
          stroke: "var(--arm-1)",
          strokeWidth: 2,
          size: 48,
          opacity: 1,
        },
        encoding: { y, x },
      })),
    ],
    width: options.width,
    height: 22 * names.length,
  });
}

export async function dotsPlot(mark: Mark, read: ResultsReader): Promise<Plot | undefined> {
  const { file, alt, across, value, ...options } = optionsOf(valueSchema, mark);
  const rows = await select(mark, options, read);
  if (rows === undefined) return undefined;
  const { show } = figureNamed(value, rows, mark.place);
  const groups = panelsOf(rows.filter((row) => typeof show(row) === "object"));
  const names = namesOf(groups.flatMap((group) => group.rows));
  const panels: Panel[] = [];
  for (const [i, { title, rows: group }] of groups.entries()) {
    const dots = group.flatMap((row) => {
      const figure = show(row);
      return typeof figure === "object" ? [{ arm: row.arm.arm, figure }] : [];
    });
    const [{ arm, reference }] = group;
    const ofMetric = dots[0].figure.difference || value === "mean";
    const percentage = ofMetric && isPercentage(arm.metric);
    panels.push({
      title,
      svg: await dotChart(names, dots, {
        width: widthOf(groups.length, across) - (i % across === 0 ? 40 : 0),
        title: dots[0].figure.difference
          ? `${metricName(arm.metric)}${percentage ? ", share" : ", nats"} − ${reference!.arm}'s`
          : figureNamed(value, group, mark.place).head(group),
        ...(percentage ? { format: dots[0].figure.difference ? "+.1%" : ".0%" } : {}),
        withNames: i % across === 0,
      }),
    });
  }
  const what = alt ?? `${figureNamed(value, rows, mark.place).head(rows)}, with 95 % intervals`;
  return { file, alt: what, svg: standaloneSvg(what, panels, [], across) };
}

/** Each arm's metric in the end against the bits that its codec took, scales and tables included. */
export async function bitsPlot(mark: Mark, read: ResultsReader): Promise<Plot | undefined> {
  const { file, alt, across, ...options } = optionsOf(plotSchema, mark);
  const rows = await select(mark, options, read);
  if (rows === undefined) return undefined;
  const trained = rows.filter(({ arm }) => !arm.baseline);
  const styles = armStyles(namesOf(trained));
  const groups = panelsOf(trained);
  const panels: Panel[] = [];
  for (const { title, rows: group } of groups) {
    const [{ arm }] = group;
    const x = {
      field: "bits",
      type: "quantitative",
      title: "bits per element",
      scale: {
        type: "log",
        nice: false,
        domainMin: 0.9 * Math.min(...group.map(({ summary }) => summary.codecBitsPerElement)),
      },
      axis: { grid: false, values: [1, 1.5, 2, 3, 4, 6, 8, 12, 16, 32], format: "~g", labelOverlap: true },
    };
    const y = {
      field: "value",
      type: "quantitative",
      title: unitOf(arm.metric),
      scale: { zero: false },
      axis: metricAxis(arm.metric),
    };
    const layers = group.flatMap(({ arm: { arm: name }, summary }) => {
      const { colour, dash } = styles.get(name)!;
      const { mean, ci95, codecBitsPerElement: bits } = summary;
      const values = [{ bits, value: mean, low: ci95?.[0] ?? mean, high: ci95?.[1] ?? mean }];
      return [
        {
          data: { values },
          mark: { type: "rule", stroke: colour, opacity: 0.5, strokeDash: [...dash] },
          encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
        },
        {
          data: { values },
          mark: {
            type: "point",
            shape: "circle",
            stroke: colour,
            strokeWidth: 2,
            fill: dash === SOLID || dash.length === 0 ? colour : "var(--card)",
            size: 50,
            opacity: 1,
          },
          encoding: { x, y },
        },
      ];
    });
    panels.push({
      title,
      svg: await svg({ values: [], layers, width: widthOf(groups.length, across), height: HEIGHT }),
    });
  }
  const what = alt ?? "what each arm reached against the bits per element that its codec took";
  const legend = [...styles].map(([name, style]) => ({ name, style }));
  return { file, alt: what, svg: standaloneSvg(what, panels, legend, across) };
}
