/**
 * The run log: what happened at each step, appended to a file as it happens, so that a run which was killed leaves its
 * history. Records are MessagePack, each after its size (unsigned 32 bits, little-endian); the first says what the log is.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { Packr } from "msgpackr";
import { z } from "zod";
import { fail } from "../errors.ts";
import { makeDirectory } from "../output-node.ts";
import { CATEGORIES, type Category } from "./ledger.ts";

/** What the first record of a log says that it is. */
export const RUN_LOG_FORMAT = "narrowband-run-log";
const VERSION = 1;

/** The log's name in the directory of a run. */
export function runLogPath(directory: string): string {
  return join(directory, "run.nblog");
}

/** Bytes of one record: a step's is a few hundred. */
const MAX_RECORD_BYTES = 1024 * 1024;

// Plain maps: record extensions would need the writer's structures, and compile code when read.
const packr = new Packr({ useRecords: false });

const categories = Object.fromEntries(CATEGORIES.map((c) => [c, z.number()])) as Record<
  Category,
  z.ZodNumber
>;
const categoryBytes = z.strictObject(categories);

const headerSchema = z.strictObject({
  format: z.literal(RUN_LOG_FORMAT),
  version: z.literal(VERSION),
  job: z.string(),
  /** Client's name, or "server". */
  writer: z.string(),
});

const recordSchema = z.strictObject({
  step: z.int().min(0),
  attempt: z.int().min(0),
  /** Milliseconds since the Unix epoch. */
  time: z.number(),
  /** Summed over the supervised tokens of the step, nats. */
  lossSum: z.number(),
  supervisedTokens: z.int().min(0),
  /** Real tokens of the step. */
  tokens: z.int().min(0),
  gradientNorm: z.number(),
  /** Mean bits per element that the writer's encoders used, by phase. */
  meanBits: z.partialRecord(z.enum(["A1", "A2", "G2", "G1"]), z.number()),
  /** The ledger after the step. */
  up: categoryBytes,
  down: categoryBytes,
  /** Milliseconds spent so far. */
  computeMs: z.number(),
  codecMs: z.number(),
});

export type RunLogRecord = z.infer<typeof recordSchema>;

export interface RunLog {
  readonly job: string;
  readonly writer: string;
  readonly records: readonly RunLogRecord[];
  /** Whether the last record is cut short: the writer was killed while it wrote. */
  readonly torn: boolean;
}

export class RunLogWriter {
  readonly #file: number;

  /**
   * Begins a new log, in place of a file that is there; the directory is made when missing. With `resumeAt` it takes over the
   * records of the steps before that one. NB_FILE_UNREADABLE when it cannot be written.
   */
  constructor(path: string, job: string, writer: string, resumeAt = 0) {
    const earlier = resumeAt > 0 && existsSync(path) ? readRunLog(path).records : [];
    makeDirectory(dirname(path));
    try {
      this.#file = openSync(path, "w");
    } catch (error) {
      fail("NB_FILE_UNREADABLE", `run log: ${path}: ${(error as Error).message}`);
    }
    this.#append({ format: RUN_LOG_FORMAT, version: VERSION, job, writer });
    for (const record of earlier) if (record.step < resumeAt) this.write(record);
  }

  write(record: RunLogRecord): void {
    this.#append(record);
  }

  close(): void {
    closeSync(this.#file);
  }

  #append(value: object): void {
    const body = packr.pack(value);
    const bytes = new Uint8Array(4 + body.length);
    new DataView(bytes.buffer).setUint32(0, body.length, true);
    bytes.set(body, 4);
    writeSync(this.#file, bytes);
  }
}

/** Reads a log. NB_FILE_UNREADABLE; NB_DATA_INVALID with the record's number when it is not one. */
export function readRunLog(path: string): RunLog {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return fail("NB_FILE_UNREADABLE", `run log: ${path}: ${(error as Error).message}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values: unknown[] = [];
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const size = view.getUint32(offset, true);
    if (size > MAX_RECORD_BYTES) {
      fail(
        "NB_DATA_INVALID",
        `${path}: record ${values.length} of ${size} bytes; at most ${MAX_RECORD_BYTES}`,
      );
    }
    if (offset + 4 + size > bytes.length) break;
    values.push(unpack(path, values.length, bytes.subarray(offset + 4, offset + 4 + size)));
    offset += 4 + size;
  }
  const [first, ...rest] = values;
  const header = headerSchema.safeParse(first);
  if (!header.success) return fail("NB_DATA_INVALID", `${path}: not a run log of version ${VERSION}`);
  const records = rest.map((value, i) => {
    const record = recordSchema.safeParse(value);
    if (record.success) return record.data;
    const issue = record.error.issues[0];
    return fail("NB_DATA_INVALID", `${path}: record ${i + 1}: ${issue.path.join(".")}: ${issue.message}`);
  });
  const { job, writer } = header.data;
  return { job, writer, records, torn: offset < bytes.length };
}

function unpack(path: string, index: number, bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes);
  } catch (error) {
    return fail("NB_DATA_INVALID", `${path}: record ${index}: ${(error as Error).message}`);
  }
}
