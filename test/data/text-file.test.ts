import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { textExamples } from "../../shared/data/examples.ts";
import { readLines } from "../../shared/data/lines.ts";
import { loadDataset, openExamples } from "../../shared/data/load-node.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";
import { alice, aliceTokenizer, collect } from "./helpers.ts";

const read = (content: string) =>
  collect(textExamples(readLines("f.txt", [new TextEncoder().encode(content)])));

describe("a plain text file", () => {
  it("is one document with its line breaks", async () => {
    expect(await read("One.\r\n\r\n  Two.\n")).toEqual([
      { kind: "text", text: "One.\n\n  Two.", ends: true },
    ]);
  });

  it("of several megabytes comes in parts that make the same tokens as the whole", async () => {
    const book = alice().repeat(16).trimEnd();
    const parts = await read(book);
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.map(({ text }) => text).join("")).toBe(book);
    expect(parts.map(({ ends }) => ends)).toEqual([...Array(parts.length - 1).fill(false), true]);
    const tokenizer = aliceTokenizer();
    const whole = tokenizer.encode(book);
    let at = 0;
    for (const { text } of parts) {
      const ids = tokenizer.encode(text);
      expect(ids.every((id, i) => id === whole[at + i])).toBe(true);
      at += ids.length;
    }
    expect(at).toBe(whole.length);
  });

  it("without any letters to part is one part", async () => {
    const digits = "0123456789".repeat(200_000);
    expect(await read(digits)).toEqual([{ kind: "text", text: digits, ends: true }]);
  });

  it("of white space holds nothing", async () => {
    expect(await read(" \n\n\t")).toEqual([]);
  });
});

describe("a data set by its path", () => {
  it("is read by the ending of its name", async () => {
    const directory = temporaryDirectory();
    const text = join(directory, "a.TXT");
    const jsonl = join(directory, "b.jsonl");
    writeFileSync(text, "Alice was here.\n");
    writeFileSync(jsonl, '{"text":"Alice was here."}\n{"text":"So."}\n');
    const tokenizer = aliceTokenizer();
    const a = await loadDataset(text, tokenizer);
    const b = await loadDataset(jsonl, tokenizer);
    expect(a.name).toBe("a.TXT");
    expect(tokenizer.decode(a.ids)).toBe("Alice was here.<|endoftext|>");
    expect([...b.starts]).toEqual([0, a.ids.length, b.ids.length]);
  });

  it("of another ending, or that is not there, is refused", async () => {
    expect(await failure("NB_CONFIG_INVALID", () => openExamples("data.csv"))).toContain('"data.csv"');
    const missing = join(temporaryDirectory(), "none.txt");
    expect(await failure("NB_FILE_UNREADABLE", () => loadDataset(missing, aliceTokenizer()))).toContain(
      missing,
    );
    await failure("NB_FILE_UNREADABLE", () =>
      loadDataset(`${temporaryDirectory()}/.txt/x.txt`, aliceTokenizer()),
    );
  });

  it("that is empty is refused", async () => {
    const empty = join(temporaryDirectory(), "empty.txt");
    writeFileSync(empty, "\n\n");
    expect(await failure("NB_DATA_INVALID", () => loadDataset(empty, aliceTokenizer()))).toBe(
      "empty.txt: holds no text",
    );
  });

  it("with a bad line is refused by path, line and reason", async () => {
    const bad = join(temporaryDirectory(), "bad.jsonl");
    writeFileSync(bad, '{"text":"a"}\n{"text":1}\n');
    expect(await failure("NB_DATA_INVALID", () => loadDataset(bad, aliceTokenizer()))).toBe(
      `${bad}:2: "text" is number; expected a string`,
    );
  });
});
