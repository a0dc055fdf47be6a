/** GSM8K: problems as published, answers, and what greedy decoding makes of a model. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { draftOf, greedyTexts } from "../../experiments/tasks/decode.ts";
import {
  finalAnswer,
  GSM8K_VARIABLE,
  gsm8k,
  gsm8kDirectory,
  parseProblems,
} from "../../experiments/tasks/gsm8k.ts";
import { TaskMeasure } from "../../experiments/tasks/measure.ts";
import type { Task } from "../../experiments/tasks/task.ts";
import { aliceTokenizer } from "../data/helpers.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";

const PROBLEMS = [
  {
    question: "A shelf holds 3 rows of 12 jars.  How many jars are there?",
    answer: "Each row has 12 jars.\nThat makes 3 * 12 = <<3*12=36>>36 jars.\n#### 36",
  },
  {
    question: "Two coats cost $1,250 together and one costs $250. What does the other cost?",
    answer: "It costs $1,250 - $250 = $<<1250-250=1000>>1,000.\n#### 1,000",
  },
];
const LINES = PROBLEMS.map((problem) => JSON.stringify(problem)).join("\n");

afterEach(() => vi.unstubAllEnvs());

function directoryOf(train: string, test: string): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "train.jsonl"), train);
  writeFileSync(join(directory, "test.jsonl"), test);
  vi.stubEnv(GSM8K_VARIABLE, directory);
  return directory;
}

describe("problems", () => {
  it("become a prompt and a worked answer without the calculator's annotations", () => {
    const examples = parseProblems("train.jsonl", `${LINES}\n`);
    expect(examples.map(({ example }) => example)).toEqual([
      {
        kind: "completion",
        prompt: "Question: A shelf holds 3 rows of 12 jars.  How many jars are there?\nAnswer:",
        completion: " Each row has 12 jars.\nThat makes 3 * 12 = 36 jars.\n#### 36",
      },
      {
        kind: "completion",
        prompt:
          "Question: Two coats cost $1,250 together and one costs $250. What does the other cost?\nAnswer:",
        completion: " It costs $1,250 - $250 = $1,000.\n#### 1,000",
      },
    ]);
  });

  it.each([
    ["no JSON", "{", /^train\.jsonl:3: is not JSON/],
    ["no question", '{"answer": "#### 1"}', /^train\.jsonl:3: question/],
    ["no final answer", '{"question": "Why?", "answer": "Because."}', /^train\.jsonl:3: answer: no number/],
  ])("with %s are refused by their line", async (_, line, message) => {
    const text = `${LINES}\n${line}`;
    expect(await failure("NB_DATA_INVALID", () => parseProblems("train.jsonl", text))).toMatch(message);
  });

  it("keep the published parts, and their version changes with the files", () => {
    directoryOf(LINES, JSON.stringify(PROBLEMS[1]));
    const { train, test } = gsm8k.load();
    expect([train.length, test.length]).toEqual([2, 1]);
    const version = gsm8k.version();
    expect(version).toMatch(/^gsm8k [0-9a-f]{16}$/);
    directoryOf(LINES, JSON.stringify(PROBLEMS[0]));
    expect(gsm8k.version()).not.toBe(version);
    directoryOf(LINES, JSON.stringify(PROBLEMS[1]));
    expect(gsm8k.version()).toBe(version);
  });

  it("that are not there are missed with the way out", async () => {
    vi.stubEnv(GSM8K_VARIABLE, join(temporaryDirectory(), "nowhere"));
    const message = await failure("NB_DATASET_MISSING", () => gsm8k.load());
    expect(message).toContain("nowhere");
    expect(message).toContain("openai/grade-school-math");
    expect(message).toContain("train.jsonl and test.jsonl");
    expect(message).toContain(GSM8K_VARIABLE);
    await failure("NB_DATASET_MISSING", () => gsm8k.version());
  });

  it("that cannot be read are another matter", async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "train.jsonl"));
    vi.stubEnv(GSM8K_VARIABLE, directory);
    await failure("NB_FILE_UNREADABLE", () => gsm8k.load());
  });

  it("are looked for under the working directory where nothing is said", () => {
    vi.stubEnv(GSM8K_VARIABLE, "");
    expect(gsm8kDirectory()).toBe(join("data", "gsm8k"));
  });

  const missing = existsSync(join(gsm8kDirectory(), "test.jsonl"))
    ? ""
    : ` (skipped: the files are not here; ${GSM8K_VARIABLE} names their directory)`;
  it.skipIf(missing !== "")(`as published: 7,473 and 1,319, none twice, all with an answer${missing}`, () => {
    const { train, test } = gsm8k.load();
    expect([train.length, test.length]).toEqual([7_473, 1_319]);
    const prompts = [...train, ...test].map(({ example: e }) => (e.kind === "completion" ? e.prompt : ""));
    expect(new Set(prompts).size).toBe(prompts.length);
    for (const { example: e } of [...train, ...test])
      expect(e.kind === "completion" && /<<|>>/.test(e.completion)).toBe(false);
  });
});

describe("a final answer", () => {
  it.each([
    ["#### 18", "18"],
    ["So it is 4.\n#### 1,000", "1000"],
    ["#### 1000.", "1000"],
    ["#### 2.50 dollars", "2.5"],
    ["#### -3", "-3"],
    ["####7", "7"],
    ["#### 5\n#### 6", "5"],
    ["18", undefined],
    ["#### eighteen", undefined],
    ["#### 1.2.3", undefined],
  ])("of %j is %j", (text, answer) => {
    expect(finalAnswer(text)).toBe(answer);
  });

  it("stands when its line ends, and not before", () => {
    const complete = gsm8k.answers!.isComplete;
    expect([complete("a\n#### 1"), complete("a\n#### 1\n"), complete("####\n"), complete("1\n")]).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});

const tokenizer = aliceTokenizer();
const VOCABULARY = 700;

/** A model that knows what to write to each prompt, by heart; `calls` counts rows of passes. */
function reciter(known: ReadonlyMap<string, string>) {
  const calls: number[] = [];
  return {
    calls,
    async lastLogitsOf(
      ids: Float32Array | Int32Array,
      lengths: Int32Array,
      counts: Int32Array = new Int32Array(lengths.length).fill(1),
    ): Promise<Float32Array> {
      calls.push(lengths.length);
      const logits = new Float32Array(counts.reduce((a, b) => a + b, 0) * VOCABULARY);
      let at = 0;
      let out = 0;
      for (const [row, length] of lengths.entries()) {
        const text = tokenizer.decode(Array.from(ids.subarray(at, at + length)));
        at += length;
        const [prompt, completion] = [...known].find(([start]) => text.startsWith(start))!;
        const all = tokenizer.encode(completion);
        const done = length - tokenizer.encode(prompt).length;
        for (let back = counts[row] - 1; back >= 0; back--)
          logits[out++ * VOCABULARY + (all[done - back] ?? tokenizer.eosId!)] = 1;
      }
      return logits;
    },
  };
}

describe("greedy decoding", () => {
  const known = new Map([
    ["first:", " one and two"],
    ["the second:", " three\nand no more of it"],
    ["third of them:", " four"],
  ]);
  const prompts = [...known.keys()].map((prompt) => tokenizer.encode(prompt));

  it("writes to the end of each text, whatever batches are run", async () => {
    for (const rows of [1, 2, 16]) {
      const model = reciter(known);
      const options = { vocabulary: VOCABULARY, rows, maxTokens: 100 };
      expect(await greedyTexts(model, tokenizer, prompts, options)).toEqual([...known.values()]);
      expect(new Set(model.calls)).toEqual(new Set([rows]));
    }
  });

  it("stops where it is told to, and after so many tokens", async () => {
    const options = { vocabulary: VOCABULARY, rows: 2, maxTokens: 100 };
    const isComplete = (text: string) => text.includes("\n");
    const [, second] = await greedyTexts(reciter(known), tokenizer, prompts, { ...options, isComplete });
    expect(second).toMatch(/^ three\n/);
    expect(second.length).toBeLessThan(" three\nand no more of it".length);
    const short = await greedyTexts(reciter(known), tokenizer, prompts, { ...options, maxTokens: 2 });
    for (const [i, text] of short.entries()) {
      const whole = [...known.values()][i];
      expect(whole.startsWith(text) && tokenizer.encode(text).length).toBe(2);
    }
  });

  it("takes fewer passes where a text says again what it has said, and writes the same", async () => {
    const again = new Map([["count:", ` ${"one two three ".repeat(12)}`]]);
    const prompt = tokenizer.encode("count:");
    const tokens = tokenizer.encode(again.get("count:")!).length;
    for (const maxTokens of [tokens + 1, tokens - 5, 7]) {
      const model = reciter(again);
      const [text] = await greedyTexts(model, tokenizer, [prompt], {
        vocabulary: VOCABULARY,
        rows: 1,
        maxTokens,
      });
      const expected = tokenizer.encode(again.get("count:")!).slice(0, maxTokens);
      expect([...tokenizer.encode(text)]).toEqual([...expected]);
      if (maxTokens > 7) expect(model.calls.length).toBeLessThan(tokens / 3);
    }
  });

  it("tries what followed the same tokens before", () => {
    const draft = (ids: number[], most = 99) => [...draftOf(Int32Array.from(ids), most)];
    expect(draft([1, 2, 3, 4, 5, 1, 2, 3])).toEqual([4, 5, 1, 2, 3]);
    expect(draft([1, 2, 3, 4, 5, 1, 2, 3], 2)).toEqual([4, 5]);
    // The longest match, and of those the last.
    expect(draft([7, 9, 1, 2, 8, 6, 2, 9, 1, 2])).toEqual([8, 6, 2, 9, 1, 2]);
    expect(draft([1, 5, 1, 6, 1])).toEqual([6, 1]);
    expect([draft([1, 2, 3]), draft([4]), draft([1, 1], 0)]).toEqual([[], [], []]);
  });

  it("stops when it is aborted", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    const options = { vocabulary: VOCABULARY, rows: 2, maxTokens: 9, signal };
    await expect(greedyTexts(reciter(known), tokenizer, prompts, options)).rejects.toThrow("enough");
  });
});

describe("exact match of answers", () => {
  const task: Task = { ...gsm8k, load: () => ({ train: [], test: [] }) };
  const examples = parseProblems("test.jsonl", LINES);
  const promptOf = (i: number) => (examples[i].example as { prompt: string }).prompt;
  /** Recites; its losses are not looked at. */
  const model = (known: ReadonlyMap<string, string>) => ({
    ...reciter(known),
    lossOf: async (_: unknown, labels: Int32Array) => ({
      lossSum: 1,
      supervisedTokens: labels.filter((label) => label >= 0).length,
      gradient: undefined,
    }),
  });
  const options = { length: 64, positions: 512, testTokens: 64, vocabulary: VOCABULARY, generateExamples: 2 };

  it("is of the number that is come to, however it was worked out, and of nothing less", async () => {
    const measure = await TaskMeasure.open(task, tokenizer, examples, options);
    const known = new Map([
      [promptOf(0), " By another way.\n#### 36.0\nand then #### 7"],
      [promptOf(1), " It costs $1,250 - $250 = $1,000.\n#### 100"],
    ]);
    expect((await measure.measure(model(known), { generate: true })).exactMatch).toBe(0.5);
    known.set(promptOf(1), " I know.\n#### 1000");
    expect((await measure.measure(model(known), { generate: true })).exactMatch).toBe(1);
    known.set(promptOf(1), " It is 1,000");
    expect((await measure.measure(model(known), { generate: true })).exactMatch).toBe(0.5);
  });

  it("is measured where it is asked for, on as many examples as are asked for", async () => {
    const known = new Map([[promptOf(0), "#### 36"]]);
    const one = await TaskMeasure.open(task, tokenizer, examples, { ...options, generateExamples: 1 });
    expect((await one.measure(model(known), { generate: true })).exactMatch).toBe(1);
    expect("exactMatch" in (await one.measure(model(known)))).toBe(false);
    const none = await TaskMeasure.open(task, tokenizer, examples, { ...options, generateExamples: 0 });
    expect("exactMatch" in (await none.measure(model(known), { generate: true }))).toBe(false);
  });

  it("needs a model with positions enough", async () => {
    const few = { ...options, positions: 200 };
    await failure("NB_CONFIG_INVALID", () => TaskMeasure.open(task, tokenizer, examples, few));
    await TaskMeasure.open(task, tokenizer, examples, { ...few, generateExamples: 0 });
  });
});
