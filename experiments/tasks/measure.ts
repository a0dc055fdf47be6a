/**
 * Measures one client's whole model on a task's test examples: loss, perplexity and bits per byte of text; accuracy and macro-F1 of a
 * choice among labels; loss and exact match of a completion.
 */
import { makeRows, type Rows } from "../../shared/data/batches.ts";
import { type TokenDataset, tokenizeExamples } from "../../shared/data/token-dataset.ts";
import { fail } from "../../shared/errors.ts";
import type { Tokenizer } from "../../shared/model/tokenizer.ts";
import { bytesPerLearnedToken, limitRows, measureLoss } from "../../shared/train/measure.ts";
import type { SegmentRunner } from "../../shared/train/segment-runner.ts";
import { greedyTexts, lastLogits, likeliest, type PassOptions, rowsAtOnce } from "./decode.ts";
import type { Answers, Task, TaskExample } from "./task.ts";

/** Figures of a measurement; those that a task does not have are left out. */
export interface TaskMetrics {
  /** Nats per token: of all text, of completions, or, in classification, of the label's first token among all tokens. */
  readonly loss: number;
  readonly perplexity?: number;
  readonly bitsPerByte?: number;
  readonly accuracy?: number;
  readonly macroF1?: number;
  readonly exactMatch?: number;
}

/** What arms are compared by, for each kind of task. */
export const HEADLINE = {
  language: { metric: "loss", higherIsBetter: false },
  classification: { metric: "accuracy", higherIsBetter: true },
  generation: { metric: "loss", higherIsBetter: false },
} as const;

type Runner = Pick<SegmentRunner, "lossOf" | "lastLogitsOf">;

export interface MeasureOptions {
  /** Tokens of a row, at most. */
  readonly length: number;
  /** Positions of the model: what a prompt and what is written to it may have together. */
  readonly positions: number;
  /** Examples to which answers are written; 0 for none. Of tasks with answers. */
  readonly generateExamples: number;
  /** Tokens of language tasks that are measured. */
  readonly testTokens: number;
  readonly vocabulary: number;
  readonly signal?: AbortSignal;
}

interface Question {
  /** As the example has it. */
  readonly text: string;
  readonly prompt: Int32Array;
  readonly completion: Int32Array;
  readonly label: number;
}

/** A task's test examples, ready to measure models on. */
export class TaskMeasure {
  readonly #task: Task;
  readonly #options: MeasureOptions;
  readonly #tokenizer: Tokenizer;
  readonly #data: TokenDataset;
  readonly #rows: Rows;
  readonly #bytesPerToken: number;
  readonly #questions: readonly Question[];
  /** Those that answers are written to. */
  readonly #toAnswer: readonly Question[];
  /** First token of each label. */
  readonly #labelTokens: Int32Array;

  private constructor(
    task: Task,
    options: MeasureOptions,
    data: TokenDataset,
    tokenizer: Tokenizer,
    examples: readonly TaskExample[],
  ) {
    this.#task = task;
    this.#options = options;
    this.#tokenizer = tokenizer;
    this.#data = data;
    const packed = task.kind === "language";
    const rows = makeRows(data, { length: options.length, packed });
    this.#rows = packed ? limitRows(rows, options.testTokens) : rows;
    this.#bytesPerToken = bytesPerLearnedToken(data, tokenizer);
    this.#questions = packed
      ? []
      : questionsOf(data, examples, task.labels, (tokens) => options.length - tokens + 1);
    this.#labelTokens = labelTokens(task.labels, tokenizer);
    const { answers } = task;
    const room = options.positions - (answers?.maxTokens ?? 0);
    if (answers !== undefined && options.generateExamples > 0 && room < 1)
      fail(
        "NB_CONFIG_INVALID",
        `task: answers of ${task.name} have up to ${answers.maxTokens} tokens, and the model has ${options.positions} positions; accepted: generateExamples 0`,
      );
    const answered = examples.slice(0, answers === undefined ? 0 : options.generateExamples);
    this.#toAnswer = questionsOf(data, answered, [], () => room);
  }

  static async open(
    task: Task,
    tokenizer: Tokenizer,
    examples: readonly TaskExample[],
    options: MeasureOptions,
  ): Promise<TaskMeasure> {
    const data = await tokenizeExamples(
      `${task.name} (test)`,
      examples.map((e) => e.example),
      tokenizer,
    );
    return new TaskMeasure(task, options, data, tokenizer, examples);
  }

  /**
   * Runs the test examples through a whole model. The signal's reason is thrown when it is aborted. Answers are written, which costs
   * more than all else, only with `generate`.
   */
  async measure(runner: Runner, { generate = false } = {}): Promise<TaskMetrics> {
    if (this.#task.kind === "classification") return this.#classify(runner);
    const { lossSum, supervisedTokens } = await measureLoss(runner, this.#rows, {
      rows: 8,
      signal: this.#options.signal,
    });
    const loss = lossSum / supervisedTokens;
    const bitsPerByte = loss / Math.LN2 / this.#bytesPerToken;
    const all = { loss, perplexity: Math.exp(loss), bitsPerByte };
    const { kind, answers } = this.#task;
    if (kind === "language") return all;
    if (answers !== undefined)
      return generate && this.#toAnswer.length > 0
        ? { ...all, exactMatch: await this.#rightAnswers(runner, answers) }
        : all;
    return { ...all, exactMatch: await this.#exactMatch(runner) };
  }

  /** Tokens of all test examples, for reports. */
  get tokens(): number {
    return this.#data.ids.length;
  }

  /**
   * The label whose first token is likeliest after the prompt is the answer ("rank classification", Brown et al., 2020, GPT-3, §2.4, on
   * labels that differ in their first token).
   */
  async #classify(runner: Runner): Promise<TaskMetrics> {
    const { vocabulary } = this.#options;
    const answers: number[] = [];
    let nats = 0;
    const prompts = this.#questions.map(({ prompt }) => ({ ids: prompt, count: 1 }));
    await lastLogits(runner, prompts, this.#passes(), (index, logits) => {
      let best = 0;
      for (let l = 1; l < this.#labelTokens.length; l++)
        if (logits[this.#labelTokens[l]] > logits[this.#labelTokens[best]]) best = l;
      answers[index] = best;
      const max = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      let sum = 0;
      for (let v = 0; v < vocabulary; v++) sum += Math.exp(logits[v] - max);
      const right = this.#labelTokens[this.#questions[index].label];
      nats += max + Math.log(sum) - logits[right];
    });
    const truths = this.#questions.map(({ label }) => label);
    return {
      loss: nats / truths.length,
      accuracy: accuracy(truths, answers),
      macroF1: macroF1(truths, answers, this.#task.labels.length),
    };
  }

  /**
   * Share of examples whose completion greedy decoding gives, its end included. A decoded token that is not the right one ends the
   * example at once: whatever follows, it is no match.
   */
  async #exactMatch(runner: Runner): Promise<number> {
    let open = this.#questions.map((question) => ({ question, at: 0 }));
    let matched = 0;
    while (open.length > 0) {
      const sequences = open.map(({ question: { prompt, completion }, at }) => {
        const ids = new Int32Array(prompt.length + at);
        ids.set(prompt);
        ids.set(completion.subarray(0, at), prompt.length);
        return { ids, count: 1 };
      });
      const next: typeof open = [];
      await lastLogits(runner, sequences, this.#passes(), (index, logits) => {
        const { question, at } = open[index];
        if (likeliest(logits) !== question.completion[at]) return;
        if (at + 1 === question.completion.length) matched++;
        else next.push({ question, at: at + 1 });
      });
      open = next;
    }
    return matched / this.#questions.length;
  }

  /** Share of examples to which greedy decoding writes a completion that comes to the right answer. */
  async #rightAnswers(runner: Runner, answers: Answers): Promise<number> {
    const prompts = this.#toAnswer.map(({ prompt }) => prompt);
    const longest = prompts.reduce((most, { length }) => Math.max(most, length), 0);
    const rows = rowsAtOnce(this.#options.vocabulary, longest + answers.maxTokens);
    const texts = await greedyTexts(runner, this.#tokenizer, prompts, {
      ...this.#passes(),
      rows: Math.min(rows, prompts.length),
      maxTokens: answers.maxTokens,
      isComplete: answers.isComplete,
    });
    const right = this.#toAnswer.filter(({ text }, i) => {
      const answer = answers.of(texts[i]);
      return answer !== undefined && answer === answers.of(text);
    });
    return right.length / prompts.length;
  }

  #passes(): PassOptions {
    const { vocabulary, length, signal } = this.#options;
    return { vocabulary, rows: rowsAtOnce(vocabulary, length), ...(signal && { signal }) };
  }
}

/** Prompts and completions of tokenized examples; what has no room is taken from the front of the prompt. */
function questionsOf(
  data: TokenDataset,
  examples: readonly TaskExample[],
  labels: readonly string[],
  /** Tokens that a prompt may have before a completion of so many. */
  roomBefore: (completionTokens: number) => number,
): Question[] {
  return examples.map(({ example, label }, d) => {
    const [from, to] = [data.starts[d], data.starts[d + 1]];
    const first = from + data.learned.subarray(from, to).indexOf(1);
    const room = Math.max(1, roomBefore(to - first));
    return {
      text: example.kind === "text" ? example.text : example.completion,
      prompt: data.ids.slice(Math.max(from, first - room), first),
      completion: data.ids.slice(first, to),
      label: label === undefined ? -1 : labels.indexOf(label),
    };
  });
}

/** NB_CONFIG_INVALID when two labels begin with the same token: their likelihoods could then not be told apart. */
function labelTokens(labels: readonly string[], tokenizer: Tokenizer): Int32Array {
  const tokens = Int32Array.from(labels, (label) => tokenizer.encode(` ${label}`)[0]);
  for (const [i, token] of tokens.entries()) {
    const other = tokens.indexOf(token);
    if (other < i)
      fail(
        "NB_CONFIG_INVALID",
        `task: with this model's tokenizer the labels ${labels[other]} and ${labels[i]} begin alike; accepted: labels that differ in their first token`,
      );
  }
  return tokens;
}

export function accuracy(truths: readonly number[], answers: readonly number[]): number {
  return truths.filter((truth, i) => answers[i] === truth).length / truths.length;
}

/** Mean over classes of the harmonic mean of precision and recall; a class never seen and never answered does not count. */
export function macroF1(truths: readonly number[], answers: readonly number[], classes: number): number {
  let sum = 0;
  let counted = 0;
  for (let c = 0; c < classes; c++) {
    let both = 0;
    let either = 0;
    for (const [i, truth] of truths.entries()) {
      const [isTruth, isAnswer] = [truth === c, answers[i] === c];
      if (isTruth && isAnswer) both++;
      either += Number(isTruth) + Number(isAnswer);
    }
    if (either === 0) continue;
    sum += (2 * both) / either;
    counted++;
  }
  return counted === 0 ? 0 : sum / counted;
}
