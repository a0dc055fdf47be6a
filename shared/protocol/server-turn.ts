/**
 * A server's state before its first client, a transition of it being worked out, and a client's record before its first step.
 */
import type { AdapterOutline } from "./adapters.ts";
import { type ClientKind, ClientTable } from "./client-table.ts";
import type { JobConfig, JobPolicy } from "./job-config.ts";
import type { Frame, Message } from "./messages.ts";
import { RecordTable } from "./record-table.ts";
import {
  CheckpointStatus,
  type ClientRecord,
  type ConnectionRecord,
  ConnectionStatus,
  JobPhase,
  type ServerEffect,
  type ServerProgress,
  type ServerState,
  type ServerTimer,
  StepStatus,
} from "./server-state.ts";

export interface ServerOptions {
  readonly name: string;
  /** Number of the job on this server, from 1. */
  readonly number: number;
  readonly config: JobConfig;
  readonly policy: JobPolicy;
  readonly codecNames: readonly string[];
  readonly adapters?: AdapterOutline;
}

/** A job before its first client. */
export function createServerState(options: ServerOptions): ServerState {
  const { name, number, config, policy, codecNames, adapters } = options;
  return {
    job: { name, number },
    config,
    policy,
    codecNames,
    phase: JobPhase.GATHERING,
    started: false,
    step: 0,
    attempt: 0,
    trunkSteps: 0,
    commits: [],
    adapters,
    averages: 0,
    averaging: false,
    waiting: false,
    outcome: undefined,
    checkpoint: CheckpointStatus.NONE,
    clients: ClientTable.empty(config.steps),
    connections: RecordTable.empty(),
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * A transition being worked out: a copy of the state, copied further only where it is written, and the effects so far.
 * A transition that throws is forgotten, and the state is as it was. Clients and connections are read through the turn, which has
 * what it changed itself.
 */
export class ServerTurn {
  readonly state: Writable<Omit<ServerState, "clients" | "connections">>;
  readonly effects: ServerEffect[] = [];
  readonly #written = new Map<number, Writable<ClientRecord>>();
  #clients: ClientTable;
  #connections: RecordTable<ConnectionRecord>;

  constructor({ clients, connections, ...state }: ServerState) {
    this.state = state;
    this.#clients = clients;
    this.#connections = connections;
  }

  /** The state after the transition. */
  finish(): ServerState {
    return { ...this.state, clients: this.clients, connections: this.#connections };
  }

  /** All clients as they are now. What is written to a record afterwards is in the next table that is asked for. */
  get clients(): ClientTable {
    for (const record of this.#written.values()) this.#clients = this.#clients.with(record);
    return this.#clients;
  }

  /** How many clients are of a kind now. */
  count(kind: ClientKind): number {
    return this.clients.count(kind);
  }

  /** A client's record to read; undefined when there is no such client. */
  peek(index: number): ClientRecord | undefined {
    return this.#written.get(index) ?? this.#clients.get(index);
  }

  /** A client's record to write to. */
  client(index: number): Writable<ClientRecord> {
    let record = this.#written.get(index);
    if (record === undefined) {
      record = { ...this.#clients.get(index)! };
      this.#written.set(index, record);
    }
    return record;
  }

  addClient(record: ClientRecord): void {
    this.#written.set(record.index, { ...record });
  }

  connection(id: number): ConnectionRecord | undefined {
    return this.#connections.get(id);
  }

  /** Numbers of all connections, in order. */
  connections(): number[] {
    return this.#connections.entries().map(([id]) => id);
  }

  /** Changes fields of a connection's record, or removes it. */
  setConnection(id: number, change: Partial<ConnectionRecord> | undefined): void {
    const now = this.#connections;
    this.#connections =
      change === undefined
        ? now.without(id)
        : now.with(id, { ...(now.get(id) ?? NEW_CONNECTION), ...change });
  }

  effect(effect: ServerEffect): void {
    this.effects.push(effect);
  }

  notify(progress: ServerProgress): void {
    this.effects.push({ type: "notify", progress });
  }

  /** Sends to a connection; its client's index goes into the frame. */
  send(connection: number, message: Message): void {
    const client = this.connection(connection)?.client;
    const frame: Frame = {
      job: client === undefined ? 0 : this.state.job.number,
      client: client ?? 0,
      message,
    };
    this.effects.push({ type: "send", connection, frame });
  }

  startTimer(timer: ServerTimer, ms: number): void {
    this.effects.push({ type: "startTimer", timer, ms });
  }

  stopTimer(timer: ServerTimer): void {
    this.effects.push({ type: "stopTimer", timer });
  }
}

const NEW_CONNECTION: ConnectionRecord = {
  status: ConnectionStatus.HELLO,
  hello: undefined,
  client: undefined,
  heard: true,
  silent: 0,
};

/** A client that has just been met. */
export function newClient(index: number, name: string, process: string): ClientRecord {
  return {
    index,
    name,
    process,
    connections: 0,
    connection: undefined,
    ready: false,
    rejoining: false,
    forgot: false,
    status: StepStatus.IDLE,
    open: undefined,
    lastEnded: undefined,
    lastCommit: undefined,
    step: 0,
    attempt: 0,
    weight: 0,
    upload: undefined,
    averaged: 0,
    failures: 0,
  };
}
