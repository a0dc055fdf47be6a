/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header, and the tensors' bytes end to end.
 * https://github.com/huggingface/safetensors, "Format".
 *
 * The header of a downloaded file is hostile until checked. All that the format demands is checked here, before a byte
 * of data is read: the header's size, that it begins with `{`, is UTF-8 and JSON, names nothing twice, knows its
 * element types, and that its tensors lie in the file without overlap or hole and are as long as their shapes say.
 */
import { fail } from "../errors.ts";
import {
  bytesFromFloats,
  DTYPE_BYTES,
  type Dtype,
  elementCount,
  type FloatDtype,
  floatsFromBytes,
  isFloatDtype,
} from "./dtype.ts";

/** Bytes of the length in front of the header. */
export const LENGTH_BYTES = 8;
/** Longest accepted header. The format allows 100 MB; a header of the largest public models is below 1 MB. */
export const MAX_HEADER_BYTES = 25_000_000;
/** Most dimensions of a tensor: weights have at most four, and the bound keeps products of shapes short. */
export const MAX_RANK = 8;
/** Most tensors in one file; the largest mixture-of-experts models have some tens of thousands in all. */
export const MAX_TENSORS = 200_000;

export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte, from the beginning of the file. */
  readonly begin: number;
  /** One past the last byte. */
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The free text under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** First byte after the header. */
  readonly dataBegin: number;
}

function badHeader(what: string): never {
  fail("NB_SAFETENSORS_HEADER", `safetensors header: ${what}`);
}

/**
 * Length of the JSON header, bytes, from the first 8 bytes of a file of `fileSize` bytes.
 *
 * @throws NB_SAFETENSORS_TRUNCATED, NB_SAFETENSORS_HEADER
 */
export function headerLength(prefix: Uint8Array, fileSize: number): number {
  if (prefix.length < LENGTH_BYTES || fileSize < LENGTH_BYTES)
    fail(
      "NB_SAFETENSORS_TRUNCATED",
      `a safetensors file begins with ${LENGTH_BYTES} bytes; this one has ${fileSize}`,
    );
  const view = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_BYTES);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > MAX_HEADER_BYTES) badHeader(`${length} bytes long; accepted: up to ${MAX_HEADER_BYTES}`);
  if (length < 2) badHeader(`${length} bytes long; the shortest is {}`);
  if (LENGTH_BYTES + length > fileSize)
    fail("NB_SAFETENSORS_TRUNCATED", `the header takes ${length} bytes, the file ends after ${fileSize}`);
  return length;
}

/**
 * Refuses a JSON text, known to be valid, in which an object names a key twice: JSON.parse would keep the last and
 * hide the other.
 */
function refuseDuplicateKeys(json: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === "{") open.push(new Set());
    else if (c === "[") open.push(undefined);
    else if (c === "}" || c === "]") open.pop();
    else if (c === '"') {
      const from = i++;
      while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
      const keys = open.at(-1);
      if (keys === undefined) continue;
      // In an object a string is a key when a colon follows it.
      let next = i + 1;
      while (" \t\n\r".includes(json[next])) next++;
      if (json[next] !== ":") continue;
      const key: string = JSON.parse(json.slice(from, i + 1));
      if (keys.has(key)) badHeader(`${JSON.stringify(key)} is there twice`);
      keys.add(key);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A whole number from 0 that a double holds exactly. */
function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function parseTensor(name: string, value: unknown, dataBegin: number, dataSize: number): TensorInfo {
  const of = `tensor ${JSON.stringify(name)}`;
  if (!isObject(value)) badHeader(`${of} is not an object`);
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const extra = Object.keys(rest)[0];
  if (extra !== undefined) badHeader(`${of} has the unknown field ${JSON.stringify(extra)}`);
  if (typeof dtype !== "string") badHeader(`${of} has no dtype`);
  if (!Object.hasOwn(DTYPE_BYTES, dtype))
    fail(
      "NB_SAFETENSORS_DTYPE",
      `${of} is of dtype ${JSON.stringify(dtype)}; known: ${Object.keys(DTYPE_BYTES).join(", ")}`,
    );
  if (!Array.isArray(shape) || !shape.every(isSize))
    badHeader(`${of} has a shape that is not a list of sizes`);
  if (shape.length > MAX_RANK) badHeader(`${of} has ${shape.length} dimensions; accepted: up to ${MAX_RANK}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    badHeader(`${of} has data_offsets that are not two sizes`);
  const [begin, end]: number[] = offsets;
  if (begin > end) fail("NB_SAFETENSORS_LAYOUT", `${of} ends at ${end}, before it begins at ${begin}`);
  if (end > dataSize)
    fail(
      "NB_SAFETENSORS_TRUNCATED",
      `${of} ends at byte ${end} of the data, of which the file holds ${dataSize}`,
    );
  const bytes = shape.reduce((product, n) => product * n, DTYPE_BYTES[dtype as Dtype]);
  if (bytes !== end - begin)
    fail(
      "NB_SAFETENSORS_LAYOUT",
      `${of}: ${dtype} [${shape.join(", ")}] takes ${bytes} bytes, its data_offsets span ${end - begin}`,
    );
  return { dtype: dtype as Dtype, shape, begin: dataBegin + begin, end: dataBegin + end };
}

/** Tensors in order of their place must follow each other without overlap or hole, and fill the data. */
function checkLayout(tensors: ReadonlyMap<string, TensorInfo>, dataBegin: number, fileSize: number): void {
  let at = dataBegin;
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (const [name, { begin, end }] of inOrder) {
    if (begin !== at)
      fail(
        "NB_SAFETENSORS_LAYOUT",
        `tensor ${JSON.stringify(name)} ${begin < at ? "overlaps the one before it" : `leaves a hole of ${begin - at} bytes before it`}`,
      );
    at = end;
  }
  if (at !== fileSize)
    fail(
      "NB_SAFETENSORS_LAYOUT",
      `the tensors end at byte ${at}, the file at ${fileSize}: the rest belongs to none`,
    );
}

/**
 * Parses a header. `head` holds the file's first 8 + N bytes (or more), `fileSize` is the size of the whole file.
 *
 * @throws NB_SAFETENSORS_TRUNCATED, NB_SAFETENSORS_HEADER, NB_SAFETENSORS_DTYPE, NB_SAFETENSORS_LAYOUT
 */
export function parseSafetensorsHeader(head: Uint8Array, fileSize: number): SafetensorsHeader {
  const length = headerLength(head, fileSize);
  const dataBegin = LENGTH_BYTES + length;
  if (head.length < dataBegin)
    fail(
      "NB_SAFETENSORS_TRUNCATED",
      `the header takes ${length} bytes, ${head.length - LENGTH_BYTES} are there`,
    );
  if (head[LENGTH_BYTES] !== 0x7b) badHeader("does not begin with {");
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(head.subarray(LENGTH_BYTES, dataBegin));
    json = JSON.parse(text);
  } catch (error) {
    badHeader(error instanceof Error ? error.message : String(error));
  }
  refuseDuplicateKeys(text);
  if (!isObject(json)) badHeader("is not an object");

  const entries = Object.entries(json);
  if (entries.length > MAX_TENSORS)
    badHeader(`names ${entries.length} tensors; accepted: up to ${MAX_TENSORS}`);
  const tensors = new Map<string, TensorInfo>();
  const metadata = new Map<string, string>();
  for (const [name, value] of entries) {
    if (name !== "__metadata__") {
      tensors.set(name, parseTensor(name, value, dataBegin, fileSize - dataBegin));
      continue;
    }
    if (!isObject(value)) badHeader("__metadata__ is not an object");
    for (const [key, entry] of Object.entries(value)) {
      if (typeof entry !== "string") badHeader(`__metadata__.${key} is not a string`);
      metadata.set(key, entry);
    }
  }
  checkLayout(tensors, dataBegin, fileSize);
  return { tensors, metadata, dataBegin };
}

/**
 * A tensor's bytes as f32; the result is the caller's.
 *
 * @throws NB_SAFETENSORS_DTYPE when it is of another type than F32, F16 or BF16.
 */
export function tensorFloats(name: string, info: TensorInfo, bytes: Uint8Array): Float32Array {
  if (!isFloatDtype(info.dtype))
    fail(
      "NB_SAFETENSORS_DTYPE",
      `tensor ${JSON.stringify(name)} is ${info.dtype}; weights are read from F32, F16 and BF16`,
    );
  return floatsFromBytes(bytes, info.dtype);
}

export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface WriteOptions {
  /** Element type of every tensor; default F32. */
  readonly dtype?: FloatDtype;
  /** Written under `__metadata__`; default {"format": "pt"}, which transformers and PEFT ask for. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The header of a file of these tensors, in this order, 8-byte length included. It is padded with spaces so that the
 * data begins at a multiple of 8.
 */
export function safetensorsHead(
  tensors: Iterable<readonly [string, { readonly shape: readonly number[] }]>,
  options: WriteOptions = {},
): Uint8Array {
  const { dtype = "F32", metadata = { format: "pt" } } = options;
  // Written by hand: a tensor may be called "__proto__".
  const fields = [`"__metadata__":${JSON.stringify(metadata)}`];
  const seen = new Set(["__metadata__"]);
  let at = 0;
  for (const [name, { shape }] of tensors) {
    if (seen.has(name)) fail("NB_INTERNAL", `tensor ${JSON.stringify(name)} would be written twice`);
    seen.add(name);
    const end = at + elementCount(shape) * DTYPE_BYTES[dtype];
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [at, end] })}`);
    at = end;
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  head.set(json, LENGTH_BYTES);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  return head;
}

/** A whole file in memory, tensors ordered by name. For an adapter or a small model; the bytes are the caller's. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  options: WriteOptions = {},
): Uint8Array {
  const { dtype = "F32" } = options;
  const inOrder = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const head = safetensorsHead(inOrder, options);
  const size = inOrder.reduce(
    (sum, [, { shape }]) => sum + elementCount(shape) * DTYPE_BYTES[dtype],
    head.length,
  );
  const out = new Uint8Array(size);
  out.set(head);
  let at = head.length;
  for (const [name, { shape, data }] of inOrder) {
    if (data.length !== elementCount(shape))
      fail(
        "NB_INTERNAL",
        `tensor ${JSON.stringify(name)} of shape [${shape.join(", ")}] has ${data.length} values`,
      );
    const bytes = bytesFromFloats(data, dtype);
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** Every tensor of a file held in memory, as f32. For adapters; a model is read tensor by tensor. */
export function readSafetensors(bytes: Uint8Array): {
  tensors: Map<string, NamedTensor>;
  metadata: ReadonlyMap<string, string>;
} {
  const header = parseSafetensorsHeader(bytes, bytes.length);
  const tensors = new Map<string, NamedTensor>();
  for (const [name, info] of header.tensors)
    tensors.set(name, {
      shape: info.shape,
      data: tensorFloats(name, info, bytes.subarray(info.begin, info.end)),
    });
  return { tensors, metadata: header.metadata };
}
