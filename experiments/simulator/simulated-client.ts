/** A client of a simulation: the protocol's machine, whose effects cost time instead of being carried out. */
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
import { CODEC_NAMES } from "../../shared/protocol/codecs.ts";
import type { Phase, StepKey, TensorMessage } from "../../shared/protocol/messages.ts";
import type { ServerEvent } from "../../shared/protocol/server-state.ts";
import type { LinkProfile } from "../link/profiles.ts";
import { codecCosts } from "./costs.ts";
import { adapterMessages, tensorMessage } from "./messages.ts";
import type { Connection } from "./network.ts";
import { SimulatedMachine } from "./workers.ts";
import { SimulatedTimers, type World } from "./world.ts";

export interface SimulatedClientOptions {
  readonly link: LinkProfile;
  /** Its computations take so many times as long as the costs say. */
  readonly slowness: number;
  /** Mean seconds until its connection drops; 0 for never. */
  readonly dropEverySeconds: number;
}

export class SimulatedClient {
  readonly machine: SimulatedMachine;
  /** Connections that dropped. */
  drops = 0;
  readonly #world: World;
  readonly #index: number;
  readonly #options: SimulatedClientOptions;
  readonly #server: (event: ServerEvent) => void;
  readonly #backoff: Backoff;
  readonly #timers: SimulatedTimers;
  #state: ClientState;
  #connection: Connection | undefined;
  #connectedBefore = false;

  /** @param server given what happens to this client's connections at the server's end */
  constructor(
    world: World,
    index: number,
    options: SimulatedClientOptions,
    server: (event: ServerEvent) => void,
  ) {
    this.#world = world;
    this.#index = index;
    this.#options = options;
    this.#server = server;
    const name = `client-${index + 1}`;
    const { model } = world.config;
    this.#state = createClientState({
      job: "default",
      name,
      modelFingerprint: model.fingerprint,
      tokenizerFingerprint: model.tokenizerFingerprint,
      codecs: CODEC_NAMES,
      software: "narrowband/0.0.0 node/20.0.0",
      process: `simulated-client-${String(index).padStart(19, "0")}`,
    });
    this.machine = new SimulatedMachine(world.clock, name, world.trace);
    this.#backoff = new Backoff(DEFAULT_BACKOFF, world.uniform);
    this.#timers = new SimulatedTimers(world.clock);
  }

  start(): void {
    this.#perform(START);
  }

  event(event: ClientEvent): void {
    const { state, effects } = clientTransition(this.#state, event);
    this.#state = state;
    this.#perform(effects);
  }

  #perform(effects: readonly ClientEffect[]): void {
    const { network, costs } = this.#world;
    for (const effect of effects) {
      switch (effect.type) {
        case "connect":
          this.#connectLater();
          break;
        case "send":
          if (this.#connection !== undefined) network.sendUp(this.#connection, effect.frame);
          break;
        case "close":
          this.#close();
          break;
        case "compute":
          this.#compute(effect.request);
          break;
        case "sendAdapters":
          for (const message of adapterMessages(costs.adapterBytes, effect.average))
            if (this.#connection !== undefined)
              network.sendUp(this.#connection, { job: 1, client: this.#state.index, message });
          break;
        case "startTimer":
          this.#timers.start(effect.timer, effect.ms, () =>
            this.event({ type: "timer", timer: effect.timer }),
          );
          break;
        case "stopTimer":
          this.#timers.stop(effect.timer);
          break;
        case "notify":
          if (effect.progress.type === "stepCommitted") this.#backoff.reset();
          break;
        default:
          // begin, discard, resetStreams, acceptAdapter: nothing is held here.
          break;
      }
    }
  }

  #connectLater(): void {
    if (!this.#connectedBefore) {
      this.#connectedBefore = true;
      this.#connect();
      return;
    }
    const ms = this.#backoff.next();
    if (ms === undefined)
      this.event({ type: "gaveUp", code: "NB_CONNECTION_LOST", message: "attempts are used up" });
    else this.#world.clock.after(ms, () => this.#connect());
  }

  #connect(): void {
    const { network, clock, uniform } = this.#world;
    const { link, dropEverySeconds } = this.#options;
    network.open(this.#index, link, (connection) => {
      this.#connection = connection;
      if (dropEverySeconds > 0) {
        const ms = -Math.log(uniform()) * dropEverySeconds * 1_000;
        connection.cancelDrop = clock.after(ms, () => this.#drop(connection));
      }
      this.#server({ type: "connected", connection: connection.number });
      this.event({ type: "opened" });
    });
  }

  /** The connection breaks: both ends learn of it at once, as with a reset. */
  #drop(connection: Connection): void {
    if (!connection.clientOpen || !connection.serverOpen) return;
    this.drops++;
    connection.clientOpen = false;
    connection.serverOpen = false;
    this.#connection = undefined;
    this.#server({ type: "closed", connection: connection.number });
    this.event({ type: "closed", code: 1006 });
  }

  #close(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    connection.clientOpen = false;
    connection.cancelDrop();
    const closed = () => {
      if (!connection.serverOpen) return;
      connection.serverOpen = false;
      this.#server({ type: "closed", connection: connection.number });
    };
    this.#world.clock.at(connection.upState.arrivedMs + connection.up.delayMs, closed, "link");
  }

  #tensor(key: StepKey, microBatch: number, phase: Phase): TensorMessage {
    const { config, costs } = this.#world;
    return tensorMessage(config, costs, key, microBatch, phase);
  }

  #compute(request: ClientRequest): void {
    const { costs } = this.#world;
    const { client, tokens } = costs;
    const codec = codecCosts(costs).client;
    const work = (
      what: "build" | "average" | "bottom" | "top" | "backward" | "apply",
      at: { readonly step: number; readonly microBatch: number },
      result: () => ClientResult,
    ) => {
      const free = what === "build" || what === "average";
      this.machine.push(0, {
        ms: free ? 0 : client[what] * this.#options.slowness,
        codecMs: free || what === "apply" ? 0 : codec[what] * this.#options.slowness,
        what,
        step: at.step,
        microBatch: at.microBatch,
        done: () => this.event({ type: "computed", result: result() }),
      });
    };
    switch (request.kind) {
      case "build":
        work("build", { step: 0, microBatch: 0 }, () => ({ kind: "build" }));
        return;
      case "bottom": {
        const { key, microBatch } = request;
        work("bottom", { step: key.step, microBatch }, () => ({
          kind: "bottom",
          message: this.#tensor(key, microBatch, "A1"),
        }));
        return;
      }
      case "top": {
        const { message } = request;
        work("top", message, () => ({
          kind: "top",
          message: this.#tensor(message, message.microBatch, "G2"),
          lossSum: 1,
          supervisedTokens: tokens,
        }));
        return;
      }
      case "backward": {
        const { step, attempt, microBatch } = request.message;
        work("backward", request.message, () => ({
          kind: "backward",
          key: { step, attempt },
          microBatch,
        }));
        return;
      }
      case "apply": {
        const { step, attempt } = request.commit;
        work("apply", { step, microBatch: 0 }, () => ({ kind: "apply", key: { step, attempt } }));
        return;
      }
      case "loadAverage": {
        const { average } = request;
        work("average", { step: 0, microBatch: 0 }, () => ({ kind: "loadAverage", average }));
      }
    }
  }
}
