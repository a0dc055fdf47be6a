/**
 * GSM8K (Cobbe et al., 2021, "Training Verifiers to Solve Math Word Problems"): word problems of grade-school arithmetic with worked answers,
 * parted into training and test problems as published. It is MIT-licensed and stands in no file of this project: its two files are
 * read where an environment variable says.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { badLine } from "../../shared/data/lines.ts";
import { fail, NarrowbandError } from "../../shared/errors.ts";
import type { Task, TaskExample } from "./task.ts";

/** Names the directory of train.jsonl and test.jsonl. */
export const GSM8K_VARIABLE = "NARROWBAND_GSM8K";
/** Where they are looked for without it, under the working directory. */
const DEFAULT_DIRECTORY = join("data", "gsm8k");
/** Tokens that a model may write to a problem: as many as 96 % of the test part's answers have in base-6m's tokens, and 98 % in SmolLM2's. */
const MAX_TOKENS = 200;

export function gsm8kDirectory(): string {
  const given = process.env[GSM8K_VARIABLE];
  return given === undefined || given === "" ? DEFAULT_DIRECTORY : given;
}

function readPart(part: "train" | "test"): string {
  const path = join(gsm8kDirectory(), `${part}.jsonl`);
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT")
      fail(
        "NB_DATASET_MISSING",
        `gsm8k: there is no ${path}; take train.jsonl and test.jsonl from the directory grade_school_math/data of the public repository ` +
          `openai/grade-school-math, and name their directory in the environment variable ${GSM8K_VARIABLE}`,
        { path },
      );
    throw new NarrowbandError(
      "NB_FILE_UNREADABLE",
      `gsm8k: cannot read ${path}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

/** What an answer leads to: the first number behind `####`, as the published evaluation reads it. */
const FINAL = /#### *(-?\d[\d.,]*)/;

/** The final answer of a worked one as a plain number, so that 1,000 and 1000.00 are the same; undefined when it gives none. */
export function finalAnswer(text: string): string | undefined {
  const found = FINAL.exec(text);
  if (found === null) return undefined;
  const value = Number(found[1].replaceAll(",", "").replace(/\.$/, ""));
  return Number.isNaN(value) ? undefined : String(value);
}

const problemSchema = z.object({ question: z.string().trim().min(1), answer: z.string().trim().min(1) });

/**
 * Problems as published, one JSON object a line. Calculator annotations such as `<<48/2=24>>` are taken out of the answers.
 *
 * @throws NB_DATA_INVALID in the form `file:line: reason`.
 */
export function parseProblems(file: string, text: string): TaskExample[] {
  const examples: TaskExample[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch (error) {
      badLine(file, i + 1, `is not JSON: ${(error as Error).message}`);
    }
    const parsed = problemSchema.safeParse(json);
    if (!parsed.success) {
      const { path, message } = parsed.error.issues[0];
      badLine(file, i + 1, `${path.join(".") || "the line"}: ${message}`);
    }
    const { question, answer } = parsed.data;
    const plain = answer.replace(/<<[^<>]*>>/g, "");
    if (finalAnswer(plain) === undefined) badLine(file, i + 1, "answer: no number behind ####");
    examples.push({
      example: { kind: "completion", prompt: `Question: ${question}\nAnswer:`, completion: ` ${plain}` },
      source: "gsm8k",
    });
  }
  return examples;
}

/** Every run of an experiment asks for the version; the files are read for it once a process. */
let known: { readonly directory: string; readonly version: string } | undefined;

function version(): string {
  const directory = gsm8kDirectory();
  if (known?.directory !== directory) {
    const hash = createHash("sha256");
    for (const part of ["train", "test"] as const) hash.update(`${readPart(part)}\0`);
    known = { directory, version: `gsm8k ${hash.digest("hex").slice(0, 16)}` };
  }
  return known.version;
}

export const gsm8k: Task = {
  name: "gsm8k",
  kind: "generation",
  description: "word problems of grade-school arithmetic, worked out in words to a number",
  licence: "MIT",
  labels: [],
  answers: {
    of: finalAnswer,
    maxTokens: MAX_TOKENS,
    // What follows the line with the answer cannot change it.
    isComplete: (text) => /#### *-?\d[^\n]*\n/.test(text),
  },
  version,
  load: () => ({
    train: parseProblems("train.jsonl", readPart("train")),
    test: parseProblems("test.jsonl", readPart("test")),
  }),
};
