import { Packr } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import createXxhash from "xxhash-wasm";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../../shared/train/checkpoint.ts";

const CHECKPOINT: Checkpoint = {
  kind: "test",
  meta: { step: 7, seed: 2 ** 40, name: "α", list: [1, 2.5], flag: true, bytes: new Uint8Array([1, 255]) },
  tensors: new Map([
    ["a", { shape: [2, 2], data: Float32Array.of(1, -0, 1e-40, 3e38) }],
    ["b", { shape: [], data: Float32Array.of(0.1) }],
    ["empty", { shape: [0, 3], data: new Float32Array(0) }],
  ]),
};

const invalid = expect.objectContaining({ code: "NB_CHECKPOINT_INVALID" });

let bytes: Uint8Array;
beforeAll(async () => {
  bytes = await encodeCheckpoint(CHECKPOINT);
});

/** A file of this index and these values whose checksum is right. */
async function sealed(index: Uint8Array, data = new Uint8Array(0)): Promise<Uint8Array> {
  const file = new Uint8Array(12 + index.length + data.length + 8);
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode("NBCK"));
  view.setUint32(4, 1, true);
  view.setUint32(8, index.length, true);
  file.set(index, 12);
  file.set(data, 12 + index.length);
  const { h64Raw } = await createXxhash();
  view.setBigUint64(file.length - 8, h64Raw(file.subarray(0, -8)), true);
  return file;
}

describe("a checkpoint", () => {
  it("comes back as it was, bit for bit", async () => {
    const read = await decodeCheckpoint(bytes, "test");
    expect(read.kind).toBe("test");
    expect(read.meta).toEqual({ ...CHECKPOINT.meta, bytes: expect.anything() });
    expect(new Uint8Array(read.meta.bytes as Uint8Array)).toEqual(CHECKPOINT.meta.bytes);
    expect([...read.tensors.keys()]).toEqual(["a", "b", "empty"]);
    for (const [name, { shape, data }] of CHECKPOINT.tensors) {
      expect(read.tensors.get(name)?.shape).toEqual(shape);
      expect(new Uint32Array(read.tensors.get(name)!.data.buffer)).toEqual(new Uint32Array(data.buffer));
    }
  });

  it.each([1, 2, 3])(
    "comes back from a view that begins %i bytes into a buffer, and from Node's Buffer",
    async (offset) => {
      const room = new Uint8Array(bytes.length + offset);
      room.set(bytes, offset);
      for (const view of [room.subarray(offset), Buffer.from(room.buffer, offset)]) {
        const read = await decodeCheckpoint(view, "test");
        expect(read.tensors.get("a")?.data).toEqual(CHECKPOINT.tensors.get("a")?.data);
      }
    },
  );

  it("gives tensors that do not share memory with the file", async () => {
    const copy = bytes.slice();
    const { tensors } = await decodeCheckpoint(copy, "test");
    copy.fill(0);
    expect(tensors.get("b")?.data[0]).toBe(Math.fround(0.1));
  });

  it("is refused wherever it is cut off", async () => {
    for (let length = 0; length < bytes.length; length++) {
      await expect(decodeCheckpoint(bytes.subarray(0, length), "test"), `${length} bytes`).rejects.toThrow(
        invalid,
      );
    }
  });

  it("is refused with any one bit flipped", async () => {
    const copy = bytes.slice();
    for (let at = 0; at < copy.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        copy[at] ^= 1 << bit;
        await expect(decodeCheckpoint(copy, "test"), `bit ${bit} of byte ${at}`).rejects.toThrow(invalid);
        copy[at] ^= 1 << bit;
      }
    }
  });

  it("is refused with bytes added", async () => {
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    await expect(decodeCheckpoint(longer, "test")).rejects.toThrow(invalid);
  });

  it("of another kind is a mismatch, not damage", async () => {
    await expect(decodeCheckpoint(bytes, "other")).rejects.toThrow(
      expect.objectContaining({
        code: "NB_CHECKPOINT_MISMATCH",
        message: expect.stringMatching(/"test".*"other"/),
      }),
    );
  });

  it("is not written when a tensor's values do not fill its shape", async () => {
    const wrong = { ...CHECKPOINT, tensors: new Map([["a", { shape: [3], data: new Float32Array(2) }]]) };
    await expect(encodeCheckpoint(wrong)).rejects.toThrow(expect.objectContaining({ code: "NB_INTERNAL" }));
  });
});

describe("a file whose checksum is right is still refused", () => {
  const packr = new Packr({ useRecords: false });
  const index = (tensors: unknown) => packr.pack({ kind: "test", meta: {}, tensors });

  it.each<[string, () => Uint8Array, number]>([
    ["when its index is not msgpack", () => new Uint8Array([0xc1, 0xc1]), 0],
    ["when its index ends early", () => index([]).subarray(0, -1), 0],
    ["when its index is something else", () => packr.pack([1, 2]), 0],
    ["when a tensor has no shape", () => index([{ name: "a" }]), 0],
    ["when a shape is negative", () => index([{ name: "a", shape: [-1] }]), 0],
    [
      "when a shape is of more axes than tensors have",
      () => index([{ name: "a", shape: new Array(9).fill(1) }]),
      4,
    ],
    ["when a tensor is larger than the file", () => index([{ name: "a", shape: [2] }]), 4],
    [
      "when a shape is beyond all numbers",
      () => index([{ name: "a", shape: [2 ** 53 - 1, 2 ** 53 - 1] }]),
      4,
    ],
    [
      "when two tensors have one name",
      () =>
        index([
          { name: "a", shape: [] },
          { name: "a", shape: [] },
        ]),
      8,
    ],
    ["when data is left over", () => index([{ name: "a", shape: [] }]), 8],
  ])("%s", async (_, make, dataBytes) => {
    await expect(decodeCheckpoint(await sealed(make(), new Uint8Array(dataBytes)), "test")).rejects.toThrow(
      invalid,
    );
  });

  it("when its version is not this one's", async () => {
    const file = await sealed(index([]));
    new DataView(file.buffer).setUint32(4, 2, true);
    await expect(decodeCheckpoint(file, "test")).rejects.toThrow(/version 2; this reads 1/);
  });
});
