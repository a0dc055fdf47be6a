/** Codec states as plain values that a checkpoint's index can hold, and back. */
import { z } from "zod";
import type { CodecState } from "../codec/codec.ts";
import { fail } from "../errors.ts";

const stateSchema = z.strictObject({
  codec: z.string(),
  bitTableVersion: z.int().min(0),
  arrays: z.record(
    z.string(),
    z.strictObject({ type: z.enum(["f32", "f64", "u8"]), bytes: z.instanceof(Uint8Array) }),
  ),
  numbers: z.record(z.string(), z.number()),
});

type Packed = z.output<typeof stateSchema>;
type StateArray = CodecState["arrays"][string];

function packArray(array: StateArray): Packed["arrays"][string] {
  const type = array instanceof Float64Array ? "f64" : array instanceof Float32Array ? "f32" : "u8";
  // A copy: the state is the encoder's own.
  return { type, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice() };
}

function unpackArray({ type, bytes }: Packed["arrays"][string]): StateArray {
  const own = Uint8Array.from(bytes);
  if (type === "u8") return own;
  const size = type === "f64" ? 8 : 4;
  if (own.length % size !== 0)
    fail("NB_CODEC_STATE_INVALID", `a saved array of ${type} has ${own.length} bytes`);
  return type === "f64" ? new Float64Array(own.buffer) : new Float32Array(own.buffer);
}

export function packCodecState(state: CodecState): Packed {
  const { codec, bitTableVersion, arrays, numbers } = state;
  const packed = Object.entries(arrays).map(([name, array]) => [name, packArray(array)] as const);
  return { codec, bitTableVersion, arrays: Object.fromEntries(packed), numbers: { ...numbers } };
}

/** @throws NB_CODEC_STATE_INVALID when the value is no packed state. Whether it fits a codec, the codec says. */
export function unpackCodecState(value: unknown): CodecState {
  const parsed = stateSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return fail("NB_CODEC_STATE_INVALID", `saved codec state: ${issue.path.join(".")}: ${issue.message}`);
  }
  const arrays = Object.entries(parsed.data.arrays).map(
    ([name, array]) => [name, unpackArray(array)] as const,
  );
  return { ...parsed.data, arrays: Object.fromEntries(arrays) };
}
