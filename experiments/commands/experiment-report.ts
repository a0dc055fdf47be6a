/** `narrowband experiment report`: tables and plots out of raw rows. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { FILES_GROUP, path } from "../../shared/command/shared-options.ts";
import { rowsDirectory } from "./rows-directory.ts";

export const experimentReportCommand = defineCommand({
  name: "experiment report",
  group: "Measure",
  summary: "tables and plots from the raw rows of an experiment",
  description:
    "Reads the rows that `narrowband experiment run` left in a directory, prints tables, and writes report.html, report.json and rows.csv beside them; with " +
    "--json, and of rows that `narrowband experiment keep` published, only where --out says. " +
    "Arms are compared with the experiment's references, paired by seed: at equal cumulative bytes, after the last step, and over whole curves; intervals are 95 % by " +
    "Student's t.\n\n" +
    "Only runs of the experiment file beside the rows stand in a report, made by one version of the program, on one version of model and data; which were " +
    "left out is said. Nothing is run, so neither model nor data need be there.",
  examples: [
    { line: "narrowband experiment report runs/quick", explanation: "the page, and a table here" },
    {
      line: "narrowband experiment report runs/quick --json result.json",
      explanation: "the figures alone, in a file for scripts",
    },
  ],
  json: "{ arms: [{ name, task, model, seeds, metric, mean, ci95, cumulativeBytes, bitsPerElement, ... }], comparisons: [{ arm, against, task, model, atBytes, difference, ci95, ... }] }; intervals are [low, high], or null for one seed.",
  jsonFile: true,
  options: z.strictObject({
    directory: rowsDirectory,
    out: option(path.optional(), {
      help: "directory of the report",
      group: FILES_GROUP,
      value: "dir",
      defaultHelp: "the one with the rows; none with --json or of published rows",
    }),
    against: option(z.array(z.string().min(1)).default([]), {
      help: "arms to compare the others with",
      group: FILES_GROUP,
      value: "arm",
      defaultHelp: "those that the experiment file names, else its first",
    }),
  }),
  async run(settings, context) {
    const { reportExperiment } = await import("../report/report-experiment.ts");
    await reportExperiment(settings, context);
  },
});
