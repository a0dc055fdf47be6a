/** Drives one state machine by hand, event by event. */
import { clientTransition } from "../../shared/protocol/client-machine.ts";
import {
  type ClientEffect,
  type ClientEvent,
  type ClientState,
  createClientState,
} from "../../shared/protocol/client-state.ts";
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import { PROTOCOL_VERSION } from "../../shared/protocol/limits.ts";
import {
  type HelloMessage,
  type Message,
  NOTHING_TO_RESUME,
  type ResumePoint,
  type StepKey,
} from "../../shared/protocol/messages.ts";
import { serverTransition } from "../../shared/protocol/server-machine.ts";
import type {
  ServerEffect,
  ServerEvent,
  ServerProgress,
  ServerState,
} from "../../shared/protocol/server-state.ts";
import { createServerState } from "../../shared/protocol/server-turn.ts";
import { JOB, POLICY, tensor } from "./world.ts";

export const JOB_NUMBER = 3;
export const FIRST: StepKey = { step: 0, attempt: 0 };

export function helloOf(name: string, change: Partial<HelloMessage> = {}): HelloMessage {
  return {
    type: "hello",
    protocolMin: PROTOCOL_VERSION,
    protocolMax: PROTOCOL_VERSION,
    token: "secret",
    job: "demo",
    name,
    modelFingerprint: "m1",
    tokenizerFingerprint: "t1",
    codecs: ["f32", "f16"],
    software: "test",
    process: `process-of-${name}-0001`,
    connection: 1,
    resume: NOTHING_TO_RESUME,
    ...change,
  };
}

/** A server whose connections are numbered as the test likes. */
export class ServerBench {
  state: ServerState;
  effects: readonly ServerEffect[] = [];

  constructor(config: Partial<JobConfig> = {}, policy: Partial<JobPolicy> = {}) {
    this.state = createServerState({
      name: "demo",
      number: JOB_NUMBER,
      config: { ...JOB, ...config },
      policy: { ...POLICY, ...policy },
      codecNames: ["f32", "f16"],
    });
  }

  do(event: ServerEvent): readonly ServerEffect[] {
    const { state, effects } = serverTransition(this.state, event);
    this.state = state;
    this.effects = effects;
    return effects;
  }

  connect(connection: number): void {
    this.do({ type: "connected", connection });
  }

  /** Sends a message with the names that the connection's client has. */
  receive(
    connection: number,
    message: Message,
    names?: { job: number; client: number },
  ): readonly ServerEffect[] {
    const client = this.state.connections.get(connection)?.client;
    const own = client === undefined ? { job: 0, client: 0 } : { job: JOB_NUMBER, client };
    return this.do({ type: "message", connection, frame: { ...own, ...names, message } });
  }

  /** Connects and introduces a client; it is not ready yet. */
  join(connection: number, name: string, hello: Partial<HelloMessage> = {}): readonly ServerEffect[] {
    this.connect(connection);
    this.receive(connection, helloOf(name, hello));
    return this.do({ type: "authenticated", connection });
  }

  ready(connection: number): void {
    this.receive(connection, { type: "ready" });
  }

  tensor(
    connection: number,
    phase: "A1" | "G2",
    microBatch: number,
    key: StepKey = FIRST,
  ): readonly ServerEffect[] {
    const client = this.state.connections.get(connection)!.client!;
    return this.receive(connection, tensor(this.state.config, client, key, microBatch, phase));
  }

  /** Reports the answer to a tensor of a client. */
  computed(
    client: number,
    phase: "A2" | "G1",
    microBatch: number,
    key: StepKey = FIRST,
  ): readonly ServerEffect[] {
    const message = tensor(this.state.config, client, key, microBatch, phase);
    return this.do({ type: "computed", result: { kind: "tensor", client, message } });
  }

  /** Takes a client through all micro-batches of a U-shaped step, up to StepDone. */
  step(connection: number, key: StepKey = FIRST): void {
    const client = this.state.connections.get(connection)!.client!;
    for (let m = 0; m < this.state.config.microBatches; m++) {
      this.tensor(connection, "A1", m, key);
      this.computed(client, "A2", m, key);
      this.tensor(connection, "G2", m, key);
      this.computed(client, "G1", m, key);
    }
    this.receive(connection, { type: "stepDone", ...key, lossSum: 2, supervisedTokens: 2 });
  }

  commit(trunkStep: number): readonly ServerEffect[] {
    return this.do({ type: "computed", result: { kind: "commit", trunkStep, gradientNorm: 1 } });
  }

  /** Messages sent to a connection by the last event. */
  sent(connection: number): Message[] {
    return this.effects.flatMap((e) =>
      e.type === "send" && e.connection === connection ? [e.frame.message] : [],
    );
  }

  progress(): ServerProgress[] {
    return this.effects.flatMap((e) => (e.type === "notify" ? [e.progress] : []));
  }
}

/** A client on whose connection the test speaks as the server. */
export class ClientBench {
  state: ClientState;
  effects: readonly ClientEffect[] = [];

  constructor(readonlyConfig: Partial<JobConfig> = {}) {
    this.config = { ...JOB, ...readonlyConfig };
    const { type, token, resume, connection, ...identity } = helloOf("c0");
    this.state = createClientState(identity);
  }

  readonly config: JobConfig;

  do(event: ClientEvent): readonly ClientEffect[] {
    const { state, effects } = clientTransition(this.state, event);
    this.state = state;
    this.effects = effects;
    return effects;
  }

  receive(message: Message, names = { job: JOB_NUMBER, client: 0 }): readonly ClientEffect[] {
    return this.do({ type: "message", frame: { ...names, message } });
  }

  welcome(resumed = false, standing: Partial<ResumePoint> = {}): readonly ClientEffect[] {
    const { config } = this;
    const resume = { ...NOTHING_TO_RESUME, ...standing };
    const protocol = PROTOCOL_VERSION;
    return this.receive({ type: "welcome", protocol, resumed, job: JOB_NUMBER, client: 0, config, resume });
  }

  /** Connects, is welcomed, loads its segments, and is ready. */
  join(): void {
    this.do({ type: "opened" });
    this.welcome();
    this.do({ type: "computed", result: { kind: "build" } });
  }

  tensor(phase: "A2" | "G1", microBatch: number, key: StepKey = FIRST): readonly ClientEffect[] {
    return this.receive(tensor(this.config, 0, key, microBatch, phase));
  }

  /** Reports the bottom's output of a micro-batch. */
  bottom(microBatch: number, key: StepKey = FIRST): readonly ClientEffect[] {
    const message = tensor(this.config, 0, key, microBatch, "A1");
    return this.do({ type: "computed", result: { kind: "bottom", message } });
  }

  /** Reports the top's gradient of a micro-batch. */
  top(microBatch: number, key: StepKey = FIRST): readonly ClientEffect[] {
    const message = tensor(this.config, 0, key, microBatch, "G2");
    const result = { kind: "top" as const, message, lossSum: 1, supervisedTokens: 2 };
    return this.do({ type: "computed", result });
  }

  backward(microBatch: number, key: StepKey = FIRST): readonly ClientEffect[] {
    return this.do({ type: "computed", result: { kind: "backward", key, microBatch } });
  }

  /** Goes through a whole step, up to StepDone. */
  step(key: StepKey = FIRST): void {
    this.receive({ type: "roundStart", ...key });
    for (let m = 0; m < this.config.microBatches; m++) {
      this.bottom(m, key);
      this.tensor("A2", m, key);
      this.top(m, key);
      this.tensor("G1", m, key);
      this.backward(m, key);
    }
  }

  sent(): Message[] {
    return this.effects.flatMap((e) => (e.type === "send" ? [e.frame.message] : []));
  }

  requests(): string[] {
    return this.effects.flatMap((e) => (e.type === "compute" ? [e.request.kind] : []));
  }
}

export const COMMIT = {
  type: "commit",
  trunkStep: 0,
  participants: 1,
  supervisedTokens: 4,
  staleness: 0,
  gradientNorm: 1,
} as const;
