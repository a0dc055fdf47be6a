/**
 * What the client's side of a job consists of, as plain values: its state, the events that change it, and the effects that it asks of
 * whoever drives it. client-machine.ts has the rules.
 */
import type { ErrorCode } from "../errors.ts";
import type { JobConfig } from "./job-config.ts";
import type {
  AdapterBeginMessage,
  AdapterChunkMessage,
  CommitMessage,
  Frame,
  GoodbyeReason,
  Message,
  StepKey,
  TensorMessage,
} from "./messages.ts";

/** Where the connection stands. */
export const LinkStatus = {
  /** None; one is wanted unless the client has ended. */
  OFFLINE: 0,
  /** Hello is sent. */
  WELCOMING: 1,
  ONLINE: 2,
} as const;
export type LinkStatus = (typeof LinkStatus)[keyof typeof LinkStatus];

/** Where the work stands. It outlives connections. */
export const WorkStatus = {
  /** The job's settings are not known yet. */
  NONE: 0,
  /** Segments are being loaded and compiled. */
  BUILDING: 1,
  IDLE: 2,
  STEPPING: 3,
  /** StepDone is sent, or is to be sent on the next connection: gradients are kept until Commit or Abandon is heard, over however many connections. */
  PREPARED: 4,
  /** A committed step is being applied. */
  APPLYING: 5,
  /** Adapters are sent, and their average is awaited. */
  WAITING: 6,
  ENDED: 7,
} as const;
export type WorkStatus = (typeof WorkStatus)[keyof typeof WorkStatus];

/** Whether a checkpoint is wanted as soon as no step is open, or is being taken: no step begins meanwhile. */
export const CheckpointStatus = { NONE: 0, DUE: 1, TAKING: 2 } as const;
export type CheckpointStatus = (typeof CheckpointStatus)[keyof typeof CheckpointStatus];

/** The step under way. Each counter counts micro-batches from 0. */
export interface ClientStep extends StepKey {
  /** Bottom passes asked for. */
  readonly forwards: number;
  /** A1 sent, A2 accepted, G2 sent, G1 accepted. */
  readonly a1: number;
  readonly a2: number;
  readonly g2: number;
  readonly g1: number;
  /** Backward passes of the bottom that are done. */
  readonly backwards: number;
  /** Tokens of each micro-batch sent. */
  readonly tokens: readonly number[];
  readonly lossSum: number;
  readonly supervisedTokens: number;
  /** A1 and G2 as they were made, by micro-batch, until the step ends: they may have to be sent again. */
  readonly madeA1: readonly TensorMessage[];
  readonly madeG2: readonly TensorMessage[];
}

/** An average that is arriving. */
export interface Transfer {
  readonly average: number;
  readonly chunks: number;
  readonly totalBytes: number;
  readonly chunkBytes: number;
  /** Index of the next chunk. */
  readonly next: number;
}

export interface ClientOutcome {
  readonly reason: GoodbyeReason;
  readonly code: string;
  readonly message: string;
}

/** Who the client is, see Hello; goes into every Hello. The token is put in by the driver, so that no state dump holds it. */
export interface ClientIdentity {
  readonly job: string;
  readonly name: string;
  readonly modelFingerprint: string;
  readonly tokenizerFingerprint: string;
  readonly codecs: readonly string[];
  readonly software: string;
  readonly process: string;
}

export interface ClientState {
  readonly identity: ClientIdentity;
  readonly link: LinkStatus;
  readonly work: WorkStatus;
  /** Connections opened so far. */
  readonly connections: number;
  /** From the last Welcome. */
  readonly jobNumber: number;
  readonly index: number;
  readonly config: JobConfig | undefined;
  /** Whether the server knows this run of the client. */
  readonly known: boolean;
  /** Whether Ready was sent on this connection, or goes without saying because the open step goes on. */
  readonly ready: boolean;
  readonly open: ClientStep | undefined;
  /** The newest step that has ended, one way or the other. */
  readonly lastEnded: StepKey | undefined;
  /** A step that was started while the one before was still being applied. */
  readonly pendingStart: StepKey | undefined;
  /** One more than the newest step that counted; 0 if none. */
  readonly taken: number;
  /** Whether adapters are to be uploaded once the committed step is applied. */
  readonly uploadDue: boolean;
  /** A1 and G2 of the open step that this side said in Hello that it had. */
  readonly stated: { readonly a1: number; readonly g2: number };
  /** Number of the average for which the server awaits adapters, as it said in Welcome; 0 if none. */
  readonly awaited: number;
  /** Number of the last average held. */
  readonly averaged: number;
  readonly transfer: Transfer | undefined;
  /** Number of the last average that has arrived completely, and how many of those are still being loaded. */
  readonly received: number;
  readonly loading: number;
  /** What the server said before it closed. */
  readonly refusal: { readonly code: string; readonly message: string } | undefined;
  /** Set when the client is to end as soon as nothing is being applied. */
  readonly ending: ClientOutcome | undefined;
  readonly checkpoint: CheckpointStatus;
  readonly heard: boolean;
  readonly silent: number;
}

export type ClientTimer = "welcome" | "heartbeat" | "stop";

/** Work that the driver does in the background, one after another, and reports with `computed` or `computeFailed`. */
export type ClientRequest =
  /** Load and compile the segments, make encoders and decoders. */
  | { readonly kind: "build"; readonly config: JobConfig }
  /** Take the micro-batch's text, bottom forward, encode A1 (with labels in a vanilla split). */
  | { readonly kind: "bottom"; readonly key: StepKey; readonly microBatch: number }
  /** Decode A2, top forward, loss and backward, encode G2. */
  | { readonly kind: "top"; readonly message: TensorMessage }
  /** Decode G1, bottom backward. */
  | { readonly kind: "backward"; readonly message: TensorMessage }
  /** Take the optimizer steps, end the step of the encoders. */
  | { readonly kind: "apply"; readonly commit: CommitMessage; readonly supervisedTokens: number }
  /** Put the average that was received in the adapters' place. */
  | { readonly kind: "loadAverage"; readonly average: number };

export type ClientResult =
  | { readonly kind: "build" }
  | { readonly kind: "bottom"; readonly message: TensorMessage }
  | {
      readonly kind: "top";
      readonly message: TensorMessage;
      readonly lossSum: number;
      readonly supervisedTokens: number;
    }
  | { readonly kind: "backward"; readonly key: StepKey; readonly microBatch: number }
  | { readonly kind: "apply"; readonly key: StepKey }
  | { readonly kind: "loadAverage"; readonly average: number };

export type ClientEvent =
  /** A connection is open. */
  | { readonly type: "opened" }
  /** It is closed, by the other side or the network. Not sent for connections that an effect closed. */
  | { readonly type: "closed"; readonly code: number }
  | { readonly type: "message"; readonly frame: Frame }
  /** A message could not be read. */
  | { readonly type: "refused"; readonly code: ErrorCode; readonly message: string }
  | { readonly type: "timer"; readonly timer: ClientTimer }
  | { readonly type: "computed"; readonly result: ClientResult }
  | {
      readonly type: "computeFailed";
      readonly request: ClientRequest;
      readonly code: ErrorCode;
      readonly message: string;
    }
  /** Take a checkpoint as soon as nothing is open. */
  | { readonly type: "checkpoint" }
  /** It is taken: what it holds is the state before this event. */
  | { readonly type: "checkpointed" }
  /** The driver does not connect again: its attempts are used up, or it was told that they are in vain. */
  | { readonly type: "gaveUp"; readonly code: ErrorCode; readonly message: string }
  /** Leave: finish what is prepared, say goodbye. */
  | { readonly type: "stop" };

/** What happened, for logs and progress displays. Changes nothing. */
export type ClientProgress =
  | { readonly type: "welcomed"; readonly config: JobConfig; readonly resumed: boolean }
  | { readonly type: "disconnected"; readonly code: number }
  | { readonly type: "stepStarted"; readonly key: StepKey }
  | {
      readonly type: "stepCommitted";
      readonly commit: CommitMessage;
      /** This client's own. */
      readonly lossSum: number;
      readonly supervisedTokens: number;
      readonly tokens: number;
    }
  | {
      readonly type: "stepAbandoned";
      readonly key: StepKey;
      readonly code: string;
      readonly message: string;
    }
  | { readonly type: "averaged"; readonly average: number }
  /** A repeated or late message, which had no effect. */
  | { readonly type: "ignored"; readonly message: Message["type"] }
  | { readonly type: "ended"; readonly outcome: ClientOutcome };

export type ClientEffect =
  /** Open a connection, after a delay if earlier ones failed. */
  /** After a backoff, or after so many milliseconds where the server has said how long it will be away. */
  | { readonly type: "connect"; readonly afterMs?: number }
  | { readonly type: "send"; readonly frame: Frame }
  | { readonly type: "close"; readonly code: number; readonly reason: string }
  | { readonly type: "compute"; readonly request: ClientRequest }
  /** A step is about to begin. */
  | { readonly type: "begin"; readonly key: StepKey }
  /** Drop all that is held for this step: saved forwards, gradients, observations of encoders. */
  | { readonly type: "discard"; readonly key: StepKey }
  /**
   * The server has been sent no bit tables or manifest yet: the connection is new. What was received from it holds only if it knows
   * this run.
   */
  | { readonly type: "resetStreams"; readonly resumed: boolean }
  /** Take a checkpoint of the state after this transition, and report `checkpointed`. Nothing is open. */
  | { readonly type: "checkpoint" }
  | { readonly type: "acceptAdapter"; readonly message: AdapterBeginMessage | AdapterChunkMessage }
  /** Send the adapters, as AdapterBegin and AdapterChunk messages. */
  | { readonly type: "sendAdapters"; readonly average: number }
  | { readonly type: "startTimer"; readonly timer: ClientTimer; readonly ms: number }
  | { readonly type: "stopTimer"; readonly timer: ClientTimer }
  | { readonly type: "notify"; readonly progress: ClientProgress };

/** A client that has not connected yet. */
export function createClientState(identity: ClientIdentity): ClientState {
  return {
    identity,
    link: LinkStatus.OFFLINE,
    work: WorkStatus.NONE,
    connections: 0,
    jobNumber: 0,
    index: 0,
    config: undefined,
    known: false,
    ready: false,
    open: undefined,
    lastEnded: undefined,
    pendingStart: undefined,
    taken: 0,
    uploadDue: false,
    stated: { a1: 0, g2: 0 },
    awaited: 0,
    averaged: 0,
    transfer: undefined,
    received: 0,
    loading: 0,
    refusal: undefined,
    ending: undefined,
    checkpoint: CheckpointStatus.NONE,
    heard: true,
    silent: 0,
  };
}

/** A transition being worked out. One that throws is forgotten, and the state is as it was. */
export class ClientTurn {
  readonly state: { -readonly [K in keyof ClientState]: ClientState[K] };
  readonly effects: ClientEffect[] = [];

  constructor(state: ClientState) {
    this.state = { ...state };
  }

  effect(effect: ClientEffect): void {
    this.effects.push(effect);
  }

  notify(progress: ClientProgress): void {
    this.effects.push({ type: "notify", progress });
  }

  compute(request: ClientRequest): void {
    this.effects.push({ type: "compute", request });
  }

  send(message: Message): void {
    const { jobNumber, index, link } = this.state;
    const known = link === LinkStatus.ONLINE;
    const frame: Frame = { job: known ? jobNumber : 0, client: known ? index : 0, message };
    this.effects.push({ type: "send", frame });
  }
}
