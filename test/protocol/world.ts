/**
 * A small world for the two state machines: one server and some clients in memory, whose messages travel as real frames, and a seeded
 * scheduler that picks what happens next. It reorders between connections, repeats frames, cuts connections with what is in
 * flight, restarts clients and lets time pass. Computations are stand-ins that check that each is asked for exactly once.
 */

import { clientTransition, START } from "../../shared/protocol/client-machine.ts";
import type { ClientEffect, ClientOutcome, ClientProgress } from "../../shared/protocol/client-state.ts";
import {
  type ClientEvent,
  type ClientRequest,
  type ClientResult,
  type ClientState,
  createClientState,
  WorkStatus,
} from "../../shared/protocol/client-state.ts";
import { ClientKind, kindsOf } from "../../shared/protocol/client-table.ts";
import { codecIdOf } from "../../shared/protocol/codecs.ts";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol/limits.ts";
import type {
  AdapterBeginMessage,
  AdapterChunkMessage,
  Message,
  Phase,
  StepKey,
  TensorMessage,
} from "../../shared/protocol/messages.ts";
import { serverTransition } from "../../shared/protocol/server-machine.ts";
import type {
  ServerEffect,
  ServerEvent,
  ServerProgress,
  ServerRequest,
  ServerState,
} from "../../shared/protocol/server-state.ts";
import { type CommitGroup, JobPhase, StepStatus } from "../../shared/protocol/server-state.ts";
import { createServerState } from "../../shared/protocol/server-turn.ts";

export const JOB: JobConfig = {
  split: "u-shape",
  mode: "sync",
  aggregation: "personal",
  averageEvery: 2,
  steps: 4,
  microBatches: 3,
  inFlight: 2,
  seed: 7,
  model: {
    name: "tiny",
    fingerprint: "m1",
    tokenizerFingerprint: "t1",
    hidden: 4,
    bottomBlocks: 1,
    trunkBlocks: 1,
    topBlocks: 1,
    vocabulary: 50,
  },
  lora: { rank: 2, alpha: 4, dropout: 0, targetModules: [] },
  optimizer: {
    learningRate: 0.001,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradientNorm: 1,
    schedule: "constant",
    warmupSteps: 0,
    finalFraction: 1,
  },
  codecs: { A1: "f32", A2: "f32", G2: "f16", G1: "f16" },
  maxFrameBytes: 100_000,
  maxTokens: 64,
  maxRows: 8,
  maxRowTokens: 32,
  heartbeatMs: 1_000,
  stepDeadlineMs: 60_000,
};

export const POLICY: JobPolicy = {
  minClients: 2,
  quorum: 1,
  maxClients: 8,
  absentGraceMs: 30_000,
  rejoinGraceMs: 0,
  uploadDeadlineMs: 20_000,
  maxFailedSteps: 3,
};

export function keyName({ step, attempt }: StepKey): string {
  return `${step}.${attempt}`;
}

/** Uniform numbers in [0, 1) from a 32-bit seed (xorshift32). */
export function random(seed: number): () => number {
  let x = (Math.imul(seed, 2_654_435_761) ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x / 2 ** 32;
  };
}

/** A tensor whose payload says which it is, so that mixed-up answers are noticed. */
export function tensor(
  config: JobConfig,
  client: number,
  key: StepKey,
  microBatch: number,
  phase: Phase,
): TensorMessage {
  const tokens = 2 + ((client + key.step + microBatch) % 3);
  const vanilla = config.split === "vanilla";
  return {
    type: "tensor",
    step: key.step,
    attempt: key.attempt,
    microBatch,
    phase,
    tokens,
    lengths: phase === "A1" ? [1, tokens - 1] : [],
    channels: config.model.hidden,
    codec: codecIdOf(config, phase),
    bitTableVersion: 0,
    bitTable: undefined,
    labels: vanilla && phase === "A1" ? new Uint8Array(tokens * 2) : undefined,
    scales: new Uint8Array(0),
    payload: new TextEncoder().encode(`${client} ${keyName(key)} ${microBatch} ${phase}`),
    lossSum: vanilla && phase === "G1" ? 1.5 : 0,
    supervisedTokens: vanilla && phase === "G1" ? tokens : 0,
  };
}

function assertTensor(config: JobConfig, client: number, message: TensorMessage): void {
  const expected = tensor(config, client, message, message.microBatch, message.phase);
  const [got, want] = [message.payload, expected.payload].map((bytes) => new TextDecoder().decode(bytes));
  if (got !== want) throw new Error(`payload "${got}" where "${want}" belongs`);
}

/** The server's counts are those of its clients. */
function assertCounts({ clients, config }: ServerState): void {
  const masks = [...clients].map((client) => kindsOf(client, config.steps));
  for (const [name, kind] of Object.entries(ClientKind)) {
    const counted = masks.filter((mask) => (mask & kind) !== 0).length;
    if (counted !== clients.count(kind)) throw new Error(`${clients.count(kind)} for ${counted} ${name}`);
  }
  for (const { status, open } of clients) {
    const stepping =
      status === StepStatus.STEPPING || status === StepStatus.PREPARED || status === StepStatus.COMMITTING;
    if (stepping !== (open !== undefined)) throw new Error(`status ${status}, step ${JSON.stringify(open)}`);
  }
}

interface Link {
  readonly id: number;
  readonly client: number;
  readonly up: (Uint8Array | number)[];
  readonly down: (Uint8Array | number)[];
  serverOpen: boolean;
  clientOpen: boolean;
}

interface Timer {
  readonly name: string;
  readonly due: number;
  readonly fire: () => void;
}

export interface Chaos {
  /** Connections cut, repeated frames and client restarts, at most. */
  readonly drops: number;
  readonly duplicates: number;
  readonly restarts: number;
  /** Chance of letting time pass although something else could be done. */
  readonly haste: number;
}

export const CALM: Chaos = { drops: 0, duplicates: 0, restarts: 0, haste: 0 };

const ADAPTER = new Uint8Array(20).fill(1);
const CHUNK = 8;

let serial = 0;

/** One client process and what it has done. */
class SimulatedClient {
  state: ClientState;
  link: Link | undefined;
  attempts = 0;
  readonly queue: ClientRequest[] = [];
  /** Keys applied, by every process that this client was. */
  readonly applied: string[] = [];
  readonly progress: ClientProgress[] = [];
  /** Backward passes of the open step. */
  backwards = 0;
  readonly received = new Map<number, number>();
  outcome: ClientOutcome | undefined;
  /** Whether some process of it ended, or was killed, not knowing whether its step counted. */
  unsure = false;

  constructor(name: string) {
    this.state = createClientState({
      job: "demo",
      name,
      modelFingerprint: "m1",
      tokenizerFingerprint: "t1",
      codecs: ["f32", "f16"],
      software: "test",
      process: `process-${name}-${serial++}-0000000000`,
    });
  }
}

export class World {
  server: ServerState;
  readonly clients: SimulatedClient[] = [];
  readonly commits: CommitGroup[] = [];
  readonly progress: ServerProgress[] = [];
  now = 0;
  ticks = 0;
  readonly #config: JobConfig;
  readonly #random: () => number;
  readonly #chaos: { drops: number; duplicates: number; restarts: number; haste: number };
  readonly #patient: boolean;
  readonly #links: Link[] = [];
  #timers: Timer[] = [];
  readonly #jobQueue: ServerRequest[] = [];
  readonly #clientQueues: ServerRequest[][] = [];
  readonly #authentications: number[] = [];
  readonly #connects: number[] = [];
  readonly #backwards = new Map<number, { key: string; count: number }>();

  /** `patient`: clients do not give up connecting. */
  constructor(
    seed: number,
    clients: number,
    config: JobConfig,
    policy: JobPolicy,
    chaos: Chaos,
    patient = false,
  ) {
    this.#patient = patient;
    this.#config = config;
    this.#random = random(seed);
    this.#chaos = { ...chaos };
    this.server = createServerState({
      name: "demo",
      number: 3,
      config,
      policy,
      codecNames: ["f32", "f16"],
    });
    for (let i = 0; i < clients; i++) {
      this.clients.push(new SimulatedClient(`c${i}`));
      this.#clientEffects(i, START);
    }
  }

  /** Runs until everybody has ended. Throws when nothing can happen any more, or too much has. */
  run(limit = 50_000): void {
    while (!this.#done()) {
      if (this.ticks++ > limit) throw new Error(`not over after ${limit} ticks`);
      // A job that never had its clients waits for them for ever; its operator stops it when too few are left.
      const left = this.clients.filter((c) => c.state.work !== WorkStatus.ENDED).length;
      const { started, outcome, policy } = this.server;
      if (left < policy.minClients && !started && outcome === undefined) this.stopServer();
      this.tick();
    }
  }

  #done(): boolean {
    return (
      this.server.phase === JobPhase.ENDED && this.clients.every((c) => c.state.work === WorkStatus.ENDED)
    );
  }

  stopServer(): void {
    this.#serverEvent({ type: "stop" });
  }

  stopClient(i: number): void {
    this.#clientEvent(i, { type: "stop" });
  }

  /** Delivers bytes to the server as if client `i` had sent them. */
  inject(i: number, message: Message, names?: { job: number; client: number }): void {
    const { state, link } = this.clients[i];
    const frame = { job: state.jobNumber, client: state.index, ...names, message };
    link!.up.push(encodeFrame(frame));
  }

  /** One thing happens. */
  tick(): void {
    const actions: (() => void)[] = [];
    for (const link of this.#links) {
      if (link.up.length > 0) actions.push(() => this.#deliverUp(link));
      if (link.down.length > 0) actions.push(() => this.#deliverDown(link));
    }
    if (this.#jobQueue.length > 0) actions.push(() => this.#computeServer(this.#jobQueue.shift()!));
    for (const queue of this.#clientQueues) {
      if (queue !== undefined && queue.length > 0) actions.push(() => this.#computeServer(queue.shift()!));
    }
    for (const [i, client] of this.clients.entries()) {
      if (client.queue.length > 0) actions.push(() => this.#computeClient(i, client.queue.shift()!));
    }
    if (this.#authentications.length > 0) {
      actions.push(() => {
        const connection = this.#authentications.shift()!;
        this.#serverEvent({ type: "authenticated", connection });
      });
    }
    if (this.#connects.length > 0) actions.push(() => this.#connect(this.#connects.shift()!));
    if (this.#disturb()) return;
    if (actions.length + this.#timers.length === 0) throw new Error("nothing can happen any more");
    const hasty = this.#timers.length > 0 && this.#random() < this.#chaos.haste;
    if (actions.length === 0 || hasty) {
      const next = this.#timers.reduce((a, b) => (b.due < a.due ? b : a));
      this.#timers = this.#timers.filter((t) => t !== next);
      this.now = Math.max(this.now, next.due);
      next.fire();
      return;
    }
    actions[Math.floor(this.#random() * actions.length)]();
  }

  /** Perhaps cuts a connection, repeats a frame or restarts a client. */
  #disturb(): boolean {
    const chaos = this.#chaos;
    const open = this.#links.filter((l) => l.clientOpen);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(this.#random() * list.length)];
    if (chaos.drops > 0 && open.length > 0 && this.#random() < 0.03) {
      chaos.drops--;
      const link = pick(open);
      // Some of what is in flight still arrives; then both ends learn of the end, each in its own time.
      for (const queue of [link.up, link.down]) {
        queue.length = Math.floor(this.#random() * (queue.length + 1));
        queue.push(1006);
      }
      return true;
    }
    if (chaos.duplicates > 0 && this.#random() < 0.1) {
      const queues = open.flatMap((l) => [l.up, l.down]).filter((q) => typeof q[0] === "object");
      if (queues.length > 0) {
        chaos.duplicates--;
        const queue = pick(queues);
        const at = 1 + Math.floor(this.#random() * queue.length);
        // A frame that was sent may come once more, at once or later, but not after the connection's end.
        const end = queue.findIndex((entry) => typeof entry === "number");
        queue.splice(end < 0 ? at : Math.min(at, end), 0, queue[0]);
        return true;
      }
    }
    if (chaos.restarts > 0 && this.#random() < 0.01) {
      chaos.restarts--;
      this.#restart(Math.floor(this.#random() * this.clients.length));
      return true;
    }
    return false;
  }

  /** Kills a client process and starts another, which knows nothing. */
  #restart(i: number): void {
    const client = this.clients[i];
    if (client.state.work === WorkStatus.ENDED) return;
    const link = client.link;
    if (link !== undefined) {
      link.clientOpen = false;
      link.down.length = 0;
      link.up.push(1006);
    }
    if (client.state.work === WorkStatus.PREPARED) client.unsure = true;
    client.state = new SimulatedClient(client.state.identity.name).state;
    client.queue.length = 0;
    client.backwards = 0;
    client.attempts = 0;
    client.link = undefined;
    this.#timers = this.#timers.filter((t) => !t.name.startsWith(`c${i}:`));
    for (let k = this.#connects.length - 1; k >= 0; k--)
      if (this.#connects[k] === i) this.#connects.splice(k, 1);
    this.#clientEffects(i, START);
  }

  #connect(i: number): void {
    const client = this.clients[i];
    if (client.state.work === WorkStatus.ENDED) return;
    if (this.#chaos.drops > 0 && this.#random() < 0.2) {
      client.attempts++;
      if (client.attempts > 5 && !this.#patient)
        this.#clientEvent(i, { type: "gaveUp", code: "NB_CONNECTION_LOST", message: "5 attempts failed" });
      else this.#connects.push(i);
      return;
    }
    client.attempts = 0;
    const link: Link = {
      id: this.#links.length,
      client: i,
      up: [],
      down: [],
      serverOpen: true,
      clientOpen: true,
    };
    this.#links.push(link);
    client.link = link;
    this.#serverEvent({ type: "connected", connection: link.id });
    this.#clientEvent(i, { type: "opened" });
  }

  #deliverUp(link: Link): void {
    const entry = link.up.shift()!;
    if (!link.serverOpen) return;
    if (typeof entry === "number") {
      link.serverOpen = false;
      this.#serverEvent({ type: "closed", connection: link.id });
      return;
    }
    const frame = parseFrame(entry, MAX_FRAME_BYTES);
    this.#serverEvent({ type: "message", connection: link.id, frame });
  }

  #deliverDown(link: Link): void {
    const entry = link.down.shift()!;
    if (!link.clientOpen) return;
    if (typeof entry === "number") {
      link.clientOpen = false;
      this.#clientEvent(link.client, { type: "closed", code: entry });
      return;
    }
    this.#clientEvent(link.client, { type: "message", frame: parseFrame(entry, MAX_FRAME_BYTES) });
  }

  #serverEvent(event: ServerEvent): void {
    const previous = this.server;
    // Looking at everything each time would be most of the work.
    const before = this.ticks % 16 === 0 ? JSON.stringify(previous) : undefined;
    const { state, effects } = serverTransition(previous, event);
    if (before !== undefined && JSON.stringify(previous) !== before) {
      throw new Error("a transition changed its input");
    }
    assertCounts(state);
    this.server = state;
    this.#serverEffects(effects);
  }

  #serverEffects(effects: readonly ServerEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          this.#sendDown(effect.connection, encodeFrame(effect.frame));
          break;
        case "close": {
          const link = this.#links[effect.connection];
          link.serverOpen = false;
          link.down.push(effect.code);
          break;
        }
        case "authenticate":
          this.#authentications.push(effect.connection);
          break;
        case "compute": {
          const { request } = effect;
          if (request.kind === "commit" || request.kind === "average") this.#jobQueue.push(request);
          else {
            this.#clientQueues[request.client] ??= [];
            this.#clientQueues[request.client].push(request);
          }
          break;
        }
        case "begin":
          this.#backwards.set(effect.client, { key: keyName(effect.key), count: 0 });
          break;
        case "discard":
          this.#backwards.delete(effect.client);
          break;
        case "sendAverage":
          for (const message of this.#adapterMessages(this.server.averages)) {
            const frame = { job: this.server.job.number, client: effect.client, message };
            this.#sendDown(effect.connection, encodeFrame(frame));
          }
          break;
        case "startTimer": {
          const name = `s:${effect.timer}`;
          this.#startTimer(name, effect.ms, () => this.#serverEvent({ type: "timer", timer: effect.timer }));
          break;
        }
        case "stopTimer":
          this.#stopTimer(`s:${effect.timer}`);
          break;
        case "notify":
          this.progress.push(effect.progress);
          break;
        case "acceptAdapter":
        case "resetStreams":
          break;
      }
    }
  }

  #sendDown(connection: number, bytes: Uint8Array): void {
    const link = this.#links[connection];
    if (!link.serverOpen) throw new Error("the server sends on a connection that it has closed");
    link.down.push(bytes);
  }

  #adapterMessages(average: number): Message[] {
    const begin: Message = {
      type: "adapterBegin",
      average,
      manifestDigest: 5,
      totalBytes: ADAPTER.length,
      chunkBytes: CHUNK,
      manifest: new Uint8Array(0),
    };
    const chunks: AdapterChunkMessage[] = [];
    for (let at = 0; at < ADAPTER.length; at += CHUNK) {
      const data = ADAPTER.subarray(at, at + CHUNK);
      chunks.push({ type: "adapterChunk", average, index: chunks.length, data });
    }
    return [begin, ...chunks];
  }

  #computeServer(request: ServerRequest): void {
    if (request.kind === "commit") {
      for (const member of request.group.members) {
        const done = this.#backwards.get(member.client);
        const key = keyName(member);
        if (done?.key !== key || done.count !== this.#config.microBatches) {
          throw new Error(`commit of ${key} with ${done?.count} backward passes of ${done?.key}`);
        }
        this.#backwards.delete(member.client);
      }
      this.commits.push(request.group);
      const { trunkStep } = request.group;
      this.#serverEvent({ type: "computed", result: { kind: "commit", trunkStep, gradientNorm: 1 } });
      return;
    }
    if (request.kind === "average") {
      this.#serverEvent({ type: "computed", result: { kind: "average", average: request.average } });
      return;
    }
    const { client, message, kind } = request;
    assertTensor(this.#config, client, message);
    const done = this.#backwards.get(client);
    if (kind !== "forward" && done?.key === keyName(message)) done.count++;
    const phase = kind === "forward" ? "A2" : "G1";
    const answer = tensor(this.#config, client, message, message.microBatch, phase);
    this.#serverEvent({ type: "computed", result: { kind: "tensor", client, message: answer } });
  }

  #clientEvent(i: number, event: ClientEvent): void {
    const client = this.clients[i];
    const prepared = client.state.work === WorkStatus.PREPARED;
    const { state, effects } = clientTransition(client.state, event);
    client.state = state;
    if (prepared && state.work === WorkStatus.ENDED) client.unsure = true;
    this.#clientEffects(i, effects);
  }

  #clientEffects(i: number, effects: readonly ClientEffect[]): void {
    const client = this.clients[i];
    for (const effect of effects) {
      switch (effect.type) {
        case "connect":
          this.#connects.push(i);
          break;
        case "send":
          client.link!.up.push(encodeFrame(effect.frame));
          break;
        case "close":
          client.link!.clientOpen = false;
          client.link!.up.push(effect.code);
          break;
        case "compute":
          client.queue.push(effect.request);
          break;
        case "begin":
        case "discard":
          client.backwards = 0;
          break;
        case "sendAdapters":
          for (const message of this.#adapterMessages(effect.average)) {
            const frame = { job: client.state.jobNumber, client: client.state.index, message };
            client.link!.up.push(encodeFrame(frame));
          }
          break;
        case "acceptAdapter":
          this.#acceptAdapter(client, effect.message);
          break;
        case "startTimer":
          this.#startTimer(`c${i}:${effect.timer}`, effect.ms, () =>
            this.#clientEvent(i, { type: "timer", timer: effect.timer }),
          );
          break;
        case "stopTimer":
          this.#stopTimer(`c${i}:${effect.timer}`);
          break;
        case "notify":
          client.progress.push(effect.progress);
          if (effect.progress.type === "ended") client.outcome = effect.progress.outcome;
          break;
        case "resetStreams":
          break;
      }
    }
  }

  #computeClient(i: number, request: ClientRequest): void {
    const client = this.clients[i];
    const { index } = client.state;
    const done = (result: ClientResult): void => this.#clientEvent(i, { type: "computed", result });
    switch (request.kind) {
      case "build":
        done({ kind: "build" });
        return;
      case "bottom": {
        const { key, microBatch } = request;
        done({ kind: "bottom", message: tensor(this.#config, index, key, microBatch, "A1") });
        return;
      }
      case "top": {
        const { message } = request;
        assertTensor(this.#config, index, message);
        const answer = tensor(this.#config, index, message, message.microBatch, "G2");
        done({ kind: "top", message: answer, lossSum: 1.5, supervisedTokens: message.tokens });
        return;
      }
      case "backward": {
        const { message } = request;
        assertTensor(this.#config, index, message);
        const { open } = client.state;
        if (open !== undefined && keyName(open) === keyName(message)) client.backwards++;
        const { step, attempt, microBatch } = message;
        done({ kind: "backward", key: { step, attempt }, microBatch });
        return;
      }
      case "apply": {
        if (client.backwards !== this.#config.microBatches) {
          throw new Error(`client ${i} applies a step after ${client.backwards} backward passes`);
        }
        client.backwards = 0;
        const { step, attempt } = request.commit;
        client.applied.push(keyName({ step, attempt }));
        done({ kind: "apply", key: { step, attempt } });
        return;
      }
      case "loadAverage":
        if (client.received.get(request.average) !== ADAPTER.length) throw new Error("half an average");
        client.received.delete(request.average);
        done({ kind: "loadAverage", average: request.average });
    }
  }

  #acceptAdapter(client: SimulatedClient, message: AdapterBeginMessage | AdapterChunkMessage): void {
    const { received } = client;
    if (message.type === "adapterBegin") received.set(message.average, 0);
    else received.set(message.average, received.get(message.average)! + message.data.length);
  }

  #startTimer(name: string, ms: number, fire: () => void): void {
    this.#stopTimer(name);
    this.#timers.push({ name, due: this.now + ms, fire });
  }

  #stopTimer(name: string): void {
    this.#timers = this.#timers.filter((t) => t.name !== name);
  }
}
