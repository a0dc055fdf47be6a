/**
 * Errors ↔ WebSocket close codes, and which of them a client may answer by connecting again.
 */
import { ERRORS, type ErrorCode, type ErrorKind } from "../errors.ts";

const INTERNAL_CLOSE = 4500;

/** The WebSocket close code of an error; that of NB_INTERNAL for errors that have none of their own. */
export function closeCode(code: ErrorCode): number {
  const kind: ErrorKind = ERRORS[code];
  return kind.close ?? INTERNAL_CLOSE;
}

const BY_CLOSE_CODE = new Map<number, ErrorCode>();
for (const [code, kind] of Object.entries(ERRORS) as [ErrorCode, ErrorKind][]) {
  if (kind.close !== undefined) BY_CLOSE_CODE.set(kind.close, code);
}

/** The error that a close code stands for, if any. */
export function errorOfClose(code: number): ErrorCode | undefined {
  return BY_CLOSE_CODE.get(code);
}

/** Errors that say nothing against the client: the network altered or delayed something, or the server is unwell. */
const PASSING: ReadonlySet<string> = new Set<ErrorCode>([
  "NB_FRAME_CHECKSUM",
  "NB_PEER_SILENT",
  "NB_HELLO_DEADLINE",
  "NB_SLOW_READER",
  "NB_INTERNAL",
]);

/** Whether connecting again may help after an error of this code. Connections that just drop have no code, and may be made again. */
export function isPassing(code: string): boolean {
  return PASSING.has(code);
}
