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
import { type Pace, PacedBottom, PacedTop, PacedTrunk } from "./paced-segments.ts";

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
  /** Milliseconds in all, of all clients together and of the server. */
  readonly client: { readonly computeMs: number; readonly codecMs: number };
  readonly server: { readonly computeMs: number; readonly codecMs: number };
}

export async function runPacedJob(options: PacedJobOptions): Promise<PacedJobResult> {
  const { config, policy, pace, rows, rowTokens, links, seed } = options;
  const { hidden } = config.model;
  const commits: number[] = [];
  let first: number | undefined;
  const job = new Job({
    name: "default",
    number: 1,
    config,
    policy,
    trunk: new PacedTrunk(hidden, pace),
    onProgress: (progress) => {
      if (progress.type === "roundStarted") first ??= performance.now();
    },
    onStep: () => commits.push(performance.now()),
  });
  const server = new Server({ host: "127.0.0.1", port: 0 });
  server.addJob(job);
  const { port } = await server.listen();
  const proxies: LinkProxy[] = [];
  const client = { computeMs: 0, codecMs: 0 };
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
      let last = { computeMs: 0, codecMs: 0 };
      const edge = new Edge({
        job: "default",
        name: `client-${i + 1}`,
        modelFingerprint: config.model.fingerprint,
        tokenizerFingerprint: config.model.tokenizerFingerprint,
        ledger,
        connect: wsConnector({ url: `ws://127.0.0.1:${address}`, ledger }),
        segments: async () => ({
          bottom: new PacedBottom(hidden, pace),
          top: new PacedTop(hidden, pace),
        }),
        batches: { nextBatch: () => batch },
        onStep: ({ computeMs, codecMs }) => {
          last = { computeMs, codecMs };
        },
      });
      const outcome = await edge.run();
      if (outcome.reason !== "completed") fail("NB_INTERNAL", `a paced client ended: ${outcome.message}`);
      client.computeMs += last.computeMs;
      client.codecMs += last.codecMs;
    });
    await Promise.all(runs);
    await job.done;
    const { computeMs, codecMs } = job.status().times;
    return {
      commitMs: commits.map((at) => at - first!),
      ledger: job.ledger.snapshot(),
      client,
      server: { computeMs, codecMs },
    };
  } finally {
    for (const proxy of proxies) await proxy.close();
    await server.close();
  }
}

/**
 * Costs as a paced job had them: computations as paced, codec times as measured and shared out evenly, bytes as counted.
 */
export function costsOf(options: PacedJobOptions, { ledger, client, server }: PacedJobResult): Costs {
  const { config, pace, rows, rowTokens, links } = options;
  const batches = config.steps * config.microBatches * links.length;
  // The client's codec works three times a micro-batch, the server's twice. Sleeping takes a little longer than was asked.
  const clientOver = client.computeMs / batches - pace.bottom - pace.top - pace.bottomBackward;
  const serverOver = server.computeMs / batches - pace.forward - pace.backward;
  const perClient = (client.codecMs / batches + clientOver) / 3;
  const perServer = (server.codecMs / batches + serverOver) / 2;
  const { phases } = ledger;
  const bytes = Object.fromEntries(
    PHASES.map((phase) => [
      phase,
      Math.round(sumBytes(phases[phase].bytes) / Math.max(1, phases[phase].messages)),
    ]),
  ) as Costs["bytes"];
  return {
    client: {
      bottom: Math.max(0, pace.bottom + perClient),
      top: Math.max(0, pace.top + perClient),
      backward: Math.max(0, pace.bottomBackward + perClient),
      apply: 2 * pace.optimizer,
    },
    server: {
      forward: Math.max(0, pace.forward + perServer),
      backward: Math.max(0, pace.backward + perServer),
      addGradients: 0,
      optimizer: pace.optimizer,
    },
    bytes,
    adapterBytes: 0,
    tokens: rows * rowTokens,
  };
}
