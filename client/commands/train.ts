/** `narrowband train`: a client's side of a job. */
import { hostname } from "node:os";
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import {
  completionOnlyOption,
  DATA_GROUP,
  dataOption,
  engineOption,
  FILES_GROUP,
  jobName,
  lengthOption,
  modelOption,
  NAME_ACCEPTS,
  packedOption,
  path,
  seed,
  threadsOption,
} from "../../shared/command/shared-options.ts";

const NETWORK = "The network";
const STEP = "A step";

/** This machine's name as a client's name can be. */
function machineName(): string {
  const name = hostname()
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^\.+/, "")
    .slice(0, 64);
  return name === "" ? "client" : name;
}

export const trainCommand = defineCommand({
  name: "train",
  group: "Train together",
  summary: "fine-tune a model with a server, on text that stays here",
  description:
    "Joins a job that `narrowband serve` offers, and trains the first and the last blocks of a model on text of this machine. What is sent " +
    "are activations and gradients in the job's codec; text stays here, and so do labels in a U-shaped split. Only the tensors of these " +
    "blocks are read, so the model directory may lack the rest.\n\n" +
    "When the job is done, this client's adapter is written to --out as a PEFT directory; with the server's part it makes the whole " +
    "(narrowband export). Ctrl-C saves adapter and checkpoint; with --resume the same command goes on from them, while the " +
    "server's job lasts or is itself gone on with. A connection that drops is made again by itself.",
  examples: [
    {
      line: "narrowband train ws://127.0.0.1:8787 --model models/base --data notes.txt --name alice",
      explanation: "train with a server on this machine",
    },
    {
      line: "narrowband train wss://lab.example:8787 --model models/base --data tickets.jsonl --name ward-7 --tls-ca ca.pem",
      explanation: "over TLS; the token is taken from NARROWBAND_TOKEN",
    },
    {
      line: "narrowband train ws://127.0.0.1:8787 --model models/base --data notes.txt --capture notes.nbcap",
      explanation:
        "also keep tensors of every tenth step, to compare codecs on (the server's job should be of f32)",
    },
  ],
  json: 'Events "joined", "step" with loss, bits, bytes and times, "widths"; then the result with bytes and times.',
  options: z.strictObject({
    server: option(z.string().min(1), {
      help: "address of the server",
      group: NETWORK,
      positional: true,
      accepts: "ws://HOST:PORT or wss://HOST:PORT",
      example: "ws://127.0.0.1:8787",
    }),
    model: modelOption,
    data: dataOption,
    out: option(path.optional(), {
      help: "directory that the adapter and checkpoints are written to",
      group: FILES_GROUP,
      value: "dir",
      defaultHelp: "runs/NAME",
    }),
    job: option(jobName.default("default"), {
      help: "name of the job",
      group: NETWORK,
      value: "name",
      accepts: NAME_ACCEPTS,
      example: "night-run",
      defaultHelp: '"default"',
    }),
    name: option(jobName.default(machineName()), {
      help: "what this client is called; every client of a job has a name of its own",
      group: NETWORK,
      value: "name",
      accepts: NAME_ACCEPTS,
      example: "alice",
      defaultHelp: "this machine's",
    }),
    token: option(z.string().min(1).max(512).optional(), {
      help: "token that lets this client in; the environment keeps it out of lists of processes",
      group: NETWORK,
      env: "NARROWBAND_TOKEN",
      secret: true,
      defaultHelp: "none",
    }),
    tlsCa: option(path.optional(), {
      help: "certificates to trust instead of the system's, PEM",
      group: NETWORK,
      value: "file",
    }),
    heldOut: option(z.number().min(0).max(0.5).default(0.1), {
      help: "share of the text that is not trained on, for narrowband eval --part held-out; 0: none",
      group: DATA_GROUP,
    }),
    seed: option(seed, { help: "of the order of the text, and of what is held out", group: DATA_GROUP }),
    length: lengthOption,
    packed: packedOption,
    completionOnly: completionOnlyOption,
    rows: option(z.int().min(1).max(16_384).default(8), { help: "rows in a micro-batch", group: STEP }),
    resume: option(z.boolean().default(false), {
      help: "go on with the run in --out, also after the process was killed",
      group: FILES_GROUP,
    }),
    capture: option(path.optional(), {
      help: "file that tensors of the run are written to at its end, for narrowband codec bench; numbers only, no text. Exact when the job's codecs are f32",
      group: FILES_GROUP,
      value: "file",
      defaultHelp: "none",
    }),
    captureEvery: option(z.int().min(1).max(1_000_000).default(10), {
      help: "steps from one that is captured to the next",
      group: FILES_GROUP,
    }),
    captureSteps: option(z.array(z.int().min(0)).default([]), {
      help: "the steps that are captured, from 0, instead of every so many",
      group: FILES_GROUP,
      example: "3",
      defaultHelp: "as --capture-every has it",
    }),
    captureMegabytes: option(z.number().positive().max(900).default(64), {
      help: "size of a capture, at most, in units of 1,000,000 bytes",
      group: FILES_GROUP,
    }),
    captureValues: option(z.enum(["f32", "f16"]).default("f32"), {
      help: "how a capture holds its values; f16 takes half the space and costs errors near 2^-12 of a value",
      group: FILES_GROUP,
    }),
    checkpointEvery: option(z.int().min(0).default(50), {
      help: "steps between checkpoints, from which a killed run is replayed; 0: only at the end, and when the log is long",
      group: STEP,
    }),
    engine: engineOption,
    threads: threadsOption,
  }),
  async run(settings, context) {
    const { runTrain } = await import("../train/run.ts");
    await runTrain(settings, context);
  },
});
