/**
 * A discrete-event simulation of a job: the protocol's own state machines on both sides, over links whose every message takes the time that
 * the shaper gives it, with computations that take measured times instead of being made. One thread simulates thousands of clients.
 */
import { Backoff, DEFAULT_BACKOFF } from "../../client/backoff.ts";
import { clientTransition, START } from "../../shared/protocol/client-machine.ts";
import {
  type ClientEffect,
  type ClientEvent,
  type ClientRequest,
  type ClientResult,
  type ClientState,
  createClientState,
} from "../../shared/protocol/client-state.ts";
import { CODEC_NAMES, codecNamesOf } from "../../shared/protocol/codecs.ts";
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import type { Phase, StepKey, TensorMessage } from "../../shared/protocol/messages.ts";
import { serverTransition } from "../../shared/protocol/server-machine.ts";
import type {
  JobOutcome,
  ServerEffect,
  ServerEvent,
  ServerRequest,
  ServerState,
} from "../../shared/protocol/server-state.ts";
import { createServerState } from "../../shared/protocol/server-turn.ts";
import { random32 } from "../../shared/random.ts";
import type { LinkDirection, LinkProfile } from "../link/profiles.ts";
import { SimulatedClock } from "./clock.ts";
import type { Costs } from "./costs.ts";
import { adapterMessages, tensorMessage } from "./messages.ts";
import { type Connection, SimulatedNetwork } from "./network.ts";
import { SimulatedMachine, type Span } from "./workers.ts";

export interface SimulatedClientOptions {
  readonly link: LinkProfile;
  /** Its computations take so many times as long as the costs say. */
  readonly slowness: number;
  /** Mean seconds until its connection drops; 0 for never. */
  readonly dropEverySeconds: number;
}

export interface SimulationOptions {
  readonly config: JobConfig;
  readonly policy: JobPolicy;
  readonly costs: Costs;
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
  /** When each round's optimizer step was done, milliseconds [steps]. */
  readonly commitMs: readonly number[];
  /** From the first round's start. */
  readonly firstRoundMs: number;
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

interface Client {
  state: ClientState;
  readonly options: SimulatedClientOptions;
  readonly machine: SimulatedMachine;
  readonly backoff: Backoff;
  connection: Connection | undefined;
  connectedBefore: boolean;
  readonly timers: Map<string, () => void>;
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #clock = new SimulatedClock();
  readonly #server: SimulatedMachine;
  readonly #clients: Client[];
  readonly #network: SimulatedNetwork;
  readonly #timers = new Map<string, () => void>();
  #state: ServerState;
  #commitMs: number[] = [];
  #participants = 0;
  #firstRoundMs: number | undefined;
  #outcome: JobOutcome | undefined;
  #abandoned = 0;
  #drops = 0;
  #draws = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { config, policy, costs, seed, trace, serverLink } = options;
    this.#server = new SimulatedMachine(this.#clock, "server", trace);
    this.#network = new SimulatedNetwork({
      clock: this.#clock,
      costs,
      seed,
      serverLink,
      trace,
      toServer: ({ number }, frame) => this.#serverEvent({ type: "message", connection: number, frame }),
      toClient: ({ client }, frame) => this.#clientEvent(client, { type: "message", frame }),
    });
    this.#state = createServerState({
      name: "default",
      number: 1,
      config,
      policy,
      codecNames: codecNamesOf(config),
    });
    this.#clients = options.clients.map((client, i) => ({
      state: createClientState({
        job: "default",
        name: `client-${i + 1}`,
        modelFingerprint: config.model.fingerprint,
        tokenizerFingerprint: config.model.tokenizerFingerprint,
        codecs: CODEC_NAMES,
        software: "narrowband/0.0.0 node/20.0.0",
        process: `simulated-client-${String(i).padStart(19, "0")}`,
      }),
      options: client,
      machine: new SimulatedMachine(this.#clock, `client-${i + 1}`, trace),
      backoff: new Backoff(DEFAULT_BACKOFF, () => this.#uniform()),
      connection: undefined,
      connectedBefore: false,
      timers: new Map(),
    }));
  }

  #uniform(): number {
    return (random32(this.#options.seed, 0x5157, this.#draws++) + 0.5) / 2 ** 32;
  }

  run(): SimulationResult {
    for (const [i] of this.#clients.entries()) this.#clientEffects(i, START);
    const limitMs = this.#options.limitMs ?? Number.POSITIVE_INFINITY;
    while (this.#outcome === undefined && this.#clock.nowMs <= limitMs && this.#clock.tick()) {
      // Everything happens in the ticks.
    }
    const firstRoundMs = this.#firstRoundMs ?? 0;
    const endMs = this.#commitMs.at(-1) ?? firstRoundMs;
    const spanMs = Math.max(1e-9, endMs - firstRoundMs);
    const clientMs = this.#clients.reduce((sum, { machine }) => sum + machine.busyMs, 0);
    return {
      outcome: this.#outcome,
      commitMs: this.#commitMs,
      firstRoundMs,
      bytes: { ...this.#network.bytes },
      serverBusy: this.#server.busyMs / spanMs,
      clientBusy: clientMs / this.#clients.length / spanMs,
      longestQueue: this.#server.longestQueue,
      abandoned: this.#abandoned,
      drops: this.#drops,
      meanParticipants: this.#participants / Math.max(1, this.#commitMs.length),
    };
  }

  #connect(i: number): void {
    const { link, dropEverySeconds } = this.#clients[i].options;
    this.#network.open(i, link, (connection) => {
      this.#clients[i].connection = connection;
      if (dropEverySeconds > 0) {
        const ms = -Math.log(this.#uniform()) * dropEverySeconds * 1_000;
        connection.cancelDrop = this.#clock.after(ms, () => this.#drop(connection));
      }
      this.#serverEvent({ type: "connected", connection: connection.number });
      this.#clientEvent(i, { type: "opened" });
    });
  }

  /** The connection breaks: both ends learn of it at once, as with a reset. */
  #drop(connection: Connection): void {
    if (!connection.clientOpen || !connection.serverOpen) return;
    this.#drops++;
    connection.clientOpen = false;
    connection.serverOpen = false;
    this.#clients[connection.client].connection = undefined;
    this.#serverEvent({ type: "closed", connection: connection.number });
    this.#clientEvent(connection.client, { type: "closed", code: 1006 });
  }

  // The server.

  #serverEvent(event: ServerEvent): void {
    const { state, effects } = serverTransition(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#serverEffect(effect);
  }

  #serverEffect(effect: ServerEffect): void {
    switch (effect.type) {
      case "send":
        this.#network.sendDown(this.#network.connection(effect.connection), effect.frame);
        return;
      case "close": {
        const connection = this.#network.connection(effect.connection);
        connection.serverOpen = false;
        connection.cancelDrop();
        this.#clock.at(connection.downState.arrivedMs + connection.down.delayMs, () => {
          if (!connection.clientOpen) return;
          connection.clientOpen = false;
          this.#clientEvent(connection.client, { type: "closed", code: effect.code });
        });
        return;
      }
      case "authenticate":
        this.#clock.after(0, () =>
          this.#serverEvent({ type: "authenticated", connection: effect.connection }),
        );
        return;
      case "compute":
        this.#serverCompute(effect.request);
        return;
      case "discard":
        this.#server.clear(effect.client);
        return;
      case "sendAverage":
        for (const message of adapterMessages(this.#options.costs.adapterBytes, this.#state.averages))
          this.#network.sendDown(this.#network.connection(effect.connection), {
            job: 1,
            client: effect.client,
            message,
          });
        return;
      case "startTimer":
        this.#timers.get(effect.timer)?.();
        this.#timers.set(
          effect.timer,
          this.#clock.after(effect.ms, () => this.#serverEvent({ type: "timer", timer: effect.timer })),
        );
        return;
      case "stopTimer":
        this.#timers.get(effect.timer)?.();
        this.#timers.delete(effect.timer);
        return;
      case "notify": {
        const { progress } = effect;
        if (progress.type === "roundStarted") this.#firstRoundMs ??= this.#clock.nowMs;
        else if (progress.type === "committed") {
          this.#commitMs.push(this.#clock.nowMs);
          this.#participants += progress.group.members.length;
        } else if (progress.type === "stepAbandoned") this.#abandoned++;
        else if (progress.type === "ended") this.#outcome = progress.outcome;
        return;
      }
      default:
        // begin, resetStreams, acceptAdapter: nothing is held here.
        return;
    }
  }

  #serverCompute(request: ServerRequest): void {
    const { server } = this.#options.costs;
    const slowness = this.#options.serverSlowness ?? 1;
    if (request.kind === "commit") {
      const { members, trunkStep } = request.group;
      const ms = (server.addGradients * members.length + server.optimizer) * slowness;
      const done = () =>
        this.#serverEvent({ type: "computed", result: { kind: "commit", trunkStep, gradientNorm: 1 } });
      this.#server.pushUrgent({ ms, what: "commit", step: members[0].step, microBatch: 0, done });
      return;
    }
    if (request.kind === "average") {
      const ms = server.addGradients * request.members.length * slowness;
      const { average } = request;
      const done = () => this.#serverEvent({ type: "computed", result: { kind: "average", average } });
      this.#server.pushUrgent({ ms, what: "average", step: 0, microBatch: 0, done });
      return;
    }
    const { client, message, kind } = request;
    const { step, microBatch } = message;
    const phase = kind === "forward" ? "A2" : "G1";
    const own = {
      forward: server.forward,
      backward: server.backward,
      vanilla: server.forward + server.backward,
    };
    this.#server.push(client, {
      ms: own[kind] * slowness,
      what: kind,
      step,
      microBatch,
      done: () => {
        const answer = this.#tensor(message, microBatch, phase);
        this.#serverEvent({ type: "computed", result: { kind: "tensor", client, message: answer } });
      },
    });
  }

  // Clients.

  #clientEvent(i: number, event: ClientEvent): void {
    const client = this.#clients[i];
    const { state, effects } = clientTransition(client.state, event);
    client.state = state;
    this.#clientEffects(i, effects);
  }

  #clientEffects(i: number, effects: readonly ClientEffect[]): void {
    const client = this.#clients[i];
    for (const effect of effects) {
      switch (effect.type) {
        case "connect":
          this.#connectLater(i);
          break;
        case "send":
          if (client.connection !== undefined) this.#network.sendUp(client.connection, effect.frame);
          break;
        case "close": {
          const { connection } = client;
          client.connection = undefined;
          if (connection === undefined) break;
          connection.clientOpen = false;
          connection.cancelDrop();
          this.#clock.at(connection.upState.arrivedMs + connection.up.delayMs, () => {
            if (!connection.serverOpen) return;
            connection.serverOpen = false;
            this.#serverEvent({ type: "closed", connection: connection.number });
          });
          break;
        }
        case "compute":
          this.#clientCompute(i, effect.request);
          break;
        case "sendAdapters":
          for (const message of adapterMessages(this.#options.costs.adapterBytes, effect.average))
            if (client.connection !== undefined)
              this.#network.sendUp(client.connection, { job: 1, client: client.state.index, message });
          break;
        case "startTimer":
          client.timers.get(effect.timer)?.();
          client.timers.set(
            effect.timer,
            this.#clock.after(effect.ms, () => this.#clientEvent(i, { type: "timer", timer: effect.timer })),
          );
          break;
        case "stopTimer":
          client.timers.get(effect.timer)?.();
          client.timers.delete(effect.timer);
          break;
        case "notify":
          if (effect.progress.type === "stepCommitted") client.backoff.reset();
          break;
        default:
          // begin, discard, resetStreams, acceptAdapter: nothing is held here.
          break;
      }
    }
  }

  #connectLater(i: number): void {
    const client = this.#clients[i];
    if (!client.connectedBefore) {
      client.connectedBefore = true;
      this.#connect(i);
      return;
    }
    const ms = client.backoff.next();
    if (ms === undefined)
      this.#clientEvent(i, { type: "gaveUp", code: "NB_CONNECTION_LOST", message: "attempts are used up" });
    else this.#clock.after(ms, () => this.#connect(i));
  }

  #tensor(key: StepKey, microBatch: number, phase: Phase): TensorMessage {
    const { config, costs } = this.#options;
    return tensorMessage(config, costs, key, microBatch, phase);
  }

  #clientCompute(i: number, request: ClientRequest): void {
    const client = this.#clients[i];
    const { costs } = this.#options;
    const { slowness } = client.options;
    const { tokens } = costs;
    const work = (
      ms: number,
      what: string,
      at: { step: number; microBatch: number },
      result: () => ClientResult,
    ) =>
      client.machine.push(0, {
        ms: ms * slowness,
        what,
        ...at,
        done: () => this.#clientEvent(i, { type: "computed", result: result() }),
      });
    switch (request.kind) {
      case "build":
        work(0, "build", { step: 0, microBatch: 0 }, () => ({ kind: "build" }));
        return;
      case "bottom": {
        const { key, microBatch } = request;
        work(costs.client.bottom, "bottom", { step: key.step, microBatch }, () => ({
          kind: "bottom",
          message: this.#tensor(key, microBatch, "A1"),
        }));
        return;
      }
      case "top": {
        const { message } = request;
        work(costs.client.top, "top", message, () => ({
          kind: "top",
          message: this.#tensor(message, message.microBatch, "G2"),
          lossSum: 1,
          supervisedTokens: tokens,
        }));
        return;
      }
      case "backward": {
        const { step, attempt, microBatch } = request.message;
        work(costs.client.backward, "backward", request.message, () => ({
          kind: "backward",
          key: { step, attempt },
          microBatch,
        }));
        return;
      }
      case "apply": {
        const { step, attempt } = request.commit;
        work(costs.client.apply, "apply", { step, microBatch: 0 }, () => ({
          kind: "apply",
          key: { step, attempt },
        }));
        return;
      }
      case "loadAverage": {
        const { average } = request;
        work(0, "average", { step: 0, microBatch: 0 }, () => ({ kind: "loadAverage", average }));
      }
    }
  }
}

/** Runs a job in simulated time, to its end or its limit. */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run();
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
