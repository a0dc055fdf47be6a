/**
 * Pretrains a small base model from scratch, unsplit, on the engine that fine-tunes it later.
 *
 * The corpus is a directory of token files (corpus.ts). Training takes the corpus in rows of `length` tokens, in an order
 * drawn anew for each epoch from the seed, so that any step's batch follows from its number alone and a
 * resumed run sees exactly what an uninterrupted one would have seen.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../shared/engine/engine.ts";
import { fail } from "../../shared/errors.ts";
import { sizeOf } from "../../shared/graph/ir.ts";
import type { ModelConfig } from "../../shared/model/config.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import { buildSegment } from "../../shared/model/transformer.ts";
import { permutation } from "../../shared/random.ts";
import type { AdamWConfig } from "../../shared/train/adamw.ts";
import { readLatestCheckpoint, writeCheckpoint } from "../../shared/train/checkpoint-files.ts";
import { initialWeight } from "../../shared/train/initial-weights.ts";
import type { ScheduleConfig } from "../../shared/train/schedule.ts";
import { SegmentRunner } from "../../shared/train/segment-runner.ts";
import type { NamedTensors, TokenBatch } from "../../shared/train/segments.ts";

/** What a checkpoint of pretraining calls itself. */
const KIND = "pretrain";

export interface PretrainOptions {
  /** Directory with train.bin, heldout.bin, corpus.json. */
  readonly corpus: string;
  /** Directory of the checkpoints; a run that was begun there is gone on with. */
  readonly checkpoints: string;
  readonly config: ModelConfig;
  readonly engine: Engine;
  readonly steps: number;
  /** Rows in a batch. */
  readonly rows: number;
  /** Tokens in a row. */
  readonly length: number;
  readonly seed: number;
  readonly optimizer: AdamWConfig;
  readonly schedule: ScheduleConfig;
  /** Steps between checkpoints. */
  readonly checkpointEvery: number;
  /** Steps between measurements on a part of the held-out text. */
  readonly evaluateEvery: number;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly onStep?: (report: PretrainStep) => void;
}

export interface PretrainStep {
  /** Optimizer steps done. */
  readonly step: number;
  /** Mean over the batch, nats per token. */
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly milliseconds: number;
  /** On a part of the held-out text, when it was measured at this step. */
  readonly heldOutBitsPerByte: number | undefined;
}

export interface PretrainResult {
  readonly weights: NamedTensors;
  readonly step: number;
  readonly tokens: number;
  /** Over the whole held-out text, at the end of a finished run. */
  readonly heldOutBitsPerByte: number | undefined;
  readonly heldOutLoss: number | undefined;
}

interface TokenFile {
  readonly ids: Uint16Array;
  readonly bytes: number;
}

async function readTokens(path: string, bytes: number): Promise<TokenFile> {
  const file = await readFile(path).catch((cause: unknown) =>
    fail("NB_FILE_UNREADABLE", `${path}: ${String(cause)}; make the corpus first`),
  );
  return { ids: new Uint16Array(file.buffer, file.byteOffset, file.byteLength >> 1), bytes };
}

/** Rows as a batch: row r holds `length` tokens from starts[r] and predicts each one's successor. */
function rowsAt(ids: Uint16Array, starts: readonly number[], length: number): TokenBatch {
  const batch = {
    ids: new Int32Array(starts.length * length),
    labels: new Int32Array(starts.length * length),
    lengths: new Int32Array(starts.length).fill(length),
  };
  starts.forEach((start, row) => {
    batch.ids.set(ids.subarray(start, start + length), row * length);
    batch.labels.set(ids.subarray(start + 1, start + length + 1), row * length);
  });
  return batch;
}

/** The first token of each row of a step's batch: rows of the epoch's permutation, which is remembered. */
function rowPicker(tokens: number, length: number, rows: number, seed: number): (step: number) => number[] {
  const perEpoch = Math.floor((tokens - 1) / length);
  if (perEpoch < rows) fail("NB_CONFIG_INVALID", `a corpus of ${tokens} tokens does not fill one batch`);
  let epoch = -1;
  let order = new Uint32Array(0);
  return (step) => {
    const starts: number[] = [];
    for (let i = 0; i < rows; i++) {
      const row = step * rows + i;
      const of = Math.floor(row / perEpoch);
      if (of !== epoch) {
        epoch = of;
        order = Uint32Array.from(permutation(perEpoch, seed, epoch));
      }
      starts.push(order[row % perEpoch] * length);
    }
    return starts;
  };
}

/** Σ −log2 p over the held-out text, `limit` tokens of it at most, in bits per byte, and nats per token. */
async function evaluate(
  runner: SegmentRunner,
  heldOut: TokenFile,
  rows: number,
  length: number,
  limit: number,
): Promise<{ bitsPerByte: number; loss: number }> {
  const { ids, bytes } = heldOut;
  const available = Math.floor((ids.length - 1) / length);
  const wanted = Math.max(rows, Math.min(available, Math.floor(limit / length)));
  const stride = Math.max(1, Math.floor(available / wanted));
  let nats = 0;
  let tokens = 0;
  for (let row = 0; row + (rows - 1) * stride < available; row += rows * stride) {
    const starts = Array.from({ length: rows }, (_, i) => (row + i * stride) * length);
    const batch = rowsAt(ids, starts, length);
    const at = { step: 0, microBatch: 0, training: false };
    const { lossSum, supervisedTokens } = await runner.lossOf(batch.ids, batch.labels, batch.lengths, at);
    nats += lossSum;
    tokens += supervisedTokens;
  }
  const bytesPerToken = bytes / ids.length;
  return { bitsPerByte: nats / Math.LN2 / (tokens * bytesPerToken), loss: nats / tokens };
}

/** Tokens of the quick measurement on held-out text during training. */
const QUICK_TOKENS = 32_768;

/** Trains until `steps` or the signal. Goes on from the newest checkpoint of the directory when there is one. */
export async function pretrain(options: PretrainOptions): Promise<PretrainResult> {
  const { config, rows, length, seed, steps, checkpoints } = options;
  const corpus: { train: { bytes: number }; heldOut: { bytes: number } } = JSON.parse(
    await readFile(join(options.corpus, "corpus.json"), "utf8"),
  );
  const train = await readTokens(join(options.corpus, "train.bin"), corpus.train.bytes);
  const heldOut = await readTokens(join(options.corpus, "heldout.bin"), corpus.heldOut.bytes);

  const range = wholeModel(config);
  const shapes = buildSegment(
    config,
    range,
    { rows: 1, length: 1 },
    { lora: undefined, training: false },
  ).weights;
  const weights = new Map<string, Float32Array>();
  for (const [name, value] of shapes) weights.set(name, initialWeight(config, name, value.shape, seed));

  const runner = new SegmentRunner({
    spec: { config, range, lora: undefined, trainable: "all", rematerialise: "none" },
    engine: options.engine,
    weights,
    seed,
    optimizer: options.optimizer,
    schedule: options.schedule,
    totalSteps: steps,
    // Norm weights and biases are vectors and are not decayed.
    decays: (name) => (shapes.get(name)?.shape.length ?? 0) > 1,
  });

  let step = 0;
  const { checkpoint } = await readLatestCheckpoint(checkpoints, KIND);
  if (checkpoint !== undefined) {
    runner.restoreState(checkpoint.tensors);
    step = Number(checkpoint.meta.step);
  }
  const save = (): Promise<string> =>
    writeCheckpoint(checkpoints, step, {
      kind: KIND,
      meta: { step, seed, rows, length },
      tensors: runner.saveState(),
    });

  const pick = rowPicker(train.ids.length, length, rows, seed);
  while (step < steps && options.signal?.aborted !== true) {
    const started = performance.now();
    const batch = rowsAt(train.ids, pick(step), length);
    const at = { step, microBatch: 0, training: true };
    const { lossSum, supervisedTokens } = await runner.lossOf(batch.ids, batch.labels, batch.lengths, at);
    const { gradientNorm, learningRate } = await runner.optimizerStep(step, supervisedTokens);
    const milliseconds = performance.now() - started;
    step++;
    let heldOutBitsPerByte: number | undefined;
    if (step % options.evaluateEvery === 0) {
      heldOutBitsPerByte = (await evaluate(runner, heldOut, rows, length, QUICK_TOKENS)).bitsPerByte;
    }
    const loss = lossSum / supervisedTokens;
    options.onStep?.({ step, loss, gradientNorm, learningRate, milliseconds, heldOutBitsPerByte });
    if (!Number.isFinite(loss)) fail("NB_TENSOR_NOT_FINITE", `the loss of step ${step} is ${loss}`);
    if (step % options.checkpointEvery === 0) await save();
  }
  if (step % options.checkpointEvery !== 0) await save();
  const finished = step >= steps;
  const final = finished
    ? await evaluate(runner, heldOut, rows, length, Number.POSITIVE_INFINITY)
    : undefined;
  const result = {
    weights: new Map(
      [...shapes].map(([n, v]) => [n, { shape: v.shape, data: weights.get(n) as Float32Array }]),
    ),
    step,
    tokens: step * rows * length,
    heldOutBitsPerByte: final?.bitsPerByte,
    heldOutLoss: final?.loss,
  };
  await runner.dispose();
  return result;
}

/** Number of elements of all tensors. */
export function parameterCount(weights: NamedTensors): number {
  let n = 0;
  for (const { shape } of weights.values()) n += sizeOf(shape);
  return n;
}
