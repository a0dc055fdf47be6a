import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type NamedTensor,
  parseSafetensorsHeader,
  readSafetensors,
  tensorFloats,
  writeSafetensors,
} from "../../shared/model/safetensors.ts";
import { failure, golden, goldenJson, SEED } from "./helpers.ts";

const hex = (x: number) => new Uint32Array(Float32Array.of(x).buffer)[0].toString(16).padStart(8, "0");

describe("a file that the safetensors library wrote", () => {
  const bytes = new Uint8Array(readFileSync(golden("files", "dtypes.safetensors")));
  const header = parseSafetensorsHeader(bytes, bytes.length);

  it("is read value for value, in f32, f16 and bf16", () => {
    for (const [name, values] of Object.entries(
      goldenJson<Record<string, string[]>>("files", "dtypes.json"),
    )) {
      const info = header.tensors.get(name)!;
      const read = tensorFloats(name, info, bytes.subarray(info.begin, info.end));
      expect([...read].map(hex), name).toEqual(values);
    }
  });

  it("shows shapes, also of a scalar and of a tensor without elements", () => {
    expect(header.tensors.get("bf16")!.shape).toEqual([4, 6]);
    expect(header.tensors.get("scalar")!.shape).toEqual([]);
    expect(header.tensors.get("empty")!.shape).toEqual([3, 0]);
    expect(header.metadata.get("format")).toBe("pt");
  });

  it("has tensors that are no weights, which are listed but not read as f32", async () => {
    const info = header.tensors.get("counts")!;
    expect(info.dtype).toBe("I64");
    await failure("NB_SAFETENSORS_DTYPE", () =>
      tensorFloats("counts", info, bytes.subarray(info.begin, info.end)),
    );
  });
});

const tensor: fc.Arbitrary<NamedTensor> = fc
  .array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      data: fc
        .array(fc.float({ noNaN: true }), {
          minLength: shape.reduce((a, b) => a * b, 1),
          maxLength: shape.reduce((a, b) => a * b, 1),
        })
        .map((values) => Float32Array.from(values)),
    }),
  );

describe("writing", () => {
  it("any tensors under any names read back the same", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: "binary" }), tensor), { maxLength: 6 }),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 3, noNullPrototype: true }),
        (entries, metadata) => {
          const tensors = new Map(entries.filter(([name]) => name !== "__metadata__"));
          const read = readSafetensors(writeSafetensors(tensors, { metadata }));
          expect(read.tensors).toEqual(tensors);
          expect(Object.fromEntries(read.metadata)).toEqual(metadata);
        },
      ),
      { seed: SEED, numRuns: 200 },
    );
  });

  it("begins the data at a multiple of 8 and marks the file as PyTorch's", () => {
    const bytes = writeSafetensors(new Map([["x", { shape: [3], data: Float32Array.of(1, 2, 3) }]]));
    const header = parseSafetensorsHeader(bytes, bytes.length);
    expect(header.dataBegin % 8).toBe(0);
    expect([...header.metadata]).toEqual([["format", "pt"]]);
    expect(Buffer.from(bytes.subarray(8, 8 + 26)).toString()).toBe(
      '{"__metadata__":{"format":"pt"'.slice(0, 26),
    );
  });

  it("refuses values that do not fill their shape", async () => {
    const short = new Map([["x", { shape: [2, 2], data: new Float32Array(3) }]]);
    await failure("NB_INTERNAL", () => writeSafetensors(short));
  });
});
