/**
 * Adapters on the wire: a manifest of names and shapes, and the tensors' elements one after another, cut into chunks.
 */
import { narrowband } from "../../proto/generated/wire.js";
import { fail } from "../errors.ts";
import { xxh32 } from "./checksum.ts";
import {
  ADAPTER_CHUNK_BYTES,
  MAX_ADAPTER_BYTES,
  MAX_DIMENSION,
  MAX_MANIFEST_BYTES,
  MAX_TENSOR_RANK,
  MAX_TEXT_LENGTH,
} from "./limits.ts";
import type { AdapterBeginMessage, AdapterChunkMessage } from "./messages.ts";

/** Named tensors: PEFT key → values. */
export type AdapterTensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array }
>;

/** Adapters in the form in which they are sent. */
export interface FlatAdapters {
  readonly manifest: Uint8Array;
  /** XXH32 of the manifest. */
  readonly digest: number;
  /** All elements, f32 little-endian, in the manifest's order. */
  readonly data: Uint8Array;
}

export interface ManifestEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elements: number;
}

/** What is known of adapters before they come: their manifest's digest (XXH32), and how long their elements are, in bytes. */
export interface AdapterOutline {
  readonly digest: number;
  readonly totalBytes: number;
}

/** In the order in which names are sent. */
function compareNames([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** The manifest of tensors of these shapes, sorted by name. NB_CONFIG_INVALID when there are more than one upload may hold. */
function manifestOf(shapes: ReadonlyMap<string, readonly number[]>): Uint8Array {
  const entries = [...shapes].sort(compareNames).map(([name, shape]) => ({ name, shape: [...shape] }));
  const manifest = narrowband.AdapterManifest.encode({ tensors: entries }).finish();
  const bytes = bytesOf(shapes);
  if (bytes > MAX_ADAPTER_BYTES || manifest.length > MAX_MANIFEST_BYTES) {
    fail(
      "NB_CONFIG_INVALID",
      `lora: adapters of ${bytes} bytes; at most ${MAX_ADAPTER_BYTES} can be averaged`,
    );
  }
  return manifest;
}

/** Of all elements in f32. */
function bytesOf(shapes: ReadonlyMap<string, readonly number[]>): number {
  return [...shapes.values()].reduce((sum, shape) => sum + 4 * shape.reduce((n, d) => n * d, 1), 0);
}

/** Outline of adapters of these shapes. NB_CONFIG_INVALID when there are more than one upload may hold. */
export function adapterOutline(shapes: ReadonlyMap<string, readonly number[]>): AdapterOutline {
  return { digest: xxh32(manifestOf(shapes)), totalBytes: bytesOf(shapes) };
}

/** Writes tensors down, sorted by name. NB_CONFIG_INVALID when there are more than one upload may hold. */
export function flattenAdapters(tensors: AdapterTensors): FlatAdapters {
  const sorted = [...tensors].sort(compareNames);
  const shapes = new Map(sorted.map(([name, { shape }]) => [name, shape]));
  const manifest = manifestOf(shapes);
  const data = new Uint8Array(bytesOf(shapes));
  const view = new DataView(data.buffer);
  let offset = 0;
  for (const [, tensor] of sorted) {
    for (const value of tensor.data) {
      view.setFloat32(offset, value, true);
      offset += 4;
    }
  }
  return { manifest, digest: xxh32(manifest), data };
}

/** Reads a manifest. NB_ADAPTER_MISMATCH when it is not one, or does not describe `totalBytes` of elements. */
export function parseManifest(bytes: Uint8Array, totalBytes: number): ManifestEntry[] {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    fail("NB_ADAPTER_MISMATCH", `a manifest of ${bytes.length} bytes; at most ${MAX_MANIFEST_BYTES}`);
  }
  let tensors: narrowband.IAdapterTensor[];
  try {
    tensors = narrowband.AdapterManifest.decode(bytes).tensors;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail("NB_ADAPTER_MISMATCH", `not a manifest (${reason})`);
  }
  let total = 0;
  const entries = tensors.map(({ name, shape }): ManifestEntry => {
    const dimensions = shape ?? [];
    const good =
      dimensions.length <= MAX_TENSOR_RANK && dimensions.every((d) => d >= 1 && d <= MAX_DIMENSION);
    if (!good || !name || name.length > MAX_TEXT_LENGTH) {
      fail(
        "NB_ADAPTER_MISMATCH",
        `a tensor "${String(name).slice(0, 80)}" of shape [${dimensions.slice(0, 8)}]`,
      );
    }
    const elements = dimensions.reduce((product, d) => product * d, 1);
    total += elements;
    return { name, shape: dimensions, elements };
  });
  if (total * 4 !== totalBytes) {
    fail("NB_ADAPTER_MISMATCH", `a manifest of ${total} elements for ${totalBytes} bytes`);
  }
  return entries;
}

/** Tensors from their elements; the manifest's entries must describe exactly `data`. */
export function unflattenAdapters(entries: readonly ManifestEntry[], data: Uint8Array): AdapterTensors {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  let offset = 0;
  for (const { name, shape, elements } of entries) {
    const values = new Float32Array(elements);
    for (let i = 0; i < elements; i++, offset += 4) values[i] = view.getFloat32(offset, true);
    tensors.set(name, { shape, data: values });
  }
  return tensors;
}

/** The messages that carry `adapters`; the manifest goes along only if the receiver lacks it. Chunks are views. */
export function* adapterMessages(
  average: number,
  adapters: Pick<FlatAdapters, "digest" | "data"> & { readonly manifest: Uint8Array | undefined },
): Generator<AdapterBeginMessage | AdapterChunkMessage> {
  const { data, digest } = adapters;
  yield {
    type: "adapterBegin",
    average,
    manifestDigest: digest,
    totalBytes: data.length,
    chunkBytes: ADAPTER_CHUNK_BYTES,
    manifest: adapters.manifest ?? new Uint8Array(0),
  };
  for (let index = 0; index * ADAPTER_CHUNK_BYTES < data.length; index++) {
    const start = index * ADAPTER_CHUNK_BYTES;
    yield { type: "adapterChunk", average, index, data: data.subarray(start, start + ADAPTER_CHUNK_BYTES) };
  }
}

/** Puts chunks together as they arrive. The state machine has checked their order and sizes. */
export class AdapterAssembler {
  readonly begin: AdapterBeginMessage;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(begin: AdapterBeginMessage) {
    this.begin = begin;
  }

  /** Keeps a copy of the chunk, whose frame may be large. */
  add(chunk: AdapterChunkMessage): void {
    this.#chunks.push(chunk.data.slice());
    this.#bytes += chunk.data.length;
  }

  get complete(): boolean {
    return this.#bytes === this.begin.totalBytes;
  }

  /** All elements' bytes, once complete. */
  data(): Uint8Array {
    const all = new Uint8Array(this.#bytes);
    let offset = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, offset);
      offset += chunk.length;
    }
    return all;
  }
}
