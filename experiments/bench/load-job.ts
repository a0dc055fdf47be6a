/** What the load bench trains: a model small enough that what is measured is the server around it. Both processes use the same. */
import { parseHfConfig } from "../../shared/model/config.ts";
import { type JobConfig, jobConfigSchema } from "../../shared/protocol/job-config.ts";
import { frameBytesFor } from "../../shared/protocol/limits.ts";

export const HIDDEN = 64;
const VOCABULARY = 64;

/** Rows and tokens of a row of each client's one micro-batch. */
export const ROWS = 2;
export const ROW_TOKENS = 32;

export const LOAD_MODEL = parseHfConfig({
  model_type: "llama",
  vocab_size: VOCABULARY,
  hidden_size: HIDDEN,
  intermediate_size: 128,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  max_position_embeddings: ROW_TOKENS,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: false,
});

export const JOB_NAME = "load";

/** Steps that no run reaches. */
const ENDLESS = 1_000_000;

/** Sequential: every client steps for itself, as fast as the server answers. */
export const LOAD_JOB: JobConfig = jobConfigSchema.parse({
  split: "u-shape",
  mode: "sequential",
  aggregation: "personal",
  averageEvery: 1,
  steps: ENDLESS,
  microBatches: 1,
  inFlight: 1,
  seed: 1,
  model: {
    name: "load",
    fingerprint: "",
    tokenizerFingerprint: "",
    hidden: HIDDEN,
    bottomBlocks: 1,
    trunkBlocks: 1,
    topBlocks: 1,
    vocabulary: VOCABULARY,
  },
  lora: { rank: 4, alpha: 8, dropout: 0, targetModules: [] },
  optimizer: {
    learningRate: 1e-4,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradientNorm: 1,
    schedule: "constant",
    warmupSteps: 0,
    finalFraction: 1,
  },
  codecs: { A1: "fixed:8", A2: "fixed:8", G2: "fixed:8", G1: "fixed:8" },
  maxFrameBytes: frameBytesFor(ROWS * ROW_TOKENS, HIDDEN),
  maxTokens: ROWS * ROW_TOKENS,
  maxRows: ROWS,
  maxRowTokens: ROW_TOKENS,
  heartbeatMs: 30_000,
  stepDeadlineMs: 120_000,
} satisfies JobConfig);
