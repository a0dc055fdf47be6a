/**
 * Trains a byte-level BPE vocabulary (Sennrich et al., arXiv 1508.07909, over bytes as GPT-2 does) and writes it as
 * a Hugging Face `tokenizer.json`. The project pretrains its own small base model, and `@huggingface/tokenizers`
 * reads tokenizers but does not train them; there is no npm library that does.
 *
 * Text is cut into pre-tokens by GPT-2's pattern, equal pre-tokens are counted once, and each merge touches only the
 * words that hold its pair, so the cost follows the vocabulary of the text and not its length. Ties are broken as
 * Hugging Face's own trainer does (highest count, then lowest ids), so both give the same merges.
 */
import { fail } from "../errors.ts";
import { GPT2_PRE_TOKEN } from "../model/tokenizer.ts";

/**
 * GPT-2's printable character for each byte: printable Latin-1 bytes stand for themselves, the 68 others for
 * U+0100 onwards. A vocabulary file holds these, so that every token is a visible JSON string.
 */
function byteCharacters(): string[] {
  const printable = (b: number) =>
    (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : next++));
}

export interface BpeVocabulary {
  /** Token strings by id: special tokens, the 256 bytes, then one per merge, in the order of merging. */
  readonly tokens: readonly string[];
  /** Pairs in the order of merging. */
  readonly merges: readonly (readonly [string, string])[];
  readonly specialTokens: readonly string[];
}

export interface BpeOptions {
  /** Ids in the finished vocabulary, special tokens and the 256 bytes included. */
  readonly vocabSize: number;
  /** Take the first ids, in this order. */
  readonly specialTokens: readonly string[];
}

/** Counts of each distinct pre-token of a text. Filled document by document; no pre-token spans two documents. */
export class PreTokenCounter {
  readonly counts = new Map<string, number>();

  add(text: string): void {
    const { counts } = this;
    for (const piece of text.match(GPT2_PRE_TOKEN) ?? []) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
}

/** The distinct words of the text as id sequences, all in one array: word w is symbols[start[w] .. start[w]+length[w]). */
interface Words {
  readonly symbols: Int32Array;
  readonly start: Int32Array;
  readonly length: Int32Array;
  readonly count: Float64Array;
}

function makeWords(counts: ReadonlyMap<string, number>, idOfByte: Int32Array): Words {
  const encoder = new TextEncoder();
  const encoded: Uint8Array[] = [];
  let total = 0;
  for (const piece of counts.keys()) {
    const bytes = encoder.encode(piece);
    encoded.push(bytes);
    total += bytes.length;
  }
  const words: Words = {
    symbols: new Int32Array(total),
    start: new Int32Array(encoded.length),
    length: new Int32Array(encoded.length),
    count: Float64Array.from(counts.values()),
  };
  let at = 0;
  encoded.forEach((bytes, w) => {
    words.start[w] = at;
    words.length[w] = bytes.length;
    for (const byte of bytes) words.symbols[at++] = idOfByte[byte];
  });
  return words;
}

/** Ids are below 2^24, so a pair fits a double exactly, and comparing keys compares (left, right) in order. */
const PAIR = 2 ** 24;

interface Candidate {
  readonly pair: number;
  count: number;
}

/** Highest count first; of equal counts the lowest pair. */
function before(a: Candidate, b: Candidate): boolean {
  return a.count !== b.count ? a.count > b.count : a.pair < b.pair;
}

/** Binary heap of candidate merges. Counts in it may be stale; whoever pops compares with the true count. */
class CandidateHeap {
  readonly #items: Candidate[] = [];

  push(item: Candidate): void {
    const items = this.#items;
    let i = items.length;
    items.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(item, items[parent])) break;
      items[i] = items[parent];
      i = parent;
    }
    items[i] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1], items[child])) child++;
      if (!before(items[child], last)) break;
      items[i] = items[child];
      i = child;
    }
    items[i] = last;
    return top;
  }
}

/** How often each pair occurs, and in which words. */
class PairIndex {
  readonly count = new Map<number, number>();
  readonly #where = new Map<number, number[]>();

  /** Adds `by` to the pair's count; a positive change means that the pair now occurs in `word`. */
  change(pair: number, by: number, word: number): void {
    this.count.set(pair, (this.count.get(pair) ?? 0) + by);
    if (by < 0) return;
    const where = this.#where.get(pair);
    if (where === undefined) this.#where.set(pair, [word]);
    else if (where.at(-1) !== word) where.push(word);
  }

  /** Words that held the pair at some time; the list is given away. */
  take(pair: number): number[] {
    const where = this.#where.get(pair) ?? [];
    this.#where.delete(pair);
    return where;
  }
}

/**
 * Trains a vocabulary from pre-token counts. Deterministic. Stops early when no pair is left, so the result may be
 * smaller than asked for on a tiny text.
 *
 * @throws NB_CONFIG_INVALID when vocabSize cannot hold the special tokens and the 256 bytes.
 */
export function trainBpe(counts: ReadonlyMap<string, number>, options: BpeOptions): BpeVocabulary {
  const { vocabSize, specialTokens } = options;
  const least = specialTokens.length + 256;
  if (!Number.isInteger(vocabSize) || vocabSize < least || vocabSize > PAIR)
    fail("NB_CONFIG_INVALID", `vocabSize is ${vocabSize}; accepted: an integer from ${least} to ${PAIR}`);

  const characters = byteCharacters();
  const tokens = [...specialTokens, ...characters.toSorted()];
  const idOfByte = Int32Array.from(characters, (c) => tokens.indexOf(c, specialTokens.length));
  const words = makeWords(counts, idOfByte);
  const pairs = new PairIndex();
  for (let w = 0; w < words.start.length; w++) {
    const end = words.start[w] + words.length[w];
    for (let i = words.start[w] + 1; i < end; i++)
      pairs.change(words.symbols[i - 1] * PAIR + words.symbols[i], words.count[w], w);
  }
  const heap = new CandidateHeap();
  for (const [pair, count] of pairs.count) heap.push({ pair, count });

  const merges: [string, string][] = [];
  while (tokens.length < vocabSize) {
    const best = heap.pop();
    if (best === undefined) break;
    const count = pairs.count.get(best.pair) ?? 0;
    if (count !== best.count) {
      best.count = count;
      if (count > 0) heap.push(best);
      continue;
    }
    if (count < 1) continue;
    const left = Math.floor(best.pair / PAIR);
    const right = best.pair % PAIR;
    merges.push([tokens[left], tokens[right]]);
    tokens.push(tokens[left] + tokens[right]);
    for (const pair of mergePair(words, pairs, left, right, tokens.length - 1))
      heap.push({ pair, count: pairs.count.get(pair)! });
  }
  return { tokens, merges, specialTokens };
}

/** Replaces (left, right) by `merged` in every word that holds it. Returns the pairs that became more frequent. */
function mergePair(words: Words, pairs: PairIndex, left: number, right: number, merged: number): Set<number> {
  const { symbols } = words;
  const grown = new Set<number>();
  for (const w of pairs.take(left * PAIR + right)) {
    const start = words.start[w];
    const end = start + words.length[w];
    const count = words.count[w];
    let write = start;
    for (let read = start; read < end; read++) {
      if (read + 1 === end || symbols[read] !== left || symbols[read + 1] !== right) {
        symbols[write++] = symbols[read];
        continue;
      }
      if (write > start) {
        const previous = symbols[write - 1];
        pairs.change(previous * PAIR + left, -count, w);
        pairs.change(previous * PAIR + merged, count, w);
        grown.add(previous * PAIR + merged);
      }
      if (read + 2 < end) {
        const next = symbols[read + 2];
        pairs.change(right * PAIR + next, -count, w);
        pairs.change(merged * PAIR + next, count, w);
        grown.add(merged * PAIR + next);
      }
      symbols[write++] = merged;
      read++;
    }
    words.length[w] = write - start;
  }
  pairs.count.delete(left * PAIR + right);
  return grown;
}

/** The content of `tokenizer.json`: byte-level pre-tokeniser, decoder and post-processor around the trained BPE. */
export function toTokenizerJson(vocabulary: BpeVocabulary): Record<string, unknown> {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: vocabulary.specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.tokens.map((token, id) => [token, id])),
      merges: vocabulary.merges,
    },
  };
}

/** The content of `tokenizer_config.json` for a vocabulary whose one special token both begins and ends a text. */
export function toTokenizerConfigJson(special: string, maxLength: number): Record<string, unknown> {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: special,
    eos_token: special,
    unk_token: special,
    model_max_length: maxLength,
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
  };
}
