/**
 * Counter-based randomness: a number is a pure function of a seed and counters, the same on every machine and in every
 * order of asking. So the batch of any step can be made without those before it, a replayed step rounds and drops
 * as it did the first time, and every end that is given the seed starts from the same adapters.
 *
 * The mixer is the 32-bit finalizer of MurmurHash3 (Austin Appleby, 2011, public domain), a bijection in which each input
 * bit flips each output bit with a probability near one half. Good enough to dither and shuffle with; not cryptographic.
 */

/** MurmurHash3's finalizer of 32 bits. Returns a signed 32-bit integer. */
export function mix32(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function mix(h: number): number {
  return mix32(h) >>> 0;
}

/** A number in [0, 2^32) drawn from a seed and two counters. */
export function random32(seed: number, stream: number, counter: number): number {
  let h = mix((seed ^ 0x9e3779b9) >>> 0);
  h = mix((h ^ Math.imul(stream + 1, 0x9e3779b1)) >>> 0);
  return mix((h ^ Math.imul(counter + 1, 0x85ebca77)) >>> 0);
}

/** FNV-1a over UTF-16 code units: a stable number for a name. */
export function hashName(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return mix(h >>> 0);
}

/** A permutation of 0 … n-1 (Fisher–Yates), drawn from (seed, stream); the array is the caller's. */
export function permutation(n: number, seed: number, stream: number): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let i = n - 1; i > 0; i--) {
    // The high part of a 32 × 32 bit product is uniform over i + 1 values to within n / 2^32.
    const j = Math.floor((random32(seed, stream, i) * (i + 1)) / 2 ** 32);
    const t = order[i];
    order[i] = order[j];
    order[j] = t;
  }
  return order;
}
