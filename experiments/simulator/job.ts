/** A job's settings for simulations: a U-shaped sync job whose only interesting settings are those given. */
import { serveCommand } from "../../server/commands/serve.ts";
import { codecText, jobPolicyOf } from "../../server/serve/settings.ts";
import { type JobConfig, type JobPolicy, jobConfigSchema } from "../../shared/protocol/job-config.ts";
import { frameBytesFor } from "../../shared/protocol/limits.ts";

export interface SimulatedJob {
  readonly steps: number;
  readonly clients: number;
  readonly microBatches: number;
  readonly inFlight: number;
  readonly hidden: number;
  /** Tokens of a micro-batch. */
  readonly tokens: number;
  readonly activations: string;
  readonly gradients: string;
  /** Clients that must be there for the job to begin, and to go on; all by default. */
  readonly minClients?: number;
  readonly quorum?: number;
  /** Milliseconds after which a client is left out of a round; 0 for never. */
  readonly stepDeadlineMs?: number;
  readonly mode?: "sync" | "sequential";
  /** Adapters are averaged after every so many steps; never by default. */
  readonly averageEvery?: number;
  /** Of the model that costs are measured on. */
  readonly trunkBlocks?: number;
  readonly vocabulary?: number;
}

export function simulatedJob(job: SimulatedJob): { readonly config: JobConfig; readonly policy: JobPolicy } {
  const { steps, clients, microBatches, inFlight, hidden, tokens, mode = "sync" } = job;
  const settings = serveCommand.options.parse({
    model: "simulated",
    steps,
    minClients: job.minClients ?? clients,
    quorum: job.quorum ?? clients,
    maxClients: clients,
  });
  const A = codecText(job.activations, steps);
  const G = codecText(job.gradients, steps);
  const config = jobConfigSchema.parse({
    split: "u-shape",
    mode,
    aggregation: job.averageEvery === undefined ? "personal" : "fedavg",
    averageEvery: job.averageEvery ?? 10,
    steps,
    microBatches,
    inFlight: Math.min(inFlight, microBatches),
    seed: 1,
    model: {
      name: "simulated",
      fingerprint: "",
      tokenizerFingerprint: "",
      hidden,
      bottomBlocks: 1,
      trunkBlocks: job.trunkBlocks ?? 4,
      topBlocks: 1,
      vocabulary: job.vocabulary ?? 4_096,
    },
    lora: { rank: 8, alpha: 16, dropout: 0, targetModules: [] },
    optimizer: {
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      maxGradientNorm: 1,
      schedule: "constant",
      warmupSteps: 0,
      finalFraction: 1,
    },
    codecs: { A1: A, A2: A, G2: G, G1: G },
    maxFrameBytes: frameBytesFor(tokens, hidden),
    maxTokens: tokens,
    maxRows: 1_024,
    maxRowTokens: tokens,
    heartbeatMs: 3_600_000,
    stepDeadlineMs: job.stepDeadlineMs ?? 0,
  } satisfies JobConfig);
  return { config, policy: jobPolicyOf(settings) };
}
