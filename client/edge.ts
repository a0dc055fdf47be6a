/**
 * The edge runtime: one client of a job. Carries out what the client's state machine asks for, over any sockets; runs in
 * Node and in browsers. Segments, text and connections are given to it.
 */
import type { CodecState } from "../shared/codec/codec.ts";
import { forNewPeer } from "../shared/codec/registry.ts";
import { asNarrowbandError, fail } from "../shared/errors.ts";
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
import { type ClientEffect, type ClientEvent, createClientState } from "../shared/protocol/client-state.ts";
import { CODEC_NAMES } from "../shared/protocol/codecs.ts";
import { FrameChannel } from "../shared/protocol/frame-channel.ts";
import type { JobConfig } from "../shared/protocol/job-config.ts";
import { MAX_FRAME_BYTES } from "../shared/protocol/limits.ts";
import type { CommitMessage, Frame } from "../shared/protocol/messages.ts";
import { type Connector, realTimer, type SetTimer, Timers } from "../shared/protocol/transport.ts";
import { Backoff, type BackoffOptions, DEFAULT_BACKOFF } from "./backoff.ts";
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
  /** What the encoders had learned in a run that this one goes on with, asked for once the segments are loaded. */
  readonly encoderStates?: () => { readonly A1: CodecState; readonly G2: CodecState } | undefined;
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
      for (const effect of START) this.#perform(effect);
    }
    return this.#ended;
  }

  /** Leaves the job: the open step is given up, but one that the server may have counted is waited for. */
  stop(): void {
    this.#dispatch({ type: "stop" });
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
        const { state, effects } = clientTransition(this.#state, next);
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
        this.#channel?.send(this.#toSend(effect.frame));
        return;
      case "close": {
        const channel = this.#channel;
        this.#channel = undefined;
        channel?.close(effect.code, effect.reason);
        if (channel !== undefined) this.#gone = channel.gone;
        return;
      }
      case "compute":
        this.#compute(effect.request);
        return;
      case "begin":
        this.#stepStart = performance.now();
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
        frame: (frame) => this.#dispatch({ type: "message", frame }),
        refused: (code, message) => this.#dispatch({ type: "refused", code, message }),
        closed: (code) => {
          this.#channel = undefined;
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
          this.#dispatch({ type: "computed", result: { kind: "build" } });
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

  async #build(config: JobConfig): Promise<void> {
    const { batches } = this.#options;
    const segments = await this.#options.segments(config);
    if (config.split === "u-shape" && segments.top === undefined) {
      fail("NB_INTERNAL", "a U-shaped split needs its top on the client");
    }
    this.#segments = segments;
    this.#worker = new EdgeWorker({ config, client: this.#state.index, segments, batches });
    const states = this.#options.encoderStates?.();
    if (states === undefined) return;
    this.#worker.senders.A1.encoder.restore(forNewPeer(states.A1));
    this.#worker.senders.G2.encoder.restore(forNewPeer(states.G2));
  }

  #sendAdapters(average: number): void {
    const adapters = this.#worker!.adaptersToSend();
    const names = { job: this.#state.jobNumber, client: this.#state.index };
    this.#channel?.sendAll(
      (function* () {
        for (const message of adapterMessages(average, adapters)) yield { ...names, message };
      })(),
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
    this.#resolve(outcome);
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
      const elapsedMs = performance.now() - this.#stepStart;
      const times = this.#worker!.times;
      this.#options.onStep?.({ commit, lossSum, supervisedTokens, tokens, elapsedMs, ...times });
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
