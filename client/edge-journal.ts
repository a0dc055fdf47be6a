/**
 * What a client keeps so that a killed process can go on with its run bit for bit: its checkpoints and redo log, and the rule of what may
 * be sent before it is on storage.
 *
 * The rule: Hello, Ready, StepDone, Goodbye and the end of a connection wait until everything that was logged before them is synced. After
 * StepDone the server may commit the step and forget the A2 and G1 that made it; until then it keeps them, and sends them again to a
 * client that has forgotten them. Hello's number of the connection must not be used twice, and a client that has said Ready must not come
 * back as another run.
 */
import { fail, type NarrowbandError } from "../shared/errors.ts";
import { clientRecord, isAbout, replayOf, requireSame } from "../shared/job/client-records.ts";
import { Journal, type LeftBehind } from "../shared/job/journal.ts";
import { Outbox } from "../shared/job/outbox.ts";
import { restoreSide, type SideState, sideCheckpoint } from "../shared/job/side-checkpoint.ts";
import type { Storage } from "../shared/job/storage.ts";
import { clientTransition } from "../shared/protocol/client-machine.ts";
import {
  CheckpointStatus,
  type ClientEffect,
  type ClientEvent,
  type ClientIdentity,
  type ClientRequest,
  type ClientState,
  LinkStatus,
  WorkStatus,
} from "../shared/protocol/client-state.ts";
import type { JobConfig } from "../shared/protocol/job-config.ts";
import { MAX_SEGMENT_BYTES } from "../shared/protocol/limits.ts";
import type { Message } from "../shared/protocol/messages.ts";
import type { ClientSegments, EdgeWorker } from "./edge-worker.ts";

export interface EdgeJournalOptions {
  readonly storage: Storage;
  /** Whether to go on with the run that is in storage; otherwise it is replaced by a new one. */
  readonly resume: boolean;
  /** Steps between checkpoints; 0: only when the log is long, and at the end. */
  readonly every: number;
  /** Told what was passed over when resuming. */
  readonly onNote?: (note: string) => void;
}

/** What a client's state belongs to. */
export interface EdgeParts {
  readonly segments: ClientSegments;
  readonly worker: EdgeWorker;
}

export interface ReplayedEdge {
  readonly state: ClientState;
  readonly requests: readonly ClientRequest[];
}

const FREE: ReadonlySet<string> = new Set<Message["type"]>([
  "tensor",
  "adapterBegin",
  "adapterChunk",
  "ping",
  "pong",
  "error",
]);

export class EdgeJournal {
  readonly #parts: EdgeParts;
  readonly #journal: Journal;
  readonly #every: number;
  readonly #outbox = new Outbox();
  #lastCheckpoint: number;

  private constructor(parts: EdgeParts, journal: Journal, every: number, lastCheckpoint: number) {
    this.#parts = parts;
    this.#journal = journal;
    this.#every = every;
    this.#lastCheckpoint = lastCheckpoint;
  }

  /** Makes room for a run; its first state is then to be given to `checkpoint`, before anything is recorded. */
  static async begin(parts: EdgeParts, options: EdgeJournalOptions): Promise<EdgeJournal> {
    return new EdgeJournal(parts, await Journal.begin(options.storage), options.every, 0);
  }

  /**
   * The run that is in storage, put into what `load` makes for its job.
   *
   * @throws NB_FILE_UNREADABLE when there is none; NB_CHECKPOINT_MISMATCH when it is another client's or job's; what Journal.resume
   * throws; NB_REPLAY_DIFFERS.
   */
  static async resume(
    identity: ClientIdentity,
    options: EdgeJournalOptions,
    load: (config: JobConfig, client: number) => Promise<EdgeParts>,
  ): Promise<{ readonly journal: EdgeJournal; readonly replayed: ReplayedEdge; readonly parts: EdgeParts }> {
    const { storage, every, onNote } = options;
    const left = await Journal.resume(storage, "client");
    if (left === undefined) {
      return fail("NB_FILE_UNREADABLE", `${storage.name}: there is no checkpoint to go on from`);
    }
    for (const note of left.notes) onNote?.(`${storage.name}: ${note}`);
    const kept = left.checkpoint.meta.machine as ClientState | undefined;
    const config = kept?.config;
    if (kept?.identity === undefined || config === undefined) {
      return fail("NB_CHECKPOINT_INVALID", `${storage.name}: the checkpoint holds no state of a client`);
    }
    for (const name of ["job", "name", "modelFingerprint", "tokenizerFingerprint"] as const) {
      if (kept.identity[name] === identity[name]) continue;
      const message = `its run has ${name} "${kept.identity[name]}"; this one has "${identity[name]}"`;
      fail("NB_CHECKPOINT_MISMATCH", `${storage.name}: ${message}`);
    }
    const parts = await load(config, kept.index);
    const { bottom, top } = parts.segments;
    const side = restoreSide(left.checkpoint, storage.name, { bottom, top }, config);
    parts.worker.restore(side.codecs);
    const own = { ...identity, process: kept.identity.process };
    const replayed = await replay(parts, { ...kept, identity: own }, left);
    return { journal: new EdgeJournal(parts, left.journal, every, kept.taken), replayed, parts };
  }

  set onFailure(failed: (error: NarrowbandError) => void) {
    this.#journal.events = {
      synced: (durable) => this.#outbox.flush(durable),
      failed: (error) => {
        this.#outbox.clear();
        failed(error);
      },
    };
  }

  /** Keeps an event that took `before` to `after`. To be called before its effects are carried out. */
  record(
    event: ClientEvent,
    before: ClientState,
    after: ClientState,
    effects: readonly ClientEffect[],
  ): void {
    const record = clientRecord(event, before, after, effects);
    if (record !== undefined) this.#journal.append(record);
  }

  /** Runs `send` as soon as the rule lets a message of this type, or the end of a connection, go out. */
  send(type: Message["type"] | "close", send: () => void): void {
    const { appended, durable } = this.#journal;
    this.#outbox.put(send, FREE.has(type) ? 0 : appended, durable);
    if (!this.#outbox.empty) this.#journal.sync();
  }

  /** What waited for the connection that is gone. */
  connectionLost(): void {
    this.#outbox.clear();
  }

  /** Whether it is time to ask the machine for a checkpoint. */
  isDue({ taken }: ClientState): boolean {
    const steps = taken - this.#lastCheckpoint;
    return (this.#every > 0 && steps >= this.#every) || this.#journal.segmentBytes > MAX_SEGMENT_BYTES;
  }

  /** Takes a checkpoint; no step may be open in `state`. Copies everything at once and writes it in the background. */
  checkpoint(state: ClientState): void {
    this.#lastCheckpoint = state.taken;
    this.#journal.rotate(captured(this.#parts, state));
  }

  /** Resolves when all is written; rejects with what went wrong before. */
  close(): Promise<void> {
    return this.#journal.close();
  }
}

/** A run that has ended with nothing open, as one that can be gone on with. */
export function reopened(state: ClientState): ClientState {
  return {
    ...state,
    link: LinkStatus.OFFLINE,
    work: WorkStatus.IDLE,
    ready: false,
    pendingStart: undefined,
    transfer: undefined,
    refusal: undefined,
    ending: undefined,
    checkpoint: CheckpointStatus.NONE,
  };
}

function captured({ segments: { bottom, top }, worker }: EdgeParts, state: ClientState) {
  const side: SideState = {
    step: state.taken,
    codecs: worker.saveCodecs(),
    average: undefined,
    manifests: [],
    machine: state,
  };
  return sideCheckpoint("client", { bottom, top }, state.config!, side);
}

/** Feeds the machine what the log holds. Nothing is sent; computations are made again, in their order. */
async function replay(parts: EdgeParts, first: ClientState, left: LeftBehind): Promise<ReplayedEdge> {
  const { worker } = parts;
  let state = first;
  let requests: ClientRequest[] = [];

  const feed = (event: ClientEvent): void => {
    const next = clientTransition(state, event);
    state = next.state;
    for (const effect of next.effects) {
      if (effect.type === "compute") requests.push(effect.request);
      else if (effect.type === "begin") worker.begin(effect.key);
      else if (effect.type === "resetStreams") worker.resetStreams(effect.resumed);
      else if (effect.type === "acceptAdapter") worker.acceptAdapter(effect.message);
      else if (effect.type === "discard") {
        worker.discard();
        requests = requests.filter(({ kind }) => kind === "apply" || kind === "loadAverage");
      }
    }
  };

  for (const record of left.records) {
    const step = replayOf(record);
    if (step.type === "event") {
      feed(step.event);
      continue;
    }
    const request = requests.find((candidate) => isAbout(candidate, step.done));
    requests = requests.filter((candidate) => candidate !== request);
    const result = request === undefined || request.kind === "build" ? undefined : await worker.run(request);
    if (result === undefined) {
      return fail("NB_LOG_INVALID", `redo log: a result of ${step.done.kind}, which nobody had asked for`);
    }
    requireSame(result, step.done);
    feed({ type: "computed", result });
  }
  return { state, requests };
}
