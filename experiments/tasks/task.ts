/**
 * What a task is: labelled or plain examples with a fixed split into training and test parts. The split is the task's own and
 * does not move with an experiment's seed, so nothing can be tuned on test examples by trying seeds.
 */
import type { Example } from "../../shared/data/examples.ts";
import { permutation } from "../../shared/random.ts";

/** What is measured: loss of all text; the likeliest of some labels; loss and exact match of a completion. */
export type TaskKind = "language" | "classification" | "generation";

export interface TaskExample {
  readonly example: Example;
  /** Where it comes from, for partitions by author: a title, a mailbox, a lexicon file. */
  readonly source: string;
  /** Of classification. */
  readonly label?: string;
}

/** How freely written completions are judged: by the answer that they come to. */
export interface Answers {
  /** The answer in a completion, in a form that is equal for equal answers; undefined when it comes to none. */
  of(completion: string): string | undefined;
  /** Tokens that a model may write. */
  readonly maxTokens: number;
  /** Whether nothing that could follow changes the answer, so that no more needs to be written. */
  isComplete(completion: string): boolean;
}

export interface TaskData {
  readonly train: readonly TaskExample[];
  readonly test: readonly TaskExample[];
}

export interface Task {
  readonly name: string;
  readonly kind: TaskKind;
  /** One line for people. */
  readonly description: string;
  readonly licence: string;
  /** Of classification, in a fixed order; each is what follows the prompt. */
  readonly labels: readonly string[];
  /**
   * Of generation tasks whose exact match is of an answer, written by greedy decoding; without it, exact match is of the whole
   * completion.
   */
  readonly answers?: Answers;
  /** Package and version that the text is read from; part of a cell's identity. */
  version(): string;
  /** Reads all examples. NB_DATASET_MISSING when they are not installed. */
  load(): TaskData;
}

/** Seed of every task's own split. */
const SPLIT_SEED = 7;

/** Draws the given number of test examples at random, always the same; what is left is for training, shuffled. */
export function splitExamples(examples: readonly TaskExample[], testCount: number): TaskData {
  const order = permutation(examples.length, SPLIT_SEED, 0);
  const all = Array.from(order, (i) => examples[i]);
  return { test: all.slice(0, testCount), train: all.slice(testCount) };
}
