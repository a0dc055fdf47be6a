import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asNarrowbandError, type ErrorCode } from "../../shared/errors.ts";
import { MemoryBytes, memoryFiles } from "../../shared/model/byte-source.ts";
import { type GgufHeader, readGgufHeader } from "../../shared/model/gguf.ts";
import { ggufFiles } from "../../shared/model/gguf-directory.ts";
import { openModel } from "../../shared/model/hf-directory.ts";
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

class Bytes {
  readonly #parts: number[] = [];

  u32(value: number): this {
    for (let i = 0; i < 4; i++) this.#parts.push((value >>> (8 * i)) & 255);
    return this;
  }

  u64(value: bigint | number): this {
    for (let i = 0n; i < 8n; i++) this.#parts.push(Number((BigInt(value) >> (8n * i)) & 255n));
    return this;
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    this.u64(bytes.length);
    this.#parts.push(...bytes);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}

const begin = (tensors: bigint | number, entries: bigint | number) =>
  new Bytes().u32(0x46554747).u32(3).u64(tensors).u64(entries);

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

  it.each([
    ["tensors", begin(2n ** 40n, 0).done()],
    ["metadata entries", begin(0, 2n ** 62n).done()],
    ["metadata entries", begin(0, 100_000).done()],
    [
      "length of a name",
      begin(0, 1)
        .u64(2n ** 50n)
        .done(),
    ],
    [
      "length of an array",
      begin(0, 1)
        .text("a")
        .u32(9)
        .u32(4)
        .u64(2n ** 45n)
        .done(),
    ],
    [
      "length of an array of strings",
      begin(0, 1)
        .text("a")
        .u32(9)
        .u32(8)
        .u64(2n ** 45n)
        .done(),
    ],
    ["an array of arrays", begin(0, 1).text("a").u32(9).u32(9).u64(1).done()],
    [
      "size of a tensor",
      begin(1, 0)
        .text("t")
        .u32(2)
        .u64(2n ** 31n)
        .u64(2n ** 31n)
        .u32(0)
        .u64(0)
        .done(),
    ],
    ["number of dimensions", begin(1, 0).text("t").u32(4_000_000_000).done()],
    ["a value twice", begin(0, 2).text("a").u32(4).u32(1).text("a").u32(4).u32(1).done()],
    ["version", new Bytes().u32(0x46554747).u32(1).u64(0).u64(0).done()],
  ])("that lies about its %s is refused before anything is allocated for it", async (_what, bytes) => {
    const before = process.memoryUsage().arrayBuffers;
    await failure("NB_GGUF_INVALID", () => header(bytes));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  it("with a tensor of a type that is not read is refused by that type's number", async () => {
    const bytes = begin(1, 0).text("t").u32(1).u64(256).u32(14).u64(0).done();
    expect(await failure("NB_MODEL_UNSUPPORTED", () => header(bytes))).toContain("ggml type 14");
  });

  it("of another architecture is refused by its name", async () => {
    const bytes = begin(0, 1).text("general.architecture").u32(8).text("mamba").done();
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
