/**
 * Places in a Markdown document that are filled from rows. A mark is an HTML comment, so a reader sees only what it was filled with:
 *
 *     <!-- table: KIND RESULTS option=value option="some words" -->  ...  <!-- end -->
 *     <!-- plot: KIND RESULTS file=NAME.svg ... -->  ...  <!-- end -->
 *     ... of <!-- n: RESULTS figure=byteRatio arm="fixed 3" -->0.50<!-- --> times the bytes ...
 */
import { fail } from "../../shared/errors.ts";

export interface Mark {
  readonly what: "table" | "plot" | "n";
  /** Of a table or plot; "" of a number. */
  readonly kind: string;
  /** Directories of rows, by their names. */
  readonly results: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** The document's path. */
  readonly document: string;
  /** Document and line, for messages. */
  readonly place: string;
  /** Where what it is filled with begins and ends in the text. */
  readonly from: number;
  readonly to: number;
}

const OPENING = /<!-- (table|plot|n): ([\s\S]*?) -->/g;
const WORD = /([A-Za-z][A-Za-z0-9]*)=(?:"([^"]*)"|(\S+))|(\S+)/g;
const ENDS = { table: "<!-- end -->", plot: "<!-- end -->", n: "<!-- -->" } as const;

export function list(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

/**
 * Finds the marks of a document, from top to bottom.
 *
 * @param document its path, for messages and for files that marks name
 * @throws NB_DATA_INVALID when one has no end, or names no rows
 */
export function marksOf(document: string, text: string): Mark[] {
  return [...text.matchAll(OPENING)].map((match) => {
    const what = match[1] as Mark["what"];
    const place = `${document}:${text.slice(0, match.index).split("\n").length}`;
    const from = match.index + match[0].length;
    const to = text.indexOf(ENDS[what], from);
    const next = text.slice(from).search(OPENING);
    if (to < 0 || (next >= 0 && from + next < to))
      return fail("NB_DATA_INVALID", `${place}: a mark of a ${what} has no ${ENDS[what]} behind it`);
    const bare: string[] = [];
    const options: Record<string, string> = {};
    for (const [, key, quoted, plain, word] of match[2].matchAll(WORD)) {
      if (key === undefined) bare.push(word);
      else options[key] = quoted ?? plain;
    }
    const words = what === "n" ? ["", ...bare] : bare;
    if (words.length !== 2)
      return fail(
        "NB_DATA_INVALID",
        `${place}: ${JSON.stringify(match[2])} was given; accepted: ${what === "n" ? "" : "a kind, "}names of results with commas between, and options as key=value`,
      );
    return { what, kind: words[0], results: list(words[1]), options, document, place, from, to };
  });
}

/** The document with its marks filled anew. */
export function filled(text: string, marks: readonly Mark[], contents: readonly string[]): string {
  let out = "";
  let at = 0;
  marks.forEach(({ from, to, what }, i) => {
    out += text.slice(at, from) + (what === "n" ? contents[i] : `\n${contents[i]}\n`);
    at = to;
  });
  return out + text.slice(at);
}
