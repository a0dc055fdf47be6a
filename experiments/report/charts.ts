/**
 * The report's plots, by Vega-Lite, as SVG text. Colours are CSS variables of the page, so one drawing serves light and
 * dark; legends are the page's too, because without a canvas Vega can only guess how wide text is.
 */
import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { ClientReport, PhaseName, RunReport } from "./run-report.ts";
import { PHASE_NAMES } from "./run-report.ts";

/** Size of a plot's inner area, pixels; the page scales it a little to fit. */
const WIDTH = 360;
const HEIGHT = 190;

/** Of a line: its CSS colour variable and its dashes, so that it is known without its colour. */
export interface Style {
  readonly colour: string;
  readonly dash: readonly number[];
}

export const SOLID: readonly number[] = [];
export const DASHED: readonly number[] = [6, 4];
export const DOTTED: readonly number[] = [2, 3];

export const SPLIT_STYLE: Style = { colour: "var(--series-1)", dash: SOLID };
export const UNSPLIT_STYLE: Style = { colour: "var(--series-2)", dash: DASHED };

/** Colour tells the cut, dashes tell activations from gradients. */
export const PHASE_STYLES: Readonly<Record<PhaseName, Style>> = {
  A1: { colour: "var(--series-1)", dash: SOLID },
  A2: { colour: "var(--series-2)", dash: SOLID },
  G2: { colour: "var(--series-2)", dash: DASHED },
  G1: { colour: "var(--series-1)", dash: DASHED },
};

const CONFIG: TopLevelSpec["config"] = {
  background: "transparent",
  font: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  view: { stroke: null },
  axis: {
    labelColor: "var(--ink-2)",
    titleColor: "var(--ink-2)",
    titleFontWeight: "normal",
    titleFontSize: 12,
    labelFontSize: 12,
    gridColor: "var(--grid)",
    domainColor: "var(--axis)",
    tickColor: "var(--axis)",
    labelFlush: false,
  },
  line: { strokeWidth: 2, strokeCap: "round" },
};

export interface Chart {
  readonly values: readonly Readonly<Record<string, number | string | null>>[];
  readonly layers: readonly Readonly<Record<string, unknown>>[];
  readonly width?: number;
  readonly height?: number;
  readonly padding?: number | Readonly<Record<string, number>>;
}

/** Draws a chart. */
export async function svg({ values, layers, width = WIDTH, height = HEIGHT }: Chart): Promise<string> {
  const spec = {
    width,
    height,
    autosize: { type: "pad", contains: "content" },
    config: CONFIG,
    data: { values },
    layer: layers,
  } as unknown as TopLevelSpec;
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

const stepAxis = { field: "step", type: "quantitative", title: "step", axis: { grid: false, tickCount: 6 } };

/** Where marks are drawn without any scale of colour or dash: both are given as they are. */
function line(field: string, style: Style, rest: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    mark: { type: "line", stroke: style.colour, strokeDash: [...style.dash], ...rest },
    encoding: { x: stepAxis, y: { field, type: "quantitative" } },
  };
}

/**
 * A curve's trend: at each place the value of the straight line through its neighbours up to `reach` away, fitted by least
 * squares, which unlike a mean is not pulled aside where the curve is steep or ends.
 */
export function smoothed(values: readonly number[], reach: number): number[] {
  return values.map((value, i) => {
    const from = Math.max(0, i - reach);
    const to = Math.min(values.length - 1, i + reach);
    const n = to - from + 1;
    if (n < 3) return value;
    let [sx, sy, sxx, sxy] = [0, 0, 0, 0];
    for (let j = from; j <= to; j++) {
      const x = j - i;
      sx += x;
      sy += values[j];
      sxx += x * x;
      sxy += x * values[j];
    }
    const slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    return (sy - slope * sx) / n;
  });
}

/** Loss of each step's batch: thin as measured, thick its trend, the unsplit run beside it. */
export function lossChart({ series }: ClientReport): Promise<string> {
  const { step, loss, unsplitLoss } = series;
  const reach = Math.round(step.length / 12);
  const trend = smoothed(loss, reach);
  const unsplitTrend = unsplitLoss && smoothed(unsplitLoss, reach);
  const values = step.map((s, i) => ({
    step: s,
    loss: loss[i],
    trend: trend[i],
    unsplit: unsplitTrend?.[i] ?? null,
  }));
  const y = (layer: Record<string, unknown>) => {
    const encoding = layer.encoding as Record<string, Record<string, unknown>>;
    return {
      ...layer,
      encoding: {
        ...encoding,
        y: { ...encoding.y, title: "loss, nats per token", scale: { zero: false }, axis: { tickCount: 5 } },
      },
    };
  };
  return svg({
    values,
    layers: [
      y(line("loss", SPLIT_STYLE, { strokeWidth: 1, opacity: 0.35 })),
      y(line("trend", SPLIT_STYLE)),
      ...(unsplitLoss === undefined ? [] : [y(line("unsplit", UNSPLIT_STYLE))]),
    ],
  });
}

/** Mean width of each stream's message over the steps, and the budget. */
export function bitsChart({ series }: ClientReport, budgetBits: number | undefined): Promise<string> {
  const present = PHASE_NAMES.filter((phase) => series.bits[phase] !== undefined);
  const values = series.step.map((step, i) => ({
    step,
    budget: budgetBits ?? null,
    ...Object.fromEntries(present.map((phase) => [phase, series.bits[phase]?.[i] ?? null])),
  }));
  const most = Math.max(...present.flatMap((phase) => series.bits[phase] ?? []));
  // A width a hair above a whole number needs no further line of the grid.
  const domain = [0, Math.ceil(most - 0.1)];
  const y = (layer: Record<string, unknown>) => {
    const encoding = layer.encoding as Record<string, Record<string, unknown>>;
    const axis = {
      title: "bits per element",
      scale: { domain },
      axis: { tickCount: Math.min(9, domain[1] + 1) },
    };
    return { ...layer, encoding: { ...encoding, y: { ...encoding.y, ...axis } } };
  };
  return svg({
    values,
    layers: [
      ...(budgetBits === undefined
        ? []
        : [y(line("budget", { colour: "var(--ink-3)", dash: DOTTED }, { strokeWidth: 1.5 }))]),
      ...present.map((phase) => y(line(phase, PHASE_STYLES[phase], { interpolate: "step-after" }))),
    ],
  });
}

const RIVALS = [
  { field: "f32", label: "f32", bytes: 4 },
  { field: "f16", label: "f16", bytes: 2 },
  { field: "int8", label: "int8", bytes: 1 },
] as const;

/** Bytes per real token up to each step, all clients together, and what bare tensors would take. */
export function bytesPerTokenChart({ clients }: RunReport): Promise<string> {
  const steps = [...new Set(clients.flatMap(({ series }) => series.step))].sort((a, b) => a - b);
  /** The value of a running total at a step: that of the last step not after it. */
  const upTo = (client: ClientReport, key: "bytes" | "tokens" | "elements", step: number): number => {
    let found = 0;
    client.series.step.forEach((s, i) => {
      if (s <= step) found = client.series[key][i];
    });
    return found;
  };
  const values = steps.map((step) => {
    const sum = (key: "bytes" | "tokens" | "elements") =>
      clients.reduce((n, client) => n + upTo(client, key, step), 0);
    const tokens = sum("tokens");
    const elements = sum("elements") / tokens;
    return {
      step,
      measured: sum("bytes") / tokens,
      ...Object.fromEntries(RIVALS.map(({ field, bytes }) => [field, elements * bytes])),
    };
  });
  const last = values.at(-1)!;
  const y = (layer: Record<string, unknown>, field: string) => ({
    ...layer,
    encoding: {
      x: stepAxis,
      y: {
        field,
        type: "quantitative",
        title: "bytes per token, so far",
        scale: { zero: true },
        axis: { tickCount: 5, format: ",.0f" },
      },
    },
  });
  const label = (field: string, text: string, mark: Record<string, unknown>) => ({
    data: { values: [last] },
    ...y({ mark: { type: "text", text, align: "right", fontSize: 12, ...mark } }, field),
  });
  const above = { baseline: "bottom", dy: -4, fill: "var(--ink-2)" };
  const below = { baseline: "top", dy: 6, fill: "var(--series-1)", fontWeight: 600 };
  return svg({
    values,
    layers: [
      ...RIVALS.map(({ field }) =>
        y(
          { mark: { type: "line", stroke: "var(--ink-3)", strokeWidth: 1.5, strokeDash: [...DASHED] } },
          field,
        ),
      ),
      y({ mark: { type: "line", stroke: "var(--series-1)", strokeWidth: 3 } }, "measured"),
      ...RIVALS.map(({ field, label: name }) => label(field, name, above)),
      label("measured", "this run, everything counted", below),
    ],
  });
}

/** Held-out loss of every client: base, split and squeezed, unsplit. */
export function heldOutChart({ clients }: RunReport): Promise<string> {
  const values = clients.map(({ name, heldOut }) => ({
    client: name,
    base: heldOut.base,
    tuned: heldOut.tuned,
    unsplit: heldOut.unsplitF32 ?? null,
  }));
  const x = (field: string) => ({
    field,
    type: "quantitative",
    title: "held-out loss, nats per token",
    scale: { zero: false, nice: true },
    axis: { tickCount: 6 },
  });
  const y = {
    field: "client",
    type: "nominal",
    title: null,
    sort: null,
    axis: {
      ticks: false,
      domain: false,
      labelFontSize: 13,
      labelColor: "var(--ink)",
      labelPadding: 8,
      labelLimit: 120,
    },
  };
  const point = (field: string, mark: Record<string, unknown>) => ({
    mark: { type: "point", size: 100, strokeWidth: 2, opacity: 1, ...mark },
    encoding: { x: x(field), y },
  });
  return svg({
    values,
    height: 34 + 44 * clients.length,
    layers: [
      {
        mark: { type: "rule", stroke: "var(--grid)", strokeWidth: 4, strokeCap: "round" },
        encoding: { x: x("base"), x2: { field: "tuned" }, y },
      },
      point("base", { shape: "circle", fill: "var(--ink-3)", stroke: "var(--ink-3)" }),
      point("tuned", { shape: "circle", fill: "var(--series-1)", stroke: "var(--series-1)" }),
      point("unsplit", { shape: "diamond", fill: "transparent", stroke: "var(--series-2)", size: 320 }),
    ],
  });
}
