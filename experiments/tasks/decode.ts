/**
 * What a whole model says next: logits behind many sequences at once, and greedy decoding. There is no cache of keys and values, so each token
 * costs a pass over all before it.
 */
import type { Tokenizer } from "../../shared/model/tokenizer.ts";
import type { SegmentRunner } from "../../shared/train/segment-runner.ts";

export type Decoder = Pick<SegmentRunner, "lastLogitsOf">;

/** Bytes of logits that one pass may make: they are the largest tensor of a measurement. */
const LOGIT_BYTES = 64 * 1024 * 1024;
/** Rows run at once, at most. */
const ROWS = 16;

/** How many sequences of up to `length` tokens go through a model at once. */
export function rowsAtOnce(vocabulary: number, length: number): number {
  return Math.max(1, Math.min(ROWS, Math.floor(LOGIT_BYTES / (4 * vocabulary * length))));
}

export interface PassOptions {
  readonly vocabulary: number;
  /** Sequences of one pass. */
  readonly rows: number;
  readonly signal?: AbortSignal;
}

/** Token ids, and of how many positions at their end logits are wanted. */
export interface Sequence {
  readonly ids: Int32Array;
  readonly count: number;
}

/**
 * Logits [count, vocabulary] at each sequence's end, in batches of as many rows; `take` must not keep them.
 *
 * @throws the signal's reason when it is aborted.
 */
export async function lastLogits(
  decoder: Decoder,
  sequences: readonly Sequence[],
  { vocabulary, rows, signal }: PassOptions,
  take: (index: number, logits: Float32Array) => void,
): Promise<void> {
  // Those of like length together: padding costs as much as text.
  const order = sequences.map((_, i) => i).sort((a, b) => sequences[a].ids.length - sequences[b].ids.length);
  for (let from = 0; from < order.length; from += rows) {
    signal?.throwIfAborted();
    const chosen = order.slice(from, from + rows);
    // The last batch is filled up, so that no other shape is compiled for it.
    const filled = Array.from({ length: rows }, (_, i) => chosen[Math.min(i, chosen.length - 1)]);
    const lengths = Int32Array.from(filled, (i) => sequences[i].ids.length);
    const counts = Int32Array.from(filled, (i) => sequences[i].count);
    const ids = new Int32Array(lengths.reduce((a, b) => a + b, 0));
    let at = 0;
    for (const i of filled) {
      ids.set(sequences[i].ids, at);
      at += sequences[i].ids.length;
    }
    const logits = await decoder.lastLogitsOf(ids, lengths, counts);
    let row = 0;
    for (const i of chosen) {
      const next = row + sequences[i].count;
      take(i, logits.subarray(row * vocabulary, next * vocabulary));
      row = next;
    }
  }
}

/** The likeliest token; of equals the first. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let v = 1; v < logits.length; v++) if (logits[v] > logits[best]) best = v;
  return best;
}

/** Tokens that are guessed at once, at most, and how many of the last ones must have stood together before. */
const DRAFT = 16;
const LONGEST_MATCH = 3;

/**
 * What may follow: what followed the last time that the sequence's last tokens, as many of {@link LONGEST_MATCH} as can be found, stood together.
 * At most `most` tokens; empty when the last token is new.
 */
export function draftOf(ids: Int32Array, most: number): Int32Array {
  const end = ids.length;
  for (let size = Math.min(LONGEST_MATCH, end - 1); size > 0; size--) {
    const suffix = ids.subarray(end - size);
    for (let at = end - size - 1; at >= 0; at--) {
      if (!suffix.every((id, i) => ids[at + i] === id)) continue;
      return ids.slice(at + size, Math.min(end, at + size + Math.min(DRAFT, most)));
    }
  }
  return new Int32Array(0);
}

function joined(...parts: readonly ArrayLike<number>[]): Int32Array {
  const all = new Int32Array(parts.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * What greedy decoding writes behind each prompt: up to EOS, which is left out, up to `maxTokens`, or as far as `isComplete` asks of
 * the text so far.
 *
 * A pass costs the same whether one position is asked for or several, so each also tries what the text itself suggests, and keeps as much of it as
 * the model would have written (Yang et al., 2023, "Inference with Reference: Lossless Acceleration of Large Language Models").
 *
 * @throws the signal's reason when it is aborted.
 */
export async function greedyTexts(
  decoder: Decoder,
  tokenizer: Pick<Tokenizer, "decode" | "eosId">,
  prompts: readonly Int32Array[],
  options: PassOptions & {
    readonly maxTokens: number;
    readonly isComplete?: (text: string) => boolean;
  },
): Promise<string[]> {
  const { vocabulary, maxTokens, isComplete } = options;
  const written = prompts.map((): number[] => []);
  const texts = prompts.map(() => "");
  /** Adds a token; whether the text goes on. */
  const write = (i: number, token: number): boolean => {
    if (token === tokenizer.eosId) return false;
    written[i].push(token);
    texts[i] = tokenizer.decode(written[i], { skipSpecialTokens: true });
    return written[i].length < maxTokens && isComplete?.(texts[i]) !== true;
  };
  for (let open = prompts.map((_, i) => i); open.length > 0; ) {
    const drafts = open.map((i) =>
      draftOf(joined(prompts[i], written[i]), maxTokens - 1 - written[i].length),
    );
    const sequences = open.map((i, n) => {
      return { ids: joined(prompts[i], written[i], drafts[n]), count: drafts[n].length + 1 };
    });
    const next: number[] = [];
    await lastLogits(decoder, sequences, options, (index, logits) => {
      const i = open[index];
      const draft = drafts[index];
      for (let at = 0; at <= draft.length; at++) {
        const token = likeliest(logits.subarray(at * vocabulary, (at + 1) * vocabulary));
        if (!write(i, token)) return;
        if (token !== draft[at]) break;
      }
      next.push(i);
    });
    open = next;
  }
  return texts;
}
