import { describe, expect, it } from "vitest";
import { PreTokenCounter, toTokenizerJson, trainBpe } from "../../shared/data/bpe-trainer.ts";
import { loadTokenizer } from "../../shared/model/tokenizer.ts";
import { failure, goldenJson } from "../model/helpers.ts";
import { aliceVocabulary, END } from "./helpers.ts";

interface Golden {
  merges: string[];
  vocab: string[];
  vocabSize: number;
  encodings: { text: string; ids: number[] }[];
}

const golden = goldenJson<Golden>("files", "bpe.json");

describe("byte-level BPE training", () => {
  const vocabulary = aliceVocabulary(golden.vocabSize);

  it("makes the merges and ids that Hugging Face's trainer makes of the same text", () => {
    expect(vocabulary.merges.map((pair) => pair.join(" "))).toEqual(golden.merges);
    expect(vocabulary.tokens).toEqual(golden.vocab);
  });

  it("writes a tokenizer.json whose ids of any string are those of Hugging Face's tokenizers", () => {
    const tokenizer = loadTokenizer(toTokenizerJson(vocabulary));
    for (const { text, ids } of golden.encodings)
      expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(ids);
  });

  it("merges the most frequent pair first, and of equals that of the lowest ids", () => {
    const counts = new Map([
      ["abc", 5],
      ["bcd", 4],
      ["xy", 9],
    ]);
    const { merges } = trainBpe(counts, { vocabSize: 256 + 4, specialTokens: [] });
    expect(merges).toEqual([
      ["b", "c"], // 9, as ("x", "y"), and b is before x
      ["x", "y"],
      ["a", "bc"], // 5
      ["bc", "d"], // 4
    ]);
  });

  it("merges overlapping repeats from the left", () => {
    // a a a a a → aa aa a; then (aa, a) and (aa, aa) are equally frequent, and a is before aa.
    const { merges, tokens } = trainBpe(new Map([["aaaaa", 3]]), { vocabSize: 259, specialTokens: [] });
    expect(merges).toEqual([
      ["a", "a"],
      ["aa", "a"],
      ["aa", "aaa"],
    ]);
    expect(tokens.slice(256)).toEqual(["aa", "aaa", "aaaaa"]);
  });

  it("stops when nothing is left to merge", () => {
    const { tokens } = trainBpe(new Map([["ab", 1]]), { vocabSize: 1000, specialTokens: [END] });
    expect(tokens).toHaveLength(1 + 256 + 1);
  });

  it("joins no pre-tokens of two documents", () => {
    const counter = new PreTokenCounter();
    counter.add("ab");
    counter.add("ab");
    expect([...counter.counts]).toEqual([["ab", 2]]);
  });

  it("refuses a vocabulary too small for the bytes", async () => {
    await failure("NB_CONFIG_INVALID", () => trainBpe(new Map(), { vocabSize: 256, specialTokens: [END] }));
  });
});
