/**
 * A plot as a file of its own, to be shown in a document: panels side by side with their titles, a legend below, and its own paper. The
 * charts' CSS variables become plain colours with others for dark screens, by attribute selectors, so that it is readable too where style
 * sheets of pictures are not read.
 */
import { ARM_COLOURS } from "../report/arm-styles.ts";
import { DASHED, type Style } from "../report/charts.ts";
import { escapeHtml } from "../report/page.ts";
import { SHAPE_PATHS, type Shape } from "../report/shapes.ts";

export interface Panel {
  readonly title: string;
  /** Below it: what stands on the axis upwards, where the chart itself does not say it. */
  readonly subtitle?: string;
  /** As a chart of report/ draws it. */
  readonly svg: string;
}

export interface LegendEntry {
  readonly name: string;
  readonly style: Style & { readonly shape?: Shape };
  /** The point alone, without a line: pale where the style has dashes. */
  readonly dot?: true;
}

/** Light and dark, by the variable's name in the charts. */
const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  card: ["#ffffff", "#1f1f1d"],
  ink: ["#1c1c1a", "#ecebe6"],
  "ink-2": ["#55554e", "#b3b2aa"],
  "ink-3": ["#85857d", "#8b8a82"],
  grid: ["#e7e6e1", "#33332f"],
  axis: ["#c9c8c1", "#55554f"],
  ...Object.fromEntries(ARM_COLOURS.map((pair, i) => [`arm-${i + 1}`, pair])),
};

/** Mean width of a character of 12 pixels; nothing measures text here. */
const CHARACTER = 6.4;
/** And of a title's. */
const BOLD_CHARACTER = 7.4;
const MARGIN = 16;
const GAP = 26;
/** Heights of a title's line and of one below. */
const TITLE = 24;
const SUBTITLE = 16;
const LEGEND_LINE = 20;
const KEY = 36;
/** Of points of arms that stand without their entropy stage beside the arms that have it. */
export const PACKED_OPACITY = 0.4;

const number = (value: number) => String(Math.round(value * 100) / 100);

function sizeOf(svg: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  return { width: Number(width), height: Number(height) };
}

/** A panel's drawing without what the whole picture has once: namespaces, fonts, paper; and with numbers as exact as a screen is. */
function slim(svg: string): string {
  return svg
    .replace(/^<svg[^>]*>/, "")
    .replace(/<\/svg>\s*$/, "")
    .replace(/<rect[^>]*fill="transparent"[^>]*><\/rect>/, "")
    .replace(/ (?:role|aria-[a-z]+|font-family|class|pointer-events|data-[a-z]+)="[^"]*"/g, "")
    .replace(/<path d="M0,0h-?[\d.]+v-?[\d.]+h-?[\d.]+Z"><\/path>/g, "")
    .replace(/<path d="M0,0h0v0h0Z"[^>]*><\/path>/g, "")
    .replace(/="[^"]*"/g, (attribute) =>
      attribute.replace(/-?\d+\.\d{2,}/g, (digits) => number(Number(digits))),
    );
}

function keyOf({ style: { colour, dash, shape }, dot }: LegendEntry, x: number, y: number): string {
  const opacity = dot === true && dash.length > 0 ? ` fill-opacity="${PACKED_OPACITY}"` : "";
  const point =
    shape === undefined
      ? ""
      : `<path d="${SHAPE_PATHS[shape]}" transform="translate(${number(x + (dot === true ? 13 : 6))},${y - 11})" fill="${colour}" stroke="var(--card)"${opacity}/>`;
  if (dot === true) return point;
  const dashes = dash.length === 0 ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
  return `<path d="M${number(x)},${y - 4}h26" stroke="${colour}" stroke-width="2.5"${dashes}/>${point}`;
}

function legend(
  entries: readonly LegendEntry[],
  width: number,
): { readonly text: string; readonly lines: number } {
  if (entries.length === 0) return { text: "", lines: 0 };
  const widths = entries.map(({ name }) => name.length * CHARACTER + KEY + GAP);
  // As many columns as fit, each as wide as its own longest name.
  let columns: number[] = [];
  let lines = 0;
  do {
    lines++;
    columns = Array.from({ length: Math.ceil(entries.length / lines) }, (_, c) =>
      Math.max(...widths.slice(c * lines, (c + 1) * lines)),
    );
  } while (columns.length > 1 && columns.reduce((a, b) => a + b, 0) - GAP > width);
  const keys = entries.map((entry, i) => {
    // Down the columns, as a list is read.
    const column = Math.floor(i / lines);
    const x = columns.slice(0, column).reduce((a, b) => a + b, 0);
    const y = (i % lines) * LEGEND_LINE;
    return `${keyOf(entry, x, y)}<text x="${number(x + KEY - 4)}" y="${y}" fill="var(--ink-2)">${escapeHtml(entry.name)}</text>`;
  });
  return { text: keys.join(""), lines };
}

/** Replaces variables by light colours, and says what each is on a dark screen. */
function withColours(svg: string): string {
  const used = new Set<string>();
  const text = svg.replace(/var\(--([a-z0-9-]+)\)/g, (_, name: string) => {
    used.add(name);
    return COLOURS[name][0];
  });
  const dark = [...used].sort().map((name) => {
    const [light, other] = COLOURS[name];
    return `[fill="${light}"]{fill:${other}}[stroke="${light}"]{stroke:${other}}`;
  });
  return text.replace("<style>", `<style>@media (prefers-color-scheme:dark){${dark.join("")}}`);
}

/**
 * The picture.
 *
 * @param title what it shows, for readers that do not see it
 * @param across panels in a row
 */
export function standaloneSvg(
  title: string,
  panels: readonly Panel[],
  entries: readonly LegendEntry[],
  across: number,
): string {
  const sizes = panels.map(({ title: name, subtitle = "", svg }) => {
    const { width, height } = sizeOf(svg);
    const text = Math.max(name.length * BOLD_CHARACTER, subtitle.length * CHARACTER);
    return { width: Math.max(width, text + 4), height };
  });
  const head = TITLE + (panels.some(({ subtitle }) => subtitle !== undefined) ? SUBTITLE : 0);
  const columns = Math.min(across, panels.length);
  const columnWidths = Array.from({ length: columns }, (_, c) =>
    Math.max(...sizes.filter((_, i) => i % columns === c).map(({ width }) => width)),
  );
  const rows = Math.ceil(panels.length / columns);
  const rowHeights = Array.from({ length: rows }, (_, r) =>
    Math.max(...sizes.slice(r * columns, (r + 1) * columns).map(({ height }) => height + head)),
  );
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const inner = sum(columnWidths) + GAP * (columns - 1);
  const keys = legend(entries, inner);
  const drawn = panels.map(({ title: name, subtitle, svg }, i) => {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const x = MARGIN + sum(columnWidths.slice(0, column)) + GAP * column;
    const y = MARGIN + sum(rowHeights.slice(0, row)) + GAP * row;
    const below = escapeHtml(subtitle ?? "");
    return `<g transform="translate(${number(x)},${number(y)})"><text x="4" y="12" font-size="13" font-weight="600" fill="var(--ink)">${escapeHtml(name)}</text>${below === "" ? "" : `<text x="4" y="${12 + SUBTITLE}" fill="var(--ink-2)">${below}</text>`}<g transform="translate(0,${head})">${slim(svg)}</g></g>`;
  });
  const bottom = MARGIN + sum(rowHeights) + GAP * (rows - 1);
  const legendHeight = keys.lines === 0 ? 0 : keys.lines * LEGEND_LINE + 10;
  const [width, height] = [Math.ceil(inner + 2 * MARGIN), Math.ceil(bottom + legendHeight + MARGIN)];
  return withColours(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif" font-size="12" fill="none" stroke-miterlimit="10"><title>${escapeHtml(title)}</title><style></style><rect width="${width}" height="${height}" rx="8" fill="var(--card)"/>${drawn.join("")}<g transform="translate(${MARGIN + 4},${number(bottom + 24)})">${keys.text}</g></svg>\n`,
  );
}

/** The line of a reference that took no bytes. */
export const LEVEL_STYLE: Style = { colour: "var(--ink-3)", dash: DASHED };
