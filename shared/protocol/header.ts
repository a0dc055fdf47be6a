/**
 * Envelopes of proto/wire.proto ↔ messages: every field is checked for its bounds as it comes in, so that nothing behind this file meets
 * a value that the specification does not allow.
 */
import { z } from "zod";
import { narrowband } from "../../proto/generated/wire.js";
import { fail } from "../errors.ts";
import { type JobConfig, jobConfigSchema } from "./job-config.ts";
import {
  MAX_ADAPTER_BYTES,
  MAX_ADAPTER_CHUNK_BYTES,
  MAX_ATTEMPTS,
  MAX_CHANNELS,
  MAX_CLIENTS,
  MAX_LIST_LENGTH,
  MAX_MICRO_BATCHES,
  MAX_NAME_LENGTH,
  MAX_ROWS,
  MAX_STEPS,
  MAX_TEXT_LENGTH,
  MAX_TOKENS,
} from "./limits.ts";
import { type Frame, type Message, NOTHING_TO_RESUME } from "./messages.ts";

const uint = z.int().min(0).max(0xffffffff);
const text = z.string().max(MAX_TEXT_LENGTH);
/** Names go into paths, metrics and logs: letters, digits, dot, dash, underscore, and no leading dot. */
const name = z
  .string()
  .max(MAX_NAME_LENGTH)
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/);
const key = { step: uint.max(MAX_STEPS), attempt: uint.max(MAX_ATTEMPTS) };
const average = uint.min(1).max(MAX_STEPS);

/** Sizes of a tensor's body sections, which frame.ts cuts; the payload is what is left. */
export interface SectionSizes {
  readonly bitTableBytes: number;
  readonly labelBytes: number;
  readonly scaleBytes: number;
}

const microBatches = uint.max(MAX_MICRO_BATCHES);
const resumeSchema = z.preprocess(
  (value) => value ?? NOTHING_TO_RESUME,
  z.object({
    ...key,
    open: z.boolean(),
    prepared: z.boolean(),
    a1: microBatches,
    a2: microBatches,
    g2: microBatches,
    g1: microBatches,
    taken: uint.max(MAX_STEPS),
    averaged: uint.max(MAX_STEPS),
    upload: uint.max(MAX_STEPS),
  }),
);

/** One schema for each kind of message, under its name in Envelope. */
const schemas = {
  tensor: z.object({
    ...key,
    microBatch: uint.max(MAX_MICRO_BATCHES),
    phase: z.enum(["A1", "A2", "G2", "G1"]),
    tokens: uint.min(1).max(MAX_TOKENS),
    lengths: z.array(uint.min(1)).max(MAX_ROWS),
    channels: uint.min(1).max(MAX_CHANNELS),
    codec: uint.max(MAX_LIST_LENGTH),
    bitTableVersion: uint,
    bitTableBytes: uint,
    labelBytes: uint,
    scaleBytes: uint,
    lossSum: z.number(),
    supervisedTokens: uint,
  }),
  roundStart: z.object(key),
  stepDone: z.object({ ...key, lossSum: z.number(), supervisedTokens: uint }),
  commit: z.object({
    ...key,
    trunkStep: uint,
    participants: uint.max(MAX_CLIENTS),
    supervisedTokens: uint,
    staleness: uint,
    gradientNorm: z.number().min(0),
  }),
  abandon: z.object({ ...key, code: text, message: text }),
  adapterBegin: z.object({
    average,
    manifestDigest: uint,
    totalBytes: uint.min(4).max(MAX_ADAPTER_BYTES).multipleOf(4),
    chunkBytes: uint.min(4).max(MAX_ADAPTER_CHUNK_BYTES),
  }),
  adapterChunk: z.object({ average, index: uint }),
  ping: z.object({ id: uint }),
  pong: z.object({ id: uint }),
  hello: z.object({
    protocolMin: uint,
    protocolMax: uint,
    token: z.string().max(MAX_TEXT_LENGTH),
    job: name,
    name,
    modelFingerprint: text,
    tokenizerFingerprint: text,
    codecs: z.array(z.string().max(MAX_NAME_LENGTH)).max(MAX_LIST_LENGTH),
    software: z.string().max(MAX_NAME_LENGTH),
    process: z.string().min(16).max(MAX_NAME_LENGTH),
    connection: uint.min(1),
    resume: resumeSchema,
  }),
  welcome: z.object({
    protocol: uint,
    resumed: z.boolean(),
    job: uint.min(1),
    client: uint.max(MAX_CLIENTS),
    config: z.unknown().transform(jobConfigFromWire),
    resume: resumeSchema,
  }),
  ready: z.object({}),
  goodbye: z.object({
    reason: z
      .enum(["COMPLETED", "STOPPED", "FAILED"])
      .transform((value) => value.toLowerCase() as "completed" | "stopped" | "failed"),
    code: text,
    message: text,
    retryAfterMs: uint,
  }),
  error: z.object({ code: text, message: text }),
} as const;

type Kind = keyof typeof schemas;

const SPLITS = { U_SHAPE: "u-shape", VANILLA: "vanilla" } as const;
const MODES = { SYNC: "sync", SEQUENTIAL: "sequential" } as const;
const AGGREGATIONS = { PERSONAL: "personal", FEDAVG: "fedavg" } as const;
const SCHEDULES = { CONSTANT: "constant", LINEAR: "linear", COSINE: "cosine" } as const;

/** The name in `table` whose value is `value`. */
function nameOf<T extends Record<string, string>>(table: T, value: T[keyof T]): string {
  return Object.entries(table).find(([, v]) => v === value)![0];
}

/** The value of a received enum name, or the name itself for the schema behind to refuse. */
function namedValue(table: Record<string, string>, received: unknown): unknown {
  return typeof received === "string" && Object.hasOwn(table, received) ? table[received] : received;
}

function jobConfigToWire(config: JobConfig): narrowband.JobConfig.$Properties {
  const { codecs: _codecs, optimizer, ...rest } = config;
  const enums = narrowband.JobConfig;
  return {
    ...rest,
    split: enums.Split[nameOf(SPLITS, config.split) as "U_SHAPE"],
    mode: enums.Mode[nameOf(MODES, config.mode) as "SYNC"],
    aggregation: enums.Aggregation[nameOf(AGGREGATIONS, config.aggregation) as "FEDAVG"],
    optimizer: {
      ...optimizer,
      schedule: narrowband.OptimizerSpec.Schedule[nameOf(SCHEDULES, optimizer.schedule) as "COSINE"],
    },
    codecA1: config.codecs.A1,
    codecA2: config.codecs.A2,
    codecG2: config.codecs.G2,
    codecG1: config.codecs.G1,
  };
}

const wireConfigSchema = z.looseObject({
  split: z.unknown(),
  mode: z.unknown(),
  aggregation: z.unknown(),
  codecA1: text,
  codecA2: text,
  codecG2: text,
  codecG1: text,
  optimizer: z.looseObject({ schedule: z.unknown() }),
});

function jobConfigFromWire(value: unknown): JobConfig {
  const wire = check(wireConfigSchema, value, "config");
  const { codecA1: A1, codecA2: A2, codecG2: G2, codecG1: G1, ...rest } = wire;
  const config = {
    ...rest,
    split: namedValue(SPLITS, wire.split),
    mode: namedValue(MODES, wire.mode),
    aggregation: namedValue(AGGREGATIONS, wire.aggregation),
    optimizer: { ...wire.optimizer, schedule: namedValue(SCHEDULES, wire.optimizer.schedule) },
    codecs: { A1, A2, G2, G1 },
  };
  return check(jobConfigSchema, config, "config");
}

/** `value` as the schema gives it, or NB_FRAME_MALFORMED with the first thing that is wrong. */
function check<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = [what, ...issue.path.map(String)].join(".");
  return fail("NB_FRAME_MALFORMED", `${path}: ${issue.message}`);
}

/** Encodes the Envelope of a frame. `sizes` are those of a tensor's sections. */
export function encodeHeader(frame: Frame, sizes: SectionSizes): Uint8Array {
  const { job, client, message } = frame;
  const fields = messageToWire(message, sizes);
  return narrowband.Envelope.encode({ job, client, [message.type]: fields }).finish();
}

function messageToWire(message: Message, sizes: SectionSizes): object {
  switch (message.type) {
    case "tensor":
      return { ...message, ...sizes, lengths: [...message.lengths], phase: narrowband.Phase[message.phase] };
    case "welcome":
      return { ...message, config: jobConfigToWire(message.config) };
    case "goodbye":
      return {
        ...message,
        reason: narrowband.Goodbye.Reason[message.reason.toUpperCase() as "COMPLETED"],
      };
    default:
      return message;
  }
}

/** A message as its header gives it, before its body sections are cut. */
export interface ParsedHeader {
  readonly job: number;
  readonly client: number;
  readonly kind: Kind;
  /** Fields of the message, checked by its schema. */
  readonly fields: z.output<(typeof schemas)[Kind]>;
}

const OBJECT_OPTIONS = { defaults: true, enums: String, oneofs: true } as const;

/** Decodes and checks an Envelope. NB_FRAME_MALFORMED says which field is wrong. */
export function parseHeader(bytes: Uint8Array): ParsedHeader {
  let envelope: Record<string, unknown>;
  try {
    envelope = narrowband.Envelope.toObject(narrowband.Envelope.decode(bytes), OBJECT_OPTIONS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail("NB_FRAME_MALFORMED", `header: not an Envelope (${reason})`);
  }
  const kind = envelope.message;
  if (typeof kind !== "string" || !Object.hasOwn(schemas, kind)) {
    return fail("NB_FRAME_MALFORMED", "header: an Envelope without a message that this version knows");
  }
  const schema = schemas[kind as Kind];
  return {
    job: check(uint, envelope.job, "job"),
    client: check(uint, envelope.client, "client"),
    kind: kind as Kind,
    fields: check(schema, envelope[kind], kind),
  };
}
