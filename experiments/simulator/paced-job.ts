/**
 * The real server and real clients over real sockets, each client behind its own shaping proxy, with paced computations: what the
 * simulator's predictions are held against.
 */
import { wsConnector } from "../../client/connection.ts";
import { Edge } from "../../client/edge.ts";
import { Server } from "../../server/app.ts";
import { Job } from "../../server/job.ts";
import { fail } from "../../shared/errors.ts";
import { ByteLedger, type LedgerSnapshot, sumBytes } from "../../shared/ledger/ledger.ts";
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import { PHASES } from "../../shared/protocol/messages.ts";
import type { TokenBatch } from "../../shared/train/segments.ts";
import type { LinkProfile } from "../link/profiles.ts";
import { LinkProxy } from "../link/proxy.ts";
import type { Costs } from "./costs.ts";
import { type Pace, PacedBottom, PacedTop, PacedTrunk, type PaceListener } from "./paced-segments.ts";

export interface PacedJobOptions {
  readonly config: JobConfig;
  readonly policy: JobPolicy;
  readonly pace: Pace;
  /** Of each client's micro-batches. */
  readonly rows: number;
  readonly rowTokens: number;
  /** Of each client. */
  readonly links: readonly LinkProfile[];
  readonly seed: number;
}

export interface PacedJobResult {
  /** When each round's optimizer step was done, milliseconds from the first round's start [steps]. */
  readonly commitMs: readonly number[];
  readonly ledger: LedgerSnapshot;
  /** Milliseconds that each call of the segments took. */
  readonly calls: Readonly<Record<keyof Pace, readonly number[]>>;
}

export async function runPacedJob(options: PacedJobOptions): Promise<PacedJobResult> {
  const { config, policy, pace, rows, rowTokens, links, seed } = options;
  const { hidden } = config.model;
  const commits: number[] = [];
  const calls: Record<keyof Pace, number[]> = {
    bottom: [],
    top: [],
    bottomBackward: [],
    forward: [],
    backward: [],
    optimizer: [],
  };
  const took: PaceListener = (call, ms) => calls[call].push(ms);
  let first: number | undefined;
  const job = new Job({
    name: "default",
    number: 1,
    config,
    policy,
    trunk: new PacedTrunk(hidden, pace, took),
    onProgress: (progress) => {
      if (progress.type === "roundStarted") first ??= performance.now();
    },
    onStep: () => commits.push(performance.now()),
  });
  const server = new Server({ host: "127.0.0.1", port: 0 });
  server.addJob(job);
  const { port } = await server.listen();
  const proxies: LinkProxy[] = [];
  const batch: TokenBatch = {
    ids: new Int32Array(rows * rowTokens),
    labels: new Int32Array(rows * rowTokens),
    lengths: new Int32Array(rows).fill(rowTokens),
  };
  try {
    const runs = links.map(async (profile, i) => {
      const proxy = new LinkProxy({ target: { host: "127.0.0.1", port }, profile, seed: seed + i });
      proxies.push(proxy);
      const address = await proxy.listen("127.0.0.1", 0);
      const ledger = new ByteLedger();
      const edge = new Edge({
        job: "default",
        name: `client-${i + 1}`,
        modelFingerprint: config.model.fingerprint,
        tokenizerFingerprint: config.model.tokenizerFingerprint,
        ledger,
        connect: wsConnector({ url: `ws://127.0.0.1:${address}`, ledger }),
        segments: async () => ({
          bottom: new PacedBottom(hidden, pace, took),
          top: new PacedTop(hidden, pace, took),
        }),
        batches: { nextBatch: () => batch },
      });
      const outcome = await edge.run();
      if (outcome.reason !== "completed") fail("NB_INTERNAL", `a paced client ended: ${outcome.message}`);
    });
    await Promise.all(runs);
    await job.done;
    return {
      commitMs: commits.map((at) => at - first!),
      ledger: job.ledger.snapshot(),
      calls,
    };
  } finally {
    for (const proxy of proxies) await proxy.close();
    await server.close();
  }
}

/** The value below which a fifth of the values lie: load on the machine makes some of them longer, none shorter. */
function lowFifth(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 5)] ?? 0;
}

/** Costs as a paced job had them: computations as they took when nothing held them up, bytes as counted. */
export function costsOf(
  { rows, rowTokens }: PacedJobOptions,
  { ledger: { phases }, calls }: PacedJobResult,
): Costs {
  const bytes = Object.fromEntries(
    PHASES.map((phase) => [
      phase,
      Math.round(sumBytes(phases[phase].bytes) / Math.max(1, phases[phase].messages)),
    ]),
  ) as Costs["bytes"];
  const ms = (call: keyof Pace) => lowFifth(calls[call]);
  return {
    // A client has two optimizers, of bottom and top.
    client: {
      bottom: ms("bottom"),
      top: ms("top"),
      backward: ms("bottomBackward"),
      apply: 2 * ms("optimizer"),
    },
    server: {
      forward: ms("forward"),
      backward: ms("backward"),
      addGradients: 0,
      optimizer: ms("optimizer"),
    },
    bytes,
    adapterBytes: 0,
    tokens: rows * rowTokens,
  };
}
