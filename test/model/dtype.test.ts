import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesFromFloats, floatsFromBytes } from "../../shared/model/dtype.ts";
import { SEED } from "./helpers.ts";

const bits = (x: number) => new Uint32Array(Float32Array.of(x).buffer)[0];
const round = (x: number, dtype: "F16" | "BF16") =>
  floatsFromBytes(bytesFromFloats(Float32Array.of(x), dtype), dtype)[0];

describe("bf16 and f16", () => {
  it("read every value and write it back unchanged", () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    for (const dtype of ["F16", "BF16"] as const) {
      const floats = floatsFromBytes(new Uint8Array(all.buffer), dtype);
      const back = new Uint16Array(bytesFromFloats(floats, dtype).buffer);
      for (let i = 0; i < 65536; i++) {
        // A NaN may lose its payload, not its kind.
        if (Number.isNaN(floats[i])) expect(Number.isNaN(round(floats[i], dtype))).toBe(true);
        else if (back[i] !== i) expect.fail(`${dtype} ${i.toString(16)} became ${back[i].toString(16)}`);
      }
    }
  });

  it("round to nearest, ties to even", () => {
    expect(round(1 + 2 ** -8, "BF16")).toBe(1);
    expect(round(1 + 3 * 2 ** -8, "BF16")).toBe(1 + 2 ** -6);
    expect(round(1 + 2 ** -8 + 2 ** -20, "BF16")).toBe(1 + 2 ** -7);
    expect(round(1 + 2 ** -11, "F16")).toBe(1);
    expect(round(1 + 3 * 2 ** -11, "F16")).toBe(1 + 2 ** -9);
    expect(round(2 ** -25, "F16")).toBe(0);
    expect(round(3 * 2 ** -25, "F16")).toBe(2 ** -23);
  });

  it("keep infinities and NaN, also a NaN whose payload is in the dropped half", () => {
    for (const dtype of ["F16", "BF16"] as const) {
      expect(round(Infinity, dtype)).toBe(Infinity);
      expect(round(-Infinity, dtype)).toBe(-Infinity);
      const quiet = new Float32Array(Uint32Array.of(0x7f800001).buffer)[0];
      expect(round(quiet, dtype)).toBeNaN();
      expect(
        floatsFromBytes(
          bytesFromFloats(new Float32Array(Uint32Array.of(0x7f800001).buffer), dtype),
          dtype,
        )[0],
      ).toBeNaN();
    }
    expect(round(65520, "F16")).toBe(Infinity);
    expect(round(3.4028234663852886e38, "BF16")).toBe(Infinity);
  });

  it("no other bf16 or f16 is nearer", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, min: -60000, max: 60000 }), (x) => {
        for (const dtype of ["F16", "BF16"] as const) {
          const rounded = round(x, dtype);
          const code = new Uint16Array(bytesFromFloats(Float32Array.of(rounded), dtype).buffer)[0];
          for (const other of [code - 1, code + 1]) {
            if (((other ^ code) & 0x8000) !== 0 || other < 0) continue;
            const near = floatsFromBytes(new Uint8Array(Uint16Array.of(other).buffer), dtype)[0];
            if (!Number.isFinite(near)) continue;
            expect(Math.abs(x - rounded)).toBeLessThanOrEqual(Math.abs(x - near));
          }
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("f32 bytes are read at any offset, bit for bit", () => {
    const values = Float32Array.of(1.5, -0, Infinity, 1e-45);
    const shifted = new Uint8Array(17);
    shifted.set(bytesFromFloats(values, "F32"), 1);
    const read = floatsFromBytes(shifted.subarray(1), "F32");
    expect([...read].map(bits)).toEqual([...values].map(bits));
  });
});

it("bytes in a Node Buffer, which may be part of a larger pool, are read alone", () => {
  const pool = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
  expect([...floatsFromBytes(pool.subarray(4, 12), "F32")]).toEqual([2, 3]);
  expect(floatsFromBytes(pool.subarray(4, 8), "F32").buffer).not.toBe(pool.buffer);
});
