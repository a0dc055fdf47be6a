import { describe, expect, it } from "vitest";
import { buildCorpus, SOURCES } from "../../experiments/pretrain/corpus.ts";
import { npmExamples } from "../../shared/data/npm-datasets-node.ts";

const { train, heldOut } = buildCorpus();
const all = [...train, ...heldOut];

describe("the pretraining corpus", () => {
  it("has documents of every source in both parts, and none in both", () => {
    for (const { name } of SOURCES)
      for (const part of [train, heldOut])
        expect(part.some(({ id }) => id.startsWith(`${name}/`))).toBe(true);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ text }) => text)).size).toBe(all.length);
  });

  it("holds nothing of what the demo fine-tunes on", () => {
    const corpus = all.map(({ text }) => text).join("\n");
    for (const name of ["moby-dick", "factbook"])
      for (const [i, example] of npmExamples(name).entries()) {
        if (example.kind !== "text" || i % 15 !== 7) continue;
        // A stretch from the middle of every fifteenth chapter and country.
        const middle = Math.floor(example.text.length / 2);
        expect(corpus.includes(example.text.slice(middle, middle + 60))).toBe(false);
      }
    expect(corpus).not.toContain("Queequeg");
  });

  it("is plain text without traces of the files it came from", () => {
    for (const { id, text } of all) {
      expect(text.trim().length, id).toBeGreaterThan(0);
      expect(text, id).not.toMatch(
        /\[(?:Applause|Laughter)\]|Project Gutenberg|<\||[^\P{Cc}\n]|\ufffd|@|\[object/u,
      );
    }
  });
});
