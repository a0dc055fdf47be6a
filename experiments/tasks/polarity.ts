/**
 * Polarity of sentences from film reviews (Pang and Lee, 2005), as the Debian package python3-pattern installs them. Their
 * terms allow personal use, so the text is read where it is installed and stands in no file of this project.
 */
import { readFileSync } from "node:fs";
import { labelled } from "../../shared/data/examples.ts";
import { fail } from "../../shared/errors.ts";
import { splitExamples, type Task, type TaskExample } from "./task.ts";

/** Where the package puts it. */
export const POLARITY_FILE = "/usr/share/doc/python3-pattern/test/corpora/polarity-en-pang&lee2.csv";
const TEST = 800;

/** Rows of a comma-separated file (RFC 4180); quoted fields may hold commas, quotes and line breaks. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
  let at = text.startsWith("\ufeff") ? 1 : 0;
  while (at < text.length) {
    field.lastIndex = at;
    const match = field.exec(text);
    if (match === null) {
      const line = text.slice(0, at).split("\n").length;
      return fail("NB_DATA_INVALID", `csv:${line}: a quoted field that does not end, or text behind one`);
    }
    row.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
    at = field.lastIndex;
    if (match[3] === ",") continue;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push([...row, ""]);
  return rows;
}

function readFile(): string {
  try {
    return readFileSync(POLARITY_FILE, "utf8");
  } catch {
    return fail(
      "NB_DATASET_MISSING",
      "the Debian package python3-pattern is not installed; apt-get install python3-pattern",
      {
        package: "python3-pattern",
      },
    );
  }
}

export const polarity: Task = {
  name: "polarity",
  kind: "classification",
  description: "whether a sentence of a film review praises or pans",
  licence: "for personal use; read where Debian's python3-pattern is installed",
  labels: ["negative", "positive"],
  version: () => `python3-pattern ${readFile().length}`,
  load() {
    const examples = parseCsv(readFile()).flatMap((row): TaskExample[] => {
      const [score, text] = /^[+-]?\d/.test(row[0]) ? [row[0], row[1]] : [row[1], row[0]];
      if (text === undefined || text.trim() === "" || Number.isNaN(Number(score))) return [];
      const label = Number(score) > 0 ? "positive" : "negative";
      return [{ example: labelled(text.trim(), label), source: label, label }];
    });
    return splitExamples(examples, TEST);
  },
};
