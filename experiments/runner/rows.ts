/**
 * Raw rows of a run: one JSON object a line. A cell's file begins with what was run, then has a row for each step of the trunk and for
 * each measurement, and ends with totals; it is written whole or not at all. Bytes are the server's ledger's, so both ends'. Rows after the
 * first may leave out the names that it has, and a published file has one row with the course of all steps instead of most steps' own
 * (report/keep-rows.ts).
 */
import { z } from "zod";
import { formatPercent } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import { CATEGORIES, type Category, type CategoryBytes } from "../../shared/ledger/ledger.ts";
import { PHASES } from "../../shared/protocol/messages.ts";

/** JSON has no NaN and no infinity and writes null instead: what a run that diverged measured. */
const number = z.union([z.number(), z.null().transform(() => Number.NaN)]);

const common = {
  experiment: z.string(),
  /** Hashes: see versions.ts. */
  config: z.string(),
  code: z.string(),
  task: z.string(),
  model: z.string(),
  arm: z.string(),
  seed: z.int(),
  link: z.string(),
};
const commonSchema = z.object(common);
export type RowNames = z.infer<z.ZodObject<typeof common>>;

/** Bytes by what they are for; categories of no bytes are left out. */
const categories = z.partialRecord(z.enum(CATEGORIES), number);
const directions = z.strictObject({ up: categories, down: categories });
const phases = z.partialRecord(z.enum(PHASES), number);

/** Milliseconds, summed over clients. */
const times = z.strictObject({
  clientCompute: number,
  clientCodec: number,
  serverCompute: number,
  serverCodec: number,
  /** Measured on a real link; left out in memory, where there is none. */
  link: number.optional(),
});
export type RowTimes = z.infer<typeof times>;

/**
 * What the same run would have sent in all without its codecs' entropy stage. Left out of runs that have none, and over
 * processes, where nobody knows it.
 */
const packedBytes = z.int().optional();

const metricsSchema = z.strictObject({
  loss: number,
  perplexity: number.optional(),
  bitsPerByte: number.optional(),
  accuracy: number.optional(),
  macroF1: number.optional(),
  exactMatch: number.optional(),
});

const cellRow = z.strictObject({
  row: z.literal("cell"),
  ...common,
  /** The cell's settings: see experiment.ts. */
  cell: z.record(z.string(), z.unknown()),
  inputs: z.record(z.string(), z.string()),
  /** What arms are compared by. */
  metric: z.string(),
  higherIsBetter: z.boolean(),
  /** Whether it is a reference that no bytes were spent on. */
  baseline: z.boolean(),
  /** The arm's name for the same run without its codecs' entropy stage, where the experiment asks for that. */
  packedAs: z.string().optional(),
  machine: z.record(z.string(), z.string()),
  started: z.string(),
});

const stepRow = z.strictObject({
  row: z.literal("step"),
  ...common,
  /** Optimizer steps of the trunk so far. */
  step: z.int(),
  /** Nats per supervised token of the step's batches. */
  loss: number,
  /** The same of each client in it, by name. */
  clientLosses: z.record(z.string(), number),
  supervisedTokens: z.int(),
  /** Real tokens so far. */
  tokens: z.int(),
  gradientNorm: number,
  /** Mean width of the channels, by phase. */
  bits: phases,
  /** Payload, scales and tables of the step, bits per element, by phase. Not known of other processes. */
  wireBits: phases.optional(),
  /** The same without the codecs' entropy stage; as {@link packedBytes}. */
  packedWireBits: phases.optional(),
  /** So far, and of this step. */
  bytes: directions,
  stepBytes: directions,
  packedBytes,
  /** So far. */
  ms: times,
  /** Bytes of memory that the run's process has had at most. Not known of other processes. */
  peakMemory: z.int().optional(),
});

const numbers = z.array(number);

/** The course of all steps as columns: what is asked of every step, of which few are published in full. */
const traceRow = z
  .strictObject({
    row: z.literal("trace"),
    ...common,
    step: z.array(z.int()),
    loss: numbers,
    gradientNorm: numbers,
    /** Bytes so far. */
    up: numbers,
    down: numbers,
  })
  .refine(
    ({ step, ...columns }) =>
      [columns.loss, columns.gradientNorm, columns.up, columns.down].every(
        ({ length }) => length === step.length,
      ),
    "has columns of different lengths",
  );

const evaluationRow = z.strictObject({
  row: z.literal("evaluation"),
  ...common,
  step: z.int(),
  /** All bytes so far, both directions. */
  totalBytes: z.int(),
  packedBytes,
  /** Means over clients' models. */
  metrics: metricsSchema,
  clients: z.array(metricsSchema),
});

const endRow = z.strictObject({
  row: z.literal("end"),
  ...common,
  steps: z.int(),
  tokens: z.int(),
  /** Elements of all tensors, and by phase. */
  elements: z.int(),
  bytes: directions,
  totalBytes: z.int(),
  packedBytes,
  /** Over the whole run: codec bytes alone, and everything. */
  codecBitsPerElement: number,
  wireBitsPerElement: number,
  /** Codec bytes per element of each phase. */
  phaseBits: phases,
  /** Both without the entropy stage; as {@link packedBytes}. */
  packedCodecBits: number.optional(),
  packedPhaseBits: phases.optional(),
  /** The same tensors' elements alone. */
  baselineBytes: z.strictObject({ f32: number, f16: number, int8: number }),
  ms: times,
  /** From the first process to the last measurement. */
  seconds: number,
  peakMemory: z.int().optional(),
});

export const rowSchema = z.discriminatedUnion("row", [cellRow, stepRow, traceRow, evaluationRow, endRow]);
export type Row = z.infer<typeof rowSchema>;
export type CellRow = z.infer<typeof cellRow>;
export type StepRow = z.infer<typeof stepRow>;
export type TraceRow = z.infer<typeof traceRow>;
export type EvaluationRow = z.infer<typeof evaluationRow>;
export type EndRow = z.infer<typeof endRow>;

/** A row before its names are put in front. */
type Bare<R extends Row> = Omit<R, keyof RowNames>;
export type BareRow = Bare<CellRow> | Bare<StepRow> | Bare<EvaluationRow> | Bare<EndRow>;
/** A row of a file that is written: the first with its names, the others with or without. */
export type WrittenRow = Row | BareRow | Bare<TraceRow>;

/** All rows of a finished cell. */
export interface CellRows {
  readonly cell: CellRow;
  /** Every step's, or, of a published cell, those at which something was measured. */
  readonly steps: readonly StepRow[];
  /** Of a published cell; see {@link traceOf}. */
  readonly trace?: TraceRow | undefined;
  readonly evaluations: readonly EvaluationRow[];
  readonly end: EndRow;
}

/** Categories that have bytes. */
export function someBytes(bytes: CategoryBytes): Partial<Record<Category, number>> {
  return Object.fromEntries(CATEGORIES.filter((c) => bytes[c] !== 0).map((c) => [c, bytes[c]]));
}

export function subtractBytes(a: CategoryBytes, b: CategoryBytes): CategoryBytes {
  return Object.fromEntries(CATEGORIES.map((c) => [c, a[c] - b[c]])) as CategoryBytes;
}

/** The course of all steps, of a published cell as of any other. */
export function traceOf({ cell, steps, trace }: CellRows): TraceRow {
  if (trace !== undefined) return trace;
  const sum = (bytes: Partial<Record<Category, number>>) =>
    CATEGORIES.reduce((total, category) => total + (bytes[category] ?? 0), 0);
  return {
    row: "trace",
    ...namesOf(cell),
    step: steps.map(({ step }) => step),
    loss: steps.map(({ loss }) => loss),
    gradientNorm: steps.map(({ gradientNorm }) => gradientNorm),
    up: steps.map(({ bytes }) => sum(bytes.up)),
    down: steps.map(({ bytes }) => sum(bytes.down)),
  };
}

export function totalOf({ up, down }: z.infer<typeof directions>): number {
  return CATEGORIES.reduce((sum, c) => sum + (up[c] ?? 0) + (down[c] ?? 0), 0);
}

const isObject = (json: unknown): json is object => typeof json === "object" && json !== null;

/** The names of a row, without the rest of it. */
export const namesOf = (row: RowNames): RowNames => commonSchema.parse(row);

/**
 * Reads a cell's file. Names that a row leaves out are the first row's.
 *
 * @throws NB_DATA_INVALID when a line is no row or the file is not complete.
 */
export function parseCellRows(file: string, text: string): CellRows {
  let names: RowNames | undefined;
  const rows = text.split("\n").flatMap((line, i): Row[] => {
    if (line === "") return [];
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      return fail("NB_DATA_INVALID", `${file}:${i + 1}: is not JSON`);
    }
    const parsed = rowSchema.safeParse(isObject(json) ? { ...names, ...json } : json);
    if (parsed.success) {
      names ??= namesOf(parsed.data);
      return [parsed.data];
    }
    const { path, message } = parsed.error.issues[0];
    return fail("NB_DATA_INVALID", `${file}:${i + 1}: ${path.join(".") || "row"}: ${message}`);
  });
  const cell = rows.find((row) => row.row === "cell");
  const end = rows.find((row) => row.row === "end");
  if (cell === undefined || end === undefined)
    return fail("NB_DATA_INVALID", `${file}: has no ${cell === undefined ? "first" : "last"} row`);
  return {
    cell,
    end,
    steps: rows.filter((row) => row.row === "step"),
    trace: rows.find((row) => row.row === "trace"),
    evaluations: rows.filter((row) => row.row === "evaluation"),
  };
}

const CSV_NAMES = Object.keys(common) as (keyof RowNames)[];

/** Heads of {@link csvLines}. */
export function csvHead(): string {
  const bytes = ["cumulative", "step"].flatMap((span) =>
    (["up", "down"] as const).flatMap((way) => CATEGORIES.map((c) => `${span}_${way}_${c}`)),
  );
  return [
    ...CSV_NAMES,
    "row",
    "step",
    "tokens",
    "train_loss",
    "gradient_norm",
    "total_bytes",
    "packed_bytes",
    "test_loss",
    "test_perplexity",
    "test_bits_per_byte",
    "test_accuracy",
    "test_macro_f1",
    "test_exact_match",
    ...PHASES.map((phase) => `bits_${phase}`),
    ...PHASES.map((phase) => `wire_bits_${phase}`),
    "client_compute_ms",
    "client_codec_ms",
    "server_compute_ms",
    "server_codec_ms",
    "link_ms",
    "peak_memory",
    ...bytes,
  ].join(",");
}

/** A cell's steps and measurements as lines of a table, for spreadsheets; empty where a row has no such figure. */
export function csvLines({ steps, evaluations }: CellRows): string[] {
  const line = (row: StepRow | EvaluationRow): string => {
    const step = row.row === "step" ? row : undefined;
    const metrics = row.row === "evaluation" ? row.metrics : undefined;
    const ways = ["up", "down"] as const;
    const bytes = [step?.bytes, step?.stepBytes].flatMap((of) =>
      ways.flatMap((way) => CATEGORIES.map((c) => (of === undefined ? undefined : (of[way][c] ?? 0)))),
    );
    const fields = [
      ...CSV_NAMES.map((key) => row[key]),
      row.row,
      row.step,
      step?.tokens,
      step?.loss,
      step?.gradientNorm,
      row.row === "evaluation" ? row.totalBytes : totalOf(row.bytes),
      row.packedBytes,
      metrics?.loss,
      metrics?.perplexity,
      metrics?.bitsPerByte,
      metrics?.accuracy,
      metrics?.macroF1,
      metrics?.exactMatch,
      ...PHASES.map((phase) => step?.bits[phase]),
      ...PHASES.map((phase) => step?.wireBits?.[phase]),
      step?.ms.clientCompute,
      step?.ms.clientCodec,
      step?.ms.serverCompute,
      step?.ms.serverCodec,
      step?.ms.link,
      step?.peakMemory,
      ...bytes,
    ];
    return fields.map((field) => field ?? "").join(",");
  };
  return [...steps, ...evaluations].sort((a, b) => a.step - b.step).map(line);
}

/** Whether a metric is a share, which people read in percent. */
export function isShare(name: string): boolean {
  return name === "accuracy" || name === "macroF1" || name === "exactMatch";
}

const METRIC_LABELS: Readonly<Record<string, string>> = {
  bitsPerByte: "bits per byte",
  macroF1: "macro-F1",
  exactMatch: "exact match",
};

/** What people call a metric. */
export function metricLabel(name: string): string {
  return METRIC_LABELS[name] ?? name;
}

/** A metric as people read it. */
export function formatMetric(name: string, value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (isShare(name)) return formatPercent(value);
  return value.toFixed(name === "perplexity" ? 2 : 4);
}

/** A difference of two values of a metric: shares differ by percentage points. */
export function formatDifference(name: string, value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = isShare(name)
    ? `${(100 * Math.abs(value)).toFixed(1)} pp`
    : formatMetric(name, Math.abs(value));
  return `${value < 0 ? "\u2212" : value > 0 ? "+" : ""}${size}`;
}
