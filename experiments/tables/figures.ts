/**
 * What a column of a table, a bar of a plot or a number in a sentence can show of an arm, by name. A figure is a number with its interval, or
 * a text.
 */
import { fail } from "../../shared/errors.ts";
import { type ArmRuns, finals, meanCurve } from "../report/study.ts";
import { isShare, metricLabel } from "../runner/rows.ts";
import { firstReach } from "../statistics/curves.ts";
import { type Estimate, estimate } from "../statistics/intervals.ts";
import { codecsOf, modelName, settingsOf, type TableRow } from "./selection.ts";

export interface Figure {
  readonly value: number;
  readonly ci95?: readonly [number, number] | null | undefined;
  /** Of a value, without its unit, which the head has. */
  readonly format: (value: number) => string;
  readonly unit: string;
  /** Whether it is a difference: signed, and of note when its interval is on one side of zero. */
  readonly difference: boolean;
}

interface Column {
  readonly head: (rows: readonly TableRow[]) => string;
  readonly show: (row: TableRow) => Figure | string | undefined;
  /** Whether it is read as text, from the left. */
  readonly text?: true;
}

const METRICS = ["loss", "perplexity", "bitsPerByte", "accuracy", "macroF1", "exactMatch"] as const;
const MEGABYTE = 1e6;

/** Three digits that say something, without an exponent. */
export function threeDigits(value: number): string {
  const magnitude = Math.floor(Math.log10(Math.abs(value) || 1));
  return value.toFixed(Math.min(6, Math.max(0, 2 - magnitude)));
}

const plain = (value: number, digits: number): Figure => ({
  value,
  format: (v) => v.toFixed(digits),
  unit: "",
  difference: false,
});
const rounded = (value: number): Figure => ({ value, format: threeDigits, unit: "", difference: false });

/** A value of a metric, or a difference of two. */
function metricFigure(metric: string, value: number, ci95: Figure["ci95"], difference: boolean): Figure {
  const percentage = isShare(metric);
  const digits = percentage || metric === "perplexity" ? 2 : 4;
  return {
    value,
    ci95,
    format: (v) => (percentage ? 100 * v : v).toFixed(digits),
    unit: percentage ? (difference ? "points" : "%") : "",
    difference,
  };
}

/** The metric of all rows, with what is done to it, and its unit; "result" when they have different ones. */
function metricHead(rows: readonly TableRow[], unit: "%" | "points", rest = ""): string {
  const names = [...new Set(rows.map(({ arm }) => arm.metric))];
  if (names.length > 1) return `result${rest}`;
  return `${metricLabel(names[0])}${rest}${isShare(names[0]) ? `, ${unit}` : ""}`;
}

/** The name of what all rows are compared with; "its reference" where that differs. */
function referenceName(rows: readonly TableRow[]): string {
  const names = [...new Set(rows.flatMap(({ reference }) => reference?.arm ?? []))];
  return names.length === 1 ? names[0] : "its reference";
}

function estimateOf(arm: ArmRuns, metric: string): Estimate | undefined {
  const values = [...arm.bySeed.values()].flatMap(
    ({ evaluations }) => evaluations.at(-1)?.metrics[metric as "loss"] ?? [],
  );
  return values.length === 0 ? undefined : estimate(values);
}

/**
 * Bytes at which the arm's mean over seeds is first as good as the reference's is in the end; undefined when it never is. Of means, because the
 * first of many noisy measurements to be good is good by chance.
 */
export function bytesToReach(arm: ArmRuns, reference: ArmRuns): number | undefined {
  const target = estimate([...finals(reference).values()]).mean;
  const curve = meanCurve(arm).map(({ bytes, value }) => [bytes, value.mean] as const);
  return firstReach(curve, target, arm.higherIsBetter);
}

function toReach(
  row: TableRow,
  ofBytes: (bytes: number, reference: ArmRuns) => Figure,
): Figure | string | undefined {
  const { arm, reference } = row;
  if (reference === undefined) return undefined;
  const bytes = bytesToReach(arm, reference);
  return bytes === undefined ? "not reached" : ofBytes(bytes, reference);
}

const meanBytes = (arm: ArmRuns) => estimate([...arm.bySeed.values()].map(({ end }) => end.totalBytes)).mean;

/** Only of what was trained. */
function trained(show: (row: TableRow) => Figure | string | undefined): Column["show"] {
  return (row) => (row.arm.baseline ? undefined : show(row));
}

/** Of what has a reference that is not itself. */
function compared(
  show: (row: TableRow & { comparison: NonNullable<TableRow["comparison"]> }) => Figure | undefined,
) {
  return (row: TableRow): Figure | string | undefined => {
    if (row.arm === row.reference) return "reference";
    return row.comparison === undefined ? undefined : show({ ...row, comparison: row.comparison });
  };
}

/** Milliseconds of a step: a client's part, or the server's for all clients. */
function stepMs(row: TableRow, keys: readonly string[], ofOneClient: boolean): Figure | undefined {
  const { ms, steps } = row.summary;
  const { clients, mode } = settingsOf(row.arm);
  if (steps === 0 || keys.some((key) => ms[key] === undefined)) return undefined;
  const shares = ofOneClient && mode !== "sequential" ? Number(clients) : 1;
  return rounded(keys.reduce((sum, key) => sum + ms[key], 0) / steps / shares);
}

const same = (text: string) => () => text;

const COLUMNS: Readonly<Record<string, Column>> = {
  arm: { head: same("arm"), show: ({ arm }) => arm.arm, text: true },
  task: { head: same("task"), show: ({ arm }) => arm.task, text: true },
  model: { head: same("model"), show: ({ arm }) => modelName(arm.model), text: true },
  link: { head: same("link"), show: ({ arm }) => arm.link, text: true },
  seeds: {
    head: same("seeds"),
    show: ({ arm, seeds }) =>
      arm.baseline || arm.bySeed.size === seeds ? String(arm.bySeed.size) : `${arm.bySeed.size} of ${seeds}`,
  },
  bits: { head: same("bits"), show: trained(({ summary }) => plain(summary.codecBitsPerElement, 2)) },
  allBits: { head: same("all bits"), show: trained(({ summary }) => plain(summary.bitsPerElement, 2)) },
  MB: { head: same("MB"), show: trained(({ summary }) => rounded(summary.cumulativeBytes / MEGABYTE)) },
  mean: {
    head: (rows) => metricHead(rows, "%"),
    show: ({ arm, summary }) => metricFigure(arm.metric, summary.mean, summary.ci95, false),
  },
  difference: {
    head: (rows) => metricHead(rows, "points", ` − ${referenceName(rows)}'s at equal bytes`),
    show: compared(({ comparison: { metric, difference, ci95 } }) =>
      difference === null ? undefined : metricFigure(metric, difference, ci95, true),
    ),
  },
  final: {
    head: (rows) => metricHead(rows, "points", ` − ${referenceName(rows)}'s in the end`),
    show: compared(({ comparison: { metric, finalDifference, finalCi95 } }) =>
      metricFigure(metric, finalDifference, finalCi95, true),
    ),
  },
  gap: {
    head: (rows) =>
      `mean gap to ${referenceName(rows)}'s curve${isShare(rows[0].arm.metric) ? ", points" : ""}`,
    show: compared(({ comparison: { metric, meanGap, meanGapCi95 } }) =>
      meanGap === null ? undefined : metricFigure(metric, meanGap, meanGapCi95, true),
    ),
  },
  atMB: {
    head: same("at MB"),
    show: ({ comparison }) =>
      comparison === undefined || comparison.atBytes === null
        ? undefined
        : rounded(comparison.atBytes / MEGABYTE),
  },
  byteRatio: {
    head: (rows) => `bytes / ${referenceName(rows)}'s`,
    show: compared(({ comparison }) => plain(comparison.byteRatio, 2)),
  },
  target: {
    head: (rows) => `MB to reach ${referenceName(rows)}`,
    show: trained((row) => toReach(row, (bytes) => rounded(bytes / MEGABYTE))),
  },
  targetRatio: {
    head: (rows) => `bytes to reach ${referenceName(rows)} / its`,
    show: trained((row) => toReach(row, (bytes, reference) => plain(bytes / meanBytes(reference), 2))),
  },
  clientMs: {
    head: same("client, ms a step"),
    show: trained((row) => stepMs(row, ["clientCompute"], true)),
  },
  serverMs: {
    head: same("server, ms a step"),
    show: trained((row) => stepMs(row, ["serverCompute"], false)),
  },
  clientCodecMs: {
    head: same("client's codec, ms a step"),
    show: trained((row) => stepMs(row, ["clientCodec"], true)),
  },
  serverCodecMs: {
    head: same("server's codec, ms a step"),
    show: trained((row) => stepMs(row, ["serverCodec"], false)),
  },
  linkMs: { head: same("link, ms a step"), show: trained((row) => stepMs(row, ["link"], true)) },
  memoryMB: {
    head: same("peak memory, MB"),
    show: trained(({ summary: { peakMemory } }) =>
      peakMemory === null ? undefined : rounded(peakMemory / MEGABYTE),
    ),
  },
  cut: {
    head: same("blocks below / above"),
    show: trained(({ arm }) => cutOf(settingsOf(arm))),
    text: true,
  },
};

/** Blocks of the client before the first cut and behind the second; a split with one cut has none behind. */
export function cutOf({ split, bottom, top }: Readonly<Record<string, unknown>>): string {
  return split === "vanilla" ? `${bottom} / –` : `${bottom} / ${top}`;
}

const PHASES = ["A1", "A2", "G2", "G1"];

function columnNamed(name: string, rows: readonly TableRow[]): Column | undefined {
  if (COLUMNS[name] !== undefined) return COLUMNS[name];
  if ((METRICS as readonly string[]).includes(name))
    return {
      head: () => `${metricLabel(name)}${isShare(name) ? ", %" : ""}`,
      show: ({ arm }) => {
        const value = estimateOf(arm, name);
        return value && metricFigure(name, value.mean, value.ci95, false);
      },
    };
  const [, bitsOf] = /^bits(A1|A2|G2|G1)$/.exec(name) ?? [];
  if (bitsOf !== undefined)
    return {
      head: () => `bits of ${bitsOf}`,
      show: trained(({ summary }) => {
        const bits = summary.phaseBits[bitsOf];
        return bits === undefined ? undefined : plain(bits, 2);
      }),
    };
  if (PHASES.includes(name))
    return { head: () => name, show: trained(({ arm }) => `\`${codecsOf(arm)[name]}\``), text: true };
  if (rows.some(({ arm }) => name in settingsOf(arm) && typeof settingsOf(arm)[name] !== "object"))
    return { head: () => name, show: trained(({ arm }) => String(settingsOf(arm)[name])) };
  return undefined;
}

/** Names of all figures; any setting of a run and any metric is one, too. */
export const FIGURE_NAMES: readonly string[] = [
  ...Object.keys(COLUMNS),
  ...METRICS,
  ...PHASES.map((phase) => `bits${phase}`),
  ...PHASES,
];

/** A figure by its name. NB_DATA_INVALID when there is none. */
export function figureNamed(name: string, rows: readonly TableRow[], place: string): Column {
  return (
    columnNamed(name, rows) ??
    fail(
      "NB_DATA_INVALID",
      `${place}: ${JSON.stringify(name)} is no figure; accepted: ${FIGURE_NAMES.join(", ")}, and any setting`,
    )
  );
}

function signed(figure: Figure, value: number): string {
  const text = figure.format(Math.abs(value));
  const sign = value < 0 ? "−" : figure.difference ? "+" : "";
  return Number(text) === 0 ? text : `${sign}${text}`;
}

/** Whether a difference's interval is on one side of zero. */
export function isClear({ difference, ci95 }: Figure): boolean {
  return difference && ci95 !== null && ci95 !== undefined && ci95[0] * ci95[1] > 0;
}

/** A figure as a table shows it: value and half of its interval, in bold when a difference is clear of zero. */
export function shown(figure: Figure | string | undefined, withUnit = false): string {
  if (figure === undefined) return "";
  if (typeof figure === "string") return figure;
  if (Number.isNaN(figure.value)) return "no number";
  const { ci95, format, unit } = figure;
  const half = ci95 === null || ci95 === undefined ? "" : ` ± ${format((ci95[1] - ci95[0]) / 2)}`;
  const text = `${signed(figure, figure.value)}${half}${withUnit && unit !== "" ? ` ${unit}` : ""}`;
  return isClear(figure) ? `**${text}**` : text;
}

/** A figure as a sentence has it: the value alone, its interval alone, or both. */
export function inWords(figure: Figure | string | undefined, part: "value" | "interval" | "both"): string {
  if (figure === undefined) return "not known";
  if (typeof figure === "string") return figure;
  const { ci95, unit } = figure;
  const value = signed(figure, figure.value);
  const interval = ci95 && `${signed(figure, ci95[0])} to ${signed(figure, ci95[1])}`;
  const behind = unit === "" ? "" : ` ${unit}`;
  if (part === "value") return `${value}${behind}`;
  if (part === "interval") return interval ? `${interval}${behind}` : "one seed";
  return `${value}${interval ? ` (${interval})` : ""}${behind}`;
}
