/**
 * Measures a model on text: the loss of every token that is to be predicted, once each.
 */
import { evaluationBatches, type Rows } from "../data/batches.ts";
import type { TokenDataset } from "../data/token-dataset.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { tokenCount } from "./padding.ts";
import type { SegmentRunner } from "./segment-runner.ts";

/** Rows of a data set that have up to `limit` tokens together, at least one, spread evenly; 0 is all. */
export function limitRows(rows: Rows, limit: number): Rows {
  const total = tokenCount(rows.length);
  if (limit === 0 || limit >= total) return rows;
  const count = Math.max(1, Math.floor((rows.length.length * limit) / total));
  const chosen = Int32Array.from({ length: count }, (_, i) => Math.floor((i * rows.length.length) / count));
  const { begin, length, continues } = rows;
  return {
    ...rows,
    begin: chosen.map((row) => begin[row]),
    length: chosen.map((row) => length[row]),
    continues: Uint8Array.from(chosen, (row) => continues[row]),
  };
}

export interface Measurement {
  /** Σ −log p over the predicted tokens, nats. */
  readonly lossSum: number;
  readonly supervisedTokens: number;
}

export interface MeasureOptions {
  /** Rows run at once. */
  readonly rows: number;
  readonly signal?: AbortSignal;
  /** Told after each batch how many tokens were run in all. */
  readonly onBatch?: (tokens: number) => void;
}

/**
 * Runs all rows through a whole model, in order, without dropout.
 *
 * @throws the signal's reason when it is aborted.
 */
export async function measureLoss(
  runner: Pick<SegmentRunner, "lossOf">,
  rows: Rows,
  options: MeasureOptions,
): Promise<Measurement> {
  const at = { step: 0, microBatch: 0, training: false };
  let lossSum = 0;
  let supervisedTokens = 0;
  let tokens = 0;
  for (const { ids, labels, lengths } of evaluationBatches(rows, options.rows)) {
    options.signal?.throwIfAborted();
    const loss = await runner.lossOf(ids, labels, lengths, at);
    lossSum += loss.lossSum;
    supervisedTokens += loss.supervisedTokens;
    tokens += tokenCount(lengths);
    options.onBatch?.(tokens);
  }
  return { lossSum, supervisedTokens };
}

/**
 * UTF-8 bytes of the text that one learned token of a data set stands for, on average; ends of documents count as
 * tokens, and have no bytes. Divides nats per token into bits per byte, which do not depend on the tokenizer.
 */
export function bytesPerLearnedToken(data: TokenDataset, tokenizer: Tokenizer): number {
  const encoder = new TextEncoder();
  let bytes = 0;
  let learned = 0;
  for (let d = 0; d + 1 < data.starts.length; d++) {
    const ids: number[] = [];
    for (let at = data.starts[d]; at < data.starts[d + 1]; at++)
      if (data.learned[at] === 1) ids.push(data.ids[at]);
    learned += ids.length;
    bytes += encoder.encode(tokenizer.decode(ids, { skipSpecialTokens: true })).length;
  }
  return bytes / learned;
}
