/**
 * The edge runtime: one client of a job. Carries out what the client's state machine asks for, over any sockets; runs in
 * Node and in browsers. Segments, text and connections are given to it.
 */
import type { CaptureRecorder } from "../shared/capture/recorder.ts";
import { asNarrowbandError, fail, type NarrowbandError } from "../shared/errors.ts";
import { ByteLedger } from "../shared/ledger/ledger.ts";
import { adapterMessages } from "../shared/protocol/adapters.ts";
import { clientTransition, START } from "../shared/protocol/client-machine.ts";
import type {
  ClientOutcome,
  ClientProgress,
  ClientRequest,
  ClientState,
  ClientTimer,
} from "../shared/protocol/client-state.ts";
import {
  CheckpointStatus,
  type ClientEffect,
  type ClientEvent,
  createClientState,
  LinkStatus,
  WorkStatus,
} from "../shared/protocol/client-state.ts";
import { CODEC_NAMES } from "../shared/protocol/codecs.ts";
import { FrameChannel } from "../shared/protocol/frame-channel.ts";
import type { JobConfig } from "../shared/protocol/job-config.ts";
import { MAX_FRAME_BYTES } from "../shared/protocol/limits.ts";
import type { CommitMessage, Frame } from "../shared/protocol/messages.ts";
import { type Connector, realTimer, type SetTimer, Timers } from "../shared/protocol/transport.ts";
import { Backoff, type BackoffOptions, DEFAULT_BACKOFF } from "./backoff.ts";
import { EdgeJournal, type EdgeJournalOptions, type EdgeParts, reopened } from "./edge-journal.ts";
import { type BatchSource, type ClientSegments, EdgeWorker } from "./edge-worker.ts";

/** A committed step of this client, as it went. */
export interface EdgeStep {
  readonly commit: CommitMessage;
  /** Loss summed over this client's supervised tokens, nats. */
  readonly lossSum: number;
  readonly supervisedTokens: number;
  readonly tokens: number;
  /** Milliseconds spent so far, all steps together. */
  readonly computeMs: number;
  readonly codecMs: number;
  /** Milliseconds from the step's start to its commit. */
  readonly elapsedMs: number;
}

export interface EdgeOptions {
  readonly job: string;
  readonly name: string;
  readonly token?: string;
  readonly modelFingerprint?: string;
  readonly tokenizerFingerprint?: string;
  /** Program and version, for the server's log. */
  readonly software?: string;
  /** Tells this run from others under the same name: at least 16 random characters. Made up by default. */
  readonly process?: string;
  readonly connect: Connector;
  /** Loads the segments once the job's settings are known. They stay the caller's to dispose of. */
  readonly segments: (config: JobConfig) => Promise<ClientSegments>;
  readonly batches: BatchSource;
  /** Where the run is kept, so that it survives this process; without, a killed client has lost its run. */
  readonly journal?: EdgeJournalOptions;
  /** Clock of reports, milliseconds. */
  readonly now?: () => number;
  /** Is given tensors of the run; undefined takes none. Asked for once the job's settings are known. */
  readonly capture?: (config: JobConfig) => CaptureRecorder | undefined;
  readonly backoff?: BackoffOptions;
  /** Counts the bytes of `connect`'s sockets; a new ledger by default. */
  readonly ledger?: ByteLedger;
  readonly setTimer?: SetTimer;
  readonly random?: () => number;
  readonly onProgress?: (progress: ClientProgress) => void;
  readonly onStep?: (step: EdgeStep) => void;
}

/** How long the end of a run waits for the closing handshake of its connection. */
const CLOSING_GRACE_MS = 2_000;

export class Edge {
  readonly ledger: ByteLedger;
  readonly #options: EdgeOptions;
  readonly #timers: Timers<ClientTimer>;
  readonly #backoff: Backoff;
  readonly #setTimer: SetTimer;
  readonly #events: ClientEvent[] = [];
  readonly #tasks: (() => Promise<void>)[] = [];
  #working = false;
  #dispatching = false;
  #state: ClientState;
  #channel: FrameChannel | undefined;
  /** Of the last connection that this side closed. */
  #gone: Promise<void> = Promise.resolve();
  #worker: EdgeWorker | undefined;
  #segments: ClientSegments | undefined;
  #journal: EdgeJournal | undefined;
  #prepared: EdgeJournal | undefined;
  /** Whether a step was under way when the run ended: its log, not its end, is what a new process goes on from. */
  #endedInside = false;
  #stepStart = 0;
  #connectedBefore = false;
  #cancelConnect: () => void = () => {};
  #cancelSettled: () => void = () => {};
  #resolve: (outcome: ClientOutcome) => void = () => {};
  #ended: Promise<ClientOutcome> | undefined;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.ledger = options.ledger ?? new ByteLedger();
    this.#setTimer = options.setTimer ?? realTimer;
    this.#timers = new Timers(this.#setTimer, (timer) => this.#dispatch({ type: "timer", timer }));
    this.#backoff = new Backoff(options.backoff ?? DEFAULT_BACKOFF, options.random ?? Math.random);
    this.#state = createClientState({
      job: options.job,
      name: options.name,
      modelFingerprint: options.modelFingerprint ?? "",
      tokenizerFingerprint: options.tokenizerFingerprint ?? "",
      codecs: CODEC_NAMES,
      software: options.software ?? "narrowband",
      process: options.process ?? globalThis.crypto.randomUUID(),
    });
  }

  /** Connects, takes part until the job or this client ends, and resolves with how it ended. */
  run(): Promise<ClientOutcome> {
    if (this.#ended === undefined) {
      this.#ended = new Promise((resolve) => {
        this.#resolve = resolve;
      });
      if (this.#options.journal?.resume) void this.#resume(this.#options.journal);
      else for (const effect of START) this.#perform(effect);
    }
    return this.#ended;
  }

  /** Puts together what an earlier process has left, and connects. */
  async #resume(options: EdgeJournalOptions): Promise<void> {
    try {
      const load = async (config: JobConfig, client: number) => this.#load(config, client);
      const { journal, replayed } = await EdgeJournal.resume(this.#state.identity, options, load);
      if (this.#hasEnded()) return;
      journal.onFailure = (error) => this.#storageFailed(error);
      this.#journal = journal;
      this.#state = replayed.state;
      for (const request of replayed.requests) this.#compute(request);
      if (this.#state.work === WorkStatus.ENDED) {
        this.#notify({ type: "ended", outcome: this.#state.ending! });
        return;
      }
      if (this.#state.checkpoint === CheckpointStatus.TAKING) this.#takeCheckpoint();
      if (this.#state.link === LinkStatus.OFFLINE) this.#connectLater();
      else this.#dispatch({ type: "closed", code: 1006 });
    } catch (error) {
      this.#unkept(error);
    }
  }

  /** What the run was kept in cannot be read, or is not this run's. */
  #unkept(error: unknown): void {
    const { code, message } = asNarrowbandError(error);
    this.#dispatch({ type: "gaveUp", code, message });
  }

  /** Ends at once, without another word to the server: what was kept so far is what a new process goes on from. */
  #storageFailed({ code, message }: NarrowbandError): void {
    const channel = this.#channel;
    this.#channel = undefined;
    this.#journal = undefined;
    channel?.close(1001, "");
    this.#dispatch({ type: "gaveUp", code, message });
  }

  /** The segments are there and `state` is the run's first: from here on it is kept. */
  #beginJournal(state: ClientState): void {
    this.#journal = this.#prepared;
    this.#journal?.checkpoint(state);
  }

  #takeCheckpoint(): void {
    this.#journal?.checkpoint(this.#state);
    this.#dispatch({ type: "checkpointed" });
  }

  /** Leaves the job: the open step is given up, but one that the server may have counted is waited for. */
  stop(): void {
    this.#dispatch({ type: "stop" });
  }

  /** Steps that counted, in all processes of the run together. */
  get stepsTaken(): number {
    return this.#state.taken;
  }

  /** Whether segments and storage hold the run: not before it has begun or was restored, and not after storage has failed. */
  get isKept(): boolean {
    return this.#journal !== undefined;
  }

  /** The job's settings, once the server has told them. */
  get config(): JobConfig | undefined {
    return this.#state.config;
  }

  /** The segments, once they are loaded. */
  get segments(): ClientSegments | undefined {
    return this.#segments;
  }

  /** What encodes for the server, for reports on bit widths; once the segments are loaded. */
  get senders(): EdgeWorker["senders"] | undefined {
    return this.#worker?.senders;
  }

  #dispatch(event: ClientEvent): void {
    this.#events.push(event);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const before = this.#state;
        const { state, effects } = clientTransition(before, next);
        if (state.work === WorkStatus.ENDED && before.work !== WorkStatus.ENDED) {
          this.#endedInside = before.work !== WorkStatus.IDLE || before.loading > 0;
        }
        if (next.type === "computed" && next.result.kind === "build") this.#beginJournal(state);
        else this.#journal?.record(next, before, state, effects);
        this.#state = state;
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#dispatching = false;
    }
  }

  #perform(effect: ClientEffect): void {
    switch (effect.type) {
      case "connect":
        if (effect.afterMs === undefined) this.#connectLater();
        else this.#connectAfter(effect.afterMs);
        return;
      case "send":
        this.#send(effect.frame);
        return;
      case "close": {
        const channel = this.#channel;
        this.#channel = undefined;
        if (channel === undefined) return;
        this.#gone = channel.gone;
        this.#whenKept("close", () => channel.close(effect.code, effect.reason));
        return;
      }
      case "checkpoint":
        this.#takeCheckpoint();
        return;
      case "compute":
        this.#compute(effect.request);
        return;
      case "begin":
        this.#stepStart = this.#now();
        this.#worker?.begin(effect.key);
        return;
      case "discard":
        this.#worker?.discard();
        return;
      case "resetStreams":
        this.#worker?.resetStreams(effect.resumed);
        return;
      case "acceptAdapter":
        this.#worker?.acceptAdapter(effect.message);
        return;
      case "sendAdapters":
        this.#sendAdapters(effect.average);
        return;
      case "startTimer":
        this.#timers.start(effect.timer, effect.ms);
        return;
      case "stopTimer":
        this.#timers.stop(effect.timer);
        return;
      case "notify":
        this.#notify(effect.progress);
    }
  }

  #send(frame: Frame): void {
    const channel = this.#channel;
    if (channel !== undefined) this.#whenKept(frame.message.type, () => channel.send(this.#toSend(frame)));
  }

  /** Does something that the server sees, as soon as what led to it is on storage. */
  #whenKept(type: Frame["message"]["type"] | "close", action: () => void): void {
    if (this.#journal === undefined) action();
    else this.#journal.send(type, action);
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now();
  }

  /** A frame as it goes on the wire: with the token, without bit tables that were sent already. */
  #toSend(frame: Frame): Frame {
    const { message } = frame;
    if (message.type === "tensor") {
      const sender = this.#worker!.senders[message.phase as "A1" | "G2"];
      return { ...frame, message: sender.toSend(message) };
    }
    if (message.type !== "hello") return frame;
    return { ...frame, message: { ...message, token: this.#options.token ?? "" } };
  }

  /** The first connection is made at once; after a failure, or a connection that dropped, some time is let pass. */
  #connectLater(): void {
    if (!this.#connectedBefore) {
      this.#connectedBefore = true;
      void this.#connect();
      return;
    }
    const ms = this.#backoff.next();
    if (ms === undefined) {
      const message = `${this.#backoff.failures} attempts to connect failed in a row`;
      this.#dispatch({ type: "gaveUp", code: "NB_CONNECTION_LOST", message });
      return;
    }
    this.#cancelConnect = this.#setTimer(ms, () => void this.#connect());
  }

  /** When the server has said how long; up to twice as long, so that not all clients come back at once. */
  #connectAfter(ms: number): void {
    const random = this.#options.random ?? Math.random;
    this.#cancelConnect = this.#setTimer(ms * (1 + random()), () => void this.#connect());
  }

  async #connect(): Promise<void> {
    try {
      const socket = await this.#options.connect();
      if (this.#hasEnded()) {
        socket.close(1000, "");
        return;
      }
      const channel = new FrameChannel(socket, this.ledger, "up", MAX_FRAME_BYTES, {
        // A connection that this side has closed may take a moment to end; what still comes on it means nothing.
        frame: (frame) => {
          if (this.#channel === channel) this.#dispatch({ type: "message", frame });
        },
        refused: (code, message) => {
          if (this.#channel === channel) this.#dispatch({ type: "refused", code, message });
        },
        closed: (code) => {
          if (this.#channel !== channel) return;
          this.#channel = undefined;
          this.#journal?.connectionLost();
          this.#dispatch({ type: "closed", code });
        },
      });
      this.#channel = channel;
      this.#dispatch({ type: "opened" });
    } catch (error) {
      const { code, message } = asNarrowbandError(error);
      if (code === "NB_CONNECTION_LOST") this.#connectLater();
      else this.#dispatch({ type: "gaveUp", code, message });
    }
  }

  #hasEnded(): boolean {
    return this.#state.ending !== undefined;
  }

  #compute(request: ClientRequest): void {
    this.#tasks.push(async () => {
      try {
        if (request.kind === "build") {
          await this.#build(request.config);
          return;
        }
        const result = await this.#worker!.run(request);
        if (result !== undefined) this.#dispatch({ type: "computed", result });
      } catch (error) {
        const { code, message } = asNarrowbandError(error);
        this.#dispatch({ type: "computeFailed", request, code, message });
      }
    });
    if (!this.#working) void this.#work();
  }

  /** Carries out what waits, one after another: an engine is not shared. */
  async #work(): Promise<void> {
    this.#working = true;
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) await task();
    this.#working = false;
  }

  /** Loads what the job needs; the run that it begins is kept from here on. */
  async #build(config: JobConfig): Promise<void> {
    const parts = await this.#load(config, this.#state.index);
    const { journal } = this.#options;
    if (journal !== undefined) {
      this.#prepared = await EdgeJournal.begin(parts, journal);
      this.#prepared.onFailure = (error) => this.#storageFailed(error);
    }
    this.#dispatch({ type: "computed", result: { kind: "build" } });
  }

  async #load(config: JobConfig, client: number): Promise<EdgeParts> {
    const { batches } = this.#options;
    const segments = await this.#options.segments(config);
    if (config.split === "u-shape" && segments.top === undefined) {
      fail("NB_INTERNAL", "a U-shaped split needs its top on the client");
    }
    this.#segments = segments;
    const capture = this.#options.capture?.(config);
    this.#worker = new EdgeWorker({ config, client, segments, batches, capture });
    return { segments, worker: this.#worker };
  }

  #sendAdapters(average: number): void {
    const adapters = this.#worker!.adaptersToSend();
    const names = { job: this.#state.jobNumber, client: this.#state.index };
    const channel = this.#channel;
    this.#whenKept("adapterBegin", () =>
      channel?.sendAll(
        (function* () {
          for (const message of adapterMessages(average, adapters)) yield { ...names, message };
        })(),
      ),
    );
  }

  /** Waits for the connection's closing, so that the ledger is complete, but not for a server that does not close. */
  async #finish(outcome: ClientOutcome): Promise<void> {
    let cancel = (): void => {};
    const grace = new Promise<void>((resolve) => {
      cancel = this.#setTimer(CLOSING_GRACE_MS, resolve);
    });
    await Promise.race([this.#gone, grace]);
    cancel();
    try {
      const completed = outcome.reason === "completed";
      if (!this.#endedInside) this.#journal?.checkpoint(completed ? this.#state : reopened(this.#state));
      await this.#journal?.close();
      this.#resolve(outcome);
    } catch (error) {
      const { code, message } = asNarrowbandError(error);
      this.#resolve({ reason: "failed", code, message });
    }
  }

  #notify(progress: ClientProgress): void {
    // Being let in proves little: a connection counts as good once a step has come through it, or it has lasted.
    if (progress.type === "welcomed") {
      const { capMs } = this.#options.backoff ?? DEFAULT_BACKOFF;
      this.#cancelSettled = this.#setTimer(capMs, () => this.#backoff.reset());
    }
    if (progress.type === "disconnected") this.#cancelSettled();
    if (progress.type === "stepCommitted") {
      this.#backoff.reset();
      const { commit, lossSum, supervisedTokens, tokens } = progress;
      const elapsedMs = this.#now() - this.#stepStart;
      const times = this.#worker!.times;
      this.#options.onStep?.({ commit, lossSum, supervisedTokens, tokens, elapsedMs, ...times });
      if (this.#journal?.isDue(this.#state)) this.#dispatch({ type: "checkpoint" });
    }
    this.#options.onProgress?.(progress);
    if (progress.type === "ended") {
      this.#cancelConnect();
      this.#cancelSettled();
      this.#timers.stopAll();
      void this.#finish(progress.outcome);
    }
  }
}
