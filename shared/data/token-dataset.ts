/**
 * A data set as token ids in memory: documents end to end, and for each token whether it is learned. Held out parts
 * are made here, by whole documents where there are enough of them.
 */
import { fail } from "../errors.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { permutation } from "../random.ts";
import type { Example } from "./examples.ts";

/** Tokens of some documents. The arrays are the data set's; readers only read them. */
export interface TokenDataset {
  readonly name: string;
  /** Ids of all documents, each ended by EOS [tokens]. */
  readonly ids: Int32Array;
  /** 1 where the token is to be predicted, 0 where it is only read (a prompt, BOS) [tokens]. */
  readonly learned: Uint8Array;
  /** Where each document begins, and at last where all end [documents + 1]. */
  readonly starts: Int32Array;
}

/** A growing typed array. */
class Growing<T extends Int32Array | Uint8Array> {
  length = 0;
  #data: T;
  readonly #make: (n: number) => T;

  constructor(make: (n: number) => T) {
    this.#make = make;
    this.#data = make(1 << 12);
  }

  /** Makes room for n more values and returns the array to write them to, at `length`. */
  reserve(n: number): T {
    if (this.length + n > this.#data.length) {
      const larger = this.#make(Math.max(2 * this.#data.length, this.length + n));
      larger.set(this.#data.subarray(0, this.length));
      this.#data = larger;
    }
    return this.#data;
  }

  push(value: number): void {
    this.reserve(1)[this.length++] = value;
  }

  taken(): T {
    return this.#data.slice(0, this.length) as T;
  }
}

/** Most tokens of one data set, so that places in it fit an Int32Array. */
const MAX_TOKENS = 2 ** 31 - 1;

/**
 * Tokenizes examples as they come. Every document is ended by EOS, which is learned, and begun by BOS where the
 * tokenizer adds one of its own accord, which is not. Prompt and completion are tokenized apart, so that the
 * boundary between what is read and what is learned is a token boundary in training as in use.
 *
 * @throws NB_DATA_INVALID when there is no text at all; NB_TOKENIZER_INVALID when the tokenizer has no EOS.
 */
export async function tokenizeExamples(
  name: string,
  examples: AsyncIterable<Example> | Iterable<Example>,
  tokenizer: Tokenizer,
  options: { completionOnly?: boolean } = {},
): Promise<TokenDataset> {
  const { completionOnly = true } = options;
  const eos = tokenizer.eosId ?? fail("NB_TOKENIZER_INVALID", "the tokenizer names no EOS token");
  const bos = tokenizer.addsBos ? tokenizer.bosId : undefined;
  const ids = new Growing((n) => new Int32Array(n));
  const learned = new Growing((n) => new Uint8Array(n));
  const starts = new Growing((n) => new Int32Array(n));
  const add = (tokens: ArrayLike<number>, learn: boolean) => {
    if (ids.length + tokens.length > MAX_TOKENS)
      fail("NB_DATA_INVALID", `${name}: more than ${MAX_TOKENS} tokens; split the data`);
    ids.reserve(tokens.length).set(tokens, ids.length);
    learned.reserve(tokens.length).fill(learn ? 1 : 0, learned.length, learned.length + tokens.length);
    ids.length += tokens.length;
    learned.length += tokens.length;
  };
  let open = false;
  const begin = () => {
    if (open) return;
    open = true;
    starts.push(ids.length);
    if (bos !== undefined) add([bos], false);
  };
  const end = () => {
    if (!open) return;
    open = false;
    add([eos], true);
  };
  for await (const example of examples) {
    if (example.kind === "text") {
      begin();
      add(tokenizer.encode(example.text), true);
      if (example.ends) end();
    } else {
      end();
      begin();
      add(tokenizer.encode(example.prompt), !completionOnly);
      add(tokenizer.encode(example.completion), true);
      end();
    }
  }
  end();
  if (starts.length === 0) fail("NB_DATA_INVALID", `${name}: holds no text`);
  starts.push(ids.length);
  return { name, ids: ids.taken(), learned: learned.taken(), starts: starts.taken() };
}

/** Documents of a data set, from 2 tokens on: a document of one token is only its EOS. */
export function documentCount(data: TokenDataset): number {
  return data.starts.length - 1;
}

/** A data set of the given spans of another, in order. */
function gather(
  data: TokenDataset,
  name: string,
  spans: readonly (readonly [number, number])[],
): TokenDataset {
  const total = spans.reduce((sum, [from, to]) => sum + to - from, 0);
  const ids = new Int32Array(total);
  const learned = new Uint8Array(total);
  const starts = new Int32Array(spans.length + 1);
  let at = 0;
  spans.forEach(([from, to], d) => {
    starts[d] = at;
    ids.set(data.ids.subarray(from, to), at);
    learned.set(data.learned.subarray(from, to), at);
    at += to - from;
  });
  starts[spans.length] = at;
  return { name, ids, learned, starts };
}

/** From this many documents on, whole ones are held out; below, the end of each. */
const WHOLE_DOCUMENTS = 20;

/**
 * Parts a data set into one to train on and one to measure on. With 20 documents or more, whole documents drawn by
 * `seed` are held out; with fewer, the last part of each, since a book's end is nearer to unseen text than a random
 * page of it.
 *
 * @param fraction of the documents, or of each document's tokens; above 0 and at most 0.5
 * @throws NB_CONFIG_INVALID, NB_DATA_INVALID when the data set is too small to part.
 */
export function splitHeldOut(
  data: TokenDataset,
  fraction: number,
  seed: number,
): { train: TokenDataset; heldOut: TokenDataset } {
  if (!(fraction > 0 && fraction <= 0.5))
    fail("NB_CONFIG_INVALID", `the held-out fraction is ${fraction}; accepted: above 0, at most 0.5`);
  const documents = documentCount(data);
  const span = (d: number): [number, number] => [data.starts[d], data.starts[d + 1]];
  const train: [number, number][] = [];
  const heldOut: [number, number][] = [];
  if (documents >= WHOLE_DOCUMENTS) {
    const order = permutation(documents, seed, 0);
    const out = new Set(order.subarray(0, Math.max(1, Math.round(documents * fraction))));
    for (let d = 0; d < documents; d++) (out.has(d) ? heldOut : train).push(span(d));
  } else {
    for (let d = 0; d < documents; d++) {
      const [from, to] = span(d);
      const cut = to - Math.round((to - from) * fraction);
      if (cut > from) train.push([from, cut]);
      if (to > cut) heldOut.push([cut, to]);
    }
  }
  // Two tokens make one prediction.
  const enough = (spans: [number, number][]) => spans.some(([from, to]) => to - from >= 2);
  if (!enough(train) || !enough(heldOut))
    fail("NB_DATA_INVALID", `${data.name}: ${data.ids.length} tokens are too few to hold some out`);
  return {
    train: gather(data, `${data.name} (train)`, train),
    heldOut: gather(data, `${data.name} (held out)`, heldOut),
  };
}
