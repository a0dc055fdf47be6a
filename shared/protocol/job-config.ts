/**
 * What a job is: the settings that both ends must share, which the server sends in Welcome. The same schema checks what
 * came over the wire and what a user wrote.
 */
import { z } from "zod";
import {
  MAX_CHANNELS,
  MAX_CLIENTS,
  MAX_FRAME_BYTES,
  MAX_LIST_LENGTH,
  MAX_MICRO_BATCHES,
  MAX_ROWS,
  MAX_STEPS,
  MAX_TEXT_LENGTH,
  MAX_TOKENS,
} from "./limits.ts";

const text = z.string().max(MAX_TEXT_LENGTH);
const count = z.int().min(1);
const milliseconds = z
  .int()
  .min(0)
  .max(24 * 3_600_000);

const modelSchema = z.strictObject({
  /** Name or path as the server knows it; for people. */
  name: text,
  /** What the model and its tokenizer are; compared for equality. Empty: not compared. */
  fingerprint: text,
  tokenizerFingerprint: text,
  /** Channels of the smashed data. */
  hidden: count.max(MAX_CHANNELS),
  bottomBlocks: z.int().min(0).max(10_000),
  trunkBlocks: count.max(10_000),
  topBlocks: z.int().min(0).max(10_000),
  vocabulary: count.max(2 ** 24),
});

const loraSchema = z.strictObject({
  rank: count.max(65_536),
  alpha: z.number().positive(),
  dropout: z.number().min(0).lt(1),
  /** As in PEFT; empty means every linear layer of the blocks. */
  targetModules: z.array(text).max(MAX_LIST_LENGTH),
});

const optimizerSchema = z.strictObject({
  learningRate: z.number().min(0),
  beta1: z.number().min(0).lt(1),
  beta2: z.number().min(0).lt(1),
  epsilon: z.number().positive(),
  weightDecay: z.number().min(0),
  /** Gradients are scaled down to this norm; 0 means never. */
  maxGradientNorm: z.number().min(0),
  schedule: z.enum(["constant", "linear", "cosine"]),
  warmupSteps: z.int().min(0).max(MAX_STEPS),
  /** The schedule ends at learningRate times this. */
  finalFraction: z.number().min(0).max(1),
});

export const jobConfigSchema = z.strictObject({
  /** u-shape: bottom and top on the client, labels never leave it. vanilla: the server has head and loss. */
  split: z.enum(["u-shape", "vanilla"]),
  /** sync: one trunk step a round, of all clients' gradients. sequential: one for each client's step as it arrives. */
  mode: z.enum(["sync", "sequential"]),
  aggregation: z.enum(["personal", "fedavg"]),
  /** Client adapters are averaged after every so many steps, and after the last. */
  averageEvery: count.max(MAX_STEPS),
  /** Rounds in sync mode, steps of each client in sequential mode. */
  steps: count.max(MAX_STEPS),
  /** Micro-batches of a step. */
  microBatches: count.max(MAX_MICRO_BATCHES),
  /** Micro-batches of a client that may be between A1 and G1 at once. */
  inFlight: count.max(MAX_MICRO_BATCHES),
  seed: z.int().min(0).max(0xffffffff),
  model: modelSchema,
  lora: loraSchema,
  optimizer: optimizerSchema,
  /** Codec of each phase, as {@link codecSpecOf} reads it; A2 and G2 have no meaning in a vanilla split. */
  codecs: z.strictObject({ A1: text.min(1), A2: text.min(1), G2: text.min(1), G1: text.min(1) }),
  /** Largest message, bytes. */
  maxFrameBytes: count.min(65_536).max(MAX_FRAME_BYTES),
  /** Most tokens, rows, and tokens in a row, of a micro-batch. */
  maxTokens: count.max(MAX_TOKENS),
  maxRows: count.max(MAX_ROWS),
  maxRowTokens: count.max(MAX_TOKENS),
  heartbeatMs: milliseconds.min(100),
  /** A client that is not done so long after RoundStart is left out of the step; 0 means no deadline. */
  stepDeadlineMs: milliseconds,
});

export type JobConfig = z.infer<typeof jobConfigSchema>;

/** What only the server needs to know of a job. */
export const jobPolicySchema = z.strictObject({
  /** Ready clients that the job waits for before its first step. */
  minClients: count.max(MAX_CLIENTS),
  /** Ready clients that it needs to go on. */
  quorum: count.max(MAX_CLIENTS),
  maxClients: count.max(MAX_CLIENTS),
  /** How long it waits below the quorum before it ends. */
  absentGraceMs: milliseconds,
  /**
   * How long a client whose connection dropped may stay away before its open step is abandoned and rounds go on without it. Until then
   * its step waits, and with it, in a sync job, the round. 0: not at all.
   */
  rejoinGraceMs: milliseconds,
  uploadDeadlineMs: milliseconds.min(1),
  /** Steps in a row that may be refused or late before a client is shut out. */
  maxFailedSteps: count.max(1_000_000),
});

export type JobPolicy = z.infer<typeof jobPolicySchema>;

/** Whether client adapters are averaged after a client's step `step`. */
export function averagesAfter(config: JobConfig, step: number): boolean {
  if (config.aggregation !== "fedavg") return false;
  return (step + 1) % config.averageEvery === 0 || step + 1 === config.steps;
}
