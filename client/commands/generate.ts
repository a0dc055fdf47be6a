/** `narrowband generate`: a model goes on with a text. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import {
  adaptersOption,
  engineOption,
  modelOption,
  seed,
  threadsOption,
} from "../../shared/command/shared-options.ts";

const SAMPLING = "Sampling";

export const generateCommand = defineCommand({
  name: "generate",
  group: "On one machine",
  summary: "let a model go on with a text",
  description:
    "Prints what the model, with or without a LoRA adapter, writes after a prompt, token by token. The same seed and settings " +
    "give the same text. It ends at the model's end-of-text token, after --max-tokens, or at the model's longest sequence.",
  examples: [
    {
      line: 'narrowband generate --model models/base "The sea was"',
      explanation: "a sample from the base model",
    },
    {
      line: 'narrowband generate --model models/base --adapter runs/alice --temperature 0 "The sea was"',
      explanation: "the fine-tuned model, always its likeliest token",
    },
  ],
  json: 'Events "token", then the result: text, tokens, why it ended, tokens per second.',
  options: z.strictObject({
    prompt: option(z.string().default(""), {
      help: "text to go on with",
      group: "The text",
      positional: true,
      defaultHelp: "the beginning of a document",
    }),
    model: modelOption,
    adapter: adaptersOption,
    maxTokens: option(z.int().min(1).default(100), { help: "tokens to write, at most", group: SAMPLING }),
    temperature: option(z.number().min(0).max(100).default(0.8), {
      help: "0 takes the likeliest token; 1 samples as the model says; more is wilder",
      group: SAMPLING,
    }),
    topK: option(z.int().min(0).default(0), {
      help: "only the so many likeliest tokens may be drawn",
      group: SAMPLING,
      defaultHelp: "0: all",
    }),
    topP: option(z.number().positive().max(1).default(1), {
      help: "only the likeliest tokens may be drawn that together have this probability",
      group: SAMPLING,
    }),
    seed: option(seed, { help: "draws the tokens", group: SAMPLING }),
    engine: engineOption,
    threads: threadsOption,
  }),
  async run(settings, context) {
    const { runGenerate } = await import("../local/generate.ts");
    await runGenerate(settings, context);
  },
});
