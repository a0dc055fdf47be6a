/**
 * XXH32, the checksum of messages and manifests: 32 bits, several GB/s in WebAssembly, and written in every language.
 * The module loads its 3 KB of WebAssembly once, when it is first imported.
 */
import xxhash from "xxhash-wasm";

const { h32Raw } = await xxhash();

/** XXH32 of `bytes`, an unsigned 32-bit integer. */
export function xxh32(bytes: Uint8Array, seed = 0): number {
  return h32Raw(bytes, seed) >>> 0;
}
