/** A capture comes back as it was written; bytes that are not a whole capture are refused with a typed error. */
import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import createXxhash from "xxhash-wasm";
import { type Capture, decodeCapture, encodeCapture, pairsOf } from "../../shared/capture/capture.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianTensor, randomSource, sameBits } from "../codec/helpers.ts";

const CAPTURE: Capture = {
  note: "a test",
  channels: 4,
  codecs: { A1: "f32", G1: "f32" },
  tensors: (["A1", "G1"] as const).flatMap((phase, p) =>
    [3, 0, 5].map((tokens, step) => ({
      ...{ phase, step, microBatch: p, tokens },
      rows: tokens === 5 ? { lengths: [2, 3], ids: [7, 8] } : undefined,
      values: gaussianTensor(step + 9 * p, tokens, 4, () => 1e-6),
    })),
  ),
};

async function problemOf(bytes: Uint8Array): Promise<string> {
  try {
    await decodeCapture(bytes);
  } catch (error) {
    if (error instanceof NarrowbandError && error.code === "NB_DATA_INVALID") return error.message;
    throw error;
  }
  return "";
}

/** The bytes of a capture with another index, and its checksum made right. */
async function withIndex(change: (index: Record<string, unknown>) => void, tail = 0): Promise<Uint8Array> {
  const packr = new Packr({ useRecords: false });
  const whole = await encodeCapture(CAPTURE);
  const length = new DataView(whole.buffer).getUint32(8, true);
  const index = packr.unpack(whole.subarray(12, 12 + length)) as Record<string, unknown>;
  change(index);
  const packed = packr.pack(index);
  const body = Buffer.concat([
    whole.subarray(0, 8),
    Buffer.alloc(4),
    packed,
    whole.subarray(12 + length, whole.length - 8),
    Buffer.alloc(tail),
  ]);
  body.writeUInt32LE(packed.length, 8);
  const { h64Raw } = await createXxhash();
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64LE(h64Raw(body));
  return Buffer.concat([body, sum]);
}

describe("a capture", () => {
  it("comes back as it was, in f32", async () => {
    const read = await decodeCapture(await encodeCapture(CAPTURE));
    expect(read).toEqual(CAPTURE);
    read.tensors.forEach(({ values }, i) => {
      expect(sameBits(values, CAPTURE.tensors[i]!.values)).toBe(true);
    });
  });

  it("comes back within 2^-11 of each value in f16, in half the bytes, however small the values are", async () => {
    const [f16, f32] = [await encodeCapture(CAPTURE, "f16"), await encodeCapture(CAPTURE)];
    const elements = CAPTURE.tensors.reduce((sum, tensor) => sum + tensor.values.length, 0);
    expect(Math.abs(f32.length - f16.length - 2 * elements)).toBeLessThan(100);
    const read = await decodeCapture(f16);
    read.tensors.forEach(({ values }, t) => {
      values.forEach((value, i) => {
        const exact = CAPTURE.tensors[t]!.values[i]!;
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -11);
      });
    });
  });

  it("pairs activations with the gradients of the same micro-batch", () => {
    const [a1, g1] = [CAPTURE.tensors[0]!, CAPTURE.tensors[3]!];
    const capture = { ...CAPTURE, tensors: [a1, { ...g1, microBatch: 0 }, CAPTURE.tensors[2]!] };
    expect(pairsOf(capture, "A1").map(({ gradient }) => gradient?.phase)).toEqual(["G1", undefined]);
    expect(pairsOf(capture, "A2")).toEqual([]);
  });

  it("is refused when it is cut short anywhere, or any byte is another", async () => {
    const bytes = await encodeCapture(CAPTURE);
    for (let length = 0; length < bytes.length; length += 7) {
      expect(await problemOf(bytes.subarray(0, length))).toMatch(/capture: /);
    }
    for (let at = 0; at < bytes.length; at += 3) {
      const other = Uint8Array.from(bytes);
      other[at] = other[at]! ^ 0x40;
      expect(await problemOf(other), `byte ${at}`).toMatch(/capture: /);
    }
    const random = randomSource(1);
    const noise = Uint8Array.from({ length: 500 }, () => random() * 256);
    expect(await problemOf(noise)).toMatch(/does not begin/);
  });

  it("is refused when its index, checksum right, does not fit its bytes", async () => {
    const tensors = (index: Record<string, unknown>) => index.tensors as Record<string, unknown>[];
    const cases: [(index: Record<string, unknown>) => void, RegExp][] = [
      [(index) => Object.assign(index, { channels: 65536 }), /tensors take \d+ bytes/],
      [(index) => Object.assign(index, { channels: 0 }), /channels/],
      [(index) => Object.assign(index, { values: "f64" }), /values/],
      [(index) => Object.assign(index, { text: "secret" }), /text/],
      [(index) => Object.assign(tensors(index)[0]!, { tokens: 2 ** 32 - 1 }), /tensors take/],
      [(index) => Object.assign(tensors(index)[0]!, { tokens: -1 }), /tokens/],
      [(index) => Object.assign(tensors(index)[0]!, { phase: "A3" }), /phase/],
      [(index) => Object.assign(tensors(index)[2]!, { rowLengths: [5, 5] }), /rows of tensor 2/],
      [(index) => Object.assign(tensors(index)[2]!, { rowIds: [1] }), /rows of tensor 2/],
      [(index) => Object.assign(tensors(index)[0]!, { exponent: 3 }), /not stored as f32/],
    ];
    for (const [change, pattern] of cases) expect(await problemOf(await withIndex(change))).toMatch(pattern);
    expect(await problemOf(await withIndex(() => {}, 4))).toMatch(/tensors take/);
    expect(await problemOf(await withIndex(() => {}))).toBe("");
  });
});
