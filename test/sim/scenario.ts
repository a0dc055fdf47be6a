/** What a seed stands for: a job, its clients, and what befalls them. */
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import { JOB, POLICY, random } from "../protocol/world.ts";

export interface Scenario {
  readonly seed: number;
  readonly clients: number;
  readonly config: JobConfig;
  readonly policy: JobPolicy;
  /** Steps between checkpoints, on both sides; 0: only the first and the last. */
  readonly every: number;
  /** How often things may happen, at most. */
  readonly kills: number;
  readonly drops: number;
  readonly duplicates: number;
  /** Clients that are asked to leave, and start again later. */
  readonly leaves: number;
}

const CODECS: readonly JobConfig["codecs"][] = [
  { A1: "f32", A2: "f16", G2: "f16", G1: "f32" },
  { A1: "amaq:8-3@4", A2: "amaq:8-3@4", G2: "amaq:8-3@4", G1: "amaq:8-3@4" },
  {
    A1: "amaq:8-3@4,entropy=predict",
    A2: "amaq:8-3@4,entropy=predict",
    G2: "fixed:4,entropy=predict",
    G1: "f16",
  },
  { A1: "amaq:6-2@3", A2: "fixed:4", G2: "fixed:3", G1: "amaq:8-4@2" },
];

/** A wait that is not over before everything else is: nobody is given up. */
const PATIENCE_MS = 24 * 3_600_000;

export function scenarioOf(seed: number): Scenario {
  const next = random(seed ^ 0x5eed);
  const below = (n: number) => Math.floor(next() * n);
  for (let i = 0; i < 4; i++) next();
  const mode = next() < 0.8 ? "sync" : "sequential";
  const leaves = mode === "sync" && next() < 0.25 ? 1 + below(2) : 0;
  const clients = 1 + below(3);
  const microBatches = 1 + below(3);
  const config: JobConfig = {
    ...JOB,
    mode,
    split: next() < 0.8 ? "u-shape" : "vanilla",
    // Who misses an average is a matter of when a client leaves; such runs are compared without averages.
    aggregation: leaves === 0 && next() < 0.4 ? "fedavg" : "personal",
    averageEvery: 1 + below(3),
    steps: 3 + below(6),
    microBatches,
    inFlight: 1 + below(microBatches),
    seed: below(1_000_000),
    model: { ...JOB.model, hidden: 8 },
    codecs: CODECS[below(CODECS.length)],
    heartbeatMs: 30_000,
    stepDeadlineMs: 0,
  };
  const policy: JobPolicy = {
    ...POLICY,
    minClients: clients,
    quorum: 1,
    absentGraceMs: PATIENCE_MS,
    rejoinGraceMs: PATIENCE_MS,
    uploadDeadlineMs: PATIENCE_MS,
  };
  return {
    seed,
    clients,
    config,
    policy,
    // Without checkpoints, the log of a sequential job tells the whole order of its computations.
    every: mode === "sequential" && next() < 0.6 ? 0 : 1 + below(3),
    // In a sequential job more than messages can be forgotten: the order in which steps met.
    kills: mode === "sequential" ? 3 + below(6) : below(7),
    drops: below(9),
    duplicates: below(20),
    leaves,
  };
}
