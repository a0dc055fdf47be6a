/**
 * Element types of weight files and their conversion to and from f32, in bulk. Weights are computed with in f32 whatever
 * they are stored in; bf16 (the upper half of an f32) and f16 halve a file.
 */

import { fail } from "../errors.ts";
import { floatsToHalves, halvesToFloats } from "../half.ts";

/** Bytes of one element of each type that the safetensors format knows, sub-byte types excepted. */
export const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
  C64: 8,
} as const;

export type Dtype = keyof typeof DTYPE_BYTES;

/** The types that weights are read from and written as. */
export type FloatDtype = "F32" | "F16" | "BF16";

/** Types of GGUF files in which 32 values share their scale: bits per value, block constants included. */
export const BLOCK_TYPE_BITS = { Q4_0: 4.5, Q4_1: 5, Q8_0: 8.5 } as const;

export type BlockType = keyof typeof BLOCK_TYPE_BITS;

/** All types that a tensor may be stored in. */
export type StoredType = Dtype | BlockType;

/** Whether a tensor of this type is one of plain floating-point numbers. */
export function isFloatDtype(dtype: StoredType): dtype is FloatDtype {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16";
}

export function isBlockType(type: StoredType): type is BlockType {
  return Object.hasOwn(BLOCK_TYPE_BITS, type);
}

/** Whether a tensor of this type can be read as f32. */
export function isWeightType(type: StoredType): type is FloatDtype | BlockType {
  return isFloatDtype(type) || isBlockType(type);
}

/** Bytes that some values of a type take. */
export function storedBytes(type: StoredType, elements: number): number {
  return isBlockType(type) ? (elements * BLOCK_TYPE_BITS[type]) / 8 : elements * DTYPE_BYTES[type];
}

/** bf16 to f32: the same bits with sixteen zeros below. out.length >= x.length. */
function bf16ToFloats(x: Uint16Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < x.length; i++) bits[i] = x[i] << 16;
}

/** f32 to bf16, nearest, ties to even; a NaN stays one. out.length >= x.length. */
function floatsToBf16(x: Float32Array, out: Uint16Array): void {
  const bits = new Uint32Array(x.buffer, x.byteOffset, x.length);
  for (let i = 0; i < x.length; i++) {
    const b = bits[i];
    // A NaN whose payload lies in the lower half would round to infinity: its quiet bit is set instead.
    out[i] = (b & 0x7fffffff) > 0x7f800000 ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
}

/**
 * The values of little-endian bytes as f32. The result is a new array, the caller's; `bytes` may lie at any offset.
 * bytes.length is a multiple of the element's size.
 */
export function floatsFromBytes(bytes: Uint8Array, dtype: FloatDtype): Float32Array {
  // Copied by constructor, which also aligns: slice() of Node's Buffer is a view of the same memory.
  const aligned = new Uint8Array(bytes).buffer;
  if (dtype === "F32") return new Float32Array(aligned);
  const narrow = new Uint16Array(aligned);
  const out = new Float32Array(narrow.length);
  if (dtype === "BF16") bf16ToFloats(narrow, out);
  else halvesToFloats(narrow, out);
  return out;
}

/**
 * The little-endian bytes of some values, rounded to nearest with ties to even. An f32 that is too large for f16
 * becomes infinity. For F32 the result is a view of `values`; for the others a new array.
 */
export function bytesFromFloats(values: Float32Array, dtype: FloatDtype): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const narrow = new Uint16Array(values.length);
  if (dtype === "BF16") floatsToBf16(values, narrow);
  else floatsToHalves(values, narrow);
  return new Uint8Array(narrow.buffer);
}

/**
 * Number of elements of a shape.
 *
 * @throws NB_INTERNAL for a shape that a parser should have refused.
 */
export function elementCount(shape: readonly number[]): number {
  const count = shape.reduce((product, n) => product * n, 1);
  if (!Number.isSafeInteger(count))
    fail("NB_INTERNAL", `a tensor of shape [${shape.join(", ")}] is too large`);
  return count;
}
