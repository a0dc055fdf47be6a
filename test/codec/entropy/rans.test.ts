/** Streams of intervals: what was written is read, and nothing else is taken for a stream. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROBABILITY_ONE } from "../../../shared/codec/entropy/distribution.ts";
import { maxStreamBytes, RansReader, STATE_BYTES, writeStream } from "../../../shared/codec/entropy/rans.ts";
import { kernels, room } from "../../../shared/codec/kernels/kernels.ts";
import { NarrowbandError } from "../../../shared/errors.ts";
import { hex, PROPERTY_SEED } from "../helpers.ts";

interface Interval {
  readonly low: number;
  readonly size: number;
}

const interval = fc
  .tuple(fc.integer({ min: 0, max: PROBABILITY_ONE - 1 }), fc.integer({ min: 1, max: PROBABILITY_ONE }))
  .map(([low, size]) => ({ low, size: Math.min(size, PROBABILITY_ONE - low) }));
const rows = fc.array(fc.array(interval, { maxLength: 9 }), { maxLength: 12 });

function write(intervals: readonly (readonly Interval[])[]): Uint8Array {
  const flat = intervals.flat();
  let end = 0;
  const ends = Uint32Array.from(intervals, (row) => (end += row.length));
  const out = new Uint8Array(maxStreamBytes(flat.length));
  const items = Uint32Array.from(flat, ({ low, size }) => low * 65536 + size);
  return out.slice(0, writeStream(items, ends, out, 0));
}

function read(bytes: Uint8Array, intervals: readonly (readonly Interval[])[]): void {
  const reader = new RansReader(bytes, 0, bytes.length);
  for (const row of intervals) {
    row.forEach(({ low, size }, j) => {
      const slot = reader.slot(j);
      if (slot < low || slot >= low + size) throw new Error(`slot ${slot} is not of [${low}, ${low + size})`);
      reader.take(j, low, size);
    });
  }
  reader.finish();
}

function refused(action: () => void): boolean {
  try {
    action();
  } catch (error) {
    if (error instanceof NarrowbandError && error.code === "NB_CODEC_BODY_INVALID") return true;
    // Another symbol came out than went in: the caller would go on with that one.
    if (error instanceof Error && error.message.startsWith("slot ")) return true;
    throw error;
  }
  return false;
}

describe("a stream", () => {
  it("is the same by the kernel, whose quotients are by reciprocals, for intervals of every size", () => {
    const work = kernels()!;
    const length = PROBABILITY_ONE - 1;
    for (const turn of [1, 7919, 29]) {
      const items = Uint32Array.from({ length }, (_, i) => {
        const size = 1 + ((i * turn) % length);
        return ((PROBABILITY_ONE - size) * (i % 3 === 0 ? 65536 : 0) + size) >>> 0;
      });
      const expected = new Uint8Array(maxStreamBytes(length));
      const bytes = writeStream(items, Uint32Array.of(length), expected, 0);
      expect(work.begin(room(64) + room(4 * length))).toBe(true);
      const states = work.take(64);
      const at = work.take(4 * length);
      work.run.entropyBegin(0, 0, 0, 0, 0, states);
      work.i32.set(items, at / 4);
      const first = work.run.entropyWrite(at, 1, length);
      const got = Buffer.concat([
        work.u8.subarray(states, states + STATE_BYTES),
        work.u8.subarray(first, at + 4 * length),
      ]);
      expect(got.equals(expected.subarray(0, bytes))).toBe(true);
    }
  });

  it("gives back the symbols of any rows of intervals", () => {
    fc.assert(
      fc.property(rows, (intervals) => {
        const bytes = write(intervals);
        expect(bytes.length).toBeLessThanOrEqual(maxStreamBytes(intervals.flat().length));
        read(bytes, intervals);
      }),
      { seed: PROPERTY_SEED, numRuns: 300 },
    );
  });

  it("of no symbols is the four states", () => {
    expect(hex(write([]))).toBe("00000100".repeat(4));
  });

  it("takes the information of its symbols, and no more than 1 % beside the states", () => {
    const size = 1 << 12;
    const row = Array.from({ length: 8000 }, (_, i) => ({ low: (i % 8) * size, size }));
    expect(write([row]).length - STATE_BYTES).toBeLessThanOrEqual(3030);
  });

  it("is refused when it is cut, goes on, or has any bit flipped", () => {
    const intervals = fc
      .sample(rows, { seed: PROPERTY_SEED, numRuns: 20 })
      .filter((r) => r.flat().length > 3);
    for (const row of intervals) {
      const bytes = write(row);
      for (let length = 0; length < bytes.length; length++) {
        expect(refused(() => read(bytes.subarray(0, length), row))).toBe(true);
      }
      expect(refused(() => read(Uint8Array.of(...bytes, 0), row))).toBe(true);
      expect(refused(() => read(Uint8Array.of(...bytes, 0, 0), row))).toBe(true);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
        expect(refused(() => read(flipped, row))).toBe(true);
      }
    }
  });
});
