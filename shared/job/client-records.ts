/**
 * Events of the client's machine as records of its redo log, and back: the frames that it accepted, when its connections opened and
 * closed, and which computations were done, which are made again. What ends a run before its job is completed is not kept: one that is
 * gone on with stands where it stood before.
 */
import { z } from "zod";
import { fail } from "../errors.ts";
import {
  type ClientEffect,
  type ClientEvent,
  type ClientRequest,
  type ClientResult,
  type ClientState,
  LinkStatus,
  WorkStatus,
} from "../protocol/client-state.ts";
import { encodeFrame, parseFrame } from "../protocol/frame.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";
import { tensorChecksum } from "./server-records.ts";

const int = z.int();
const key = { step: int, attempt: int };

const doneSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("bottom"), ...key, microBatch: int, checksum: int }),
  z.strictObject({ kind: z.literal("top"), ...key, microBatch: int, checksum: int, lossSum: z.number() }),
  z.strictObject({ kind: z.literal("backward"), ...key, microBatch: int }),
  z.strictObject({ kind: z.literal("apply"), ...key }),
  z.strictObject({ kind: z.literal("loadAverage"), average: int }),
]);

export const clientRecordSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("opened") }),
  z.strictObject({ type: z.literal("closed"), code: int }),
  z.strictObject({
    type: z.literal("message"),
    frame: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  }),
  z.strictObject({ type: z.literal("computed"), done: doneSchema }),
  z.strictObject({ type: z.literal("checkpoint") }),
  z.strictObject({ type: z.literal("checkpointed") }),
]);

export type ClientRecord = z.infer<typeof clientRecordSchema>;
type Done = z.infer<typeof doneSchema>;

function doneOf(result: ClientResult): Done | undefined {
  switch (result.kind) {
    case "build":
      return undefined;
    case "bottom":
    case "top": {
      const { kind, message } = result;
      const { step, attempt, microBatch } = message;
      const what = { step, attempt, microBatch, checksum: tensorChecksum(message) };
      return kind === "bottom" ? { kind, ...what } : { kind, ...what, lossSum: result.lossSum };
    }
    case "backward":
      return { kind: "backward", ...keyOf(result.key), microBatch: result.microBatch };
    case "apply":
      return { kind: "apply", ...keyOf(result.key) };
    case "loadAverage":
      return result;
  }
}

function keyOf({ step, attempt }: { step: number; attempt: number }): { step: number; attempt: number } {
  return { step, attempt };
}

/** Frames that change nothing that is kept. */
const PASSING = new Set(["ping", "pong", "error", "goodbye"]);

/** What the log must hold of an event that took `before` to `after`; undefined for what leaves no trace in what is kept. */
export function clientRecord(
  event: ClientEvent,
  before: ClientState,
  after: ClientState,
  effects: readonly ClientEffect[],
): ClientRecord | undefined {
  // A job that is completed stays so; a client that is started again need not ask.
  const completed =
    event.type === "message" &&
    event.frame.message.type === "goodbye" &&
    event.frame.message.reason === "completed";
  if (completed) return { type: "message", frame: encodeFrame(event.frame) };
  if (after.work === WorkStatus.ENDED) return undefined;
  switch (event.type) {
    case "opened":
    case "checkpoint":
    case "checkpointed":
      return event;
    case "computed": {
      const done = doneOf(event.result);
      return done === undefined ? undefined : { type: "computed", done };
    }
    case "message": {
      const { type } = event.frame.message;
      if (before.link !== LinkStatus.OFFLINE && after.link === LinkStatus.OFFLINE) break;
      if (PASSING.has(type)) return undefined;
      const [only] = effects;
      const ignored = effects.length === 1 && only.type === "notify" && only.progress.type === "ignored";
      return ignored ? undefined : { type: "message", frame: encodeFrame(event.frame) };
    }
    default:
  }
  // Whatever ended a connection: it is as if the network had.
  const cut = before.link !== LinkStatus.OFFLINE && after.link === LinkStatus.OFFLINE;
  return cut ? { type: "closed", code: 1006 } : undefined;
}

/** What a replay does with a record: an event to feed, or a computation to make again. */
export type ClientReplay =
  | { readonly type: "event"; readonly event: ClientEvent }
  | { readonly type: "computed"; readonly done: Done };

/** @throws NB_LOG_INVALID when a record is none of this version's. */
export function replayOf(value: unknown): ClientReplay {
  const parsed = clientRecordSchema.safeParse(value);
  if (!parsed.success) return fail("NB_LOG_INVALID", "redo log: a record of another version");
  const record = parsed.data;
  if (record.type === "computed") return record;
  if (record.type !== "message") return { type: "event", event: record };
  return { type: "event", event: { type: "message", frame: parseFrame(record.frame, MAX_FRAME_BYTES) } };
}

/** Whether `request` is the one that a record is about. */
export function isAbout(request: ClientRequest, done: Done): boolean {
  switch (request.kind) {
    case "build":
      return false;
    case "loadAverage":
      return done.kind === "loadAverage" && request.average === done.average;
    case "apply":
      return done.kind === "apply" && request.commit.step === done.step;
    default: {
      if (request.kind !== done.kind) return false;
      const key = request.kind === "bottom" ? request.key : request.message;
      const { microBatch } = request.kind === "bottom" ? request : request.message;
      return key.step === done.step && key.attempt === done.attempt && microBatch === done.microBatch;
    }
  }
}

/** NB_REPLAY_DIFFERS unless a computation that was made again gave what the record says. */
export function requireSame(result: ClientResult, done: Done): void {
  if (JSON.stringify(doneOf(result)) === JSON.stringify(done)) return;
  const where = "step" in done ? ` of step ${done.step}` : "";
  fail("NB_REPLAY_DIFFERS", `redo log: ${done.kind}${where} came out different from what it was`);
}
