/** Starts a job, over real sockets on 127.0.0.1 or in memory, with tiny segments. */

import { wsConnector } from "../../client/connection.ts";
import { Edge, type EdgeOptions } from "../../client/edge.ts";
import { Server, type ServerOptions } from "../../server/app.ts";
import { Job, type JobOptions } from "../../server/job.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { FrameChannel } from "../../shared/protocol/frame-channel.ts";
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol/limits.ts";
import { memorySocketPair } from "../../shared/protocol/memory-socket.ts";
import type { Connector } from "../../shared/protocol/transport.ts";
import { JOB, POLICY } from "../protocol/world.ts";
import { TinyBottom, TinyTop, TinyTrunk, tinyBatch } from "./tiny-segments.ts";

export const TINY: JobConfig = { ...JOB, model: { ...JOB.model, hidden: 8 }, stepDeadlineMs: 20_000 };

export interface TinyJob {
  readonly job: Job;
  readonly trunk: TinyTrunk;
  readonly top: TinyTop;
}

export function tinyJob(
  config: Partial<JobConfig> = {},
  policy: Partial<JobPolicy> = {},
  rest: Partial<JobOptions> = {},
): TinyJob {
  const full = { ...TINY, ...config };
  const trunk = new TinyTrunk(full.model.hidden);
  const top = new TinyTop(full.model.hidden);
  const job = new Job({
    name: "demo",
    number: 1,
    config: full,
    policy: { ...POLICY, ...policy },
    trunk,
    top: full.split === "vanilla" ? top : undefined,
    onError: (error) => {
      throw error;
    },
    ...rest,
  });
  return { job, trunk, top };
}

/** Connections to a job in the same process. */
export function inProcess(job: Job): Connector {
  return async () => {
    const [client, server] = memorySocketPair();
    const nobody = { frame: () => {}, refused: () => {}, closed: () => {} };
    job.attach(new FrameChannel(server, job.ledger, "down", MAX_FRAME_BYTES, nobody));
    return client;
  };
}

export interface TinyClient {
  readonly edge: Edge;
  readonly bottom: TinyBottom;
  readonly top: TinyTop;
}

export function tinyClient(
  index: number,
  connect: Connector,
  config: JobConfig = TINY,
  rest: Partial<EdgeOptions> = {},
): TinyClient {
  const bottom = new TinyBottom(config.model.hidden);
  const top = new TinyTop(config.model.hidden);
  const edge = new Edge({
    job: "demo",
    name: `client-${index}`,
    connect,
    segments: async () => ({ bottom, top: config.split === "vanilla" ? undefined : top }),
    batches: { nextBatch: (step, microBatch) => tinyBatch(index, step, microBatch) },
    backoff: { baseMs: 5, capMs: 20, attempts: 5 },
    ...rest,
  });
  return { edge, bottom, top };
}

/** A server on a free port of 127.0.0.1. */
export async function listening(options: Partial<ServerOptions> = {}) {
  const server = new Server({ host: "127.0.0.1", port: 0, ...options });
  const address = await server.listen();
  return { server, ...address };
}

export function socketClient(
  index: number,
  url: string,
  config: JobConfig = TINY,
  rest: Partial<EdgeOptions> = {},
): TinyClient {
  const ledger = new ByteLedger();
  return tinyClient(index, wsConnector({ url, ledger }), config, { ledger, ...rest });
}
