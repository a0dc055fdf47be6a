/**
 * Checkpoints: named f32 tensors and a plain record, in one file that is either whole or recognisably not.
 *
 *   "NBCK" · u32 version · u32 length of the index · index (msgpack) · tensors, little-endian f32 · u64 XXH64 of all before
 *
 * The checksum stands at the end, so a torn write and a flipped bit look the same: not a checkpoint.
 */
import { z } from "zod";
import { fail } from "../errors.ts";
import { type Seal, seal, unseal } from "../sealed.ts";
import type { NamedTensors } from "./segments.ts";

export interface Checkpoint {
  /** What it is a checkpoint of; checked on reading. */
  readonly kind: string;
  /** Plain values: numbers, strings, arrays, records, byte arrays. */
  readonly meta: Readonly<Record<string, unknown>>;
  readonly tensors: NamedTensors;
}

const SEAL: Seal = { magic: "NBCK", version: 1 };

const indexSchema = z.strictObject({
  kind: z.string(),
  meta: z.record(z.string(), z.unknown()),
  tensors: z.array(z.strictObject({ name: z.string(), shape: z.array(z.int().min(0)).max(8) })),
});

/** Serialises a checkpoint. */
export async function encodeCheckpoint(checkpoint: Checkpoint): Promise<Uint8Array> {
  const tensors = [...checkpoint.tensors];
  for (const [name, { shape, data }] of tensors) {
    if (data.length !== shape.reduce((n, d) => n * d, 1)) {
      fail("NB_INTERNAL", `checkpoint: "${name}" has ${data.length} values for shape [${shape.join(", ")}]`);
    }
  }
  const index = {
    kind: checkpoint.kind,
    meta: checkpoint.meta,
    tensors: tensors.map(([name, { shape }]) => ({ name, shape })),
  };
  return seal(
    SEAL,
    index,
    tensors.map(([, { data }]) => data),
  );
}

/** Reads a checkpoint of `kind`, or of any; NB_CHECKPOINT_INVALID when the bytes are not one, whole and unaltered. */
export async function decodeCheckpoint(bytes: Uint8Array, kind?: string): Promise<Checkpoint> {
  const bad = (why: string): never => fail("NB_CHECKPOINT_INVALID", `checkpoint: ${why}`);
  const { index, data } = await unseal(SEAL, bytes, bad);
  const parsed = indexSchema.safeParse(index);
  if (!parsed.success) return bad(`its index is not understood (${parsed.error.issues[0]?.message})`);
  if (kind !== undefined && parsed.data.kind !== kind) {
    fail("NB_CHECKPOINT_MISMATCH", `checkpoint: of kind "${parsed.data.kind}"; expected "${kind}"`);
  }
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  let at = 0;
  for (const { name, shape } of parsed.data.tensors) {
    const size = 4 * shape.reduce((n, d) => n * d, 1);
    if (at + size > data.length) bad(`tensor "${name}" lies beyond its end`);
    if (tensors.has(name)) bad(`it has two tensors "${name}"`);
    // Copied by constructor, which also aligns: slice() of Node's Buffer is a view of the same memory.
    tensors.set(name, {
      shape,
      data: new Float32Array(new Uint8Array(data.subarray(at, at + size)).buffer),
    });
    at += size;
  }
  if (at !== data.length) bad(`${data.length - at} bytes left over`);
  return { kind: parsed.data.kind, meta: parsed.data.meta, tensors };
}
