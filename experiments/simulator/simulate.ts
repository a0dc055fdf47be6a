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
import { CODEC_NAMES, codecIdOf, codecNamesOf } from "../../shared/protocol/codecs.ts";
import { encodeFrame } from "../../shared/protocol/frame.ts";
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import { ADAPTER_CHUNK_BYTES } from "../../shared/protocol/limits.ts";
import type { Frame, Message, Phase, StepKey, TensorMessage } from "../../shared/protocol/messages.ts";
import { serverTransition } from "../../shared/protocol/server-machine.ts";
import {
  createServerState,
  type JobOutcome,
  type ServerEffect,
  type ServerEvent,
  type ServerRequest,
  type ServerState,
} from "../../shared/protocol/server-state.ts";
import { frameHeaderBytes } from "../../shared/protocol/ws-socket-node.ts";
import { random32 } from "../../shared/random.ts";
import type { LinkDirection, LinkProfile } from "../link/profiles.ts";
import { IDLE, type ShaperLink, type ShaperState, shaperLinks, ship } from "../link/shaper.ts";
import { SimulatedClock } from "./clock.ts";
import type { Costs } from "./costs.ts";
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

const EMPTY = new Uint8Array(0);
/** Stands for any piece of adapters. */
const ZEROS = new Uint8Array(ADAPTER_CHUNK_BYTES);

/** Two hops of TCP and HTTP before a WebSocket is open: a round trip each. */
const ROUND_TRIPS_TO_OPEN = 2;

interface Connection {
  readonly number: number;
  readonly client: number;
  readonly up: ShaperLink;
  readonly down: ShaperLink;
  upState: ShaperState;
  downState: ShaperState;
  clientOpen: boolean;
  serverOpen: boolean;
  cancelDrop: () => void;
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
  readonly #connections: Connection[] = [];
  readonly #timers = new Map<string, () => void>();
  readonly #serverUp: ShaperLink | undefined;
  readonly #serverDown: ShaperLink | undefined;
  #serverUpState = IDLE;
  #serverDownState = IDLE;
  #state: ServerState;
  #bytes = { up: 0, down: 0 };
  #commitMs: number[] = [];
  #participants = 0;
  #firstRoundMs: number | undefined;
  #outcome: JobOutcome | undefined;
  #abandoned = 0;
  #drops = 0;
  #draws = 0;
  /** Bytes of a message without its arrays, by what decides it; encoding each again would be most of the work. */
  readonly #sizes = new Map<string, number>();

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { config, policy, seed, trace, serverLink } = options;
    this.#server = new SimulatedMachine(this.#clock, "server", trace);
    if (serverLink !== undefined) {
      const { up, down } = shaperLinks({ ...serverLink, resetEverySeconds: 0 }, seed, 0x7fff_0000);
      this.#serverUp = up;
      this.#serverDown = down;
    }
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
      bytes: { ...this.#bytes },
      serverBusy: this.#server.busyMs / spanMs,
      clientBusy: clientMs / this.#clients.length / spanMs,
      longestQueue: this.#server.longestQueue,
      abandoned: this.#abandoned,
      drops: this.#drops,
      meanParticipants: this.#participants / Math.max(1, this.#commitMs.length),
    };
  }

  // The network.

  /** Bytes of a message on a socket: tensors and adapters by the costs, all else as it is encoded. */
  #size(frame: Frame, fromClient: boolean): number {
    const { message } = frame;
    const { costs } = this.#options;
    if (message.type === "tensor") return costs.bytes[message.phase];
    if (message.type === "adapterChunk")
      return Math.min(ADAPTER_CHUNK_BYTES, costs.adapterBytes - message.index * ADAPTER_CHUNK_BYTES) + 40;
    const key = `${message.type} ${fromClient}`;
    let size = this.#sizes.get(key);
    if (size === undefined) {
      const bytes = encodeFrame(frame).length;
      size = bytes + frameHeaderBytes(bytes, fromClient);
      this.#sizes.set(key, size);
    }
    return size;
  }

  #trace(connection: Connection, way: "up" | "down", message: Message, fromMs: number, toMs: number): void {
    if (message.type !== "tensor") return;
    const { step, microBatch, phase } = message;
    const who = `client-${connection.client + 1} ${way}`;
    this.#options.trace?.({ who, what: phase, step, microBatch, fromMs, toMs });
  }

  #sendUp(connection: Connection, frame: Frame): void {
    const size = this.#size(frame, true);
    this.#bytes.up += size;
    const now = this.#clock.nowMs;
    connection.upState = ship(connection.up, connection.upState, now, size);
    let arrived = connection.upState.arrivedMs;
    // What clients send up comes down the server's own line.
    if (this.#serverDown !== undefined) {
      this.#serverDownState = ship(this.#serverDown, this.#serverDownState, arrived, size);
      arrived = this.#serverDownState.arrivedMs;
    }
    this.#trace(connection, "up", frame.message, now, arrived);
    this.#clock.at(arrived, () => {
      if (connection.serverOpen) this.#serverEvent({ type: "message", connection: connection.number, frame });
    });
  }

  #sendDown(connection: Connection, frame: Frame): void {
    const size = this.#size(frame, false);
    this.#bytes.down += size;
    const now = this.#clock.nowMs;
    let left = now;
    if (this.#serverUp !== undefined) {
      this.#serverUpState = ship(this.#serverUp, this.#serverUpState, now, size);
      left = this.#serverUpState.arrivedMs;
    }
    connection.downState = ship(connection.down, connection.downState, left, size);
    const { arrivedMs } = connection.downState;
    this.#trace(connection, "down", frame.message, now, arrivedMs);
    this.#clock.at(arrivedMs, () => {
      if (connection.clientOpen) this.#clientEvent(connection.client, { type: "message", frame });
    });
  }

  #connect(i: number): void {
    const client = this.#clients[i];
    const { link, dropEverySeconds } = client.options;
    const number = this.#connections.length;
    const links = shaperLinks(link, this.#options.seed, number);
    const trip = link.up.delayMs + link.down.delayMs;
    this.#clock.after(ROUND_TRIPS_TO_OPEN * trip, () => {
      const connection: Connection = {
        number,
        client: i,
        ...links,
        upState: IDLE,
        downState: IDLE,
        clientOpen: true,
        serverOpen: true,
        cancelDrop: () => {},
      };
      this.#connections[number] = connection;
      client.connection = connection;
      if (dropEverySeconds > 0) {
        const ms = -Math.log(this.#uniform()) * dropEverySeconds * 1_000;
        connection.cancelDrop = this.#clock.after(ms, () => this.#drop(connection));
      }
      this.#serverEvent({ type: "connected", connection: number });
      this.#clientEvent(i, { type: "opened" });
    });
    this.#connections.push(undefined as unknown as Connection);
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
        this.#sendDown(this.#connections[effect.connection], effect.frame);
        return;
      case "close": {
        const connection = this.#connections[effect.connection];
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
        for (const message of this.#adapterMessages(this.#state.averages))
          this.#sendDown(this.#connections[effect.connection], { job: 1, client: effect.client, message });
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
          if (client.connection !== undefined) this.#sendUp(client.connection, effect.frame);
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
          for (const message of this.#adapterMessages(effect.average))
            if (client.connection !== undefined)
              this.#sendUp(client.connection, { job: 1, client: client.state.index, message });
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

  /** A tensor message whose body is only counted. */
  #tensor({ step, attempt }: StepKey, microBatch: number, phase: Phase): TensorMessage {
    const { config, costs } = this.#options;
    const vanilla = config.split === "vanilla";
    return {
      type: "tensor",
      step,
      attempt,
      microBatch,
      phase,
      tokens: costs.tokens,
      lengths: phase === "A1" ? [costs.tokens] : [],
      channels: config.model.hidden,
      codec: codecIdOf(config, phase),
      bitTableVersion: 0,
      bitTable: undefined,
      labels: vanilla && phase === "A1" ? EMPTY : undefined,
      scales: EMPTY,
      payload: EMPTY,
      lossSum: vanilla && phase === "G1" ? 1 : 0,
      supervisedTokens: vanilla && phase === "G1" ? costs.tokens : 0,
    };
  }

  #adapterMessages(average: number): Message[] {
    const totalBytes = Math.max(1, this.#options.costs.adapterBytes);
    const begin: Message = {
      type: "adapterBegin",
      average,
      manifestDigest: 1,
      totalBytes,
      chunkBytes: ADAPTER_CHUNK_BYTES,
      manifest: EMPTY,
    };
    const chunks = Math.ceil(totalBytes / ADAPTER_CHUNK_BYTES);
    const rest: Message[] = Array.from({ length: chunks }, (_, index) => ({
      type: "adapterChunk",
      average,
      index,
      data: ZEROS.subarray(0, Math.min(ADAPTER_CHUNK_BYTES, totalBytes - index * ADAPTER_CHUNK_BYTES)),
    }));
    return [begin, ...rest];
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
