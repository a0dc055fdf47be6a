/** What `narrowband experiment tables` does: fills the marks of documents from published rows, or finds what no longer says what they say. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { fail, NarrowbandError } from "../../shared/errors.ts";
import { makeDirectory, writeText } from "../../shared/output-node.ts";
import type { experimentTablesCommand } from "../commands/experiment-tables.ts";
import { armsTable } from "./arms-table.ts";
import { codecsTable } from "./codecs-table.ts";
import { figureNamed, inWords } from "./figures.ts";
import { gridTable } from "./grid-table.ts";
import { filled, type Mark, marksOf } from "./marks.ts";
import { overviewTable } from "./overview-table.ts";
import { bitsPlot, costPlot, dotsPlot, type Plot } from "./plots.ts";
import { optionsOf, type ResultsReader, resultsReader, select, selectionOptions } from "./selection.ts";
import { stabilityTable } from "./stability-table.ts";
import { timesTable } from "./times-table.ts";

export type ExperimentTablesSettings = z.output<typeof experimentTablesCommand.options>;

/** A new kind is a function in a file of its own, and a line here. Undefined means that there are no such results. */
const TABLES: Readonly<Record<string, (mark: Mark, read: ResultsReader) => Promise<string | undefined>>> = {
  arms: armsTable,
  overview: overviewTable,
  stability: stabilityTable,
  grid: gridTable,
  times: timesTable,
  codecs: codecsTable,
};

const PLOTS: Readonly<Record<string, (mark: Mark, read: ResultsReader) => Promise<Plot | undefined>>> = {
  cost: costPlot,
  dots: dotsPlot,
  bits: bitsPlot,
};

const numberSchema = z.strictObject({
  ...selectionOptions,
  arm: z.string(),
  figure: z.string(),
  part: z.enum(["value", "interval", "both"]).default("value"),
});

/** A figure of one arm. */
async function numberInWords(mark: Mark, read: ResultsReader): Promise<string | undefined> {
  const { arm, figure, part, ...options } = optionsOf(numberSchema, mark);
  const rows = await select(mark, { ...options, arms: [arm] }, read);
  if (rows === undefined) return undefined;
  if (rows.length > 1)
    fail(
      "NB_DATA_INVALID",
      `${mark.place}: ${rows.length} arms are called so; accepted: task, model or link that leaves one`,
    );
  return inWords(figureNamed(figure, rows, mark.place).show(rows[0]), part);
}

function kindOf<T>(kinds: Readonly<Record<string, T>>, mark: Mark): T {
  return (
    kinds[mark.kind] ??
    fail(
      "NB_DATA_INVALID",
      `${mark.place}: ${JSON.stringify(mark.kind)} is no ${mark.what}; accepted: ${Object.keys(kinds).join(", ")}`,
    )
  );
}

/** A document made anew, and the pictures that it shows, by their paths. */
export interface Made {
  readonly text: string;
  readonly pictures: ReadonlyMap<string, string>;
  /** Places of marks whose rows are not there. */
  readonly empty: readonly string[];
}

/** Fills a document's marks. `document` is its path; pictures' paths are made from it. */
export async function makeDocument(document: string, text: string, read: ResultsReader): Promise<Made> {
  const marks = marksOf(document, text);
  const pictures = new Map<string, string>();
  const empty: string[] = [];
  const contents: string[] = [];
  for (const mark of marks) {
    let content: string | undefined;
    if (mark.what === "n") content = await numberInWords(mark, read);
    else if (mark.what === "table") content = await kindOf(TABLES, mark)(mark, read);
    else {
      const plot = await kindOf(PLOTS, mark)(mark, read);
      if (plot !== undefined) {
        pictures.set(join(dirname(document), plot.file), plot.svg);
        content = `![${plot.alt.replaceAll(/[[\]]/g, "")}](${plot.file})`;
      }
    }
    if (content === undefined) empty.push(mark.place);
    contents.push(content ?? `*no rows of ${mark.results.join(", ")} yet*`);
  }
  return { text: filled(text, marks, contents), pictures, empty };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new NarrowbandError("NB_FILE_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

export async function experimentTables(
  { documents, results, check }: ExperimentTablesSettings,
  context: CommandContext,
): Promise<void> {
  const read = resultsReader(results, existsSync);
  const changed: string[] = [];
  let marks = 0;
  for (const document of documents) {
    const text = await textOf(document);
    const made = await makeDocument(document, text, read);
    marks += marksOf(document, text).length;
    for (const place of made.empty) context.log.warn(`${place}: there are no such rows in ${results}`);
    for (const [path, content] of [...made.pictures, [document, made.text]] as const) {
      if (existsSync(path) && (await textOf(path)) === content) continue;
      changed.push(path);
      if (check) continue;
      makeDirectory(dirname(path));
      await writeText(path, content);
    }
  }
  await context.result({ marks, changed });
  if (check && changed.length > 0)
    fail(
      "NB_DATA_INVALID",
      `${changed.join(", ")}: not what the rows in ${results} say; narrowband experiment tables writes it anew`,
    );
  context.print(
    changed.length === 0
      ? `${marks} tables, plots and numbers say what the rows say.`
      : `Written anew: ${changed.join(", ")}.`,
  );
}
