/**
 * The GGUF file format (versions 2 and 3): header, metadata and tensors, read from bytes that nobody vouches for.
 *
 * The format is specified in ggml's docs/gguf.md: `GGUF`, a version, numbers of tensors and of metadata entries, the entries, the
 * tensors' names, shapes, types and offsets, and aligned data. Npm's parsers of it take a URL or a path and trust the counts
 * that they find; here bytes come from any source, a declared count allocates nothing before it is held against the bytes that
 * are there, and tensors are read one at a time. What the metadata means is gguf-directory.ts's matter.
 */
import { fail } from "../errors.ts";
import { halvesToFloats } from "../half.ts";
import type { ByteSource } from "./byte-source.ts";
import { type BlockType, elementCount, type FloatDtype, floatsFromBytes } from "./dtype.ts";

/** Largest accepted header, bytes. A vocabulary of 256,000 with merges and scores takes about 15 MB. */
const MAX_HEADER_BYTES = 128 << 20;
/** What is read of a file at first; small models' headers fit, larger ones double it. */
const FIRST_READ = 4 << 20;
/** Most metadata entries, and most tensors; the largest real models have a few thousand tensors. */
const MAX_ENTRIES = 1 << 16;
/** Longest name of an entry or tensor, bytes; the specification says 65,535. */
const MAX_NAME_BYTES = 65_535;
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;

export type GgufValue =
  | number
  | boolean
  | string
  | readonly number[]
  | readonly boolean[]
  | readonly string[];

/** Types of tensors that are read. */
export type GgufType = Extract<FloatDtype, string> | BlockType;

export interface GgufTensor {
  /** Row-major, slowest dimension first: the reverse of the file's order. */
  readonly shape: readonly number[];
  readonly type: GgufType;
  /** Bytes [begin, end) of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

interface Layout {
  readonly name: GgufType;
  /** Elements and bytes of a block; a float is a block of one. */
  readonly elements: number;
  readonly bytes: number;
}

/** By ggml's number of the type. */
const TYPES: ReadonlyMap<number, Layout> = new Map([
  [0, { name: "F32", elements: 1, bytes: 4 }],
  [1, { name: "F16", elements: 1, bytes: 2 }],
  [2, { name: "Q4_0", elements: 32, bytes: 18 }],
  [3, { name: "Q4_1", elements: 32, bytes: 20 }],
  [8, { name: "Q8_0", elements: 32, bytes: 34 }],
  [30, { name: "BF16", elements: 1, bytes: 2 }],
]);

function invalid(what: string): never {
  fail("NB_GGUF_INVALID", what);
}

/** Thrown to itself by a cursor that came to the end of what was read so far. */
class NeedsMore extends Error {}

/** Reads a header's fields one after another. */
class Cursor {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileSize: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });

  constructor(bytes: Uint8Array, fileSize: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileSize = fileSize;
  }

  /** Moves past `length` bytes and returns where they began. */
  #take(length: number): number {
    if (length > this.#fileSize - this.at)
      invalid(`the header declares ${length} bytes at byte ${this.at}; the file has ${this.#fileSize}`);
    if (length > this.#bytes.length - this.at) throw new NeedsMore();
    this.at += length;
    return this.at - length;
  }

  /** Refuses a count of things of at least `size` bytes each that the rest of the file cannot hold. */
  requireRoom(what: string, count: number, size: number): void {
    if (count * size > this.#fileSize - this.at)
      invalid(`${count} ${what} are declared at byte ${this.at}; the file has ${this.#fileSize} bytes`);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A 64-bit count or offset; those above 2^53 are no file's. */
  u64(what: string): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) invalid(`${what} is ${value}`);
    return Number(value);
  }

  string(what: string, limit = Number.MAX_SAFE_INTEGER): string {
    const length = this.u64(`the length of ${what}`);
    if (length > limit) invalid(`${what} has ${length} bytes; accepted: up to ${limit}`);
    const begin = this.#take(length);
    try {
      return this.#decoder.decode(this.#bytes.subarray(begin, begin + length));
    } catch {
      return invalid(`${what} is not UTF-8`);
    }
  }

  /** A value of one of the scalar types, see {@link SCALARS}. */
  scalar(type: Scalar): number | boolean {
    const at = this.#take(SCALAR_BYTES[type]);
    const view = this.#view;
    switch (type) {
      case "u8":
        return view.getUint8(at);
      case "i8":
        return view.getInt8(at);
      case "u16":
        return view.getUint16(at, true);
      case "i16":
        return view.getInt16(at, true);
      case "u32":
        return view.getUint32(at, true);
      case "i32":
        return view.getInt32(at, true);
      case "f32":
        return view.getFloat32(at, true);
      case "f64":
        return view.getFloat64(at, true);
      case "u64":
        return Number(view.getBigUint64(at, true));
      case "i64":
        return Number(view.getBigInt64(at, true));
      case "bool": {
        const byte = view.getUint8(at);
        if (byte > 1) invalid(`a truth value at byte ${at} is ${byte}`);
        return byte === 1;
      }
    }
  }
}

const SCALAR_BYTES = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  u64: 8,
  i64: 8,
  f64: 8,
} as const;
type Scalar = keyof typeof SCALAR_BYTES;
/** By the format's number of a value's type; 8 is a string and 9 an array. */
const SCALARS: ReadonlyMap<number, Scalar> = new Map([
  [0, "u8"],
  [1, "i8"],
  [2, "u16"],
  [3, "i16"],
  [4, "u32"],
  [5, "i32"],
  [6, "f32"],
  [7, "bool"],
  [10, "u64"],
  [11, "i64"],
  [12, "f64"],
]);
const STRING = 8;
const ARRAY = 9;

function readValue(cursor: Cursor, key: string): GgufValue {
  const type = cursor.u32();
  if (type === STRING) return cursor.string(`the value of ${key}`);
  const scalar = SCALARS.get(type);
  if (scalar !== undefined) return cursor.scalar(scalar);
  if (type !== ARRAY) invalid(`the value of ${key} has type ${type}, which is not known`);

  const elementType = cursor.u32();
  const count = cursor.u64(`the length of ${key}`);
  const element = SCALARS.get(elementType);
  if (element !== undefined) {
    cursor.requireRoom(`elements of ${key}`, count, SCALAR_BYTES[element]);
    const values: (number | boolean)[] = [];
    for (let i = 0; i < count; i++) values.push(cursor.scalar(element));
    return values as number[];
  }
  // Arrays of arrays are allowed by the format and used by nobody.
  if (elementType !== STRING) invalid(`the elements of ${key} have type ${elementType}, which is not read`);
  cursor.requireRoom(`elements of ${key}`, count, 8);
  const values: string[] = [];
  for (let i = 0; i < count; i++) values.push(cursor.string(`element ${i} of ${key}`));
  return values;
}

/** A tensor's entry; its range is still relative to where the data begins. */
function readTensorInfo(cursor: Cursor, name: string): GgufTensor {
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS)
    invalid(`tensor ${JSON.stringify(name)} has ${dimensions} dimensions; accepted: 1 to ${MAX_DIMENSIONS}`);
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.unshift(cursor.u64(`a dimension of ${JSON.stringify(name)}`));
  const number = cursor.u32();
  const begin = cursor.u64(`the offset of ${JSON.stringify(name)}`);
  const type = TYPES.get(number);
  if (type === undefined) {
    const known = [...TYPES].map(([n, t]) => `${t.name} (${n})`).join(", ");
    return fail(
      "NB_MODEL_UNSUPPORTED",
      `tensor ${JSON.stringify(name)} is of ggml type ${number}; what is read: ${known}`,
    );
  }
  let elements = 1;
  for (const n of shape) {
    elements *= n;
    if (n < 1 || !Number.isSafeInteger(elements))
      invalid(`tensor ${JSON.stringify(name)} has shape [${shape.join(", ")}]`);
  }
  if (shape[shape.length - 1]! % type.elements !== 0)
    invalid(
      `tensor ${JSON.stringify(name)} has rows of ${shape[shape.length - 1]} elements; ${type.name} comes in blocks of ${type.elements}`,
    );
  return { shape, type: type.name, begin, end: begin + (elements / type.elements) * type.bytes };
}

function parseHeader(bytes: Uint8Array, fileSize: number): GgufHeader {
  const cursor = new Cursor(bytes, fileSize);
  const magic = cursor.u32();
  if (magic !== 0x46554747) invalid("the file does not begin with GGUF");
  const version = cursor.u32();
  if (version !== 2 && version !== 3)
    invalid(
      `version ${version}; accepted: 2 and 3, little-endian${version > 0xffff ? " (this file looks big-endian)" : ""}`,
    );
  const tensorCount = cursor.u64("the number of tensors");
  const entryCount = cursor.u64("the number of metadata entries");
  for (const [what, count] of [
    ["tensors", tensorCount],
    ["metadata entries", entryCount],
  ] as const)
    if (count > MAX_ENTRIES) invalid(`${count} ${what}; accepted: up to ${MAX_ENTRIES}`);

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = cursor.string(`the name of entry ${i}`, MAX_NAME_BYTES);
    if (metadata.has(key)) invalid(`${JSON.stringify(key)} is there twice`);
    metadata.set(key, readValue(cursor, JSON.stringify(key)));
  }
  const relative = new Map<string, GgufTensor>();
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.string(`the name of tensor ${i}`, MAX_NAME_BYTES);
    if (relative.has(name)) invalid(`tensor ${JSON.stringify(name)} is there twice`);
    relative.set(name, readTensorInfo(cursor, name));
  }

  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== "number" || alignment < 1 || alignment > 1 << 20 || !Number.isInteger(alignment))
    return invalid(`general.alignment is ${String(alignment)}`);
  const dataBegin = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const [name, tensor] of relative) {
    const begin = dataBegin + tensor.begin;
    const end = dataBegin + tensor.end;
    if (tensor.begin % alignment !== 0)
      invalid(`tensor ${JSON.stringify(name)} begins at ${tensor.begin}; the alignment is ${alignment}`);
    if (!Number.isSafeInteger(end) || end > fileSize)
      invalid(`tensor ${JSON.stringify(name)} ends at byte ${end}; the file has ${fileSize}`);
    tensors.set(name, { ...tensor, begin, end });
  }
  return { metadata, tensors };
}

/**
 * Reads and checks a file's header; of the rest of the file nothing.
 *
 * @throws NB_GGUF_INVALID; NB_MODEL_UNSUPPORTED when a tensor is of a type that is not read; NB_FILE_UNREADABLE
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  const limit = Math.min(source.size, MAX_HEADER_BYTES);
  for (let length = Math.min(FIRST_READ, limit); ; length = Math.min(4 * length, limit)) {
    try {
      return parseHeader(await source.read(0, length), source.size);
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error;
      if (length === source.size) invalid(`${source.name}: the header ends with the file, at byte ${length}`);
      if (length === limit) invalid(`${source.name}: the header has more than ${limit} bytes`);
    }
  }
}

/**
 * A tensor's values as f32, row-major; a new array, the caller's. Blocks are expanded as ggml does: 32 values share a scale d (and a
 * minimum m), all f16. Q4_0 is d·(q − 8) and Q4_1 is d·q + m with q of 4 bits, value i in the low half and value i + 16 in the high
 * half of byte i; Q8_0 is d·q with q a signed byte.
 */
export async function readGgufTensor(source: ByteSource, tensor: GgufTensor): Promise<Float32Array> {
  const bytes = await source.read(tensor.begin, tensor.end);
  const { type } = tensor;
  if (type === "F32" || type === "F16" || type === "BF16") return floatsFromBytes(bytes, type);
  const out = new Float32Array(elementCount(tensor.shape));
  const constants = blockConstants(bytes, type);
  if (type === "Q8_0") expandBytes(bytes, constants, out);
  else expandNibbles(bytes, constants, type, out);
  return out;
}

/** The f16 constants of all blocks as f32: the scale, and for Q4_1 the minimum after it. */
function blockConstants(bytes: Uint8Array, type: BlockType): Float32Array {
  const size = type === "Q4_0" ? 18 : type === "Q4_1" ? 20 : 34;
  const each = type === "Q4_1" ? 2 : 1;
  const halves = new Uint16Array((bytes.length / size) * each);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < halves.length; i++)
    halves[i] = view.getUint16(Math.floor(i / each) * size + (i % each) * 2, true);
  const out = new Float32Array(halves.length);
  halvesToFloats(halves, out);
  return out;
}

function expandBytes(bytes: Uint8Array, scales: Float32Array, out: Float32Array): void {
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let block = 0; block < scales.length; block++) {
    const scale = scales[block]!;
    const from = block * 34 + 2;
    for (let i = 0; i < 32; i++) out[block * 32 + i] = scale * signed[from + i]!;
  }
}

function expandNibbles(
  bytes: Uint8Array,
  constants: Float32Array,
  type: "Q4_0" | "Q4_1",
  out: Float32Array,
): void {
  const withMinimum = type === "Q4_1";
  const head = withMinimum ? 4 : 2;
  const zero = withMinimum ? 0 : 8;
  for (let block = 0; block * 32 < out.length; block++) {
    const scale = constants[withMinimum ? 2 * block : block]!;
    // Adding −0 changes nothing, not even the sign of a zero.
    const minimum = withMinimum ? constants[2 * block + 1]! : -0;
    const from = block * (head + 16) + head;
    for (let i = 0; i < 16; i++) {
      const byte = bytes[from + i]!;
      out[block * 32 + i] = scale * ((byte & 15) - zero) + minimum;
      out[block * 32 + i + 16] = scale * ((byte >> 4) - zero) + minimum;
    }
  }
}
