/** Published documents say what the published rows say; `npm run study:tables` writes them anew. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { experimentTablesCommand } from "../../experiments/commands/experiment-tables.ts";
import { readExperiment } from "../../experiments/runner/run-experiment.ts";
import { marksOf } from "../../experiments/tables/marks.ts";
import { makeDocument } from "../../experiments/tables/run.ts";
import { resultsReader } from "../../experiments/tables/selection.ts";

const ROOT = join(import.meta.dirname, "../..");
const { documents, results } = experimentTablesCommand.options.parse({}) as {
  documents: string[];
  results: string;
};
const read = resultsReader(join(ROOT, results), existsSync);
const textOf = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe.each(documents)("%s", (document) => {
  it("says what its rows say, in tables, numbers and plots", async () => {
    const text = textOf(document);
    const made = await makeDocument(document, text, read);
    expect(made.text).toBe(text);
    for (const [path, svg] of made.pictures) {
      expect(textOf(path) === svg, `${path} is as its rows have it`).toBe(true);
      expect(svg.length, path).toBeLessThan(60_000);
    }
    // Every picture of its directory is one of these.
    const directory = join(ROOT, document.replace(/\.md$/, ""));
    const there = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith(".svg")) : [];
    const paths = there.map((name) => relative(ROOT, join(directory, name)));
    expect(paths.filter((path) => !made.pictures.has(path))).toEqual([]);
  }, 120_000);
});

describe("the study", () => {
  it("has marks to be held to", () => {
    expect(marksOf("docs/study.md", textOf("docs/study.md")).length).toBeGreaterThan(0);
  });

  it("has a file for `npm run study` to make all published rows anew", async () => {
    const published = readdirSync(join(ROOT, results));
    expect(published.length).toBeGreaterThan(0);
    for (const name of published) {
      const file = join(ROOT, "experiments/study", `${name}.yaml`);
      expect(existsSync(file), file).toBe(true);
      expect((await readExperiment(file)).name).toBe(name);
    }
  });
});
