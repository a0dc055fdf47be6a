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

/**
 * Logits [vocabulary] after each sequence, in batches of one shape; `take` must not keep them.
 *
 * @throws the signal's reason when it is aborted.
 */
export async function lastLogits(
  decoder: Decoder,
  sequences: readonly Int32Array[],
  { vocabulary, rows, signal }: PassOptions,
  take: (index: number, logits: Float32Array) => void,
): Promise<void> {
  // Those of like length together: padding costs as much as text.
  const order = sequences.map((_, i) => i).sort((a, b) => sequences[a].length - sequences[b].length);
  for (let from = 0; from < order.length; from += rows) {
    signal?.throwIfAborted();
    const chosen = order.slice(from, from + rows);
    // The last batch is filled up, so that no other shape is compiled for it.
    const filled = Array.from({ length: rows }, (_, i) => chosen[Math.min(i, chosen.length - 1)]);
    const lengths = Int32Array.from(filled, (i) => sequences[i].length);
    const ids = new Int32Array(lengths.reduce((a, b) => a + b, 0));
    let at = 0;
    for (const i of filled) {
      ids.set(sequences[i], at);
      at += sequences[i].length;
    }
    const logits = await decoder.lastLogitsOf(ids, lengths);
    for (const [row, i] of chosen.entries())
      take(i, logits.subarray(row * vocabulary, (row + 1) * vocabulary));
  }
}

/** The likeliest token; of equals the first. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let v = 1; v < logits.length; v++) if (logits[v] > logits[best]) best = v;
  return best;
}

function joined(prompt: Int32Array, tokens: readonly number[]): Int32Array {
  const all = new Int32Array(prompt.length + tokens.length);
  all.set(prompt);
  all.set(tokens, prompt.length);
  return all;
}

/**
 * What greedy decoding writes behind each prompt: up to EOS, which is left out, up to `maxTokens`, or as far as `isComplete` asks of
 * the text so far.
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
  const written = prompts.map((): number[] => []);
  const texts = prompts.map(() => "");
  let open = prompts.map((_, i) => i);
  for (let token = 0; token < options.maxTokens && open.length > 0; token++) {
    const sequences = open.map((i) => joined(prompts[i], written[i]));
    const next: number[] = [];
    await lastLogits(decoder, sequences, options, (index, logits) => {
      const i = open[index];
      const best = likeliest(logits);
      if (best === tokenizer.eosId) return;
      written[i].push(best);
      texts[i] = tokenizer.decode(written[i], { skipSpecialTokens: true });
      if (options.isComplete?.(texts[i]) !== true) next.push(i);
    });
    open = next;
  }
  return texts;
}
