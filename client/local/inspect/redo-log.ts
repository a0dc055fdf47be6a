/** Describes a segment of a redo log: what a side accepted and decided since a checkpoint, in words. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { formatBytes, formatCount } from "../../../shared/command/format.ts";
import { fail } from "../../../shared/errors.ts";
import { type ClientRecord, clientRecordSchema } from "../../../shared/job/client-records.ts";
import { parseSegment } from "../../../shared/job/redo-log.ts";
import { type ServerRecord, serverRecordSchema } from "../../../shared/job/server-records.ts";
import { parseFrame } from "../../../shared/protocol/frame.ts";
import { MAX_FRAME_BYTES } from "../../../shared/protocol/limits.ts";
import type { Message } from "../../../shared/protocol/messages.ts";
import type { Description } from "../inspect.ts";

type Logged = ServerRecord | ClientRecord;

function recordOf(value: unknown): Logged | undefined {
  const server = serverRecordSchema.safeParse(value);
  if (server.success) return server.data;
  const client = clientRecordSchema.safeParse(value);
  return client.success ? client.data : undefined;
}

function messageWords(message: Message): string {
  switch (message.type) {
    case "tensor":
      return `${message.phase} of step ${message.step}.${message.attempt}, micro-batch ${message.microBatch}`;
    case "roundStart":
    case "stepDone":
    case "commit":
    case "abandon":
      return `${message.type} of step ${message.step}.${message.attempt}`;
    case "adapterBegin":
      return `adapters for average ${message.average}, ${formatBytes(message.totalBytes)}`;
    case "adapterChunk":
      return `piece ${message.index} of the adapters for average ${message.average}`;
    case "hello":
      return `hello of ${message.name}, connection ${message.connection}`;
    default:
      return message.type;
  }
}

/** A record for people. */
function words(record: Logged): string {
  switch (record.type) {
    case "joined":
    case "message": {
      const { message } = parseFrame(record.frame, MAX_FRAME_BYTES);
      const from = "connection" in record ? `connection ${record.connection}: ` : "";
      return `${from}${record.type === "joined" ? "let in: " : ""}${messageWords(message)}`;
    }
    case "computed": {
      const { done } = record;
      const client = "client" in done ? ` of client ${done.client}` : "";
      if (done.kind === "tensor") {
        return `made ${done.phase} of step ${done.step}.${done.attempt}, micro-batch ${done.microBatch}${client}`;
      }
      if (done.kind === "commit") return `committed trunk step ${done.trunkStep}`;
      if (done.kind === "average" || done.kind === "loadAverage") return `${done.kind} ${done.average}`;
      const microBatch = "microBatch" in done ? `, micro-batch ${done.microBatch}` : "";
      return `${done.kind} of step ${done.step}.${done.attempt}${microBatch} done`;
    }
    case "computeFailed":
      return `${record.request.kind} failed: ${record.code} ${record.message}`;
    case "closed":
      return "connection" in record ? `connection ${record.connection} closed` : "connection closed";
    case "refused":
      return `connection ${record.connection} refused: ${record.code}`;
    case "adapterRefused":
      return `adapters of client ${record.client} refused: ${record.code}`;
    case "timer":
      return `time is up: ${record.timer}`;
    default:
      return record.type;
  }
}

export async function describeRedoLog(path: string): Promise<Description> {
  const file = await readFile(path);
  const number = file.length >= 12 ? file.readUInt32LE(8) : 0;
  const { records, closed, wholeBytes } = parseSegment(file, number, path);
  const known = records.map((value, i) => {
    return recordOf(value) ?? fail("NB_LOG_INVALID", `${path}: record ${i} is none of this version's`);
  });
  const counts: Record<string, number> = {};
  for (const { type } of known) counts[type] = (counts[type] ?? 0) + 1;
  const tornBytes = file.length - wholeBytes;
  const open = tornBytes > 0 ? `, of which ${formatBytes(tornBytes)} at the end are torn` : "";
  return {
    facts: {
      kind: "redoLog",
      segment: number,
      bytes: file.length,
      records: known.length,
      closed,
      tornBytes,
      counts,
    },
    lines: [
      `${path}: segment ${number} of a redo log, ${formatBytes(file.length)}${open}; ${closed ? "closed" : "the newest"}`,
      `${formatCount(known.length)} records since ${basename(path).replace("redo-", "checkpoint-").replace(".nbredo", ".nbck")}`,
      "",
      ...known.map((record, i) => `${String(i).padStart(6)}  ${words(record)}`),
    ],
  };
}
