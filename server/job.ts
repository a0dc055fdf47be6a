/**
 * A job on the server: carries out what the server's state machine asks for, over any sockets. One job has one trunk; its work is
 * queued fairly among clients.
 */
import { asNarrowbandError } from "../shared/errors.ts";
import { ByteLedger } from "../shared/ledger/ledger.ts";
import { type LedgerReport, ledgerReport } from "../shared/ledger/report.ts";
import { type AdapterOutline, adapterMessages } from "../shared/protocol/adapters.ts";
import { ClientKind } from "../shared/protocol/client-table.ts";
import { codecNamesOf, requireCodecs } from "../shared/protocol/codecs.ts";
import type { FrameChannel } from "../shared/protocol/frame-channel.ts";
import type { JobConfig, JobPolicy } from "../shared/protocol/job-config.ts";
import type { Frame, Message, Refusal, StepKey } from "../shared/protocol/messages.ts";
import type { RobustAggregation } from "../shared/protocol/robust-sum.ts";
import { serverTransition } from "../shared/protocol/server-machine.ts";
import type {
  ServerProgress,
  ServerRequest,
  ServerState,
  ServerTimer,
} from "../shared/protocol/server-state.ts";
import {
  CheckpointStatus,
  type CommitGroup,
  type JobOutcome,
  JobPhase,
  type ServerEffect,
  type ServerEvent,
} from "../shared/protocol/server-state.ts";
import { createServerState } from "../shared/protocol/server-turn.ts";
import type { TensorSender } from "../shared/protocol/tensor-stream.ts";
import { realTimer, type SetTimer, Timers } from "../shared/protocol/transport.ts";
import type { TopSegment, TrunkSegment } from "../shared/train/segments.ts";
import { FairQueue } from "./fair-queue.ts";
import { JobJournal, type JobParts, type JournalOptions } from "./job-journal.ts";
import { TrunkWorker, type WorkTimes } from "./trunk-worker.ts";

/** One optimizer step of the trunk, as it went. */
export interface TrunkStep extends WorkTimes {
  readonly group: CommitGroup;
  /** Norm of the trunk's gradient before clipping. */
  readonly gradientNorm: number;
  /** Bytes of the job so far, as its ledger has them. */
  readonly upBytes: number;
  readonly downBytes: number;
}

export interface JobOptions {
  readonly name: string;
  /** Number of the job on this server, from 1. */
  readonly number: number;
  readonly config: JobConfig;
  readonly policy: JobPolicy;
  readonly trunk: TrunkSegment;
  /** In a vanilla split. */
  readonly top?: TopSegment;
  /** Says what is wrong with a token, if anything. Everybody may join a job without this. */
  readonly authenticate?: (token: string, clientName: string) => Refusal | undefined;
  /** Outline of each client's adapters, where they are averaged and the server knows the model; else the first upload sets it. */
  readonly adapters?: AdapterOutline;
  /** How gradients of clients that mean harm are kept from doing it; see {@link RobustAggregation}. */
  readonly robust?: Partial<RobustAggregation>;
  /** Bytes of all connections are counted here; a new ledger by default. */
  readonly ledger?: ByteLedger;
  /** Work of several jobs on one machine may share a queue. */
  readonly queue?: FairQueue;
  readonly setTimer?: SetTimer;
  readonly onProgress?: (progress: ServerProgress) => void;
  readonly onStep?: (step: TrunkStep) => void;
  /** Told of failures that no client caused. */
  readonly onError?: (error: unknown) => void;
}

/** A client as the API shows it. */
export interface ClientStatus {
  readonly index: number;
  readonly name: string;
  readonly connected: boolean;
  readonly ready: boolean;
  /** Of its last committed step. */
  readonly lastStep: number | undefined;
  /** Loss per supervised token of that step, nats. */
  readonly loss: number | undefined;
  /** Mean bits per element of what the server sends it. */
  readonly meanBits: { readonly A2: number; readonly G1: number };
}

export interface JobStatus {
  readonly name: string;
  readonly number: number;
  readonly phase: "gathering" | "running" | "ended";
  readonly outcome: JobOutcome | undefined;
  /** Optimizer steps of the trunk. */
  readonly trunkSteps: number;
  readonly averages: number;
  readonly config: JobConfig;
  readonly clients: readonly ClientStatus[];
  readonly ledger: LedgerReport;
  readonly times: WorkTimes;
}

interface Connection {
  readonly channel: FrameChannel;
  /** A token that came with the HTTP request. */
  readonly bearer: string | undefined;
  readonly onBound: (() => void) | undefined;
}

export class Job {
  readonly ledger: ByteLedger;
  /** Resolves when the job has ended; connections may linger for a while. */
  readonly done: Promise<JobOutcome>;
  readonly #options: JobOptions;
  readonly #worker: TrunkWorker;
  readonly #queue: FairQueue;
  readonly #timers: Timers<ServerTimer>;
  readonly #connections = new Map<number, Connection>();
  /** Connections that are not gone: until their closing handshakes are over, the ledger is not complete. */
  #sockets = 0;
  readonly #losses = new Map<number, { step: number; loss: number }>();
  readonly #events: ServerEvent[] = [];
  #state: ServerState;
  #journal: JobJournal | undefined;
  #dispatching = false;
  #failed = false;
  #nextConnection = 1;
  #resolveDone: (outcome: JobOutcome) => void = () => {};

  constructor(options: JobOptions) {
    const { config, trunk, top, name, number, policy } = options;
    this.#options = options;
    this.ledger = options.ledger ?? new ByteLedger();
    this.#queue = options.queue ?? new FairQueue();
    this.#worker = new TrunkWorker({ config, trunk, top, robust: options.robust });
    this.#timers = new Timers(options.setTimer ?? realTimer, (timer) =>
      this.#dispatch({ type: "timer", timer }),
    );
    requireCodecs(config);
    const codecNames = codecNamesOf(config);
    this.#state = createServerState({
      name,
      number,
      config,
      policy,
      codecNames,
      adapters: options.adapters,
    });
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
  }

  /**
   * A job whose run survives its process: begins one in storage, or goes on with the one that is there, replaying what came after its
   * checkpoint. To be awaited before the first connection. Rejects as JobJournal.begin and resume do.
   */
  static async open(options: JobOptions, journal: JournalOptions): Promise<Job> {
    const job = new Job(options);
    if (journal.resume) await job.#resume(journal);
    else job.#journal = await JobJournal.begin(job.#parts(), journal, job.#state);
    job.#journal!.onFailure = (error) => job.#fail(error);
    if (!journal.resume) return job;
    if (job.#state.checkpoint === CheckpointStatus.TAKING) job.#takeCheckpoint();
    job.#dispatch({ type: "restarted", policy: options.policy });
    return job;
  }

  async #resume(options: JournalOptions): Promise<void> {
    const { journal, replayed } = await JobJournal.resume(this.#parts(), options);
    this.#journal = journal;
    this.#state = replayed.state;
    this.#nextConnection = replayed.connection + 1;
    for (const [timer, ms] of replayed.timers) this.#timers.start(timer, ms);
    for (const request of replayed.requests) this.#compute(request);
  }

  #takeCheckpoint(): void {
    this.#journal?.checkpoint(this.#state);
    this.#dispatch({ type: "checkpointed" });
  }

  #parts(): JobParts {
    const { config, trunk, top } = this.#options;
    return { config, segments: { trunk, top }, worker: this.#worker };
  }

  /**
   * Writes what the job keeps, with a checkpoint of how it ended, and closes its log. To be called when the job has ended. Rejects
   * with NB_STORAGE_FULL or NB_STORAGE_FAILED when that, or keeping anything before, failed.
   */
  async close(): Promise<void> {
    const ended = this.#state.phase === JobPhase.ENDED && this.#state.commits.length === 0;
    if (ended) this.#journal?.checkpoint(this.#state);
    await this.#journal?.close();
  }

  /** Optimizer steps that the trunk has taken. */
  get trunkSteps(): number {
    return this.#state.trunkSteps - this.#state.commits.length;
  }

  /** Rounds in sync mode; steps of the client that is furthest in sequential mode. */
  get stepsTaken(): number {
    const { config, step, clients } = this.#state;
    return config.mode === "sync" ? step : Math.max(0, ...[...clients].map(({ step }) => step));
  }

  /** Whether somebody is connected, or is waited for. */
  get attended(): boolean {
    return this.#state.clients.count(ClientKind.ATTENDED) > 0;
  }

  get name(): string {
    return this.#options.name;
  }

  get config(): JobConfig {
    return this.#options.config;
  }

  /**
   * Takes over a connection. `first` is a frame that was read from it already; `bearer` a token that came with the HTTP
   * request; `onBound` is called when the client is let in.
   */
  attach(
    channel: FrameChannel,
    options: { first?: Frame; bearer?: string; onBound?: () => void } = {},
  ): void {
    const connection = this.#nextConnection++;
    const { first, bearer, onBound } = options;
    this.#connections.set(connection, { channel, bearer, onBound });
    this.#sockets += 1;
    void channel.gone.then(() => {
      this.#sockets -= 1;
    });
    channel.maxBytes = this.config.maxFrameBytes;
    channel.handlers = {
      frame: (frame) => this.#dispatch({ type: "message", connection, frame }),
      refused: (code, message) => this.#dispatch({ type: "refused", connection, code, message }),
      closed: () => {
        this.#connections.delete(connection);
        this.#dispatch({ type: "closed", connection });
      },
    };
    this.#dispatch({ type: "connected", connection });
    if (first !== undefined) this.#dispatch({ type: "message", connection, frame: first });
  }

  /**
   * Lets open steps finish for a while, says goodbye to everybody, ends. With `retryAfterMs` above 0 clients are told to come back after so
   * long, to a server that goes on with the job.
   */
  stop(retryAfterMs?: number): Promise<JobOutcome> {
    this.#dispatch({ type: "stop", retryAfterMs });
    return this.done;
  }

  /** Cuts all connections and timers at once. For when the process ends; the job must not be used after it. */
  terminate(): void {
    this.#timers.stopAll();
    for (const { channel } of this.#connections.values()) channel.close(1001, "");
    this.#connections.clear();
  }

  /** Connections that are not gone, their closing handshakes included. */
  get openConnections(): number {
    return this.#sockets;
  }

  /** What encodes for a client, for reports on bit widths. */
  senders(client: number): { readonly A2: TensorSender; readonly G1: TensorSender } {
    return this.#worker.senders(client);
  }

  status(): JobStatus {
    const { phase, outcome, averages, commits, trunkSteps, clients } = this.#state;
    const running = phase === JobPhase.GATHERING ? "gathering" : "running";
    return {
      name: this.#options.name,
      number: this.#options.number,
      phase: phase === JobPhase.ENDED ? "ended" : running,
      outcome,
      trunkSteps: trunkSteps - commits.length,
      averages,
      config: this.config,
      clients: [...clients].map(({ index, name, connection, ready }) => {
        const { A2, G1 } = this.#worker.senders(index);
        const last = this.#losses.get(index);
        return {
          index,
          name,
          connected: connection !== undefined,
          ready,
          lastStep: last?.step,
          loss: last?.loss,
          meanBits: { A2: A2.encoder.meanBits, G1: G1.encoder.meanBits },
        };
      }),
      ledger: ledgerReport(this.ledger.snapshot()),
      times: this.#worker.times,
    };
  }

  /** Feeds the machine, one event after another, also those that its effects bring about. */
  #dispatch(event: ServerEvent): void {
    if (this.#failed) return;
    this.#events.push(event);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const before = this.#state;
        const { state, effects } = serverTransition(before, next);
        this.#journal?.record(next, before, state, effects);
        this.#state = state;
        for (const effect of effects) this.#perform(effect);
      }
    } catch (error) {
      // A bug: nothing that a peer sends gets here.
      this.#fail(error);
    } finally {
      this.#dispatching = false;
    }
  }

  /** Ends at once, without another word to anybody: what was kept so far is what a new process goes on from. */
  #fail(error: unknown): void {
    this.#options.onError?.(error);
    this.#events.length = 0;
    this.#failed = true;
    this.terminate();
    const { code, message } = asNarrowbandError(error);
    this.#resolveDone({ reason: "failed", code, message });
  }

  #perform(effect: ServerEffect): void {
    switch (effect.type) {
      case "send":
        this.#send(effect.connection, effect.frame);
        return;
      case "close": {
        const connection = this.#connections.get(effect.connection);
        this.#connections.delete(effect.connection);
        if (connection === undefined) return;
        this.#whenKept(effect.connection, "close", () =>
          connection.channel.close(effect.code, effect.reason),
        );
        return;
      }
      case "checkpoint":
        this.#takeCheckpoint();
        return;
      case "authenticate":
        this.#authenticate(effect.connection, effect.token, effect.name);
        return;
      case "compute":
        this.#compute(effect.request);
        return;
      case "begin":
        this.#worker.begin(effect.client, effect.key);
        return;
      case "discard":
        this.#discard(effect.client, effect.key);
        return;
      case "resetStreams":
        this.#worker.resetStreams(effect.client, effect.resumed);
        return;
      case "acceptAdapter":
        try {
          this.#worker.acceptAdapter(effect.client, effect.message);
        } catch (error) {
          const { code, message } = asNarrowbandError(error);
          this.#dispatch({ type: "adapterRefused", client: effect.client, code, message });
        }
        return;
      case "sendAverage":
        this.#sendAverage(effect.connection, effect.client);
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

  #send(connection: number, frame: Frame): void {
    const channel = this.#connections.get(connection)?.channel;
    if (channel === undefined) return;
    this.#whenKept(connection, frame.message.type, () => channel.send(this.#toSend(frame)));
  }

  /** Does something that a peer sees, as soon as what led to it is on storage. */
  #whenKept(connection: number, type: Message["type"] | "close", action: () => void): void {
    if (this.#journal === undefined) action();
    else this.#journal.send(connection, type, action);
  }

  /** A frame as it goes on the wire: without bit tables that were sent on the connection already. */
  #toSend(frame: Frame): Frame {
    const { message, client } = frame;
    if (message.type !== "tensor") return frame;
    const sender = this.#worker.senders(client)[message.phase as "A2" | "G1"];
    return { ...frame, message: sender.toSend(message) };
  }

  #authenticate(connection: number, token: string, name: string): void {
    const { bearer } = this.#connections.get(connection) ?? {};
    const refusal = this.#options.authenticate?.(token === "" ? (bearer ?? "") : token, name);
    if (refusal === undefined) this.#dispatch({ type: "authenticated", connection });
    else this.#dispatch({ type: "refused", connection, ...refusal });
  }

  #compute(request: ServerRequest): void {
    const task = async (): Promise<void> => {
      try {
        const result = await this.#worker.run(request);
        if (result !== undefined) this.#dispatch({ type: "computed", result });
      } catch (error) {
        const { code, message } = asNarrowbandError(error);
        if (code === "NB_INTERNAL") this.#options.onError?.(error);
        this.#dispatch({ type: "computeFailed", request, code, message });
      }
    };
    if (request.kind === "commit" || request.kind === "average") this.#queue.pushUrgent(task);
    else this.#queue.push(this.#owner(request.client), task);
  }

  #owner(client: number): string {
    return `${this.#options.number}:${client}`;
  }

  #discard(client: number, key: StepKey): void {
    this.#queue.clear(this.#owner(client));
    this.#worker.discard(client, key);
  }

  #sendAverage(connection: number, client: number): void {
    const average = this.#worker.average!;
    const names = { job: this.#options.number, client };
    const withoutManifest = { digest: average.digest, data: average.data, manifest: undefined };
    const channel = this.#connections.get(connection)?.channel;
    this.#whenKept(connection, "adapterBegin", () =>
      channel?.sendAll(
        (function* () {
          for (const message of adapterMessages(average.number, withoutManifest)) yield { ...names, message };
        })(),
      ),
    );
  }

  #notify(progress: ServerProgress): void {
    if (progress.type === "joined") {
      const { connection } = this.#state.clients.get(progress.client)!;
      this.#connections.get(connection!)?.onBound?.();
    } else if (progress.type === "committed") {
      for (const { client, step, lossSum, supervisedTokens } of progress.group.members) {
        this.#losses.set(client, { step, loss: lossSum / Math.max(1, supervisedTokens) });
      }
      const { upBytes, downBytes } = ledgerReport(this.ledger.snapshot());
      const { group, gradientNorm } = progress;
      this.#options.onStep?.({ group, gradientNorm, upBytes, downBytes, ...this.#worker.times });
      if (this.#journal?.isDue(this.#state)) this.#dispatch({ type: "checkpoint" });
    }
    this.#options.onProgress?.(progress);
    if (progress.type === "ended") this.#resolveDone(progress.outcome);
  }
}
