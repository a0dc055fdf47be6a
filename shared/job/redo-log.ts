/**
 * The bytes of a redo log: what a side accepted and decided since a checkpoint, in order. A log is cut into segments, one for each
 * checkpoint.
 *
 *   "NBRL" · u32 version · u32 number of the segment · u32 XXH32 of these 12 bytes · records
 *   record: u32 size of the body · u32 XXH32 of the body, seeded with the record's number in the segment · body (msgpack)
 *
 * A record of size 0 ends a segment that was closed whole. What follows the last whole record of an open segment is a torn write.
 */
import { Packr } from "msgpackr";
import { fail } from "../errors.ts";
import { xxh32 } from "../protocol/checksum.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";

const MAGIC = "NBRL";
const VERSION = 1;
const NAME_BYTES = 12;
const HEADER_BYTES = NAME_BYTES + 4;
const RECORD_BYTES = 8;

/** Bytes of a record: a message of the largest size and its names. */
const MAX_RECORD_BYTES = MAX_FRAME_BYTES + 64 * 1024;

const packr = new Packr({ useRecords: false });
const EMPTY = new Uint8Array(0);

export function encodeSegmentHeader(number: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, number, true);
  view.setUint32(NAME_BYTES, xxh32(bytes.subarray(0, NAME_BYTES)), true);
  return bytes;
}

/** `index`: the record's number in its segment, from 0. `value` undefined ends the segment. */
export function encodeRecord(index: number, value: unknown): Uint8Array {
  const body = value === undefined ? EMPTY : packr.pack(value);
  const bytes = new Uint8Array(RECORD_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length, true);
  view.setUint32(4, xxh32(body, index), true);
  bytes.set(body, RECORD_BYTES);
  return bytes;
}

export interface Segment {
  readonly number: number;
  readonly records: readonly unknown[];
  /** Whether it was closed: nothing can be missing at its end. */
  readonly closed: boolean;
  /** Bytes up to the end of the last whole record; what follows is torn. 0 if not even the header is whole. */
  readonly wholeBytes: number;
}

/**
 * Reads a segment up to its end or to where it is torn.
 *
 * @throws NB_LOG_INVALID when the file is a segment of another version, or of another number than `number`.
 */
export function parseSegment(bytes: Uint8Array, number: number, name: string): Segment {
  const nothing = { number, records: [], closed: false, wholeBytes: 0 };
  if (bytes.length < HEADER_BYTES) return nothing;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(NAME_BYTES, true) !== xxh32(bytes.subarray(0, NAME_BYTES))) return nothing;
  const magic = new TextDecoder().decode(bytes.subarray(0, 4));
  if (magic !== MAGIC || view.getUint32(4, true) !== VERSION || view.getUint32(8, true) !== number) {
    fail("NB_LOG_INVALID", `${name}: not segment ${number} of a redo log of version ${VERSION}`);
  }
  const records: unknown[] = [];
  let at = HEADER_BYTES;
  while (at + RECORD_BYTES <= bytes.length) {
    const size = view.getUint32(at, true);
    const end = at + RECORD_BYTES + size;
    if (size > MAX_RECORD_BYTES || end > bytes.length) break;
    const body = bytes.subarray(at + RECORD_BYTES, end);
    if (view.getUint32(at + 4, true) !== xxh32(body, records.length)) break;
    if (size === 0) return { number, records, closed: true, wholeBytes: end };
    records.push(packr.unpack(body));
    at = end;
  }
  return { number, records, closed: false, wholeBytes: at };
}
