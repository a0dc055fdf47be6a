/** `narrowband experiment times`: how long an experiment's arms would have taken to a target over other links. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { FILES_GROUP, path } from "../../shared/command/shared-options.ts";
import { PROFILE_NAMES } from "../link/profiles.ts";
import { rowsDirectory } from "./rows-directory.ts";

const TARGET = "Arms and target";
const NETWORK = "The network and the machines";

export const experimentTimesCommand = defineCommand({
  name: "experiment times",
  group: "Measure",
  summary: "how long an experiment's arms would have taken to a target over other links",
  description:
    "Reads the rows that `narrowband experiment run` left in a directory: of each arm how many steps it took to the target, and how many bytes each step had. " +
    "Plays those steps in the simulator over each link, with costs of computing and coding that are measured on this machine. What a step waits for is " +
    "told by its critical path: computing of client and server, the codec, the link.\n\n" +
    "The target is what --target-arm had reached in the end, seed by seed, or --target. Arms of a vanilla split are left out. Measuring costs needs " +
    "the models; with --costs it is done once.",
  examples: [
    {
      line: "narrowband experiment times runs/quick --links lan,4g,dsl --target-arm f16 --out times.html",
      explanation: "a table here, and a page with charts",
    },
    {
      line: "narrowband experiment times runs/quick --links cable --clients 10,100,1000 --server-speed 20 --costs costs.json",
      explanation: "the same with more clients, taking a target to need as many steps",
    },
  ],
  json: "{ targets: [{ model, task, metric, arm, values }], arms: [{ model, task, arm, metric, seeds, reached, steps, stepsCi95, times: [{ link, clients, stepMs, stepPath, upBytesPerStep, downBytesPerStep, serverBusy, clientBusy, secondsToTarget, ci95, pathToTarget }] }], costs }; paths are milliseconds by part, and null stands for a target that is not reached.",
  jsonFile: true,
  options: z.strictObject({
    directory: rowsDirectory,
    out: option(path.optional(), {
      help: "page to write",
      group: FILES_GROUP,
      value: "file",
      example: "times.html",
    }),
    costs: option(path.optional(), {
      help: "file with costs; what is not in it is measured and put there",
      group: FILES_GROUP,
      value: "file",
      defaultHelp: "measured each time",
    }),
    only: option(z.array(z.string().min(1)).default([]), {
      help: "arms to show; all by default",
      group: TARGET,
      value: "arm",
      defaultHelp: "all",
    }),
    targetArm: option(z.string().min(1).optional(), {
      help: "arm whose last measurement is to be reached, seed by seed",
      group: TARGET,
      value: "arm",
      defaultHelp: "the first arm",
      example: "f16",
    }),
    within: option(z.number().min(0).max(1).default(0), {
      help: "share by which that may be missed: 0.01 takes a loss that is 1 % higher for reached",
      group: TARGET,
      value: "share",
    }),
    target: option(z.number().optional(), {
      help: "value of the metric that is to be reached, in place of an arm's",
      group: TARGET,
    }),
    links: option(
      z.array(z.enum(PROFILE_NAMES)).min(1).default(["lan", "fibre", "cable", "4g", "dsl", "satellite"]),
      { help: "links of the clients", group: NETWORK, value: "name", example: "dsl" },
    ),
    clients: option(z.array(z.int().min(1).max(65_536)).default([]), {
      help: "numbers of clients, which are taken to need as many steps",
      group: NETWORK,
      value: "n",
      accepts: "1 to 65536 each",
      defaultHelp: "as many as the run had",
    }),
    slowness: option(z.number().positive().max(1_000).default(1), {
      help: "how many times as slow as this machine the clients are",
      group: NETWORK,
      value: "x",
    }),
    serverSpeed: option(z.number().positive().max(1e6).default(1), {
      help: "how many times as fast as this machine the server is",
      group: NETWORK,
    }),
    serverMbit: option(z.number().min(0).max(1e6).default(0), {
      help: "megabits per second of the server's own line, each way, shared by all; 0 for no limit",
      group: NETWORK,
    }),
  }),
  async run(settings, context) {
    const { runExperimentTimes } = await import("../times/run.ts");
    await runExperimentTimes(settings, context);
  },
});
