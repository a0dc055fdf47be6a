/**
 * What a classifier reaches without any language model: the commonest label, and naive Bayes on which words are there (Bernoulli
 * features of present words only, add-one smoothing; McCallum and Nigam, 1998, "A Comparison of Event Models for Naive Bayes").
 */
import { accuracy, macroF1, type TaskMetrics } from "./measure.ts";
import type { Task, TaskExample } from "./task.ts";

/** The text itself, without the question that {@link labelled} puts behind it. */
function textOf({ example }: TaskExample): string {
  return example.kind === "text" ? example.text : example.prompt.replace(/\nLabel:$/, "");
}

function wordsOf(example: TaskExample): Set<string> {
  return new Set(
    textOf(example)
      .toLowerCase()
      .match(/[a-z0-9$!]+/g) ?? [],
  );
}

function metricsOf(
  task: Task,
  test: readonly TaskExample[],
  answers: readonly number[],
  loss: number,
): TaskMetrics {
  const truths = test.map(({ label }) => task.labels.indexOf(label!));
  return {
    loss,
    accuracy: accuracy(truths, answers),
    macroF1: macroF1(truths, answers, task.labels.length),
  };
}

function labelCounts(task: Task, examples: readonly TaskExample[]): number[] {
  return task.labels.map((label) => examples.filter((example) => example.label === label).length);
}

/** Nats of the right label under the labels' shares in training. */
export function majorityBaseline(
  task: Task,
  train: readonly TaskExample[],
  test: readonly TaskExample[],
): TaskMetrics {
  const counts = labelCounts(task, train);
  const best = counts.indexOf(Math.max(...counts));
  const total = train.length + task.labels.length;
  const nats = test.map(({ label }) => -Math.log((counts[task.labels.indexOf(label!)] + 1) / total));
  return metricsOf(
    task,
    test,
    test.map(() => best),
    nats.reduce((a, b) => a + b, 0) / test.length,
  );
}

export function bagOfWordsBaseline(
  task: Task,
  train: readonly TaskExample[],
  test: readonly TaskExample[],
): TaskMetrics {
  const counts = labelCounts(task, train);
  const containing = new Map<string, Float64Array>();
  for (const example of train) {
    const label = task.labels.indexOf(example.label!);
    for (const word of wordsOf(example)) {
      let of = containing.get(word);
      if (of === undefined) {
        of = new Float64Array(task.labels.length);
        containing.set(word, of);
      }
      of[label]++;
    }
  }
  const answers: number[] = [];
  let nats = 0;
  for (const example of test) {
    const scores = counts.map((count) => Math.log((count + 1) / (train.length + counts.length)));
    for (const word of wordsOf(example)) {
      const of = containing.get(word);
      if (of === undefined) continue;
      for (let l = 0; l < scores.length; l++) scores[l] += Math.log((of[l] + 1) / (counts[l] + 2));
    }
    const best = scores.indexOf(Math.max(...scores));
    answers.push(best);
    const log = scores[best] + Math.log(scores.reduce((sum, s) => sum + Math.exp(s - scores[best]), 0));
    nats += log - scores[task.labels.indexOf(example.label!)];
  }
  return metricsOf(task, test, answers, nats / test.length);
}
