import { describe, expect, it } from "vitest";
import { MemoryBytes } from "../../shared/model/byte-source.ts";
import { readGgufHeader } from "../../shared/model/gguf.ts";
import { GgufBytes, ggufBegin } from "../model/gguf-bytes.ts";
import { failure } from "../model/helpers.ts";

describe("a GGUF file", () => {
  it.each([
    ["tensors", ggufBegin(2n ** 40n, 0).done()],
    ["metadata entries", ggufBegin(0, 2n ** 62n).done()],
    ["metadata entries", ggufBegin(0, 100_000).done()],
    [
      "length of a name",
      ggufBegin(0, 1)
        .u64(2n ** 50n)
        .done(),
    ],
    [
      "length of an array",
      ggufBegin(0, 1)
        .text("a")
        .u32(9)
        .u32(4)
        .u64(2n ** 45n)
        .done(),
    ],
    [
      "length of an array of strings",
      ggufBegin(0, 1)
        .text("a")
        .u32(9)
        .u32(8)
        .u64(2n ** 45n)
        .done(),
    ],
    ["an array of arrays", ggufBegin(0, 1).text("a").u32(9).u32(9).u64(1).done()],
    [
      "size of a tensor",
      ggufBegin(1, 0)
        .text("t")
        .u32(2)
        .u64(2n ** 31n)
        .u64(2n ** 31n)
        .u32(0)
        .u64(0)
        .done(),
    ],
    ["number of dimensions", ggufBegin(1, 0).text("t").u32(4_000_000_000).done()],
    ["a value twice", ggufBegin(0, 2).text("a").u32(4).u32(1).text("a").u32(4).u32(1).done()],
    ["version", new GgufBytes().u32(0x46554747).u32(1).u64(0).u64(0).done()],
  ])("that lies about its %s is refused before anything is allocated for it", async (_what, bytes) => {
    const before = process.memoryUsage().arrayBuffers;
    await failure("NB_GGUF_INVALID", () => readGgufHeader(new MemoryBytes("bomb.gguf", bytes)));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });
});
