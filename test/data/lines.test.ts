import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_LINE_BYTES, readLines, streamChunks } from "../../shared/data/lines.ts";
import { failure, SEED } from "../model/helpers.ts";
import { collect } from "./helpers.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const lines = async (...chunks: Uint8Array[]) =>
  (await collect(readLines("f.txt", chunks))).map(({ text }) => text);

describe("lines of a file", () => {
  it("are the same however the bytes are cut into chunks", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: "grapheme", maxLength: 8 }).map((s) => s.replaceAll(/[\n\r\0\ufeff]/g, "")),
          { maxLength: 8 },
        ),
        fc.array(fc.nat(40), { maxLength: 5 }),
        async (expected, cuts) => {
          const all = bytes(expected.map((line) => `${line}\n`).join(""));
          const at = [0, ...cuts.map((c) => Math.min(c, all.length)).sort((a, b) => a - b), all.length];
          const chunks = at.slice(1).map((end, i) => all.subarray(at[i], end));
          expect(await lines(...chunks)).toEqual(expected);
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  it("do not depend on a buffer that the reader uses again", async () => {
    async function* reused() {
      const buffer = Buffer.alloc(4);
      for (const part of ["abcd", "ef\ng", "hij\n"]) {
        buffer.write(part);
        yield buffer.subarray(0, part.length);
      }
    }
    expect((await collect(readLines("f", reused()))).map(({ text }) => text)).toEqual(["abcdef", "ghij"]);
  });

  it("count from 1, end with LF or CRLF, and need no line feed at the end", async () => {
    expect(await collect(readLines("f.txt", [bytes("a\r\n\nb")]))).toEqual([
      { number: 1, text: "a" },
      { number: 2, text: "" },
      { number: 3, text: "b" },
    ]);
    expect(await lines()).toEqual([]);
    expect(await lines(bytes("a\n"))).toEqual(["a"]);
  });

  it("lose a byte order mark in front, and none elsewhere", async () => {
    expect(await lines(bytes("\ufeffa\n\ufeffb"))).toEqual(["a", "\ufeffb"]);
  });

  it("come from a web stream too", async () => {
    const stream = new Blob(["one\ntwo"]).stream();
    expect((await collect(readLines("f", streamChunks(stream)))).map(({ text }) => text)).toEqual([
      "one",
      "two",
    ]);
  });
});

describe("a line that is no text is refused by its number", () => {
  it("bytes that are not UTF-8", async () => {
    const chunk = Buffer.concat([bytes("ok\nbad "), Uint8Array.of(0xc3, 0x28), bytes("\n")]);
    expect(await failure("NB_DATA_INVALID", () => lines(chunk))).toBe("f.txt:2: is not valid UTF-8");
  });

  it("a NUL, as binary files and UTF-16 have", async () => {
    expect(await failure("NB_DATA_INVALID", () => lines(Buffer.from("hi\n", "utf16le")))).toContain(
      "f.txt:1: contains a NUL",
    );
  });

  it("a line longer than the limit, before it is all in memory", async () => {
    let given = 0;
    function* endless() {
      for (;;) {
        given += 1 << 20;
        yield new Uint8Array(1 << 20).fill(0x61);
      }
    }
    expect(await failure("NB_DATA_INVALID", () => collect(readLines("f.txt", endless())))).toContain(
      "f.txt:1: is longer",
    );
    expect(given).toBeLessThanOrEqual(MAX_LINE_BYTES + (1 << 20));
  });
});
