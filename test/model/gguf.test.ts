import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MemoryBytes } from "../../shared/model/byte-source.ts";
import { modelFiles, openModelDirectory } from "../../shared/model/files-node.ts";
import { openModel } from "../../shared/model/hf-directory.ts";
import { readSafetensors } from "../../shared/model/safetensors.ts";
import { golden, goldenJson } from "./helpers.ts";

const FILE = golden("gguf", "model.gguf");

describe("a GGUF file", () => {
  it("gives the values that ggml's own package dequantizes, bit for bit, under Hugging Face's names and order", async () => {
    const expected = readSafetensors(readFileSync(golden("gguf", "expected.safetensors"))).tensors;
    const model = await openModelDirectory(FILE);
    expect([...model.tensors.names()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, { shape, data }] of expected) {
      expect(await model.tensors.shape(name), name).toEqual(shape);
      expect(await model.tensors.read(name), name).toEqual(data);
    }
    await model.close();
  });

  it("says how each tensor is stored", async () => {
    const model = await openModelDirectory(FILE);
    const types = await Promise.all([...model.tensors.names()].map((name) => model.tensors.dtype(name)));
    expect(new Set(types)).toEqual(new Set(["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q8_0"]));
    await model.close();
  });

  it("has its model's configuration", async () => {
    const model = await openModelDirectory(FILE);
    expect(model.config).toMatchObject({
      family: "llama",
      vocabSize: 300,
      hiddenSize: 32,
      layers: 1,
      heads: 2,
      kvHeads: 1,
      headDim: 16,
      intermediateSize: 64,
      normEps: 1e-5,
      positions: { kind: "rope", theta: 100_000, scaling: { kind: "none" } },
      tieEmbeddings: true,
      maxPositions: 128,
      bosTokenId: 0,
      eosTokenIds: [0],
    });
    await model.close();
  });

  it("splits up a text as the tokenizers library does with its vocabulary", async () => {
    const model = await openModelDirectory(FILE);
    const tokenizer = await model.tokenizer();
    for (const { text, ids } of goldenJson<{ text: string; ids: number[] }[]>("gguf", "tokens.json")) {
      expect([...tokenizer.encode(text)], text).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    expect(tokenizer.eosId).toBe(0);
    await model.close();
  });

  it("is read without touching the bytes of tensors that nobody asks for", async () => {
    const bytes = readFileSync(FILE);
    const reads: [number, number][] = [];
    class Recorded extends MemoryBytes {
      override read(begin: number, end: number): Promise<Uint8Array> {
        reads.push([begin, end]);
        return super.read(begin, end);
      }
    }
    const files = modelFiles(FILE);
    const model = await openModel({
      name: "recorded",
      open: async (file) => (file === "model.gguf" ? new Recorded(file, bytes) : files.open(file)),
    });
    reads.length = 0;
    await model.tensors.read("model.layers.0.self_attn.v_proj.weight");
    expect(reads).toHaveLength(1);
    expect(reads[0][1] - reads[0][0]).toBe(16 * 32 * 2);
    await model.close();
  });

  it("is refused by name when it is not there", async () => {
    await expect(openModelDirectory(golden("gguf", "other.gguf"))).rejects.toMatchObject({
      code: "NB_FILE_UNREADABLE",
    });
  });
});
