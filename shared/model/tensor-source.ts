/**
 * Named tensors that are read one at a time: of one safetensors file, of several shards, or of memory. A side of a
 * split model asks for the tensors of its own segment; bytes of others are never touched.
 */
import { fail } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import type { StoredType } from "./dtype.ts";
import {
  headerLength,
  LENGTH_BYTES,
  type NamedTensor,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  tensorFloats,
} from "./safetensors.ts";

export interface TensorSource {
  /** Names of all tensors. */
  names(): Iterable<string>;
  has(name: string): boolean;
  /**
   * The tensor's shape. May have to open a file for it.
   *
   * @throws NB_TENSOR_MISSING
   */
  shape(name: string): Promise<readonly number[]>;
  /**
   * The element type that the tensor is stored in.
   *
   * @throws NB_TENSOR_MISSING
   */
  dtype(name: string): Promise<StoredType>;
  /**
   * The tensor's values, row-major, as f32. The array is the caller's.
   *
   * @throws NB_TENSOR_MISSING, NB_SAFETENSORS_DTYPE, NB_FILE_UNREADABLE
   */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** A tensor whose values are made when their turn comes, so that writing a model holds one at a time. */
export interface LazyTensor {
  readonly shape: readonly number[];
  /** The values; the array is the caller's. */
  load(): Promise<Float32Array>;
}

function missing(name: string, where: string): never {
  fail("NB_TENSOR_MISSING", `tensor ${JSON.stringify(name)} is not in ${where}`, { tensor: name });
}

/**
 * Reads a tensor that must have a certain shape.
 *
 * @throws NB_TENSOR_MISSING, NB_MODEL_INVALID when its shape is another.
 */
export async function readTensor(
  source: TensorSource,
  name: string,
  shape: readonly number[],
): Promise<Float32Array> {
  const given = await source.shape(name);
  if (given.length !== shape.length || given.some((n, i) => n !== shape[i]))
    fail(
      "NB_MODEL_INVALID",
      `tensor ${JSON.stringify(name)} has shape [${given.join(", ")}]; config.json makes it [${shape.join(", ")}]`,
    );
  return source.read(name);
}

/** Tensors in memory; reading copies. */
export class MemoryTensors implements TensorSource {
  readonly #tensors: ReadonlyMap<string, NamedTensor>;

  constructor(tensors: ReadonlyMap<string, NamedTensor>) {
    this.#tensors = tensors;
  }

  names(): Iterable<string> {
    return this.#tensors.keys();
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  async shape(name: string): Promise<readonly number[]> {
    return (this.#tensors.get(name) ?? missing(name, "memory")).shape;
  }

  async dtype(name: string): Promise<StoredType> {
    return this.has(name) ? "F32" : missing(name, "memory");
  }

  async read(name: string): Promise<Float32Array> {
    return (this.#tensors.get(name) ?? missing(name, "memory")).data.slice();
  }

  async close(): Promise<void> {}
}

/**
 * Another source's tensors, each read once and kept: all who read one get the same array, which nobody may write. For several parts of
 * a model in one process whose weights are frozen.
 */
export class SharedTensors implements TensorSource {
  readonly #source: TensorSource;
  readonly #read = new Map<string, Promise<Float32Array>>();

  constructor(source: TensorSource) {
    this.#source = source;
  }

  names(): Iterable<string> {
    return this.#source.names();
  }

  has(name: string): boolean {
    return this.#source.has(name);
  }

  shape(name: string): Promise<readonly number[]> {
    return this.#source.shape(name);
  }

  dtype(name: string): Promise<StoredType> {
    return this.#source.dtype(name);
  }

  read(name: string): Promise<Float32Array> {
    let values = this.#read.get(name);
    if (values === undefined) {
      values = this.#source.read(name);
      this.#read.set(name, values);
    }
    return values;
  }

  async close(): Promise<void> {
    this.#read.clear();
    await this.#source.close();
  }
}

/** One safetensors file. */
export class SafetensorsFile implements TensorSource {
  readonly header: SafetensorsHeader;
  readonly #bytes: ByteSource;

  private constructor(bytes: ByteSource, header: SafetensorsHeader) {
    this.#bytes = bytes;
    this.header = header;
  }

  /**
   * Reads and checks the header. Takes the byte source over: closes it when this source is closed, or at once when
   * the header is refused.
   *
   * @throws NB_SAFETENSORS_*, NB_FILE_UNREADABLE
   */
  static async open(bytes: ByteSource): Promise<SafetensorsFile> {
    try {
      const prefix = await bytes.read(0, Math.min(LENGTH_BYTES, bytes.size));
      const head = await bytes.read(0, LENGTH_BYTES + headerLength(prefix, bytes.size));
      return new SafetensorsFile(bytes, parseSafetensorsHeader(head, bytes.size));
    } catch (error) {
      await bytes.close();
      throw error;
    }
  }

  names(): Iterable<string> {
    return this.header.tensors.keys();
  }

  has(name: string): boolean {
    return this.header.tensors.has(name);
  }

  async shape(name: string): Promise<readonly number[]> {
    return (this.header.tensors.get(name) ?? missing(name, this.#bytes.name)).shape;
  }

  async dtype(name: string): Promise<StoredType> {
    return (this.header.tensors.get(name) ?? missing(name, this.#bytes.name)).dtype;
  }

  async read(name: string): Promise<Float32Array> {
    const info = this.header.tensors.get(name) ?? missing(name, this.#bytes.name);
    return tensorFloats(name, info, await this.#bytes.read(info.begin, info.end));
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }
}

/** Several files behind one index. A file is opened when the first of its tensors is asked for. */
export class ShardedTensors implements TensorSource {
  readonly #fileOf: ReadonlyMap<string, string>;
  readonly #open: (file: string) => Promise<TensorSource>;
  readonly #opened = new Map<string, Promise<TensorSource>>();
  readonly #name: string;

  /** @param fileOf tensor name → file, as the index says. */
  constructor(
    name: string,
    fileOf: ReadonlyMap<string, string>,
    open: (file: string) => Promise<TensorSource>,
  ) {
    this.#name = name;
    this.#fileOf = fileOf;
    this.#open = open;
  }

  names(): Iterable<string> {
    return this.#fileOf.keys();
  }

  has(name: string): boolean {
    return this.#fileOf.has(name);
  }

  #shard(name: string): Promise<TensorSource> {
    const file = this.#fileOf.get(name) ?? missing(name, this.#name);
    let shard = this.#opened.get(file);
    if (shard === undefined) {
      shard = this.#open(file);
      this.#opened.set(file, shard);
    }
    return shard;
  }

  async shape(name: string): Promise<readonly number[]> {
    return (await this.#shard(name)).shape(name);
  }

  async dtype(name: string): Promise<StoredType> {
    return (await this.#shard(name)).dtype(name);
  }

  async read(name: string): Promise<Float32Array> {
    return (await this.#shard(name)).read(name);
  }

  async close(): Promise<void> {
    for (const shard of await Promise.allSettled(this.#opened.values()))
      if (shard.status === "fulfilled") await shard.value.close();
    this.#opened.clear();
  }
}
