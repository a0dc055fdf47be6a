/** `narrowband eval`: how well a model predicts a text. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import {
  adaptersOption,
  completionOnlyOption,
  DATA_GROUP,
  dataOption,
  engineOption,
  lengthOption,
  MACHINE_GROUP,
  modelOption,
  packedOption,
  seed,
  threadsOption,
} from "../../shared/command/shared-options.ts";

export const evalCommand = defineCommand({
  name: "eval",
  group: "On one machine",
  summary: "measure how well a model predicts a text",
  description:
    "Runs a model, with or without a LoRA adapter, over a text and prints its loss (nats per token), perplexity and bits per " +
    "byte. Bits per byte compare models of different tokenizers.\n\n" +
    "With --part held-out only that part is measured which `narrowband train` holds out with the same --held-out and --seed.",
  examples: [
    {
      line: "narrowband eval --model models/base --data notes.txt",
      explanation: "the base model on a text of your own",
    },
    {
      line: "narrowband eval --model models/base --adapter runs/alice --data notes.txt --part held-out",
      explanation: "a fine-tuned model on the part of the text that it was not trained on",
    },
    {
      line: "narrowband eval --model models/base --data reviews.jsonl --accuracy",
      explanation: "how often the right one of the data's labels is the likeliest",
    },
  ],
  json: "One object: loss, perplexity, bitsPerByte, tokens, and accuracy where it was asked for.",
  options: z.strictObject({
    model: modelOption,
    adapter: adaptersOption,
    data: dataOption,
    part: option(z.enum(["all", "train", "held-out"]).default("all"), {
      help: "part of the text that is measured",
      group: DATA_GROUP,
      value: "part",
    }),
    heldOut: option(z.number().positive().max(0.5).default(0.1), {
      help: "share of the text that is held out: whole documents, or the end of each where there are few",
      group: DATA_GROUP,
    }),
    seed: option(seed, { help: "draws the documents that are held out", group: DATA_GROUP }),
    length: lengthOption,
    packed: packedOption,
    completionOnly: completionOnlyOption,
    limit: option(z.int().min(0).default(0), {
      help: "measure so many tokens, in rows spread evenly over the text",
      group: DATA_GROUP,
      defaultHelp: "0: all",
    }),
    accuracy: option(z.boolean().default(false), {
      help: "also choose for each prompt among all completions that the data have, and count how often the right one wins",
      group: DATA_GROUP,
    }),
    rows: option(z.int().min(1).max(16_384).default(8), { help: "rows run at once", group: MACHINE_GROUP }),
    engine: engineOption,
    threads: threadsOption,
  }),
  async run(settings, context) {
    const { runEval } = await import("../local/eval.ts");
    await runEval(settings, context);
  },
});
