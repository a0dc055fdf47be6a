/** `narrowband experiment keep`: rows small enough to publish. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { FILES_GROUP, path } from "../../shared/command/shared-options.ts";
import { rowsDirectory } from "./rows-directory.ts";

export const experimentKeepCommand = defineCommand({
  name: "experiment keep",
  group: "Measure",
  summary: "copy an experiment's rows, small enough to be published",
  description:
    "Copies the experiment file and its finished runs of the newest version of the program. Settings, measurements and totals are kept whole, and " +
    "the rows of those steps at which something was measured; of all steps there is one row with loss, norm of the gradient and bytes. A report of " +
    "the copy says what a report of the original says.\n\n" +
    "Runs that an earlier copy left in --out and that are not among these are taken away.",
  examples: [
    {
      line: "narrowband experiment keep runs/quick --out experiments/results/quick",
      explanation: "some 10 kB for each run of 60 steps",
    },
  ],
  json: "{ experiment, out, code, kept, replaced, bytes, left }: how many runs are in --out, how many others were taken away, bytes of all.",
  options: z.strictObject({
    directory: rowsDirectory,
    out: option(path, { help: "directory of the copy", group: FILES_GROUP, value: "dir" }),
  }),
  async run(settings, context) {
    const { keepExperiment } = await import("../report/keep-rows.ts");
    await keepExperiment(settings, context);
  },
});
