/** A cell as a job: the settings that `narrowband serve` would make of it. */
import { serveCommand } from "../../server/commands/serve.ts";
import { jobConfigOf, jobPolicyOf, type ServeSettings } from "../../server/serve/settings.ts";
import type { ModelConfig } from "../../shared/model/config.ts";
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import type { Cell } from "./experiment.ts";

/** Milliseconds without a message before a heartbeat: longer than any step, so that runs have the same bytes. */
const HEARTBEAT_MS = 3_600_000;

/** What `narrowband serve` is told of a cell, by the names of its settings. */
export function serveOptionsOf(cell: Cell): Readonly<Record<string, string | number>> {
  return {
    model: cell.model,
    steps: cell.steps,
    mode: cell.mode,
    microBatches: cell.microBatches,
    inFlight: cell.inFlight,
    aggregation: cell.aggregation,
    averageEvery: cell.averageEvery,
    minClients: cell.clients,
    quorum: cell.clients,
    maxClients: cell.clients,
    seed: cell.seed,
    checkpointEvery: 0,
    split: cell.split,
    bottom: cell.bottom,
    top: cell.top,
    rank: cell.rank,
    alpha: cell.alpha,
    dropout: cell.dropout,
    learningRate: cell.learningRate,
    schedule: cell.schedule,
    warmup: cell.warmup,
    clipNorm: cell.clipNorm,
    codecA1: cell.codecs.A1,
    codecA2: cell.codecs.A2,
    codecG2: cell.codecs.G2,
    codecG1: cell.codecs.G1,
    maxRows: Math.max(64, cell.rows),
    maxTokens: Math.max(8_192, cell.rows * cell.length),
    heartbeat: HEARTBEAT_MS,
    // A slow machine must not change a result.
    stepDeadline: 0,
  };
}

/** Settings of `narrowband serve` for a cell. */
export function serveSettingsOf(cell: Cell): ServeSettings {
  return serveCommand.options.parse(serveOptionsOf(cell));
}

/** The job's settings. */
export function jobOf(
  cell: Cell,
  model: ModelConfig,
  fingerprints: { readonly model: string; readonly tokenizer: string },
): { readonly config: JobConfig; readonly policy: JobPolicy } {
  const settings = serveSettingsOf(cell);
  return { config: jobConfigOf(settings, model, fingerprints), policy: jobPolicyOf(settings) };
}

export function clientName(index: number): string {
  return `client-${index + 1}`;
}
