import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketFor, pad, tokenCount, unpad } from "../../shared/train/padding.ts";

const SEED = 20250303;

describe("shape buckets", () => {
  it.each([
    [[1], 32],
    [[32, 5], 32],
    [[33], 64],
    [[100, 128, 7], 128],
  ])("of rows of %j tokens have length %i", (lengths, length) => {
    expect(bucketFor(Int32Array.from(lengths), 1024)).toEqual({ rows: lengths.length, length });
  });

  it("are never longer than the model's positions", () => {
    expect(bucketFor(Int32Array.of(20), 24)).toEqual({ rows: 1, length: 24 });
    expect(bucketFor(Int32Array.of(24), 24)).toEqual({ rows: 1, length: 24 });
  });

  it("are refused to a row longer than that", () => {
    expect(() => bucketFor(Int32Array.of(3, 25), 24)).toThrow(
      expect.objectContaining({
        code: "NB_DATA_TOO_LONG",
        message: expect.stringMatching(/25 tokens.*24 positions/),
      }),
    );
  });
});

describe(`padding (seed ${SEED})`, () => {
  const rows = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 });

  it("is undone exactly by unpadding, and fills the rest of each row", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 4 }), fc.nat(3), (given, width, spare) => {
        const lengths = Int32Array.from(given);
        const bucket = { rows: given.length, length: Math.max(1, ...given) + spare };
        const packed = Float32Array.from({ length: tokenCount(lengths) * width }, (_, i) => i + 1);
        const room = new Float32Array(bucket.rows * bucket.length * width).fill(99);
        const padded = pad(packed, lengths, bucket, width, room, -7);
        expect(padded).toBe(room);
        lengths.forEach((length, row) => {
          const end = (row + 1) * bucket.length * width;
          const rest = padded.subarray(end - (bucket.length - length) * width, end);
          expect(rest.every((x) => x === -7)).toBe(true);
        });
        expect(padded.filter((x) => x === -7)).toHaveLength(padded.length - packed.length);
        expect(unpad(padded, lengths, bucket, width)).toEqual(packed);
      }),
      { seed: SEED },
    );
  });

  it("takes token ids as well", () => {
    const padded = pad(
      Int32Array.of(5, 6, 7),
      Int32Array.of(1, 2),
      { rows: 2, length: 3 },
      1,
      new Int32Array(6),
      -100,
    );
    expect([...padded]).toEqual([5, -100, -100, 6, 7, -100]);
  });

  it("is undone into an array that is given", () => {
    const room = new Float32Array(2);
    expect(unpad(Float32Array.of(1, 0, 2, 0), Int32Array.of(1, 1), { rows: 2, length: 2 }, 1, room)).toBe(
      room,
    );
    expect([...room]).toEqual([1, 2]);
  });
});
