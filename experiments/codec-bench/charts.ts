/** Rate–distortion plots: bits per element against an error, one curve for each family of codecs. */

import { svg } from "../report/charts.ts";
import { SHAPES, type Shape } from "../report/shapes.ts";
import type { BenchRow } from "./result.ts";

/** How a family is drawn: colour and shape tell it apart, ours have thick lines. */
export interface FamilyStyle {
  readonly colour: string;
  readonly shape: Shape;
  readonly own: boolean;
}

const COLOURS = [
  "var(--f-1)",
  "var(--f-2)",
  "var(--f-3)",
  "var(--f-4)",
  "var(--f-5)",
  "var(--f-6)",
  "var(--f-7)",
];

/** Styles of the families of these rows, by name. Our own come first and take the first colours. */
export function familyStyles(rows: readonly BenchRow[]): Map<string, FamilyStyle> {
  const own = new Map(rows.map((row) => [row.family, row.own]));
  const names = [...own.keys()].sort((a, b) => Number(own.get(b)) - Number(own.get(a)));
  return new Map(
    names.map((name, i) => {
      const shape = SHAPES[(i + Math.floor(i / COLOURS.length)) % SHAPES.length]!;
      return [name, { colour: COLOURS[i % COLOURS.length]!, shape, own: own.get(name)! }];
    }),
  );
}

/** What is drawn: f16 at 16 bits, or a remembered row's tiny errors, would squeeze all else into a corner. */
const MOST_BITS = 9;
const LEAST_ERROR = 1e-5;

export interface Plot {
  readonly rows: readonly BenchRow[];
  readonly error: (row: BenchRow) => number | undefined;
  readonly title: string;
}

/** The SVG of one plot; families without a point in it are left out. */
export function rateDistortionChart(
  { rows, error, title }: Plot,
  styles: ReadonlyMap<string, FamilyStyle>,
): Promise<string> {
  const values = rows.flatMap((row) => {
    const value = error(row);
    if (value === undefined || value < LEAST_ERROR || row.bitsPerElement > MOST_BITS) return [];
    return [{ family: row.family, bits: row.bitsPerElement, error: value }];
  });
  const x = {
    field: "bits",
    type: "quantitative",
    title: "bits per element, all bytes of the body",
    scale: { domain: [0, MOST_BITS] },
    axis: { grid: true, tickCount: 9 },
  };
  const y = {
    field: "error",
    type: "quantitative",
    title,
    scale: { type: "log", domain: [LEAST_ERROR, Math.max(1, ...values.map((value) => value.error))] },
    axis: { tickCount: 6, format: ".0e" },
  };
  const families = [...styles].filter(([name]) => values.some((value) => value.family === name));
  // Ours are drawn last, on top.
  const ordered = families.sort(([, a], [, b]) => Number(a.own) - Number(b.own));
  const layers = ordered.map(([name, style]) => ({
    transform: [{ filter: { field: "family", equal: name } }],
    mark: {
      type: "line",
      stroke: style.colour,
      strokeWidth: style.own ? 2.5 : 1.2,
      strokeOpacity: style.own ? 1 : 0.75,
      point: {
        shape: style.shape,
        size: style.own ? 42 : 34,
        filled: style.own,
        fill: style.own ? style.colour : "var(--card)",
        stroke: style.colour,
        strokeWidth: 1.4,
        opacity: 1,
      },
    },
    encoding: { x, y, order: { field: "bits" } },
  }));
  return svg({ values, layers, height: 340 });
}
