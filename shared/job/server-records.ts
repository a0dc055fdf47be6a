/**
 * Events of the server's machine as records of its redo log, and back. Logged are the events of clients that were let in, and the
 * decisions of clock and computation; results of computations by what they answer and a checksum, for they are made again. What a
 * stranger sends costs no disk.
 */
import { z } from "zod";
import { ERRORS, type ErrorCode, fail } from "../errors.ts";
import { xxh32 } from "../protocol/checksum.ts";
import { encodeFrame, parseFrame } from "../protocol/frame.ts";
import { jobPolicySchema } from "../protocol/job-config.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";
import { PHASES, type TensorMessage } from "../protocol/messages.ts";
import type {
  ServerEffect,
  ServerEvent,
  ServerRequest,
  ServerResult,
  ServerState,
  ServerTimer,
} from "../protocol/server-state.ts";

const int = z.int();
const key = { step: int, attempt: int, microBatch: int };
const errorCode = z.custom<ErrorCode>((value) => typeof value === "string" && Object.hasOwn(ERRORS, value));
const frame = z.custom<Uint8Array>((value) => value instanceof Uint8Array);

const doneSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("tensor"), client: int, ...key, phase: z.enum(PHASES), checksum: int }),
  z.strictObject({ kind: z.literal("commit"), trunkStep: int, gradientNorm: z.number() }),
  z.strictObject({ kind: z.literal("average"), average: int }),
]);

const failedSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.enum(["forward", "backward", "vanilla"]), client: int, ...key }),
  z.strictObject({ kind: z.literal("commit"), trunkStep: int }),
  z.strictObject({ kind: z.literal("average"), average: int }),
]);

export const serverRecordSchema = z.discriminatedUnion("type", [
  /** A client was let in with this Hello, whose token is left out. */
  z.strictObject({ type: z.literal("joined"), connection: int, frame }),
  z.strictObject({ type: z.literal("message"), connection: int, frame }),
  z.strictObject({ type: z.literal("closed"), connection: int }),
  z.strictObject({ type: z.literal("refused"), connection: int, code: errorCode, message: z.string() }),
  z.strictObject({ type: z.literal("timer"), timer: z.string() }),
  z.strictObject({ type: z.literal("computed"), done: doneSchema }),
  z.strictObject({
    type: z.literal("computeFailed"),
    request: failedSchema,
    code: errorCode,
    message: z.string(),
  }),
  z.strictObject({ type: z.literal("adapterRefused"), client: int, code: errorCode, message: z.string() }),
  z.strictObject({ type: z.literal("checkpoint") }),
  z.strictObject({ type: z.literal("checkpointed") }),
  z.strictObject({ type: z.literal("restarted"), policy: jobPolicySchema }),
  z.strictObject({ type: z.literal("stop") }),
]);

export type ServerRecord = z.infer<typeof serverRecordSchema>;
type Done = z.infer<typeof doneSchema>;
type Failed = z.infer<typeof failedSchema>;

/** XXH32 of a tensor's sections. */
export function tensorChecksum({ scales, payload }: TensorMessage): number {
  return xxh32(payload, xxh32(scales));
}

function doneOf(result: ServerResult): Done {
  if (result.kind !== "tensor") return result;
  const { client, message } = result;
  const { step, attempt, microBatch, phase } = message;
  return { kind: "tensor", client, step, attempt, microBatch, phase, checksum: tensorChecksum(message) };
}

function failedOf(request: ServerRequest): Failed {
  if (request.kind === "commit") return { kind: "commit", trunkStep: request.group.trunkStep };
  if (request.kind === "average") return { kind: "average", average: request.average };
  const { kind, client, message } = request;
  const { step, attempt, microBatch } = message;
  return { kind, client, step, attempt, microBatch };
}

function isBound(state: ServerState, connection: number): boolean {
  return state.connections.get(connection)?.client !== undefined;
}

/** What the log must hold of an event that took `before` to `after`; undefined for what leaves no trace in what is kept. */
export function serverRecord(
  event: ServerEvent,
  before: ServerState,
  after: ServerState,
  effects: readonly ServerEffect[],
): ServerRecord | undefined {
  switch (event.type) {
    case "connected":
      return undefined;
    case "authenticated": {
      const { connection } = event;
      const hello = before.connections.get(connection)?.hello;
      if (hello === undefined || !isBound(after, connection)) return undefined;
      return { type: "joined", connection, frame: encodeFrame({ job: 0, client: 0, message: hello }) };
    }
    case "message": {
      const { connection, frame } = event;
      const { type } = frame.message;
      if (!isBound(before, connection) || type === "ping" || type === "pong") return undefined;
      const [only] = effects;
      const ignored = effects.length === 1 && only.type === "notify" && only.progress.type === "ignored";
      if (ignored) return undefined;
      return { type: "message", connection, frame: encodeFrame(frame) };
    }
    case "closed":
      return isBound(before, event.connection) ? event : undefined;
    case "refused":
      return isBound(before, event.connection) ? event : undefined;
    case "timer": {
      const [kind, id] = event.timer.split(":");
      if (kind === "hello") return undefined;
      if (kind !== "heartbeat") return event;
      // Heartbeats count only when they find a peer dead, which is then as if its connection had closed.
      const connection = Number(id);
      const cut = isBound(before, connection) && !after.connections.has(connection);
      return cut ? { type: "closed", connection } : undefined;
    }
    case "computed":
      return { type: "computed", done: doneOf(event.result) };
    case "computeFailed": {
      const { code, message } = event;
      return { type: "computeFailed", request: failedOf(event.request), code, message };
    }
    default:
      return event;
  }
}

/** What a replay does with a record: events to feed, or a computation to make again. */
export type ServerReplay =
  | { readonly type: "events"; readonly events: readonly ServerEvent[] }
  | { readonly type: "computed"; readonly done: Done }
  | {
      readonly type: "computeFailed";
      readonly request: Failed;
      readonly code: ErrorCode;
      readonly message: string;
    };

/** @throws NB_LOG_INVALID when a record is none of this version's. */
export function replayOf(value: unknown): ServerReplay {
  const parsed = serverRecordSchema.safeParse(value);
  if (!parsed.success) return fail("NB_LOG_INVALID", "redo log: a record of another version");
  const record = parsed.data;
  switch (record.type) {
    case "joined": {
      const { connection, frame } = record;
      return {
        type: "events",
        events: [
          { type: "connected", connection },
          { type: "message", connection, frame: parseFrame(frame, MAX_FRAME_BYTES) },
          { type: "authenticated", connection },
        ],
      };
    }
    case "message":
      return {
        type: "events",
        events: [{ ...record, frame: parseFrame(record.frame, MAX_FRAME_BYTES) }],
      };
    case "timer":
      return { type: "events", events: [{ type: "timer", timer: record.timer as ServerTimer }] };
    case "computed":
    case "computeFailed":
      return record;
    default:
      return { type: "events", events: [record] };
  }
}

/** Whether `request` is the one that a record is about. */
export function isAbout(request: ServerRequest, about: Done | Failed): boolean {
  if (about.kind === "commit")
    return request.kind === "commit" && request.group.trunkStep === about.trunkStep;
  if (about.kind === "average") return request.kind === "average" && request.average === about.average;
  if (request.kind === "commit" || request.kind === "average") return false;
  const { client, message } = request;
  const same =
    client === about.client &&
    message.step === about.step &&
    message.attempt === about.attempt &&
    message.microBatch === about.microBatch;
  if (about.kind !== "tensor") return same && request.kind === about.kind;
  return same && (request.kind === "forward") === (about.phase === "A2");
}

/** NB_REPLAY_DIFFERS unless a computation that was made again gave what the record says. */
export function requireSame(result: ServerResult, done: Done): void {
  const again = doneOf(result);
  if (JSON.stringify(again) === JSON.stringify(done)) return;
  const what =
    done.kind === "tensor" ? `${done.phase} of step ${done.step}, micro-batch ${done.microBatch}` : done.kind;
  fail("NB_REPLAY_DIFFERS", `redo log: ${what} came out different from what it was`);
}
