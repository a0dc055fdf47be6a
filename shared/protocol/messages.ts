/**
 * The messages of proto/wire.proto as the state machines see them: plain values, every field present and already within
 * bounds. frame.ts turns them into bytes and back.
 */
import type { ErrorCode } from "../errors.ts";
import type { JobConfig } from "./job-config.ts";

/** The four transfers of a micro-batch, in their order. */
export const PHASES = ["A1", "A2", "G2", "G1"] as const;
export type Phase = (typeof PHASES)[number];

/** Names one try of one step. */
export interface StepKey {
  /** From 0. */
  readonly step: number;
  /** From 0; one more each time the step is begun anew. */
  readonly attempt: number;
}

/** Negative if `a` comes before `b`, 0 if they are the same, positive if after. */
export function compareKeys(a: StepKey, b: StepKey): number {
  return a.step - b.step || a.attempt - b.attempt;
}

export interface TensorMessage extends StepKey {
  readonly type: "tensor";
  readonly microBatch: number;
  readonly phase: Phase;
  /** Real tokens; the sum of `lengths` where there are any. */
  readonly tokens: number;
  /** Tokens of each row, in A1; empty in other phases. */
  readonly lengths: readonly number[];
  readonly channels: number;
  /** Index into the job's codec table. */
  readonly codec: number;
  readonly bitTableVersion: number;
  readonly bitTable: Uint8Array | undefined;
  /** Present in A1 of a vanilla split: see wire.proto. */
  readonly labels: Uint8Array | undefined;
  readonly scales: Uint8Array;
  readonly payload: Uint8Array;
  /**
   * At the sender, for its ledger, and no part of what is sent: bytes of the payload without the codec's entropy stage.
   */
  readonly packedBytes?: number | undefined;
  /** In G1 of a vanilla split: the loss that the server computed; else 0. */
  readonly lossSum: number;
  readonly supervisedTokens: number;
}

export interface RoundStartMessage extends StepKey {
  readonly type: "roundStart";
}

export interface StepDoneMessage extends StepKey {
  readonly type: "stepDone";
  readonly lossSum: number;
  readonly supervisedTokens: number;
}

export interface CommitMessage extends StepKey {
  readonly type: "commit";
  readonly trunkStep: number;
  readonly participants: number;
  readonly supervisedTokens: number;
  readonly staleness: number;
  readonly gradientNorm: number;
}

export interface AbandonMessage extends StepKey {
  readonly type: "abandon";
  readonly code: string;
  readonly message: string;
}

export interface AdapterBeginMessage {
  readonly type: "adapterBegin";
  readonly average: number;
  readonly manifestDigest: number;
  readonly totalBytes: number;
  readonly chunkBytes: number;
  /** An encoded AdapterManifest, or empty. */
  readonly manifest: Uint8Array;
}

export interface AdapterChunkMessage {
  readonly type: "adapterChunk";
  readonly average: number;
  readonly index: number;
  readonly data: Uint8Array;
}

export interface PingMessage {
  readonly type: "ping";
  readonly id: number;
}

export interface PongMessage {
  readonly type: "pong";
  readonly id: number;
}

/** Where the sender of Hello or Welcome stands with the client's run; see Resume in wire.proto. */
export interface ResumePoint extends StepKey {
  /** Whether `step`, `attempt` name a step that is open. */
  readonly open: boolean;
  /** Whether its StepDone was sent, or received. */
  readonly prepared: boolean;
  /** Tensors of the open step that the sender has, made or received, in micro-batches. */
  readonly a1: number;
  readonly a2: number;
  readonly g2: number;
  readonly g1: number;
  /** One more than the newest step that counted, 0 if none. */
  readonly taken: number;
  /** Number of the last average held, or made; 0 if none. */
  readonly averaged: number;
  /** In Welcome: number of the average for which adapters are awaited; 0 if none. */
  readonly upload: number;
}

/** Of a run that has not begun. */
export const NOTHING_TO_RESUME: ResumePoint = {
  open: false,
  prepared: false,
  step: 0,
  attempt: 0,
  a1: 0,
  a2: 0,
  g2: 0,
  g1: 0,
  taken: 0,
  averaged: 0,
  upload: 0,
};

export interface HelloMessage {
  readonly type: "hello";
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly token: string;
  readonly job: string;
  readonly name: string;
  readonly modelFingerprint: string;
  readonly tokenizerFingerprint: string;
  readonly codecs: readonly string[];
  readonly software: string;
  readonly process: string;
  readonly connection: number;
  readonly resume: ResumePoint;
}

export interface WelcomeMessage {
  readonly type: "welcome";
  readonly protocol: number;
  readonly resumed: boolean;
  readonly job: number;
  readonly client: number;
  readonly config: JobConfig;
  readonly resume: ResumePoint;
}

export interface ReadyMessage {
  readonly type: "ready";
}

export type GoodbyeReason = "completed" | "stopped" | "failed";

export interface GoodbyeMessage {
  readonly type: "goodbye";
  readonly reason: GoodbyeReason;
  /** A code, or empty. */
  readonly code: string;
  readonly message: string;
  /** Milliseconds until the server expects to be back; 0 if it does not. */
  readonly retryAfterMs: number;
}

export interface ErrorMessage {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
}

export type Message =
  | TensorMessage
  | RoundStartMessage
  | StepDoneMessage
  | CommitMessage
  | AbandonMessage
  | AdapterBeginMessage
  | AdapterChunkMessage
  | PingMessage
  | PongMessage
  | HelloMessage
  | WelcomeMessage
  | ReadyMessage
  | GoodbyeMessage
  | ErrorMessage;

/** A message and the connection's names, which every message carries: 0, 0 before Welcome. */
export interface Frame {
  readonly job: number;
  readonly client: number;
  readonly message: Message;
}

/** The refusal of something that a peer did, as the machines pass it around. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}
