import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asNarrowbandError, type ErrorCode } from "../../shared/errors.ts";
import { MemoryBytes, memoryFiles } from "../../shared/model/byte-source.ts";
import { type GgufHeader, readGgufHeader } from "../../shared/model/gguf.ts";
import { ggufFiles } from "../../shared/model/gguf-directory.ts";
import { openModel } from "../../shared/model/hf-directory.ts";
import { ggufBegin } from "./gguf-bytes.ts";
import { failure, golden, SEED } from "./helpers.ts";

const good = new Uint8Array(readFileSync(golden("gguf", "model.gguf")));

const REFUSALS: readonly ErrorCode[] = [
  "NB_GGUF_INVALID",
  "NB_MODEL_UNSUPPORTED",
  "NB_MODEL_INVALID",
  "NB_TENSOR_MISSING",
  "NB_TOKENIZER_INVALID",
];

function header(bytes: Uint8Array): Promise<GgufHeader> {
  return readGgufHeader(new MemoryBytes("test.gguf", bytes));
}

/** Opens the file as a model with its tokenizer, as a user would; the code with which it is refused, if it is. */
async function refusal(bytes: Uint8Array): Promise<ErrorCode | undefined> {
  try {
    const model = await openModel(ggufFiles("test.gguf", async () => new MemoryBytes("test.gguf", bytes)));
    for (const name of model.tensors.names()) await model.tensors.shape(name);
    await model.tokenizer();
    return undefined;
  } catch (error) {
    const { code, message } = asNarrowbandError(error);
    expect(REFUSALS, message).toContain(code);
    return code;
  }
}

/** Offset of the first tensor's data. */
const dataBegin = Math.min(...[...(await header(good)).tensors.values()].map(({ begin }) => begin));

describe("a damaged GGUF file", () => {
  it("is refused when it is cut off at any byte of its header, or in its data", async () => {
    expect(await refusal(good)).toBeUndefined();
    for (let length = 0; length < dataBegin; length += 1 + (length % 7))
      expect(await refusal(good.subarray(0, length)), `cut at ${length}`).toBeDefined();
    for (const length of [dataBegin, dataBegin + 1, good.length - 1])
      expect(await refusal(good.subarray(0, length))).toBeDefined();
  });

  it("is refused or read, and never anything else, after a flip of one bit of its header", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: dataBegin * 8 - 1 }), async (bit) => {
        const flipped = good.slice();
        flipped[bit >> 3] ^= 1 << (bit & 7);
        await refusal(flipped);
      }),
      { seed: SEED, numRuns: 800 },
    );
  });

  it("is refused when it is any bytes at all", async () => {
    const begins = fc.constantFrom(new Uint8Array(0), good.subarray(0, 8), good.subarray(0, 24));
    await fc.assert(
      fc.asyncProperty(begins, fc.uint8Array({ maxLength: 400 }), async (head, tail) => {
        const bytes = new Uint8Array([...head, ...tail]);
        await failure("NB_GGUF_INVALID", () => header(bytes)).catch(async () => {
          expect(asNarrowbandError(await header(bytes).catch((e: unknown) => e)).code).toMatch(/^NB_/);
        });
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it("with a tensor of a type that is not read is refused by that type's number", async () => {
    const bytes = ggufBegin(1, 0).text("t").u32(1).u64(256).u32(14).u64(0).done();
    expect(await failure("NB_MODEL_UNSUPPORTED", () => header(bytes))).toContain("ggml type 14");
  });

  it("of another architecture is refused by its name", async () => {
    const bytes = ggufBegin(0, 1).text("general.architecture").u32(8).text("mamba").done();
    const files = ggufFiles("m.gguf", async () => new MemoryBytes("m.gguf", bytes));
    expect(await failure("NB_MODEL_UNSUPPORTED", () => openModel(files))).toContain('"mamba"');
  });

  it("gives way to a tokenizer.json that lies beside it", async () => {
    const beside = memoryFiles("dir", new Map([["tokenizer.json", new TextEncoder().encode("{}")]]));
    const files = ggufFiles("m.gguf", async () => new MemoryBytes("m.gguf", good), beside);
    const model = await openModel(files);
    await failure("NB_TOKENIZER_INVALID", () => model.tokenizer());
    await model.close();
  });
});
