/**
 * Checkpoints: named f32 tensors and a plain record, in one file that is either whole or recognisably not.
 *
 *   "NBCK" · u32 version · u32 length of the index · index (msgpack) · tensors, little-endian f32 · u64 XXH64 of all before
 *
 * The checksum stands at the end, so a torn write and a flipped bit look the same: not a checkpoint.
 */
import { Packr } from "msgpackr";
import createXxhash from "xxhash-wasm";
import { z } from "zod";
import { fail } from "../errors.ts";
import type { NamedTensors } from "./segments.ts";

export interface Checkpoint {
  /** What it is a checkpoint of; checked on reading. */
  readonly kind: string;
  /** Plain values: numbers, strings, arrays, records, byte arrays. */
  readonly meta: Readonly<Record<string, unknown>>;
  readonly tensors: NamedTensors;
}

const MAGIC = "NBCK";
const VERSION = 1;
const HEADER_BYTES = 12;
const CHECKSUM_BYTES = 8;

const indexSchema = z.strictObject({
  kind: z.string(),
  meta: z.record(z.string(), z.unknown()),
  tensors: z.array(z.strictObject({ name: z.string(), shape: z.array(z.int().min(0)).max(8) })),
});

const packr = new Packr({ useRecords: false });

let loaded: ReturnType<typeof createXxhash> | undefined;

/** The checksum's WebAssembly, loaded once. */
function xxhash(): ReturnType<typeof createXxhash> {
  loaded ??= createXxhash();
  return loaded;
}

/** Serialises a checkpoint. */
export async function encodeCheckpoint(checkpoint: Checkpoint): Promise<Uint8Array> {
  const tensors = [...checkpoint.tensors];
  for (const [name, { shape, data }] of tensors) {
    if (data.length !== shape.reduce((n, d) => n * d, 1)) {
      fail("NB_INTERNAL", `checkpoint: "${name}" has ${data.length} values for shape [${shape.join(", ")}]`);
    }
  }
  const index = packr.pack({
    kind: checkpoint.kind,
    meta: checkpoint.meta,
    tensors: tensors.map(([name, { shape }]) => ({ name, shape })),
  });
  const dataBytes = tensors.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
  const bytes = new Uint8Array(HEADER_BYTES + index.length + dataBytes + CHECKSUM_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(4, VERSION, true);
  view.setUint32(8, index.length, true);
  bytes.set(index, HEADER_BYTES);
  let at = HEADER_BYTES + index.length;
  for (const [, { data }] of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  const { h64Raw } = await xxhash();
  view.setBigUint64(at, h64Raw(bytes.subarray(0, at)), true);
  return bytes;
}

/** Reads a checkpoint of `kind`, or of any; NB_CHECKPOINT_INVALID when the bytes are not one, whole and unaltered. */
export async function decodeCheckpoint(bytes: Uint8Array, kind?: string): Promise<Checkpoint> {
  const bad = (why: string): never => fail("NB_CHECKPOINT_INVALID", `checkpoint: ${why}`);
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES) bad(`only ${bytes.length} bytes long`);
  if (new TextDecoder().decode(bytes.subarray(0, 4)) !== MAGIC) bad(`does not begin with "${MAGIC}"`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(4, true) !== VERSION) bad(`version ${view.getUint32(4, true)}; this reads ${VERSION}`);
  const end = bytes.length - CHECKSUM_BYTES;
  const { h64Raw } = await xxhash();
  if (h64Raw(bytes.subarray(0, end)) !== view.getBigUint64(end, true))
    bad("torn or altered: its checksum differs");
  const indexBytes = view.getUint32(8, true);
  if (HEADER_BYTES + indexBytes > end) bad("its index is longer than the file");
  let index: unknown;
  try {
    index = packr.unpack(bytes.subarray(HEADER_BYTES, HEADER_BYTES + indexBytes));
  } catch (error) {
    return bad(`its index cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  const parsed = indexSchema.safeParse(index);
  if (!parsed.success) return bad(`its index is not understood (${parsed.error.issues[0]?.message})`);
  if (kind !== undefined && parsed.data.kind !== kind) {
    fail("NB_CHECKPOINT_MISMATCH", `checkpoint: of kind "${parsed.data.kind}"; expected "${kind}"`);
  }
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  let at = HEADER_BYTES + indexBytes;
  for (const { name, shape } of parsed.data.tensors) {
    const size = 4 * shape.reduce((n, d) => n * d, 1);
    if (at + size > end) bad(`tensor "${name}" lies beyond its end`);
    if (tensors.has(name)) bad(`it has two tensors "${name}"`);
    // Copied by constructor, which also aligns: slice() of Node's Buffer is a view of the same memory.
    tensors.set(name, {
      shape,
      data: new Float32Array(new Uint8Array(bytes.subarray(at, at + size)).buffer),
    });
    at += size;
  }
  if (at !== end) bad(`${end - at} bytes left over`);
  return { kind: parsed.data.kind, meta: parsed.data.meta, tensors };
}
