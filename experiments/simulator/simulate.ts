/**
 * A discrete-event simulation of a job: the protocol's own state machines on both sides, over links whose every message takes the time that
 * the shaper gives it, with computations that take measured times instead of being made. One thread simulates thousands of clients.
 */
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import type { Phase } from "../../shared/protocol/messages.ts";
import type { JobOutcome } from "../../shared/protocol/server-state.ts";
import { random32 } from "../../shared/random.ts";
import type { LinkDirection } from "../link/profiles.ts";
import { SimulatedClock } from "./clock.ts";
import type { Costs } from "./costs.ts";
import { addTimes, NO_TIME, type PathTimes } from "./critical-path.ts";
import { MessageSizes } from "./messages.ts";
import { SimulatedNetwork } from "./network.ts";
import { SimulatedClient, type SimulatedClientOptions } from "./simulated-client.ts";
import { type Moment, SimulatedServer } from "./simulated-server.ts";
import type { Span } from "./workers.ts";
import type { World } from "./world.ts";

export interface SimulationOptions {
  readonly config: JobConfig;
  readonly policy: JobPolicy;
  readonly costs: Costs;
  /** Bytes of a transfer in one of its client's steps, from 0; those of the costs by default. */
  readonly tensorBytes?: (step: number, phase: Phase) => number;
  readonly clients: readonly SimulatedClientOptions[];
  /** The server's own access to the network, shared by all clients; unlimited by default. */
  readonly serverLink?: { readonly up: LinkDirection; readonly down: LinkDirection };
  /** The server's computations take so many times as long as the costs say; 1 by default. */
  readonly serverSlowness?: number;
  readonly seed: number;
  /** Told what everybody is busy with. */
  readonly trace?: (span: Span) => void;
  /** Simulated milliseconds after which it is given up. */
  readonly limitMs?: number;
}

export interface SimulationResult {
  readonly outcome: JobOutcome | undefined;
  /** The first round's start, and when each round's optimizer step was done [steps], each with its critical path. */
  readonly firstRound: Moment;
  readonly commits: readonly Moment[];
  /** Times of both, milliseconds. */
  readonly firstRoundMs: number;
  readonly commitMs: readonly number[];
  readonly bytes: { readonly up: number; readonly down: number };
  /** Share of the time from the first round's start to the end. */
  readonly serverBusy: number;
  readonly clientBusy: number;
  /** Most pieces of work that waited for the server at once. */
  readonly longestQueue: number;
  /** Steps of clients that were given up, and connections that dropped. */
  readonly abandoned: number;
  readonly drops: number;
  /** Clients that were in each round's optimizer step, on average. */
  readonly meanParticipants: number;
}

/** Runs a job in simulated time, to its end or its limit. */
export function simulate(options: SimulationOptions): SimulationResult {
  const { config, policy, costs, seed, trace, serverLink, limitMs = Number.POSITIVE_INFINITY } = options;
  const clock = new SimulatedClock();
  const network: SimulatedNetwork = new SimulatedNetwork({
    clock,
    sizes: new MessageSizes(options.tensorBytes ?? ((_step, phase) => costs.bytes[phase])),
    seed,
    serverLink,
    trace,
    toServer: ({ number }, frame) => server.event({ type: "message", connection: number, frame }),
    toClient: ({ client }, frame) => clients[client].event({ type: "message", frame }),
  });
  let draws = 0;
  const world: World = {
    clock,
    network,
    config,
    costs,
    trace,
    uniform: () => (random32(seed, 0x5157, draws++) + 0.5) / 2 ** 32,
  };
  const server = new SimulatedServer(world, policy, options.serverSlowness ?? 1, (connection, code) => {
    if (!connection.clientOpen) return;
    connection.clientOpen = false;
    clients[connection.client].event({ type: "closed", code });
  });
  const clients = options.clients.map(
    (client, i) => new SimulatedClient(world, i, client, (event) => server.event(event)),
  );
  for (const client of clients) client.start();
  while (server.outcome === undefined && clock.nowMs <= limitMs && clock.tick()) {
    // Everything happens in the ticks.
  }
  return resultOf(server, clients, network);
}

function resultOf(
  server: SimulatedServer,
  clients: readonly SimulatedClient[],
  network: SimulatedNetwork,
): SimulationResult {
  const { commits, participants, machine } = server;
  const firstRound = server.firstRound ?? { ms: 0, path: NO_TIME };
  const spanMs = Math.max(1e-9, (commits.at(-1) ?? firstRound).ms - firstRound.ms);
  const sum = (of: (client: SimulatedClient) => number) => clients.reduce((n, client) => n + of(client), 0);
  return {
    outcome: server.outcome,
    firstRound,
    commits,
    firstRoundMs: firstRound.ms,
    commitMs: commits.map(({ ms }) => ms),
    bytes: { ...network.bytes },
    serverBusy: machine.busyMs / spanMs,
    clientBusy: sum((client) => client.machine.busyMs) / clients.length / spanMs,
    longestQueue: machine.longestQueue,
    abandoned: server.abandoned,
    drops: sum(({ drops }) => drops),
    meanParticipants: participants / Math.max(1, commits.length),
  };
}

/** Median milliseconds from one optimizer step to the next; the first is from the round's start. */
export function medianStepMs({ commitMs, firstRoundMs }: SimulationResult): number {
  const times = commitMs
    .map((at, i) => at - (i === 0 ? firstRoundMs : commitMs[i - 1]))
    .sort((a, b) => a - b);
  if (times.length === 0) return Number.NaN;
  const middle = times.length >> 1;
  return times.length % 2 === 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
}

/** What a mean step's time goes to on the critical path, of all steps so far; see critical-path.ts. */
export function meanStepPath({ firstRound, commits }: SimulationResult): PathTimes {
  const last = commits.at(-1) ?? firstRound;
  const share = 1 / Math.max(1, commits.length);
  return addTimes(addTimes(NO_TIME, last.path, share), firstRound.path, -share);
}
