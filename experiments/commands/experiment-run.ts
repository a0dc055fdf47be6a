/** `narrowband experiment run`: the runs of an experiment file. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { FILES_GROUP, MACHINE_GROUP, path } from "../../shared/command/shared-options.ts";

export const experimentRunCommand = defineCommand({
  name: "experiment run",
  group: "Measure",
  summary: "train every arm of an experiment file on every task with every seed",
  description:
    "Reads an experiment file (YAML: models, tasks, arms, seeds), runs each combination, and keeps its raw rows in --out: one file of JSON lines for " +
    "each run, and rows.csv with all of them. Each run is the real server and the real clients, in one process with a ledger that counts what a " +
    "socket would, or, with transport: process in the file, in processes over sockets.\n\n" +
    "Started again it goes on with what is missing; a second process with the same --out is refused while the first is at work. Rows carry a hash of their settings, model and data and one of the program; rows of other " +
    "hashes are left where they are and not used. docs/experiments.md describes the file.",
  examples: [
    {
      line: "narrowband experiment run experiments/files/quick.yaml --out runs/quick",
      explanation: "a small grid, some minutes on two cores",
    },
    {
      line: "narrowband experiment run experiments/files/quick.yaml --out runs/quick --list",
      explanation: "what would be run, and what is there already",
    },
  ],
  json: 'Events "cell" for each finished run, with its metric and bytes; then how many ran, were there before, or failed.',
  options: z.strictObject({
    file: option(path, { help: "experiment file", group: FILES_GROUP, value: "file", positional: true }),
    out: option(path.optional(), {
      help: "directory of the rows",
      group: FILES_GROUP,
      value: "dir",
      defaultHelp: "runs/NAME, by the experiment's name",
    }),
    list: option(z.boolean().default(false), {
      help: "list the runs and do nothing else",
      group: FILES_GROUP,
    }),
    only: option(z.array(z.string().min(1)).default([]), {
      help: "arms to run; all by default",
      group: FILES_GROUP,
      value: "arm",
      defaultHelp: "all",
    }),
    workers: option(z.int().min(0).max(256).default(0), {
      help: "runs at a time",
      group: MACHINE_GROUP,
      defaultHelp: "0: one for each core; over processes one",
    }),
  }),
  async run(settings, context) {
    const { runExperiment } = await import("../runner/run-experiment.ts");
    await runExperiment(settings, context);
  },
});
