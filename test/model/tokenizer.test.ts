import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toTokenizerConfigJson, toTokenizerJson } from "../../shared/data/bpe-trainer.ts";
import { loadTokenizer } from "../../shared/model/tokenizer.ts";
import { alice, aliceTokenizer, aliceVocabulary, END } from "../data/helpers.ts";
import { failure, SEED } from "./helpers.ts";

const json = toTokenizerJson(aliceVocabulary());
const config = toTokenizerConfigJson(END, 128);

const NOTHING = { type: "Sequence", pretokenizers: [] };
const DIGITS = { type: "Digits", individual_digits: true };

function through(...pretokenizers: readonly unknown[]) {
  return loadTokenizer({ ...json, pre_tokenizer: { type: "Sequence", pretokenizers } }, config);
}

/** The same tokenizer through a pre-tokeniser that says the same but is not recognised: the package does all. */
const plain = through(json.pre_tokenizer, NOTHING);

describe("a byte-level tokenizer", () => {
  const tokenizer = aliceTokenizer();

  it("gives back any text, byte for byte", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        // A lone surrogate is no Unicode text, and UTF-8 cannot hold it.
        if (/\p{Surrogate}/u.test(text)) return;
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
      { seed: SEED, numRuns: 500 },
    );
    for (const text of [
      "👩‍🚀 🇫🇷 e\u0301",
      "\ufeffbom",
      " ,  . ' \n\n\t x",
      "\u0000",
      "don 't . Hello , world !",
    ])
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it("gives the ids of the package, whatever is remembered or cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("word", " ", "  ", "\n", "it's", "42", "é", "—", END, "a b", ",", "\t"), {
          maxLength: 40,
        }),
        (parts) => {
          const text = parts.join("");
          expect(tokenizer.encode(text)).toEqual(plain.encode(text));
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("gives the ids of the package where each digit stands for itself", () => {
    const [remembering, all] = [
      through(DIGITS, json.pre_tokenizer),
      through(DIGITS, json.pre_tokenizer, NOTHING),
    ];
    const part = fc.constantFrom(
      "word",
      " ",
      "  ",
      "\n",
      "'s",
      "4",
      "1234",
      "٣",
      "²",
      "é",
      END,
      "a b",
      ",",
      "\t",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const text = parts.join("");
        expect(remembering.encode(text)).toEqual(all.encode(text));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("gives the ids of the package for a long text, which is cut", () => {
    const text = `${alice()}\n\n${END}  ${alice()}`;
    expect(text.length).toBeGreaterThan(4 * 65536);
    const expected = plain.encode(text);
    const ids = tokenizer.encode(text);
    expect(ids.length).toBe(expected.length);
    expect(ids.every((id, i) => id === expected[i])).toBe(true);
  });

  it("encodes a long text without any place to cut, in time that grows with its length", () => {
    const text = "x".repeat(300_000);
    const ids = tokenizer.encode(text);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it("knows its special tokens, in a text as by their ids", () => {
    expect(tokenizer.eosId).toBe(0);
    expect(tokenizer.bosId).toBe(0);
    expect(tokenizer.vocabSize).toBe(700);
    expect(tokenizer.addsBos).toBe(false);
    expect([...tokenizer.encode(END)]).toEqual([0]);
    expect(tokenizer.decode([0, ...tokenizer.encode("a")], { skipSpecialTokens: true })).toBe("a");
    expect(tokenizer.decode([])).toBe("");
    expect(tokenizer.encode("")).toHaveLength(0);
  });

  it("takes BOS and EOS from tokenizer_config.json, as strings or as objects", () => {
    const objects = { bos_token: { content: "the" }, eos_token: { content: END, special: true } };
    const other = loadTokenizer(json, objects);
    expect(other.eosId).toBe(0);
    expect(other.bosId).toBe([...tokenizer.encode("the")][0]);
    expect(loadTokenizer(json, {}).eosId).toBeUndefined();
    expect(loadTokenizer(json).eosId).toBe(0);
  });

  it("adds BOS when its post-processor does and it is asked to", () => {
    const template = {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: END, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { [END]: { id: END, ids: [0], tokens: [END] } },
    };
    const other = loadTokenizer({ ...json, post_processor: template }, config);
    expect(other.addsBos).toBe(true);
    expect(other.encode("a")).toEqual(tokenizer.encode("a"));
    expect([...other.encode("a", { addSpecialTokens: true })]).toEqual([0, ...tokenizer.encode("a")]);
  });
});

describe("files that are no tokenizer are refused", () => {
  it.each([
    ["null", null],
    ["a list", []],
    ["no model", { added_tokens: [] }],
    ["no added tokens", { model: {} }],
    ["an unknown model", { ...json, model: { type: "Magic" } }],
    ["an unknown pre-tokeniser", { ...json, pre_tokenizer: { type: "Magic" } }],
  ])("%s", async (_, given) => {
    expect(await failure("NB_TOKENIZER_INVALID", () => loadTokenizer(given))).toContain("tokenizer.json");
  });

  it("a bad tokenizer_config.json", async () => {
    await failure("NB_TOKENIZER_INVALID", () => loadTokenizer(json, { eos_token: 3 }));
  });
});
