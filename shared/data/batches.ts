/**
 * From a data set to the batches of a run: rows of at most a fixed length, their order in each epoch, and the batch of
 * any step without the steps before it.
 *
 * Two ways to make rows. *Packed*: documents stand one after another, EOS between them, and the whole is cut every
 * `length` tokens, so no position is wasted; a row may hold the end of one document and the beginning of the next. *Unpacked*: each
 * document has rows of its own. Either way a row is a sequence by itself: no attention reaches from row to row.
 */
import { z } from "zod";
import { fail } from "../errors.ts";
import { permutation } from "../random.ts";
import { IGNORE, type TokenBatch } from "../train/segments.ts";
import { documentCount, type TokenDataset } from "./token-dataset.ts";

export const rowsSchema = z.strictObject({
  /** Tokens of a row, at most. */
  length: z
    .int()
    .min(2)
    .max(1 << 20)
    .default(128),
  packed: z.boolean().default(true),
});

export type RowsConfig = z.infer<typeof rowsSchema>;

/** Rows of a data set. */
export interface Rows {
  readonly data: TokenDataset;
  /** First token of each row [rows]. */
  readonly begin: Int32Array;
  /** Tokens of each row [rows]. */
  readonly length: Int32Array;
  /** Whether the token after the row is the label of its last position [rows]. */
  readonly continues: Uint8Array;
  /** Documents that were longer than a row and lost a part. */
  readonly truncated: number;
}

/**
 * The label of the token at place `at`: the id of the next token where that is learned.
 *
 * @param end one past the last token that may be a label.
 */
function labelAt(data: TokenDataset, at: number, end: number): number {
  return at + 1 < end && data.learned[at + 1] === 1 ? data.ids[at + 1] : IGNORE;
}

function hasLabel(data: TokenDataset, begin: number, length: number, end: number): boolean {
  for (let at = begin; at < begin + length; at++) if (labelAt(data, at, end) !== IGNORE) return true;
  return false;
}

/**
 * Cuts a data set into rows. Rows without a single label are left out: they would cost a pass and teach nothing.
 *
 * An unpacked document that is longer than a row is continued in further rows when all of it is learned; when it
 * has a prompt, it keeps one row with the completion in it: the beginning of the prompt goes first, then the end of the
 * completion.
 *
 * @throws NB_DATA_INVALID when no row is left.
 */
export function makeRows(data: TokenDataset, config: RowsConfig): Rows {
  const begin: number[] = [];
  const length: number[] = [];
  const continues: number[] = [];
  let truncated = 0;
  const push = (from: number, to: number, end: number) => {
    if (!hasLabel(data, from, to - from, end)) return;
    begin.push(from);
    length.push(to - from);
    continues.push(to < end ? 1 : 0);
  };
  const cut = (from: number, end: number) => {
    for (let at = from; at < end; at += config.length) push(at, Math.min(at + config.length, end), end);
  };
  if (config.packed) {
    cut(0, data.ids.length);
  } else {
    for (let d = 0; d < documentCount(data); d++) {
      const from = data.starts[d];
      const end = data.starts[d + 1];
      const firstLearned = data.learned.subarray(from, end).indexOf(1) + from;
      // Up to one token in front of the learned ones (BOS, or none) is no prompt.
      if (end - from <= config.length + 1 || firstLearned - from <= 1) {
        cut(from, end);
        continue;
      }
      truncated++;
      const start = Math.max(from, Math.min(end - 1 - config.length, firstLearned - 1));
      push(start, Math.min(start + config.length, end), Math.min(start + config.length + 1, end));
    }
  }
  if (begin.length === 0) fail("NB_DATA_INVALID", `${data.name}: no row of it has anything to predict`);
  return {
    data,
    begin: Int32Array.from(begin),
    length: Int32Array.from(length),
    continues: Uint8Array.from(continues),
    truncated,
  };
}

/** The given rows as one batch. Its arrays are new, the caller's. */
export function gatherBatch(rows: Rows, indices: ArrayLike<number>): TokenBatch {
  const { data } = rows;
  let total = 0;
  for (let i = 0; i < indices.length; i++) total += rows.length[indices[i]];
  const ids = new Int32Array(total);
  const labels = new Int32Array(total);
  const lengths = new Int32Array(indices.length);
  let at = 0;
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i];
    const from = rows.begin[row];
    const to = from + rows.length[row];
    const end = to + rows.continues[row];
    lengths[i] = to - from;
    ids.set(data.ids.subarray(from, to), at);
    for (let t = from; t < to; t++) labels[at++] = labelAt(data, t, end);
  }
  return { ids, labels, lengths, rowIds: Uint32Array.from(indices) };
}

/** Labels of a batch that count towards the loss. */
export function supervisedTokens(batch: TokenBatch): number {
  let count = 0;
  for (const label of batch.labels) if (label !== IGNORE) count++;
  return count;
}

/**
 * Which rows belong to which step. Each epoch visits the rows in an order drawn from (seed, epoch); the few that do not fill
 * a batch at its end are left out of that epoch, others each time. With fewer rows than a batch, a batch is all rows.
 */
export class BatchSchedule {
  readonly rows: Rows;
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  readonly #seed: number;
  #epoch = -1;
  #order: Uint32Array = new Uint32Array(0);

  constructor(rows: Rows, batchSize: number, seed: number) {
    if (!Number.isInteger(batchSize) || batchSize < 1)
      fail("NB_CONFIG_INVALID", `the batch size is ${batchSize}; accepted: an integer from 1`);
    this.rows = rows;
    this.batchSize = Math.min(batchSize, rows.begin.length);
    this.batchesPerEpoch = Math.floor(rows.begin.length / this.batchSize);
    this.#seed = seed;
  }

  /** Rows of batch `index`, counted from 0 over the whole run. A view, valid until the next call. */
  indices(index: number): Uint32Array {
    const epoch = Math.floor(index / this.batchesPerEpoch);
    if (epoch !== this.#epoch) {
      this.#order = permutation(this.rows.begin.length, this.#seed, epoch + 1);
      this.#epoch = epoch;
    }
    const from = (index % this.batchesPerEpoch) * this.batchSize;
    return this.#order.subarray(from, from + this.batchSize);
  }

  /** The batch of micro-batch `microBatch` of `step`, of `microBatches` a step; all from 0. */
  batch(step: number, microBatch = 0, microBatches = 1): TokenBatch {
    return gatherBatch(this.rows, this.indices(step * microBatches + microBatch));
  }
}

/** All rows once, in order, in batches of at most `batchSize`: for measuring a loss. */
export function* evaluationBatches(rows: Rows, batchSize: number): Generator<TokenBatch> {
  const all = Uint32Array.from(rows.begin, (_, i) => i);
  for (let i = 0; i < all.length; i += batchSize) yield gatherBatch(rows, all.subarray(i, i + batchSize));
}
