/**
 * A transition of the server's state being worked out, and small helpers on records.
 */
import type { Frame, Message } from "./messages.ts";
import {
  type ClientRecord,
  type ConnectionRecord,
  ConnectionStatus,
  type ServerEffect,
  type ServerProgress,
  type ServerState,
  type ServerTimer,
  StepStatus,
} from "./server-state.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * A transition being worked out: a copy of the state, copied further only where it is written, and the effects so far.
 * A transition that throws is forgotten, and the state is as it was.
 */
export class ServerTurn {
  readonly state: Writable<ServerState>;
  readonly effects: ServerEffect[] = [];
  readonly #written = new Set<number>();
  #connectionsCopied = false;

  constructor(state: ServerState) {
    this.state = { ...state };
  }

  /** A client's record to write to. */
  client(index: number): Writable<ClientRecord> {
    const { state } = this;
    if (!this.#written.has(index)) {
      if (this.#written.size === 0) state.clients = [...state.clients];
      (state.clients as ClientRecord[])[index] = { ...state.clients[index] };
      this.#written.add(index);
    }
    return state.clients[index];
  }

  addClient(record: ClientRecord): void {
    this.state.clients = [...this.state.clients, record];
    this.#written.add(record.index);
  }

  /** Changes fields of a connection's record, or removes it. */
  setConnection(id: number, change: Partial<ConnectionRecord> | undefined): void {
    const { state } = this;
    if (!this.#connectionsCopied) state.connections = new Map(state.connections);
    this.#connectionsCopied = true;
    const connections = state.connections as Map<number, ConnectionRecord>;
    if (change === undefined) connections.delete(id);
    else connections.set(id, { ...(connections.get(id) ?? NEW_CONNECTION), ...change });
  }

  effect(effect: ServerEffect): void {
    this.effects.push(effect);
  }

  notify(progress: ServerProgress): void {
    this.effects.push({ type: "notify", progress });
  }

  /** Sends to a connection; its client's index goes into the frame. */
  send(connection: number, message: Message): void {
    const client = this.state.connections.get(connection)?.client;
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

/** Connected and ready. */
export function isLive(client: ClientRecord): boolean {
  return client.connection !== undefined && client.ready;
}
