/**
 * Sealed files: an index of plain values and the arrays that it speaks of, in one file that is either whole or recognisably not. Checkpoints
 * and captures are such files.
 *
 *   magic (4 letters) · u32 version · u32 length of the index · index (msgpack) · arrays, little-endian · u64 XXH64 of all before
 *
 * The checksum stands at the end, so a torn write and a flipped bit look the same: not such a file.
 */
import { Packr } from "msgpackr";
import createXxhash from "xxhash-wasm";

/** What tells one kind of sealed file from others. */
export interface Seal {
  /** Four ASCII letters. */
  readonly magic: string;
  readonly version: number;
  /** Longer indices are refused unread; left out, the file's own length is the bound. */
  readonly maxIndexBytes?: number;
}

const HEADER_BYTES = 12;
const CHECKSUM_BYTES = 8;

// Plain maps: record extensions would need the writer's structures, and compile code when read.
const packr = new Packr({ useRecords: false });

let loaded: ReturnType<typeof createXxhash> | undefined;

/** The checksum's WebAssembly, loaded once. */
function xxhash(): ReturnType<typeof createXxhash> {
  loaded ??= createXxhash();
  return loaded;
}

/** The bytes of a file: a new array. */
export async function seal(
  { magic, version }: Seal,
  index: unknown,
  arrays: readonly ArrayBufferView[],
): Promise<Uint8Array> {
  const packed = packr.pack(index);
  const dataBytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const bytes = new Uint8Array(HEADER_BYTES + packed.length + dataBytes + CHECKSUM_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  view.setUint32(4, version, true);
  view.setUint32(8, packed.length, true);
  bytes.set(packed, HEADER_BYTES);
  let at = HEADER_BYTES + packed.length;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  const { h64Raw } = await xxhash();
  view.setBigUint64(at, h64Raw(bytes.subarray(0, at)), true);
  return bytes;
}

/**
 * Checks a file and parts it into its index, as it was packed, and the bytes of its arrays, a view. Nothing is allocated by what the file says
 * of itself before that was checked against the bytes that there are.
 *
 * @param bad is told why the bytes are no such file, and throws
 */
export async function unseal(
  { magic, version, maxIndexBytes = Number.POSITIVE_INFINITY }: Seal,
  bytes: Uint8Array,
  bad: (why: string) => never,
): Promise<{ readonly index: unknown; readonly data: Uint8Array }> {
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES) bad(`only ${bytes.length} bytes long`);
  if (new TextDecoder().decode(bytes.subarray(0, 4)) !== magic) bad(`does not begin with "${magic}"`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(4, true) !== version) bad(`version ${view.getUint32(4, true)}; this reads ${version}`);
  const end = bytes.length - CHECKSUM_BYTES;
  const { h64Raw } = await xxhash();
  if (h64Raw(bytes.subarray(0, end)) !== view.getBigUint64(end, true))
    bad("torn or altered: its checksum differs");
  const indexBytes = view.getUint32(8, true);
  if (indexBytes > maxIndexBytes || HEADER_BYTES + indexBytes > end)
    bad(`an index of ${indexBytes} bytes in a file of ${bytes.length}`);
  try {
    const index: unknown = packr.unpack(bytes.subarray(HEADER_BYTES, HEADER_BYTES + indexBytes));
    return { index, data: bytes.subarray(HEADER_BYTES + indexBytes, end) };
  } catch (error) {
    return bad(`its index cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}
