/** From what a user sets for `narrowband serve` to a job: what both ends share, and what only the server needs. */
import type { z } from "zod";
import { fail } from "../../shared/errors.ts";
import type { ModelConfig } from "../../shared/model/config.ts";
import { segmentsOf } from "../../shared/model/cut.ts";
import { adaptedLinears } from "../../shared/model/lora.ts";
import { codecSpecOf } from "../../shared/protocol/codecs.ts";
import {
  type JobConfig,
  type JobPolicy,
  jobConfigSchema,
  jobPolicySchema,
} from "../../shared/protocol/job-config.ts";
import { DEFAULT_UPLOAD_DEADLINE_MS, frameBytesFor } from "../../shared/protocol/limits.ts";
import type { RobustAggregation } from "../../shared/protocol/robust-sum.ts";
import type { serveCommand } from "../commands/serve.ts";
import type { ServerLimits } from "../limits.ts";

export type ServeSettings = z.output<typeof serveCommand.options>;

/** Share of a job's steps over which a codec anneals that was not told over how many. */
const ANNEAL_SHARE = 0.6;

/** Tokens of a row that a job accepts when it is not told, if the model takes as many. */
const MAX_ROW_TOKENS = 512;

/** A codec as the job's settings hold it: an anneal without a length gets one that fits the job. */
export function codecText(text: string, steps: number): string {
  const [, head, rest = ""] = /^(amaq(?::[^@,]*)?)(,.*)?$/.exec(text) ?? [];
  const anneals = head !== undefined && !rest.includes("annealSteps=");
  const full = anneals
    ? `${head === "amaq" ? "amaq:8-3" : head}@${Math.max(1, Math.round(ANNEAL_SHARE * steps))}${rest}`
    : text;
  codecSpecOf(full);
  return full;
}

/**
 * The job's settings.
 *
 * @throws NB_CONFIG_INVALID when a setting does not fit the model or another setting.
 */
export function jobConfigOf(
  settings: ServeSettings,
  model: ModelConfig,
  fingerprints: { readonly model: string; readonly tokenizer: string },
): JobConfig {
  const { bottom, top, steps } = settings;
  const segments = segmentsOf(model, { bottomBlocks: bottom, topBlocks: top });
  const targetModules = settings.targetModules === "all-linear" ? [] : settings.targetModules;
  // Refuses names that are no linear layers of this model.
  const lora = { r: settings.rank, alpha: settings.alpha, dropout: settings.dropout };
  adaptedLinears(model, { ...lora, targetModules: settings.targetModules }, 0, 1);
  const { activations, gradients } = settings;
  const codecs = {
    A1: codecText(settings.codecA1 ?? activations, steps),
    A2: codecText(settings.codecA2 ?? activations, steps),
    G2: codecText(settings.codecG2 ?? gradients, steps),
    G1: codecText(settings.codecG1 ?? gradients, steps),
  };
  const maxRowTokens = settings.maxRowTokens ?? Math.min(MAX_ROW_TOKENS, model.maxPositions);
  if (maxRowTokens > model.maxPositions)
    fail(
      "NB_CONFIG_INVALID",
      `--max-row-tokens: ${maxRowTokens} was given; accepted: up to the model's ${model.maxPositions} positions`,
    );
  return jobConfigSchema.parse({
    split: settings.split,
    mode: settings.mode,
    aggregation: settings.aggregation,
    averageEvery: settings.averageEvery,
    steps,
    microBatches: settings.microBatches,
    inFlight: Math.min(settings.inFlight, settings.microBatches),
    seed: settings.seed,
    model: {
      name: settings.model,
      fingerprint: fingerprints.model,
      tokenizerFingerprint: fingerprints.tokenizer,
      hidden: model.hiddenSize,
      bottomBlocks: bottom,
      trunkBlocks: segments.trunk.to - segments.trunk.from,
      topBlocks: top,
      vocabulary: model.vocabSize,
    },
    lora: { rank: settings.rank, alpha: settings.alpha, dropout: settings.dropout, targetModules },
    optimizer: {
      learningRate: settings.learningRate,
      beta1: settings.beta1,
      beta2: settings.beta2,
      epsilon: settings.epsilon,
      weightDecay: settings.weightDecay,
      maxGradientNorm: settings.clipNorm,
      schedule: settings.schedule,
      warmupSteps: settings.warmup,
      finalFraction: settings.finalFraction,
    },
    codecs,
    maxFrameBytes: frameBytesFor(settings.maxTokens, model.hiddenSize),
    maxTokens: settings.maxTokens,
    maxRows: settings.maxRows,
    maxRowTokens,
    heartbeatMs: settings.heartbeat,
    stepDeadlineMs: settings.stepDeadline,
  } satisfies JobConfig);
}

export function jobPolicyOf(settings: ServeSettings): JobPolicy {
  return jobPolicySchema.parse({
    minClients: settings.minClients,
    quorum: settings.quorum,
    maxClients: settings.maxClients,
    absentGraceMs: settings.absentGrace,
    rejoinGraceMs: settings.rejoinGrace,
    uploadDeadlineMs: DEFAULT_UPLOAD_DEADLINE_MS,
    maxFailedSteps: settings.maxFailedSteps,
  } satisfies JobPolicy);
}

/** What the server lets the network make it do. */
export function serverLimitsOf(settings: ServeSettings): ServerLimits {
  return {
    maxConnections: settings.maxConnections,
    maxConnectionsPerAddress: settings.maxConnectionsPerAddress,
    maxPendingHandshakes: settings.maxPending,
    helloDeadlineMs: settings.helloDeadline,
    clientBytesPerSecond: settings.clientByteRate,
    clientStepsPerSecond: settings.clientStepRate,
    slowReaderMs: settings.slowReader,
  };
}

/** How the trunk adds up gradients of clients that it need not trust. */
export function robustOf({ maxClientNorm, clientClipNorm, trim }: ServeSettings): RobustAggregation {
  return { maxClientNorm, clientClipNorm, trim };
}
