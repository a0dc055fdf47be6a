/**
 * What the server's side of a job consists of, as plain values: its state, the events that change it, and the effects that it asks of
 * whoever drives it. server-machine.ts has the rules.
 */
import type { ErrorCode } from "../errors.ts";
import type { AdapterOutline } from "./adapters.ts";
import type { ClientTable } from "./client-table.ts";
import type { JobConfig, JobPolicy } from "./job-config.ts";
import type {
  AdapterBeginMessage,
  AdapterChunkMessage,
  CommitMessage,
  Frame,
  GoodbyeReason,
  HelloMessage,
  Message,
  StepDoneMessage,
  StepKey,
  TensorMessage,
} from "./messages.ts";
import type { RecordTable } from "./record-table.ts";

/** Where the job as a whole stands. */
export const JobPhase = {
  /** Too few ready clients to begin or go on. */
  GATHERING: 0,
  /** A round is open (sync), or clients are stepping (sequential). */
  RUNNING: 1,
  /** The round's optimizer step is being taken (sync). */
  COMMITTING: 2,
  /** Client adapters are being collected and averaged (sync). */
  AVERAGING: 3,
  ENDED: 4,
} as const;
export type JobPhase = (typeof JobPhase)[keyof typeof JobPhase];

/** Where a client stands with its step. */
export const StepStatus = {
  IDLE: 0,
  /** Its micro-batches are under way. */
  STEPPING: 1,
  /** StepDone is in: its gradients are complete, and count even if its connection drops now. */
  PREPARED: 2,
  /** Its gradients are being applied. */
  COMMITTING: 3,
  /** Its step is committed, and its adapters are awaited for an average. */
  BARRIER: 4,
} as const;
export type StepStatus = (typeof StepStatus)[keyof typeof StepStatus];

/** Whether a checkpoint is wanted as soon as no step is open, or is being taken: no step begins meanwhile. */
export const CheckpointStatus = { NONE: 0, DUE: 1, TAKING: 2 } as const;
export type CheckpointStatus = (typeof CheckpointStatus)[keyof typeof CheckpointStatus];

export const UploadStatus = { EXPECTED: 0, RECEIVING: 1, DONE: 2, MISSED: 3 } as const;
export type UploadStatus = (typeof UploadStatus)[keyof typeof UploadStatus];

/** A client's upload of its adapters. */
export interface Upload {
  readonly status: UploadStatus;
  /** Number of the average that it is for. */
  readonly average: number;
  /** Known from AdapterBegin on. */
  readonly chunks: number;
  readonly totalBytes: number;
  readonly chunkBytes: number;
  readonly manifestDigest: number;
  /** Index of the next chunk. */
  readonly next: number;
}

/**
 * What the client says, on its present connection, that it has of the open step. A client that was killed may have forgotten some of
 * what it had sent, and does it again; a server may have forgotten some of what it had received.
 */
export interface PeerCounts {
  /** A1 and G2 that the client has made on this connection or said that it has: answers to others are held back. */
  readonly a1: number;
  readonly g2: number;
  /** A2 and G1 that it need not be sent. */
  readonly a2: number;
  readonly g1: number;
  /** Whether it came with the step begun: what it has made of answers that this server has forgotten may come before those. */
  readonly resumed: boolean;
}

/** A step that a client has begun. The four counters say which of its messages are through. */
export interface OpenStep extends StepKey {
  /** Process of the client that began it. */
  readonly process: string;
  /** Optimizer steps of the trunk when it began. */
  readonly trunkStep: number;
  /** A1 accepted, A2 sent, G2 accepted, G1 sent: each counts micro-batches from 0. */
  readonly a1: number;
  readonly a2: number;
  readonly g2: number;
  readonly g1: number;
  /** Tokens of each micro-batch, from its A1. */
  readonly tokens: readonly number[];
  readonly lossSum: number;
  readonly supervisedTokens: number;
  readonly peer: PeerCounts;
  /** A2 and G1 as they were sent, by micro-batch, until the step ends: they may have to be sent again. */
  readonly sentA2: readonly TensorMessage[];
  readonly sentG1: readonly TensorMessage[];
  /** A StepDone that came before all G1 were made again. */
  readonly done: StepDoneMessage | undefined;
}

export interface ClientRecord {
  readonly index: number;
  readonly name: string;
  /** The run of the client that was here last (see Hello), and its newest connection. */
  readonly process: string;
  readonly connections: number;
  /** Its connection now, if any, and whether Ready came on it. */
  readonly connection: number | undefined;
  readonly ready: boolean;
  /** Whether it was ready before its connection dropped, is not now, and is waited for. */
  readonly rejoining: boolean;
  /** Whether it is to be told to begin its open step anew once it is ready. */
  readonly forgot: boolean;
  readonly status: StepStatus;
  readonly open: OpenStep | undefined;
  /** The newest step that has ended for it, one way or the other: what comes for it or an earlier one is late. */
  readonly lastEnded: StepKey | undefined;
  /** Its newest committed step, to tell it again if it returns without having heard. */
  readonly lastCommit: CommitMessage | undefined;
  /** In sequential mode: its next step, and how often that was tried. */
  readonly step: number;
  readonly attempt: number;
  /** Supervised tokens committed since the last average. */
  readonly weight: number;
  readonly upload: Upload | undefined;
  /** Number of the last average sent to it; 0 if none. */
  readonly averaged: number;
  /** Steps in a row that were refused or late. */
  readonly failures: number;
}

export const ConnectionStatus = { HELLO: 0, AUTHENTICATING: 1, BOUND: 2 } as const;
export type ConnectionStatus = (typeof ConnectionStatus)[keyof typeof ConnectionStatus];

export interface ConnectionRecord {
  readonly status: ConnectionStatus;
  /** The Hello while it is being authenticated; its token is blanked. */
  readonly hello: HelloMessage | undefined;
  readonly client: number | undefined;
  /** Whether anything came since the last heartbeat, and for how many heartbeats nothing did. */
  readonly heard: boolean;
  readonly silent: number;
}

/** One client's part in an optimizer step. */
export interface CommitMember extends StepKey {
  readonly client: number;
  readonly supervisedTokens: number;
  readonly lossSum: number;
  readonly tokens: number;
  readonly staleness: number;
}

/** One optimizer step of the trunk. */
export interface CommitGroup {
  /** Number of the optimizer step, from 0. */
  readonly trunkStep: number;
  /** In order of client index. */
  readonly members: readonly CommitMember[];
}

export interface JobOutcome {
  readonly reason: GoodbyeReason;
  /** Undefined when the job was completed. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
  /** Milliseconds after which a server will go on with the job; undefined when none is known to. */
  readonly retryAfterMs?: number;
}

export interface ServerState {
  readonly job: { readonly name: string; readonly number: number };
  readonly config: JobConfig;
  readonly policy: JobPolicy;
  /** Codec names that a client must have. */
  readonly codecNames: readonly string[];
  readonly phase: JobPhase;
  /** Whether minClients were there once. */
  readonly started: boolean;
  /** In sync mode: the current or next step, and how often it was tried. */
  readonly step: number;
  readonly attempt: number;
  /** Optimizer steps asked for so far; the number of the next. */
  readonly trunkSteps: number;
  /** Those of them that are not done. */
  readonly commits: readonly CommitGroup[];
  /** Outline of each client's adapters, where the server knows it from the model; else the first upload sets it. */
  readonly adapters: AdapterOutline | undefined;
  /** Averages made. */
  readonly averages: number;
  /** Whether one is being computed. */
  readonly averaging: boolean;
  /** Whether the timer for absent clients runs. */
  readonly waiting: boolean;
  /** Set when the job is to end as soon as nothing is open; final in phase ENDED. */
  readonly outcome: JobOutcome | undefined;
  readonly checkpoint: CheckpointStatus;
  readonly clients: ClientTable;
  /** By the number that the driver gave each. */
  readonly connections: RecordTable<ConnectionRecord>;
}

export type ServerTimer =
  | `hello:${number}`
  | `heartbeat:${number}`
  | `goodbye:${number}`
  | `upload:${number}`
  | `step:${number}`
  | `rejoin:${number}`
  | "round"
  | "absent"
  | "stop";

/** Work that the driver does in the background and reports with `computed` or `computeFailed`. */
export type ServerRequest =
  /** Decode A1, trunk forward, encode A2. */
  | { readonly kind: "forward"; readonly client: number; readonly message: TensorMessage }
  /** Decode G2, trunk backward, encode G1. */
  | { readonly kind: "backward"; readonly client: number; readonly message: TensorMessage }
  /** Decode A1, trunk and top forward and backward, encode G1. */
  | { readonly kind: "vanilla"; readonly client: number; readonly message: TensorMessage }
  /** Add the members' gradients in order, take one optimizer step, end the step of their streams' encoders. */
  | { readonly kind: "commit"; readonly group: CommitGroup }
  /** Average the members' uploaded adapters, weighted, and keep the result for `sendAverage`. */
  | {
      readonly kind: "average";
      readonly average: number;
      readonly members: readonly { readonly client: number; readonly weight: number }[];
    };

export type ServerResult =
  /** `message` answers the request: A2 for forward, G1 for backward and vanilla. */
  | { readonly kind: "tensor"; readonly client: number; readonly message: TensorMessage }
  | { readonly kind: "commit"; readonly trunkStep: number; readonly gradientNorm: number }
  | { readonly kind: "average"; readonly average: number };

export type ServerEvent =
  | { readonly type: "connected"; readonly connection: number }
  | { readonly type: "message"; readonly connection: number; readonly frame: Frame }
  /** A message could not be read, or its sender broke a rule that the driver watches over. */
  | {
      readonly type: "refused";
      readonly connection: number;
      readonly code: ErrorCode;
      readonly message: string;
    }
  /** The token that `authenticate` asked about is good; if it is not, `refused` is the answer. */
  | { readonly type: "authenticated"; readonly connection: number }
  | { readonly type: "closed"; readonly connection: number }
  | { readonly type: "timer"; readonly timer: ServerTimer }
  | { readonly type: "computed"; readonly result: ServerResult }
  | {
      readonly type: "computeFailed";
      readonly request: ServerRequest;
      readonly code: ErrorCode;
      readonly message: string;
    }
  /** Uploaded adapters turned out not to be what they must be. */
  | {
      readonly type: "adapterRefused";
      readonly client: number;
      readonly code: ErrorCode;
      readonly message: string;
    }
  /** Take a checkpoint as soon as nothing is open. */
  | { readonly type: "checkpoint" }
  /** It is taken: what it holds is the state before this event. */
  | { readonly type: "checkpointed" }
  /** A new process goes on with the job: all connections are gone, and an end that was not completion is taken back. */
  | { readonly type: "restarted"; readonly policy: JobPolicy }
  /** Finish what is open, begin nothing, end. With `retryAfterMs` above 0 clients are told to come back after so long. */
  | { readonly type: "stop"; readonly retryAfterMs?: number };

/** What happened, for logs, metrics and progress displays. Changes nothing. */
export type ServerProgress =
  | { readonly type: "joined"; readonly client: number; readonly name: string; readonly resumed: boolean }
  | { readonly type: "ready"; readonly client: number }
  | { readonly type: "left"; readonly client: number; readonly why: string }
  /** A client that was waited for did not come back in time. */
  | { readonly type: "givenUp"; readonly client: number }
  | { readonly type: "roundStarted"; readonly key: StepKey; readonly clients: readonly number[] }
  | {
      readonly type: "stepAbandoned";
      readonly client: number;
      readonly key: StepKey;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | { readonly type: "committed"; readonly group: CommitGroup; readonly gradientNorm: number }
  | { readonly type: "averaged"; readonly average: number; readonly clients: readonly number[] }
  | { readonly type: "uploadMissed"; readonly client: number }
  | {
      readonly type: "connectionRefused";
      readonly connection: number;
      readonly client: number | undefined;
      readonly code: ErrorCode;
      readonly message: string;
    }
  /** A repeated or late message, which had no effect. */
  | { readonly type: "ignored"; readonly client: number | undefined; readonly message: Message["type"] }
  | { readonly type: "ended"; readonly outcome: JobOutcome };

export type ServerEffect =
  | { readonly type: "send"; readonly connection: number; readonly frame: Frame }
  | {
      readonly type: "close";
      readonly connection: number;
      readonly code: number;
      readonly reason: string;
    }
  | {
      readonly type: "authenticate";
      readonly connection: number;
      readonly token: string;
      readonly name: string;
    }
  | { readonly type: "compute"; readonly request: ServerRequest }
  /** Drop all that is held for this step of this client: saved forwards, gradient sums, observations of its encoders. */
  | { readonly type: "discard"; readonly client: number; readonly key: StepKey }
  /** A client is about to begin this step. */
  | { readonly type: "begin"; readonly client: number; readonly key: StepKey }
  /**
   * The client has been sent no bit tables or manifests yet: its connection is new. What was received from it holds only if its run
   * is the same.
   */
  | { readonly type: "resetStreams"; readonly client: number; readonly resumed: boolean }
  /** Take a checkpoint of the state after this transition, and report `checkpointed`. Nothing is open. */
  | { readonly type: "checkpoint" }
  | {
      readonly type: "acceptAdapter";
      readonly client: number;
      readonly message: AdapterBeginMessage | AdapterChunkMessage;
    }
  /** Send the newest average, as AdapterBegin and AdapterChunk messages. */
  | { readonly type: "sendAverage"; readonly connection: number; readonly client: number }
  | { readonly type: "startTimer"; readonly timer: ServerTimer; readonly ms: number }
  | { readonly type: "stopTimer"; readonly timer: ServerTimer }
  | { readonly type: "notify"; readonly progress: ServerProgress };
