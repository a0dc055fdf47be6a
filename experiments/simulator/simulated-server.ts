/** The server of a simulation: the protocol's machine, whose effects cost time instead of being carried out. */
import { codecNamesOf } from "../../shared/protocol/codecs.ts";
import type { JobPolicy } from "../../shared/protocol/job-config.ts";
import { serverTransition } from "../../shared/protocol/server-machine.ts";
import type {
  JobOutcome,
  ServerEffect,
  ServerEvent,
  ServerProgress,
  ServerRequest,
  ServerState,
} from "../../shared/protocol/server-state.ts";
import { createServerState } from "../../shared/protocol/server-turn.ts";
import { codecCosts } from "./costs.ts";
import type { PathTimes } from "./critical-path.ts";
import { adapterMessages, tensorMessage } from "./messages.ts";
import type { Connection } from "./network.ts";
import { SimulatedMachine } from "./workers.ts";
import { SimulatedTimers, type World } from "./world.ts";

/** A moment of a run, and what led there. */
export interface Moment {
  readonly ms: number;
  readonly path: PathTimes;
}

export class SimulatedServer {
  readonly machine: SimulatedMachine;
  /** When the first round began. */
  firstRound: Moment | undefined;
  /** When each optimizer step was done. */
  readonly commits: Moment[] = [];
  /** Clients in all optimizer steps together. */
  participants = 0;
  /** Steps of clients that were given up. */
  abandoned = 0;
  outcome: JobOutcome | undefined;
  readonly #world: World;
  /** Its computations take so many times as long as the costs say. */
  readonly #slowness: number;
  readonly #closed: (connection: Connection, code: number) => void;
  readonly #timers: SimulatedTimers;
  #state: ServerState;

  /** @param closed told when the other end learns that the server has closed a connection */
  constructor(
    world: World,
    policy: JobPolicy,
    slowness: number,
    closed: (connection: Connection, code: number) => void,
  ) {
    this.#world = world;
    this.#slowness = slowness;
    this.#closed = closed;
    this.machine = new SimulatedMachine(world.clock, "server", world.trace);
    this.#timers = new SimulatedTimers(world.clock);
    const { config } = world;
    this.#state = createServerState({
      name: "default",
      number: 1,
      config,
      policy,
      codecNames: codecNamesOf(config),
    });
  }

  event(event: ServerEvent): void {
    const { state, effects } = serverTransition(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: ServerEffect): void {
    const { network, clock, costs } = this.#world;
    switch (effect.type) {
      case "send":
        network.sendDown(network.connection(effect.connection), effect.frame);
        return;
      case "close": {
        const connection = network.connection(effect.connection);
        connection.serverOpen = false;
        connection.cancelDrop();
        const arrived = connection.downState.arrivedMs + connection.down.delayMs;
        clock.at(arrived, () => this.#closed(connection, effect.code), "link");
        return;
      }
      case "authenticate":
        clock.after(0, () => this.event({ type: "authenticated", connection: effect.connection }));
        return;
      case "compute":
        this.#compute(effect.request);
        return;
      case "discard":
        this.machine.clear(effect.client);
        return;
      case "sendAverage":
        for (const message of adapterMessages(costs.adapterBytes, this.#state.averages))
          network.sendDown(network.connection(effect.connection), {
            job: 1,
            client: effect.client,
            message,
          });
        return;
      case "startTimer":
        this.#timers.start(effect.timer, effect.ms, () => this.event({ type: "timer", timer: effect.timer }));
        return;
      case "stopTimer":
        this.#timers.stop(effect.timer);
        return;
      case "notify":
        this.#note(effect.progress);
        return;
      default:
        // begin, resetStreams, acceptAdapter: nothing is held here.
        return;
    }
  }

  #note(progress: ServerProgress): void {
    const { nowMs: ms, path } = this.#world.clock;
    if (progress.type === "roundStarted") this.firstRound ??= { ms, path };
    else if (progress.type === "committed") {
      this.commits.push({ ms, path });
      this.participants += progress.group.members.length;
    } else if (progress.type === "stepAbandoned") this.abandoned++;
    else if (progress.type === "ended") this.outcome = progress.outcome;
  }

  #compute(request: ServerRequest): void {
    const { costs, config } = this.#world;
    const { server } = costs;
    const slowness = this.#slowness;
    if (request.kind === "commit") {
      const { members, trunkStep } = request.group;
      const ms = (server.addGradients * members.length + server.optimizer) * slowness;
      const done = () =>
        this.event({ type: "computed", result: { kind: "commit", trunkStep, gradientNorm: 1 } });
      this.machine.pushUrgent({ ms, what: "commit", step: members[0].step, microBatch: 0, done });
      return;
    }
    if (request.kind === "average") {
      const ms = server.addGradients * request.members.length * slowness;
      const { average } = request;
      const done = () => this.event({ type: "computed", result: { kind: "average", average } });
      this.machine.pushUrgent({ ms, what: "average", step: 0, microBatch: 0, done });
      return;
    }
    const { client, message, kind } = request;
    const { step, microBatch } = message;
    const phase = kind === "forward" ? "A2" : "G1";
    const of = ({ forward, backward }: { readonly forward: number; readonly backward: number }) =>
      slowness * { forward, backward, vanilla: forward + backward }[kind];
    this.machine.push(client, {
      ms: of(server),
      codecMs: of(codecCosts(costs).server),
      what: kind,
      step,
      microBatch,
      done: () => {
        const answer = tensorMessage(config, costs, message, microBatch, phase);
        this.event({ type: "computed", result: { kind: "tensor", client, message: answer } });
      },
    });
  }
}
