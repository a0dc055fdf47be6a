/** `plot: cost`, `plot: dots`, `plot: bits`: pictures of documents, a panel for each task and model. */
import { z } from "zod";
import { fail } from "../../shared/errors.ts";
import { armStyles } from "../report/arm-styles.ts";
import { DOTTED, svg } from "../report/charts.ts";
import { SHAPE_AREAS } from "../report/shapes.ts";
import { costChart, type PlotSize, ROUND_NUMBERS } from "../report/study-charts.ts";
import { isShare, metricLabel } from "../runner/rows.ts";
import { groupBy } from "../statistics/groups.ts";
import { type Figure, figureNamed, isClear } from "./figures.ts";
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
import {
  LEVEL_STYLE,
  type LegendEntry,
  PACKED_OPACITY,
  type Panel,
  standaloneSvg,
} from "./standalone-svg.ts";

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
/** Of the figure: log for figures that are all positive. */
const scale = z.enum(["linear", "log"]).default("linear");
const dotsSchema = z.strictObject({ ...plotOptions, value: z.string().default("difference"), scale });
const bitsSchema = z.strictObject({ ...plotOptions, value: z.string().default("mean"), scale });

/** Inner widths of a panel by how many stand in a row, so that all together fit a page of this width, with their axes. */
const PAGE = 860;
const WIDTHS = [520, 330, 205, 150, 110, 90];
/** Mean width of a character of an arm's name in pixels, and the most that is given to a name. */
const CHARACTER = 6.6;
const NAME_WIDTH = 260;
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

/** How a figure of a panel's arms is drawn. */
interface ValueAxis {
  readonly title: string;
  /** As Vega-Lite takes them. */
  readonly axis: Readonly<Record<string, unknown>>;
  readonly scale: Readonly<Record<string, unknown>>;
  /** Whether zero, where there is no difference, is drawn. */
  readonly zero: boolean;
  /** A figure and its interval on this axis. */
  readonly range: (figure: Figure) => { readonly value: number; readonly low: number; readonly high: number };
}

/**
 * The axis that a figure stands on. Shares are percentages there, differences of shares points, and whatever else stands as it is. On a scale of
 * ratios intervals that reach zero end at half of the least value.
 */
function valueAxis(name: string, kind: "linear" | "log", rows: readonly TableRow[], mark: Mark): ValueAxis {
  const [{ arm }] = rows;
  const { show, head } = figureNamed(name, rows, mark.place);
  const figures = rows.map(show).filter((figure) => typeof figure === "object");
  const isDifference = figures.some(({ difference }) => difference);
  const percentage = isShare(arm.metric) && (isDifference || name === "mean");
  const times = percentage && isDifference ? 100 : 1;
  const least = Math.min(...figures.map(({ value }) => value));
  if (kind === "log" && !(least > 0))
    fail(
      "NB_DATA_INVALID",
      `${mark.place}: scale: log was given for values from ${least}; accepted: arms with values above zero`,
    );
  const lowest = kind === "log" ? least / 2 : Number.NEGATIVE_INFINITY;
  return {
    title: percentage && !isDifference ? head(rows).replace(", %", "") : head(rows),
    axis: {
      tickCount: 5,
      ...(percentage && !isDifference ? { format: ".0%" } : {}),
      ...(kind === "log" ? { values: ROUND_NUMBERS, format: "~g", labelOverlap: true } : {}),
    },
    scale: kind === "log" ? { type: "log", nice: false } : { zero: false },
    zero: isDifference && kind === "linear",
    range: ({ value, ci95 }) => ({
      value: times * value,
      low: times * Math.max(ci95?.[0] ?? value, lowest),
      high: times * (ci95?.[1] ?? value),
    }),
  };
}

/** Each arm's metric against its bytes, with 95 % bands. Baselines are levels, where they are asked for by name: they can be far off. */
export async function costPlot(mark: Mark, read: ResultsReader): Promise<Plot | undefined> {
  const { file, alt, across, ...options } = optionsOf(plotSchema, mark);
  const selected = await select(mark, options, read);
  if (selected === undefined) return undefined;
  const rows = selected.filter(({ arm }) => !arm.baseline || options.arms !== undefined);
  const trained = rows.filter(({ arm }) => !arm.baseline);
  const styles = armStyles(trained.map(({ arm }) => arm));
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
    `${[...new Set(trained.map(({ arm }) => metricLabel(arm.metric)))].join(", ")} against bytes, by arm`;
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
    readonly value: ValueAxis;
    readonly withNames: boolean;
  },
): Promise<string> {
  const values = dots.map(({ arm, figure }) => ({
    arm,
    ...options.value.range(figure),
    clear: isClear(figure) || !figure.difference ? 1 : 0,
  }));
  const y = {
    field: "arm",
    type: "nominal",
    title: null,
    scale: { domain: names },
    axis: {
      labels: options.withNames,
      // Vega has no canvas here and takes characters to be half as wide again as they are.
      labelLimit: 1.5 * NAME_WIDTH,
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
    title: null,
    scale: options.value.scale,
    axis: {
      ...options.value.axis,
      tickCount: Math.round(options.width / 65),
      labelOverlap: true,
      grid: false,
    },
  };
  return svg({
    values,
    layers: [
      ...(options.value.zero
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
  const { file, alt, across, value, scale: kind, ...options } = optionsOf(dotsSchema, mark);
  const rows = await select(mark, options, read);
  if (rows === undefined) return undefined;
  const { show } = figureNamed(value, rows, mark.place);
  const groups = panelsOf(rows.filter((row) => typeof show(row) === "object"));
  const names = namesOf(groups.flatMap((group) => group.rows));
  const nameWidth = Math.min(NAME_WIDTH, Math.max(...names.map(({ length }) => length)) * CHARACTER);
  const columns = Math.min(across, groups.length);
  const width = Math.min(420, Math.round((PAGE - nameWidth) / columns) - 34);
  const panels: Panel[] = [];
  for (const [i, { title, rows: group }] of groups.entries()) {
    const dots = group.flatMap((row) => {
      const figure = show(row);
      return typeof figure === "object" ? [{ arm: row.arm.arm, figure }] : [];
    });
    const axis = valueAxis(value, kind, group, mark);
    panels.push({
      title,
      subtitle: axis.title,
      svg: await dotChart(names, dots, {
        width,
        value: axis,
        withNames: i % across === 0,
      }),
    });
  }
  const what = alt ?? `${figureNamed(value, rows, mark.place).head(rows)}, with 95 % intervals`;
  return { file, alt: what, svg: standaloneSvg(what, panels, [], across) };
}

/** A figure of each arm against the bits that its codec took, scales and tables included. */
export async function bitsPlot(mark: Mark, read: ResultsReader): Promise<Plot | undefined> {
  const { file, alt, across, value, scale: kind, ...options } = optionsOf(bitsSchema, mark);
  const rows = await select(mark, options, read);
  if (rows === undefined) return undefined;
  const trained = rows.filter(({ arm }) => !arm.baseline);
  const { show, head } = figureNamed(value, trained, mark.place);
  const drawn = trained.filter((row) => typeof show(row) === "object");
  const styles = armStyles(drawn.map(({ arm }) => arm));
  const groups = panelsOf(drawn);
  const panels: Panel[] = [];
  for (const { title, rows: group } of groups) {
    const x = {
      field: "bits",
      type: "quantitative",
      title: "bits per element",
      scale: { type: "log", nice: false, ...bitsDomain(group) },
      axis: {
        grid: false,
        values: [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 12, 16, 32],
        format: "~g",
        labelOverlap: true,
      },
    };
    const axis = valueAxis(value, kind, group, mark);
    const y = { field: "value", type: "quantitative", title: null, axis: axis.axis, scale: axis.scale };
    const width = widthOf(groups.length, across);
    const places = group.map((row) => {
      const figure = show(row) as Figure;
      return { row, bits: row.summary.codecBitsPerElement, ...axis.range(figure) };
    });
    const sizes = pointSizes(places, kind, { width, height: HEIGHT });
    // Intervals lie under all points.
    const intervals = places.map(({ row, ...place }) => ({
      data: { values: [place] },
      mark: { type: "rule", stroke: styles.get(row.arm.arm)!.colour, opacity: 0.6, strokeWidth: 1.5 },
      encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
    }));
    const points = places.map(({ row, ...place }, i) => {
      const { colour, dash, shape } = styles.get(row.arm.arm)!;
      return {
        data: { values: [place] },
        mark: {
          type: "point",
          shape,
          // Its own outline in the colour of the paper tells it from what it lies on.
          stroke: "var(--card)",
          strokeWidth: 1,
          fill: colour,
          fillOpacity: dash.length === 0 ? 1 : PACKED_OPACITY,
          size: sizes[i] * SHAPE_AREAS[shape],
          opacity: 1,
        },
        encoding: { x, y },
      };
    });
    const zero = axis.zero
      ? [
          {
            data: { values: [{ value: 0 }] },
            mark: { type: "rule", stroke: "var(--ink-3)", strokeDash: [...DOTTED] },
            encoding: { y },
          },
        ]
      : [];
    panels.push({
      title,
      subtitle: axis.title,
      svg: await svg({ values: [], layers: [...zero, ...intervals, ...points], width, height: HEIGHT }),
    });
  }
  const what = alt ?? `${head(drawn)}, against the bits per element that the arm's codec took`;
  const legend = [...styles].map(([name, style]): LegendEntry => ({ name, style, dot: true }));
  return { file, alt: what, svg: standaloneSvg(what, panels, legend, across) };
}

/** Area of a point that lies alone. */
const POINT = 90;
/** Area of the uppermost of points that lie on one another, and how many times as large each is as the next above it. */
const UPPERMOST = 34;
const LARGER = 2.6;
/** So many pixels apart points lie beside one another. */
const APART = 9;

interface Place {
  readonly bits: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Areas of points in the order in which they are drawn: those that others come to lie on are larger, so that they are seen around them. */
function pointSizes(places: readonly Place[], kind: "linear" | "log", { width, height }: PlotSize): number[] {
  const up = (value: number) => (kind === "log" ? Math.log(value) : value);
  const across = places.map(({ bits }) => Math.log(bits));
  const heights = places.map(({ value }) => up(value));
  const span = (values: readonly number[]) => Math.max(1e-9, Math.max(...values) - Math.min(...values));
  const right = width / span(across);
  const upwards = height / span(places.flatMap(({ low, high }) => [up(low), up(high)]));
  const near = (i: number, j: number) =>
    Math.hypot(right * (across[i] - across[j]), upwards * (heights[i] - heights[j])) < APART;
  return places.map((_, i) => {
    const others = places.flatMap((_, j) => (j !== i && near(i, j) ? [j] : []));
    return others.length === 0 ? POINT : UPPERMOST * LARGER ** others.filter((j) => j > i).length;
  });
}

/** From a little below the least to a little above the most. */
function bitsDomain(rows: readonly TableRow[]): { readonly domain: readonly [number, number] } {
  const bits = rows.map(({ summary }) => summary.codecBitsPerElement);
  return { domain: [0.93 * Math.min(...bits), 1.07 * Math.max(...bits)] };
}
