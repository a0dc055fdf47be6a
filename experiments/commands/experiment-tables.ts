/** `narrowband experiment tables`: a document's tables, plots and numbers out of rows. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { FILES_GROUP, path } from "../../shared/command/shared-options.ts";

export const experimentTablesCommand = defineCommand({
  name: "experiment tables",
  group: "Measure",
  summary: "fill a document's tables, plots and numbers from rows",
  description:
    "Finds marks in Markdown documents, HTML comments that say which figures of which results stand there, and fills them anew: tables and numbers in " +
    "the document, plots as SVG files beside it. docs/experiments.md describes the marks.\n\n" +
    "With --check nothing is written, and it fails when a document says something else than its rows.",
  examples: [
    {
      line: "narrowband experiment tables",
      explanation: "docs/study.md, docs/amaq.md and README.md, from the rows below experiments/results",
    },
    {
      line: "narrowband experiment tables --documents docs/study.md --check",
      explanation: "ends with an error when a table is not what its rows say",
    },
  ],
  json: "{ marks, changed }: how many marks the documents have, and paths that were written, or with --check would be.",
  options: z.strictObject({
    documents: option(z.array(path).min(1).default(["docs/study.md", "docs/amaq.md", "README.md"]), {
      help: "Markdown documents",
      group: FILES_GROUP,
      value: "file",
    }),
    results: option(path.default("experiments/results"), {
      help: "directory with a directory of rows for each experiment",
      group: FILES_GROUP,
      value: "dir",
    }),
    check: option(z.boolean().default(false), {
      help: "write nothing, and fail when something would be written",
      group: FILES_GROUP,
    }),
  }),
  async run(settings, context) {
    const { experimentTables } = await import("../tables/run.ts");
    await experimentTables(settings, context);
  },
});
