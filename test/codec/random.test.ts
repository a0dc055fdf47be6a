/** The numbers that stochastic rounding draws depend on the position alone and look uniform. */

import { describe, expect, it } from "vitest";
import { messageKey, uniform } from "../../shared/codec/hash.ts";
import { mix32 } from "../../shared/random.ts";

describe("counter-based randomness", () => {
  it("is the finalizer of MurmurHash3", () => {
    // Fixed values of fmix32, worked out with arbitrary-precision integers from its published constants.
    const expected: [number, bigint][] = [1, 2, 0xdeadbeef].map((h) => [h, reference(BigInt(h))]);
    for (const [input, output] of expected) expect(BigInt(mix32(input) >>> 0)).toBe(output);
    expect(mix32(0)).toBe(0);
  });

  it("gives each seed, stream, step and micro-batch its own key", () => {
    const keys = new Set<number>();
    let count = 0;
    for (const seed of [0, 1, 2 ** 32, 2 ** 52 + 1]) {
      for (const stream of [0, 1, 2, 0xffffffff]) {
        for (let step = 0; step < 20; step++) {
          for (let microBatch = 0; microBatch < 5; microBatch++) {
            keys.add(messageKey(seed, stream, { step, microBatch }));
            count++;
          }
        }
      }
    }
    // 1,600 keys of 32 bits: the chance of one collision is 3 in 10,000, and the seeds here are fixed.
    expect(keys.size).toBe(count);
  });

  it("is uniform over elements, and neighbours are uncorrelated", () => {
    const n = 200_000;
    const bins = new Float64Array(64);
    let lag1 = 0;
    let lag256 = 0;
    let outside = 0;
    const key = messageKey(7, 3, { step: 11, microBatch: 0 });
    for (let i = 0; i < n; i++) {
      const u = uniform(key, i);
      if (!(u > 0 && u < 1)) outside++;
      bins[Math.floor(u * 64)]!++;
      lag1 += (u - 0.5) * (uniform(key, i + 1) - 0.5);
      lag256 += (u - 0.5) * (uniform(key, i + 256) - 0.5);
    }
    let chiSquare = 0;
    for (const seen of bins) chiSquare += (seen - n / 64) ** 2 / (n / 64);
    expect(outside).toBe(0);
    // 63 degrees of freedom: mean 63, standard deviation 11.
    expect(chiSquare).toBeLessThan(63 + 4 * 11.3);
    // Standard deviation of each sum: sqrt(n) / 12.
    expect(Math.abs(lag1)).toBeLessThan((4 * Math.sqrt(n)) / 12);
    expect(Math.abs(lag256)).toBeLessThan((4 * Math.sqrt(n)) / 12);
  });
});

function reference(value: bigint): bigint {
  const mask = 0xffffffffn;
  let h = value;
  h ^= h >> 16n;
  h = (h * 0x85ebca6bn) & mask;
  h ^= h >> 13n;
  h = (h * 0xc2b2ae35n) & mask;
  return h ^ (h >> 16n);
}
