/** A job over a golden's model: real segments, real codecs, in memory. */

import { Edge, type EdgeOptions } from "../../client/edge.ts";
import type { BatchSource } from "../../client/edge-worker.ts";
import { Job } from "../../server/job.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { Connector } from "../../shared/protocol/transport.ts";
import type { AdamWConfig } from "../../shared/train/adamw.ts";
import type { TokenBatch } from "../../shared/train/segments.ts";
import { type Golden, type SplitRunners, splitRunners } from "../model/golden-cases.ts";
import { JOB, POLICY } from "../protocol/world.ts";
import { inProcess } from "../server/harness.ts";

export const CUT = { bottomBlocks: 1, topBlocks: 1 };

/**
 * AdamW without clipping: the unsplit model clips by the norm of all its gradients, which no side of a split one knows.
 */
export const NO_CLIPPING: AdamWConfig = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 0,
};

export function jobConfig(golden: Golden, change: Partial<JobConfig> = {}): JobConfig {
  const model = { ...JOB.model, hidden: golden.config.hiddenSize, vocabulary: golden.config.vocabSize };
  const codecs = { A1: "f32", A2: "f32", G2: "f32", G1: "f32" };
  return { ...JOB, microBatches: 1, inFlight: 1, model, codecs, maxTokens: 1_024, ...change };
}

/** Batches of different text for each step: rows of tokens whose labels are the next tokens, the last without one. */
export function textOf(golden: Golden, client: number): BatchSource {
  const { vocabSize } = golden.config;
  return {
    nextBatch(step, microBatch): TokenBatch {
      const lengths = Int32Array.of(11 + (step % 3), 7);
      const tokens = lengths[0] + lengths[1];
      const ids = Int32Array.from({ length: tokens }, (_, i) => {
        return (Math.imul(i + 1, 2_654_435_761 + step * 97 + microBatch * 31 + client * 7) >>> 9) % vocabSize;
      });
      const labels = ids.map((_, i) => (i === lengths[0] - 1 || i === tokens - 1 ? -100 : ids[i + 1]));
      return { ids, labels, lengths };
    },
  };
}

export interface SplitJob {
  readonly job: Job;
  /** Runners of the server (its trunk; its top in a vanilla split) and of each client (bottom, top). */
  readonly server: SplitRunners;
  readonly clients: readonly SplitRunners[];
  run(): Promise<void>;
  dispose(): Promise<void>;
}

/** Makes a job of `clients` clients; `connectorOf` may wrap their connections. */
export function splitJob(
  golden: Golden,
  engine: Engine,
  config: JobConfig,
  clients: number,
  options: {
    readonly wrap?: (connect: Connector) => Connector;
    readonly edge?: Partial<EdgeOptions>;
  } = {},
): SplitJob {
  const runners = (): SplitRunners => splitRunners(golden, CUT, engine, "none", undefined, NO_CLIPPING);
  const server = runners();
  const vanilla = config.split === "vanilla";
  const job = new Job({
    name: "demo",
    number: 1,
    config,
    policy: { ...POLICY, minClients: clients },
    trunk: server.trunk,
    top: vanilla ? server.top : undefined,
    onError: (error) => {
      throw error;
    },
  });
  const own = Array.from({ length: clients }, runners);
  const connect = (options.wrap ?? ((c) => c))(inProcess(job));
  const edges = own.map(
    ({ bottom, top }, index) =>
      new Edge({
        job: "demo",
        name: `client-${index}`,
        connect,
        segments: async () => ({ bottom, top: vanilla ? undefined : top }),
        batches: textOf(golden, index),
        ...options.edge,
      }),
  );
  return {
    job,
    server,
    clients: own,
    async run() {
      for (const outcome of await Promise.all(edges.map((edge) => edge.run()))) {
        if (outcome.reason !== "completed") throw new Error(`${outcome.code}: ${outcome.message}`);
      }
    },
    async dispose() {
      for (const { dispose } of [server, ...own]) await dispose();
    },
  };
}
