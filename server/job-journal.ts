/**
 * What a job keeps so that a killed server can go on with it bit for bit: its checkpoints and redo log, and the rule of what may be sent
 * before it is on storage.
 *
 * The rule: a message waits until everything that was logged before it is synced, except A2 and G1 of a sync job, heartbeats and errors.
 * Those tensors follow from what the server has promised already and from messages that the client keeps until its step has ended,
 * so a server that has forgotten them makes them again. In a sequential job they also follow from the order in which steps met,
 * which nobody else knows.
 */
import { fail, NarrowbandError } from "../shared/errors.ts";
import { Journal, type LeftBehind } from "../shared/job/journal.ts";
import { Outbox } from "../shared/job/outbox.ts";
import { isAbout, replayOf, requireSame, serverRecord } from "../shared/job/server-records.ts";
import {
  restoreSide,
  type SideSegments,
  type SideState,
  sideCheckpoint,
} from "../shared/job/side-checkpoint.ts";
import type { Storage } from "../shared/job/storage.ts";
import { ClientTable } from "../shared/protocol/client-table.ts";
import type { JobConfig } from "../shared/protocol/job-config.ts";
import { MAX_SEGMENT_BYTES } from "../shared/protocol/limits.ts";
import type { Message } from "../shared/protocol/messages.ts";
import { RecordTable } from "../shared/protocol/record-table.ts";
import { serverTransition } from "../shared/protocol/server-machine.ts";
import {
  type ClientRecord,
  type ConnectionRecord,
  JobPhase,
  type ServerEffect,
  type ServerEvent,
  type ServerRequest,
  type ServerState,
  type ServerTimer,
} from "../shared/protocol/server-state.ts";
import type { TrunkWorker } from "./trunk-worker.ts";

export interface JournalOptions {
  readonly storage: Storage;
  /** Whether to go on with the run that is in storage; otherwise it is replaced by a new one. */
  readonly resume: boolean;
  /** Optimizer steps of the trunk between checkpoints; 0: only when the log is long. */
  readonly every: number;
  /** Told what was passed over when resuming. */
  readonly onNote?: (note: string) => void;
}

/** What the rest of a job's driver has to do with its state. */
export interface JobParts {
  readonly config: JobConfig;
  readonly segments: SideSegments;
  readonly worker: TrunkWorker;
}

/** A job's state as it is after a replay, and what was under way. */
export interface Replayed {
  readonly state: ServerState;
  readonly requests: readonly ServerRequest[];
  readonly timers: ReadonlyMap<ServerTimer, number>;
  /** The highest number that a connection has had. */
  readonly connection: number;
}

/** Clients and connections as lists: a checkpoint holds plain values. */
function packState(state: ServerState): unknown {
  return { ...state, clients: [...state.clients], connections: state.connections.entries() };
}

function unpackState(value: unknown, where: string): ServerState {
  const { clients, connections, ...state } = value as Omit<ServerState, "clients" | "connections"> & {
    clients: ClientRecord[];
    connections: [number, ConnectionRecord][];
  };
  if (!Array.isArray(connections) || !Array.isArray(clients)) {
    fail("NB_CHECKPOINT_INVALID", `${where}: the checkpoint holds no state of a job`);
  }
  return {
    ...state,
    clients: ClientTable.of(clients, state.config.steps),
    connections: connections.reduce(
      (table, [id, record]) => table.with(id, record),
      RecordTable.empty<ConnectionRecord>(),
    ),
  };
}

export class JobJournal {
  readonly #parts: JobParts;
  readonly #journal: Journal;
  readonly #every: number;
  readonly #outboxes = new Map<number, Outbox>();
  #lastCheckpoint: number;

  private constructor(parts: JobParts, journal: Journal, every: number, lastCheckpoint: number) {
    this.#parts = parts;
    this.#journal = journal;
    this.#every = every;
    this.#lastCheckpoint = lastCheckpoint;
  }

  /** Begins a run whose state is `first`. */
  static async begin(parts: JobParts, options: JournalOptions, first: ServerState): Promise<JobJournal> {
    const journal = new JobJournal(parts, await Journal.begin(options.storage), options.every, 0);
    journal.checkpoint(first);
    return journal;
  }

  /**
   * Puts the run that is in storage into segments and worker.
   *
   * @throws NB_FILE_UNREADABLE when there is none; NB_CHECKPOINT_MISMATCH when it is of a job with other settings; NB_CONFIG_INVALID when it
   * is completed, and everybody has heard so; what Journal.resume throws; NB_REPLAY_DIFFERS.
   */
  static async resume(
    parts: JobParts,
    options: JournalOptions,
  ): Promise<{ readonly journal: JobJournal; readonly replayed: Replayed }> {
    const { storage, every, onNote } = options;
    const left = await Journal.resume(storage, "server");
    if (left === undefined) {
      return fail("NB_FILE_UNREADABLE", `${storage.name}: there is no checkpoint to go on from`);
    }
    for (const note of left.notes) onNote?.(`${storage.name}: ${note}`);
    const side = restoreSide(left.checkpoint, storage.name, parts.segments, parts.config);
    const state = unpackState(side.machine, storage.name);
    requireSameSettings(state.config, parts.config, storage.name);
    if (
      state.phase === JobPhase.ENDED &&
      state.outcome?.reason === "completed" &&
      left.records.length === 0
    ) {
      const message = `the run there has taken all its ${parts.config.steps} steps; accepted: another --out`;
      fail("NB_CONFIG_INVALID", `--resume: ${storage.name}: ${message}`, { completed: true });
    }
    parts.worker.restore(state.clients.size, side);
    const replayed = await replay(parts, state, left);
    const journal = new JobJournal(parts, left.journal, every, state.trunkSteps);
    return { journal, replayed };
  }

  set onFailure(failed: (error: NarrowbandError) => void) {
    this.#journal.events = {
      synced: (durable) => {
        for (const [connection, outbox] of this.#outboxes) {
          outbox.flush(durable);
          if (outbox.empty) this.#outboxes.delete(connection);
        }
      },
      failed: (error) => {
        this.#outboxes.clear();
        failed(error);
      },
    };
  }

  /** Keeps an event that took `before` to `after`. To be called before its effects are carried out. */
  record(
    event: ServerEvent,
    before: ServerState,
    after: ServerState,
    effects: readonly ServerEffect[],
  ): void {
    const record = serverRecord(event, before, after, effects);
    if (record !== undefined) this.#journal.append(record);
  }

  /** Runs `send` as soon as the rule lets a message of this type, or the end of a connection, go out. */
  send(connection: number, type: Message["type"] | "close", send: () => void): void {
    const journal = this.#journal;
    const free =
      type === "ping" ||
      type === "pong" ||
      type === "error" ||
      (type === "tensor" && this.#parts.config.mode === "sync");
    let outbox = this.#outboxes.get(connection);
    if (outbox === undefined) {
      outbox = new Outbox();
      this.#outboxes.set(connection, outbox);
    }
    outbox.put(send, free ? 0 : journal.appended, journal.durable);
    if (outbox.empty) this.#outboxes.delete(connection);
    else journal.sync();
  }

  /** Whether it is time to ask the machine for a checkpoint. */
  isDue({ trunkSteps }: ServerState): boolean {
    const steps = trunkSteps - this.#lastCheckpoint;
    return (this.#every > 0 && steps >= this.#every) || this.#journal.segmentBytes > MAX_SEGMENT_BYTES;
  }

  /** Takes a checkpoint; no step may be open in `state`. Copies everything at once and writes it in the background. */
  checkpoint(state: ServerState): void {
    this.#lastCheckpoint = state.trunkSteps;
    this.#journal.rotate(captured(this.#parts, state));
  }

  /** Resolves when all is written; rejects with what went wrong before. */
  close(): Promise<void> {
    return this.#journal.close();
  }
}

function captured({ config, segments, worker }: JobParts, state: ServerState) {
  const { average } = worker;
  const side: SideState = {
    step: state.trunkSteps - state.commits.length,
    codecs: worker.saveCodecs(state.clients.size),
    average:
      average === undefined
        ? undefined
        : { number: average.number, digest: average.digest, data: average.data },
    manifests: worker.manifests(state.clients.size),
    machine: packState(state),
  };
  return sideCheckpoint("server", segments, config, side);
}

function requireSameSettings(kept: JobConfig, given: JobConfig, where: string): void {
  const differing = Object.keys(given).filter((name) => {
    const key = name as keyof JobConfig;
    return JSON.stringify(kept[key]) !== JSON.stringify(given[key]);
  });
  if (differing.length === 0) return;
  fail("NB_CHECKPOINT_MISMATCH", `${where}: its job has other settings: ${differing.join(", ")}`);
}

/** Feeds the machine what the log holds. Nothing is sent; computations are made again, in their order. */
async function replay(parts: JobParts, first: ServerState, left: LeftBehind): Promise<Replayed> {
  const { worker } = parts;
  let state = first;
  let requests: ServerRequest[] = [];
  const timers = new Map<ServerTimer, number>();
  let connection = state.connections.entries().at(-1)?.[0] ?? 0;

  const feed = (event: ServerEvent): void => {
    if ("connection" in event) connection = Math.max(connection, event.connection);
    if (event.type === "timer") timers.delete(event.timer);
    const next = serverTransition(state, event);
    state = next.state;
    for (const effect of next.effects) perform(effect);
  };
  const perform = (effect: ServerEffect): void => {
    switch (effect.type) {
      case "compute":
        requests.push(effect.request);
        return;
      case "begin":
        worker.begin(effect.client, effect.key);
        return;
      case "discard": {
        const { client } = effect;
        requests = requests.filter((request) => !("client" in request) || request.client !== client);
        worker.discard(client, effect.key);
        return;
      }
      case "resetStreams":
        worker.resetStreams(effect.client, effect.resumed);
        return;
      case "acceptAdapter":
        try {
          worker.acceptAdapter(effect.client, effect.message);
        } catch (error) {
          // What followed from that is in the log.
          if (!(error instanceof NarrowbandError)) throw error;
        }
        return;
      case "startTimer":
        timers.set(effect.timer, effect.ms);
        return;
      case "stopTimer":
        timers.delete(effect.timer);
    }
  };
  const take = (about: Parameters<typeof isAbout>[1]): ServerRequest | undefined => {
    const found = requests.find((request) => isAbout(request, about));
    requests = requests.filter((request) => request !== found);
    return found;
  };

  for (const record of left.records) {
    const step = replayOf(record);
    if (step.type === "events") for (const event of step.events) feed(event);
    else if (step.type === "computed") {
      const request = take(step.done);
      const result = request && (await worker.run(request));
      if (result === undefined) {
        return fail("NB_LOG_INVALID", `redo log: a result of ${step.done.kind}, which nobody had asked for`);
      }
      requireSame(result, step.done);
      feed({ type: "computed", result });
    } else {
      const { code, message } = step;
      const request = take(step.request);
      // One that failed after its step had ended meant nothing.
      if (request !== undefined) feed({ type: "computeFailed", request, code, message });
    }
  }
  return { state, requests, timers, connection };
}
