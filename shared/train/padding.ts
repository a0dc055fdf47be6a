/**
 * Between packed rows (what batches, codecs and the wire hold) and padded ones (what a compiled shape needs).
 *
 * Rows are padded on the right. Under a causal mask no real position sees padding, and padding has no label, so it
 * changes neither outputs nor gradients.
 */
import { fail } from "../errors.ts";
import type { Bucket } from "../model/transformer.ts";

/** Lengths are rounded up to a multiple of this, so that few shapes get compiled. */
const LENGTH_MULTIPLE = 32;

/** The shape bucket for rows of these lengths. NB_DATA_TOO_LONG when a row exceeds the model's positions. */
export function bucketFor(lengths: Int32Array, maxPositions: number): Bucket {
  let longest = 1;
  for (const length of lengths) longest = Math.max(longest, length);
  if (longest > maxPositions) {
    fail(
      "NB_DATA_TOO_LONG",
      `a row of ${longest} tokens is longer than the model's ${maxPositions} positions`,
    );
  }
  const rounded = Math.ceil(longest / LENGTH_MULTIPLE) * LENGTH_MULTIPLE;
  return { rows: lengths.length, length: Math.min(rounded, maxPositions) };
}

/** Sum of the lengths. */
export function tokenCount(lengths: Int32Array): number {
  let n = 0;
  for (const length of lengths) n += length;
  return n;
}

/** Writes packed [tokens, width] into padded [rows · length, width], filling padding with `fill`. */
export function pad<T extends Float32Array | Int32Array>(
  packed: T,
  lengths: Int32Array,
  bucket: Bucket,
  width: number,
  padded: T,
  fill = 0,
): T {
  let from = 0;
  for (let row = 0; row < lengths.length; row++) {
    const size = lengths[row] * width;
    const at = row * bucket.length * width;
    padded.set(packed.subarray(from, from + size) as never, at);
    padded.fill(fill, at + size, at + bucket.length * width);
    from += size;
  }
  return padded;
}

/** The inverse of pad: real positions only. */
export function unpad(
  padded: Float32Array,
  lengths: Int32Array,
  bucket: Bucket,
  width: number,
  packed: Float32Array = new Float32Array(tokenCount(lengths) * width),
): Float32Array {
  let to = 0;
  for (let row = 0; row < lengths.length; row++) {
    const at = row * bucket.length * width;
    packed.set(padded.subarray(at, at + lengths[row] * width), to);
    to += lengths[row] * width;
  }
  return packed;
}
