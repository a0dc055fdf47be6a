/** `narrowband simulate`: a job's times in a network that is not there. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { DATA_GROUP, FILES_GROUP, modelOption, path, seed } from "../../shared/command/shared-options.ts";
import { PROFILE_NAMES } from "../link/profiles.ts";

const JOB = "The job";
const NETWORK = "The network";
const count = z.int().min(1);

export const simulateCommand = defineCommand({
  name: "simulate",
  group: "Measure",
  summary: "how long a job's steps would take with other links, machines and numbers of clients",
  description:
    "Measures on this machine what each computation of a job costs in processor time of one thread, codec included, and how many bytes each transfer has; then runs the protocol's own state " +
    "machines in simulated time, with thousands of clients if need be, behind the links that are asked for. Every combination of --clients and " +
    "--links is one line of the table.\n\n" +
    "Costs are written to a file with --save-costs and taken from it with --costs, so that they are measured once.",
  examples: [
    {
      line: "narrowband simulate --model models/base-6m --links lan,cable,dsl --clients 1,10,100",
      explanation: "step times and the server's load",
    },
    {
      line: "narrowband simulate --model models/base-6m --costs costs.json --links 100m-50ms --micro-batches 8 --in-flight 4 --timeline line.html",
      explanation: "who waits for what, drawn",
    },
  ],
  json: "{ costs, runs: [{ clients, link, stepMs, tokensPerSecond, upBytesPerStep, downBytesPerStep, serverBusy, clientBusy, longestQueue, participants, abandoned, drops, criticalPath }] }; criticalPath has the milliseconds of a mean step that its critical path spent on each part.",
  jsonFile: true,
  options: z.strictObject({
    model: modelOption,
    costs: option(path.optional(), {
      help: "file with costs, instead of measuring them",
      group: FILES_GROUP,
      value: "file",
      defaultHelp: "measured",
    }),
    saveCosts: option(path.optional(), {
      help: "file to write the measured costs to",
      group: FILES_GROUP,
      value: "file",
    }),
    timeline: option(path.optional(), {
      help: "page to draw the last run's first steps on, three at most",
      group: FILES_GROUP,
      value: "file",
    }),
    clients: option(z.array(count.max(65_536)).min(1).default([2]), {
      help: "numbers of clients",
      group: JOB,
      value: "n",
      accepts: "1 to 65536 each",
    }),
    links: option(z.array(z.enum(PROFILE_NAMES)).min(1).default(["none"]), {
      help: "links of the clients; mixed: in turns",
      group: NETWORK,
      value: "name",
      example: "dsl",
    }),
    mixed: option(z.boolean().default(false), {
      help: "give the clients of one run all these links in turns, instead of one run for each link",
      group: NETWORK,
    }),
    serverMbit: option(z.number().min(0).max(1e6).default(0), {
      help: "megabits per second of the server's own line, each way, shared by all; 0 for no limit",
      group: NETWORK,
    }),
    dropEvery: option(z.number().min(0).max(1e9).default(0), {
      help: "mean seconds until a client's connection drops; 0: never",
      group: NETWORK,
      value: "s",
    }),
    slowness: option(z.array(z.number().positive().max(1_000)).min(1).default([1]), {
      help: "how many times as slow as this machine the clients are, in turns",
      group: JOB,
      value: "x",
    }),
    serverSpeed: option(z.number().positive().max(1e6).default(1), {
      help: "how many times as fast as this machine the server is",
      group: JOB,
    }),
    mode: option(z.enum(["sync", "sequential"]).default("sync"), {
      help: "as in narrowband serve",
      group: JOB,
    }),
    steps: option(count.max(10_000).default(6), { help: "steps", group: JOB }),
    microBatches: option(count.max(1_024).default(1), { help: "micro-batches in a step", group: JOB }),
    inFlight: option(count.max(1_024).default(2), {
      help: "micro-batches of a client that may be under way at once",
      group: JOB,
    }),
    stepDeadline: option(z.int().min(0).max(86_400_000).default(0), {
      help: "milliseconds after which a client that is not done is left out of a round; 0: never",
      group: JOB,
      value: "ms",
    }),
    quorum: option(z.number().min(0).max(1).default(0), {
      help: "share of the clients that the job needs to go on; 0: one client",
      group: JOB,
    }),
    activations: option(z.string().min(1).default("fixed:4"), {
      help: "codec of activations",
      group: JOB,
      value: "codec",
      example: "fixed:4",
    }),
    gradients: option(z.string().min(1).default("fixed:4"), {
      help: "codec of gradients",
      group: JOB,
      value: "codec",
      example: "f16",
    }),
    rows: option(count.max(1_024).default(4), { help: "rows of a micro-batch", group: DATA_GROUP }),
    length: option(z.int().min(2).max(8_192).default(128), { help: "tokens of a row", group: DATA_GROUP }),
    seed: option(seed, { help: "of jitter, losses and drops", group: NETWORK }),
  }),
  async run(settings, context) {
    const { runSimulate } = await import("../simulator/run.ts");
    await runSimulate(settings, context);
  },
});
