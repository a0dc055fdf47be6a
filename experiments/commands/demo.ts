/** `narrowband demo`: the whole thing on one machine, with a report. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { engineOption, FILES_GROUP, path, seed } from "../../shared/command/shared-options.ts";

const RUN = "The run";
const CODEC = "What crosses the network";

const count = z.int().min(1);

export const demoCommand = defineCommand({
  name: "demo",
  group: "Train together",
  summary: "see it work: one server and two clients on this machine, and a report",
  description:
    "Starts one `narrowband serve` and two `narrowband train` processes, which talk over real sockets on this machine. Each client has text of its own: " +
    "ahab reads Moby-Dick, atlas the World Factbook. Together they fine-tune a small pretrained model through a U-shaped split, while " +
    "quantizers anneal from 8 bits per element to 3. Then the same run is made once more unsplit and in f32, and losses on held-out text " +
    "are measured.\n\n" +
    "It ends with a table and writes report.html and report.json into --out, with the adapters and each process's log beside them.\n\n" +
    "A process that is killed is started again and goes on where it was. After the demo itself was stopped or killed, the same command with " +
    "--resume goes on; what the processes had done is not done again, and the adapters end with the same SHA-256 in either case.",
  examples: [
    { line: "narrowband demo", explanation: "one to two minutes on two cores" },
    {
      line: "narrowband demo --steps 300 --json result.json",
      explanation: "a longer run, its figures also in a file",
    },
    {
      line: "narrowband demo --resume",
      explanation: "go on with a demo that was stopped or killed",
    },
    {
      line: "narrowband demo --activations amaq:8-3 --gradients amaq:8-3",
      explanation: "without the entropy stage: the same adapters for a third more bytes",
    },
    {
      line: "narrowband demo --activations f32 --gradients f32",
      explanation: "without quantizing: the split run then equals the unsplit one",
    },
  ],
  json: "seconds, clients with held-out losses, bytes, bits per element, SHA-256 of the adapters, and where the report is.",
  jsonFile: true,
  options: z.strictObject({
    model: option(path.optional(), {
      help: "model directory",
      group: FILES_GROUP,
      value: "dir",
      defaultHelp: "the model that this package brings",
    }),
    out: option(path.default("runs/demo"), {
      help: "directory of the report, adapters and logs",
      group: FILES_GROUP,
      value: "dir",
    }),
    resume: option(z.boolean().default(false), {
      help: "go on with the demo in --out, also after it was killed",
      group: FILES_GROUP,
    }),
    steps: option(count.max(100_000).default(80), { help: "steps", group: RUN }),
    rows: option(count.max(64).default(4), { help: "rows in a step of each client", group: RUN }),
    length: option(z.int().min(8).max(512).default(128), { help: "tokens in a row", group: RUN }),
    rank: option(count.max(256).default(8), { help: "rank of the adapters", group: RUN }),
    learningRate: option(z.number().positive().max(1).default(3e-3), {
      help: "learning rate at its peak",
      group: RUN,
    }),
    heldOutTokens: option(z.int().min(256).default(8192), {
      help: "tokens of each client's held-out text that losses are measured on",
      group: RUN,
    }),
    seed: option(seed, { help: "of adapters, rounding and the order of the text", group: RUN }),
    activations: option(z.string().min(1).default("amaq:8-3,entropy=predict"), {
      help: "codec of activations, both ways",
      group: CODEC,
      value: "codec",
      accepts: "as in narrowband serve",
      example: "fixed:4",
    }),
    gradients: option(z.string().min(1).default("amaq:8-3,entropy=predict"), {
      help: "codec of gradients, both ways",
      group: CODEC,
      value: "codec",
      accepts: "as in narrowband serve",
      example: "f16",
    }),
    engine: engineOption,
  }),
  async run(settings, context) {
    const { runDemo } = await import("../demo/run.ts");
    await runDemo(settings, context);
  },
});
