/**
 * Labels of a vanilla split on the wire: unsigned little-endian ids of 2 or 4 bytes, all bits set where there is nothing to predict.
 */
import { fail } from "../errors.ts";

/** The label of a position that has no loss, as segments have it. */
const IGNORE = -100;

/** Writes labels [tokens], in 2 bytes each where the vocabulary allows. */
export function encodeLabels(labels: Int32Array, vocabulary: number): Uint8Array {
  const wide = vocabulary > 0xffff;
  const bytes = new Uint8Array(labels.length * (wide ? 4 : 2));
  const view = new DataView(bytes.buffer);
  labels.forEach((label, i) => {
    if (wide) view.setUint32(i * 4, label < 0 ? 0xffffffff : label, true);
    else view.setUint16(i * 2, label < 0 ? 0xffff : label, true);
  });
  return bytes;
}

/** Reads labels [tokens]. NB_TENSOR_INVALID when an id is not of the vocabulary. */
export function decodeLabels(bytes: Uint8Array, tokens: number, vocabulary: number): Int32Array {
  const wide = bytes.length === tokens * 4;
  const none = wide ? 0xffffffff : 0xffff;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Int32Array.from({ length: tokens }, (_, i) => {
    const label = wide ? view.getUint32(i * 4, true) : view.getUint16(i * 2, true);
    if (label === none) return IGNORE;
    if (label >= vocabulary) {
      fail("NB_TENSOR_INVALID", `labels: id ${label} at token ${i}; the vocabulary has ${vocabulary}`);
    }
    return label;
  });
}
