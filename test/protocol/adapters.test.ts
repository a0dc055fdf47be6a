/** Adapters go over the wire in chunks and come out as they were; manifests that lie are refused. */
import { describe, expect, it } from "vitest";
import { narrowband } from "../../proto/generated/wire.js";
import {
  AdapterAssembler,
  adapterMessages,
  flattenAdapters,
  parseManifest,
  unflattenAdapters,
} from "../../shared/protocol/adapters.ts";
import { ADAPTER_CHUNK_BYTES } from "../../shared/protocol/limits.ts";

function numbers(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i) * 3);
}

describe("adapters on the wire", () => {
  it("come out bit for bit, whatever their order and size", () => {
    const large = ADAPTER_CHUNK_BYTES / 2 + 3;
    const tensors = new Map([
      ["b.lora_B.weight", { shape: [large, 1], data: numbers(large) }],
      ["a.lora_A.weight", { shape: [2, 3], data: numbers(6) }],
    ]);
    const flat = flattenAdapters(tensors);
    const [begin, ...chunks] = [...adapterMessages(1, flat)];
    if (begin?.type !== "adapterBegin") throw new Error("no beginning");
    const assembler = new AdapterAssembler(begin);
    expect(chunks).toHaveLength(3);
    for (const chunk of chunks) {
      expect(assembler.complete).toBe(false);
      if (chunk.type === "adapterChunk") assembler.add(chunk);
    }
    expect(assembler.complete).toBe(true);
    const entries = parseManifest(begin.manifest, begin.totalBytes);
    expect(entries.map((e) => e.name)).toEqual(["a.lora_A.weight", "b.lora_B.weight"]);
    for (const [name, { shape, data }] of unflattenAdapters(entries, assembler.data())) {
      expect(shape).toEqual(tensors.get(name)!.shape);
      expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(tensors.get(name)!.data.buffer))).toBe(0);
    }
  });

  it("have the same manifest digest exactly when names and shapes are the same", () => {
    const digest = (name: string, shape: number[]): number => {
      return flattenAdapters(new Map([[name, { shape, data: numbers(6) }]])).digest;
    };
    expect(digest("a", [2, 3])).toBe(digest("a", [2, 3]));
    expect(digest("a", [2, 3])).not.toBe(digest("a", [3, 2]));
    expect(digest("a", [2, 3])).not.toBe(digest("b", [2, 3]));
  });

  const lies: [string, { name?: string; shape?: number[] }[], number][] = [
    ["more elements than bytes", [{ name: "a", shape: [2, 3] }], 20],
    ["a dimension of 0", [{ name: "a", shape: [0] }], 4],
    ["a dimension beyond any model's", [{ name: "a", shape: [2 ** 31] }], 4],
    ["too many dimensions", [{ name: "a", shape: [1, 1, 1, 1, 1] }], 4],
    ["a tensor without a name", [{ shape: [1] }], 4],
  ];
  it.each(lies)("are refused with a manifest of %s", (_name, tensors, bytes) => {
    const manifest = narrowband.AdapterManifest.encode({ tensors }).finish();
    expect(() => parseManifest(manifest, bytes)).toThrowError(
      expect.objectContaining({ code: "NB_ADAPTER_MISMATCH" }),
    );
  });

  it("are refused with a manifest that is none", () => {
    const junk = Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f);
    expect(() => parseManifest(junk, 4)).toThrowError(
      expect.objectContaining({ code: "NB_ADAPTER_MISMATCH" }),
    );
  });
});
