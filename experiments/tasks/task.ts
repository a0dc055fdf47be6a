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
  /** Package and version that the text is read from; part of a cell's identity. */
  version(): string;
  /** Reads all examples. NB_DATASET_MISSING when their package is not installed. */
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
