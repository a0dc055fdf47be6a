/** The text of simulated clients. For codecs that remember rows it comes again after every other step, with a number for each row. */
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { TokenBatch } from "../../shared/train/segments.ts";
import { tinyBatch } from "../server/tiny-segments.ts";

/** Steps after which a text begins anew. */
const EPOCH = 2;

/** A client's micro-batch; `text` says whose text it is. */
export function simBatch(config: JobConfig, text: number, step: number, microBatch: number): TokenBatch {
  if (!config.codecs.A1.startsWith("aqsgd")) return tinyBatch(text, step, microBatch);
  const batch = tinyBatch(text, step % EPOCH, microBatch);
  const rows = batch.lengths.length;
  const first = ((text * EPOCH + (step % EPOCH)) * config.microBatches + microBatch) * rows;
  return { ...batch, rowIds: Uint32Array.from({ length: rows }, (_, row) => first + row) };
}
