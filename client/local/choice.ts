/**
 * Classification with a language model: among all completions that a data set has, the one is chosen that the model
 * finds likeliest after the prompt (the "rank classification" of Brown et al., 2020, GPT-3, §2.4).
 */
import type { TokenDataset } from "../../shared/data/token-dataset.ts";
import { fail } from "../../shared/errors.ts";
import type { SegmentRunner } from "../../shared/train/segment-runner.ts";
import { IGNORE } from "../../shared/train/segments.ts";

/** Most distinct completions: each costs a pass for every prompt. */
export const MAX_CHOICES = 64;

interface Prompted {
  readonly prompt: Int32Array;
  /** Index of the right one. */
  readonly answer: number;
}

interface Choices {
  /** Distinct completions, ended by EOS, in the order of their first appearance. */
  readonly completions: readonly Int32Array[];
  readonly questions: readonly Prompted[];
}

/** Documents as questions; NB_DATA_INVALID when one has no prompt, or the completions are no small set. */
export function choicesOf(all: TokenDataset, part: TokenDataset): Choices {
  const index = new Map<string, number>();
  const completions: Int32Array[] = [];
  const split = (data: TokenDataset, d: number): [Int32Array, Int32Array] => {
    const [from, to] = [data.starts[d], data.starts[d + 1]];
    const learned = data.learned.subarray(from, to).indexOf(1);
    if (learned <= 0)
      fail(
        "NB_DATA_INVALID",
        `${data.name}: document ${d + 1} has no prompt; accuracy needs prompts with completions`,
      );
    return [data.ids.slice(from, from + learned), data.ids.slice(from + learned, to)];
  };
  for (let d = 0; d + 1 < all.starts.length; d++) {
    const [, completion] = split(all, d);
    const key = completion.join(" ");
    if (index.has(key)) continue;
    if (completions.length === MAX_CHOICES)
      fail(
        "NB_DATA_INVALID",
        `${all.name}: more than ${MAX_CHOICES} different completions; accuracy is for choices among few`,
      );
    index.set(key, completions.length);
    completions.push(completion);
  }
  const questions: Prompted[] = [];
  for (let d = 0; d + 1 < part.starts.length; d++) {
    const [prompt, completion] = split(part, d);
    questions.push({ prompt, answer: index.get(completion.join(" ")) as number });
  }
  return { completions, questions };
}

/** −log p of a completion after a prompt, nats. The beginning of a prompt that does not fit into `length` is left out. */
async function completionLoss(
  runner: Pick<SegmentRunner, "lossOf">,
  prompt: Int32Array,
  completion: Int32Array,
  length: number,
): Promise<number> {
  // The last token is only a label.
  const kept = prompt.subarray(Math.max(0, prompt.length + completion.length - 1 - length));
  const ids = new Int32Array(kept.length + completion.length - 1);
  ids.set(kept);
  ids.set(completion.subarray(0, -1), kept.length);
  const labels = new Int32Array(ids.length).fill(IGNORE);
  labels.set(completion, kept.length - 1);
  const at = { step: 0, microBatch: 0, training: false };
  return (await runner.lossOf(ids, labels, Int32Array.of(ids.length), at)).lossSum;
}

export interface Accuracy {
  readonly right: number;
  readonly questions: number;
  readonly choices: number;
  /** What always giving the commonest completion of this part would reach. */
  readonly commonest: number;
}

/**
 * Share of questions whose right completion is the likeliest of all.
 *
 * @param length tokens that the model is given at once, at most; longer than every completion
 */
export async function choiceAccuracy(
  runner: Pick<SegmentRunner, "lossOf">,
  { completions, questions }: Choices,
  length: number,
  options: { signal?: AbortSignal; onQuestion?: (done: number) => void } = {},
): Promise<Accuracy> {
  const longest = Math.max(...completions.map((completion) => completion.length));
  if (longest > length)
    fail(
      "NB_CONFIG_INVALID",
      `--length: ${length} was given; a completion has ${longest} tokens, and must fit`,
    );
  let right = 0;
  const counts = new Int32Array(completions.length);
  for (const [i, { prompt, answer }] of questions.entries()) {
    options.signal?.throwIfAborted();
    counts[answer]++;
    let best = 0;
    let bestLoss = Number.POSITIVE_INFINITY;
    for (const [c, completion] of completions.entries()) {
      const loss = await completionLoss(runner, prompt, completion, length);
      if (loss < bestLoss) {
        bestLoss = loss;
        best = c;
      }
    }
    if (best === answer) right++;
    options.onQuestion?.(i + 1);
  }
  const commonest = Math.max(...counts) / questions.length;
  return { right, questions: questions.length, choices: completions.length, commonest };
}
