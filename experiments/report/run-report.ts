/**
 * The numbers of one run, as the report shows them and as scripts read them: plain JSON, checked by a schema. Whatever
 * makes a run fills this in; what is drawn and written from it is in the files beside this one.
 *
 * Losses are nats per token, times milliseconds, sizes bytes. "Real" tokens exclude padding. Bytes are those of the
 * sockets, all of them; the f32, f16 and int8 figures are the same tensors' elements alone, without a header or a scale, so
 * they are what a rival could not go below.
 */
import { z } from "zod";
import { CATEGORIES, type Category } from "../../shared/ledger/ledger.ts";

export const REPORT_FORMAT = "narrowband-run-report";
export const REPORT_VERSION = 1;

/** A U-shaped step's transfers in their order; a vanilla split has the first and the last. */
export const PHASE_NAMES = ["A1", "A2", "G2", "G1"] as const;
export type PhaseName = (typeof PHASE_NAMES)[number];

const finite = z.number();
const size = z.int().min(0);
const duration = z.number().min(0);
const text = z.string().max(500);

/** What is not attributed may be negative; see the ledger. */
const categorySize = z.int();
const categoryBytes = z.strictObject(
  Object.fromEntries(CATEGORIES.map((category) => [category, categorySize])) as Record<
    Category,
    typeof categorySize
  >,
);

/** Where a client's time went. They sum to its time from the first step to the last. */
const timeSchema = z.strictObject({
  /** Segments: forward, backward, optimizer. */
  compute: duration,
  /** Encoding, decoding, gates. */
  codec: duration,
  /** Waiting for the other end and for the network. */
  link: duration,
});

/** Values over steps: one of each for every entry of `step`. */
const seriesSchema = z
  .strictObject({
    /** Steps done, from 1. */
    step: z.array(z.int().min(1)).min(1),
    /** Of the step's own batch. */
    loss: z.array(finite),
    /** Of the same batch in the unsplit f32 run. */
    unsplitLoss: z.array(finite).optional(),
    /** Real tokens so far. */
    tokens: z.array(size),
    /** Elements of the tensors sent so far, all phases. */
    elements: z.array(size),
    /** Bytes of the socket so far, both directions. */
    bytes: z.array(size),
    /** Mean width of the channels in the step's message, bits. */
    bits: z.partialRecord(z.enum(PHASE_NAMES), z.array(z.number().min(0).max(64))),
  })
  .refine(
    ({ step, bits, ...rest }) =>
      [...Object.values(rest), ...Object.values(bits)].every(
        (values) => values === undefined || values.length === step.length,
      ),
    "all series have one value for each step",
  );

const widthsSchema = z
  .strictObject({
    phase: z.enum(PHASE_NAMES),
    /** Steps done when each row was taken. */
    step: z.array(size).min(1),
    /** For each of these steps the width of every channel, bits [steps][channels]. */
    bits: z.array(z.array(z.int().min(0).max(64)).min(1)),
  })
  .refine(({ step, bits }) => bits.length === step.length, "one row of widths for each step")
  .refine(
    ({ bits }) => bits.every((row) => row.length === bits[0].length),
    "all rows have the same channels",
  );

const clientSchema = z.strictObject({
  name: text,
  /** What it was trained on, for people. */
  data: text,
  heldOut: z.strictObject({
    tokens: size,
    /** Before and after. */
    base: finite,
    tuned: finite,
    /** After the same run, unsplit, in f32. */
    unsplitF32: finite.optional(),
  }),
  series: seriesSchema,
  widths: z.array(widthsSchema),
  bytes: z.strictObject({ up: categoryBytes, down: categoryBytes }),
  timeMs: timeSchema,
});

export const runReportSchema = z.strictObject({
  format: z.literal(REPORT_FORMAT),
  version: z.literal(REPORT_VERSION),
  title: text,
  /** When it began, ISO 8601. */
  started: z.iso.datetime(),
  /** From the first process started to the last result. */
  seconds: duration,
  model: z.strictObject({
    name: text,
    parameters: size,
    /** Trained in adapters, both sides together, one client. */
    adapterParameters: size,
    layers: size,
    hidden: size,
  }),
  split: z.strictObject({
    kind: z.enum(["u-shape", "vanilla"]),
    bottomBlocks: size,
    trunkBlocks: size,
    topBlocks: size,
  }),
  /** Codec of each phase, as the job's settings have it. */
  codecs: z.partialRecord(z.enum(PHASE_NAMES), text),
  /** Mean width that the anneal is to end at, bits. */
  budgetBits: z.number().positive().optional(),
  clients: z.array(clientSchema).min(1),
  /** The server's own time in the job. */
  server: z.strictObject({ timeMs: timeSchema }).optional(),
  /** All clients, the whole run. */
  bytes: z.strictObject({ total: size, f32: size, f16: size, int8: size }),
  /** Mean over all streams, weighted by elements: of the first step, of the last, over the run. */
  bitsPerElement: z.strictObject({ first: finite, last: finite, mean: finite }),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

export type RunReport = z.output<typeof runReportSchema>;
export type ClientReport = RunReport["clients"][number];

/** What each phase carries, for people. */
export const PHASE_LABELS: Readonly<Record<PhaseName, string>> = {
  A1: "activations up, cut 1",
  A2: "activations down, cut 2",
  G2: "gradients up, cut 2",
  G1: "gradients down, cut 1",
};
