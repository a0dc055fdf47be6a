/**
 * The client's rules for a step and for averages: which of the server's messages may come when, and what they set going. A rule that is
 * broken throws; the machine then ends the connection and keeps the state that it had.
 */

import { fail } from "../errors.ts";
import {
  type ClientResult,
  type ClientStep,
  type ClientTurn,
  LinkStatus,
  WorkStatus,
} from "./client-state.ts";
import { codecIdOf } from "./codecs.ts";
import { averagesAfter, type JobConfig } from "./job-config.ts";
import type { AbandonMessage, AdapterBeginMessage, AdapterChunkMessage, CommitMessage } from "./messages.ts";
import { compareKeys, type Message, type ResumePoint, type StepKey, type TensorMessage } from "./messages.ts";

function ignored(turn: ClientTurn, message: Message["type"]): void {
  turn.notify({ type: "ignored", message });
}

function isLate(turn: ClientTurn, key: StepKey): boolean {
  const { lastEnded } = turn.state;
  return lastEnded !== undefined && compareKeys(key, lastEnded) <= 0;
}

function isOpen(turn: ClientTurn, key: StepKey): boolean {
  const { open } = turn.state;
  return open !== undefined && compareKeys(key, open) === 0;
}

/** RoundStart has come. It is kept if the step before is still being applied. */
export function acceptRoundStart(turn: ClientTurn, { step, attempt }: StepKey): void {
  const { state } = turn;
  const key = { step, attempt };
  const pending = state.pendingStart !== undefined && compareKeys(key, state.pendingStart) === 0;
  if (isLate(turn, key) && !state.known) {
    const { lastEnded } = state;
    fail(
      "NB_SESSION_MISMATCH",
      `the server does not know this run of the client and begins step ${step}; the run has been through step ${lastEnded!.step}`,
    );
  }
  if (isLate(turn, key) || isOpen(turn, key) || pending) {
    ignored(turn, "roundStart");
    return;
  }
  if (!state.ready || state.open !== undefined || state.pendingStart !== undefined) {
    fail("NB_PROTOCOL_ORDER", `RoundStart of step ${step}.${attempt}, which the client is not ready for`);
  }
  state.pendingStart = key;
}

/** Begins the step that was asked for. */
export function beginStep(turn: ClientTurn, key: StepKey): void {
  turn.state.pendingStart = undefined;
  turn.state.work = WorkStatus.STEPPING;
  turn.state.open = {
    ...key,
    forwards: 0,
    a1: 0,
    a2: 0,
    g2: 0,
    g1: 0,
    backwards: 0,
    tokens: [],
    lossSum: 0,
    supervisedTokens: 0,
    madeA1: [],
    madeG2: [],
  };
  turn.effect({ type: "begin", key });
  turn.notify({ type: "stepStarted", key });
}

/** Asks for as many bottom passes as may be in flight, and declares the step done when all is back. */
export function continueStep(turn: ClientTurn): void {
  const { state } = turn;
  const { microBatches, inFlight } = state.config!;
  const open = state.open!;
  const { step, attempt } = open;
  const until = Math.min(microBatches, open.backwards + inFlight);
  for (let microBatch = open.forwards; microBatch < until; microBatch++) {
    turn.compute({ kind: "bottom", key: { step, attempt }, microBatch });
  }
  state.open = { ...open, forwards: Math.max(open.forwards, until) };
  if (open.backwards < microBatches) return;
  state.work = WorkStatus.PREPARED;
  if (state.ready) sendStepDone(turn);
}

function sendStepDone(turn: ClientTurn): void {
  const { step, attempt, lossSum, supervisedTokens } = turn.state.open!;
  turn.send({ type: "stepDone", step, attempt, lossSum, supervisedTokens });
}

/** The connection is new and the server has the same step open: it is sent what it lacks. */
export function resumeStep(turn: ClientTurn, theirs: ResumePoint): void {
  const { open, stated } = turn.state;
  // What was made after Hello is sent even if the server has it: it answers what it knows that this side has.
  for (const message of open!.madeA1.slice(Math.min(theirs.a1, stated.a1))) turn.send(message);
  for (const message of open!.madeG2.slice(Math.min(theirs.g2, stated.g2))) turn.send(message);
  if (turn.state.work === WorkStatus.PREPARED && !theirs.prepared) sendStepDone(turn);
}

/** A2 or G1 has come. */
export function acceptTensor(turn: ClientTurn, message: TensorMessage): void {
  const { state } = turn;
  const config = state.config!;
  const uShape = config.split === "u-shape";
  const { phase, microBatch } = message;
  if (phase !== "G1" && !(uShape && phase === "A2")) {
    fail("NB_PROTOCOL_ORDER", `${phase} is not the server's to send in a ${config.split} split`);
  }
  if (isLate(turn, message)) {
    ignored(turn, "tensor");
    return;
  }
  const open = state.open;
  if (open === undefined || !isOpen(turn, message)) {
    fail("NB_PROTOCOL_ORDER", `${phase} of step ${message.step}.${message.attempt}, which is not open`);
  }
  const accepted = phase === "A2" ? open.a2 : open.g1;
  if (microBatch < accepted) {
    ignored(turn, "tensor");
    return;
  }
  const sent = phase === "A2" || !uShape ? open.a1 : open.g2;
  if (microBatch > accepted || microBatch >= sent) {
    fail(
      "NB_PROTOCOL_ORDER",
      `${phase} of micro-batch ${microBatch}; ${accepted} is the next, of ${sent} sent`,
    );
  }
  checkTensor(config, message, open);
  if (phase === "A2") {
    state.open = { ...open, a2: accepted + 1 };
    turn.compute({ kind: "top", message });
    return;
  }
  const { lossSum, supervisedTokens } = message;
  state.open = {
    ...open,
    g1: accepted + 1,
    lossSum: open.lossSum + (uShape ? 0 : lossSum),
    supervisedTokens: open.supervisedTokens + (uShape ? 0 : supervisedTokens),
  };
  turn.compute({ kind: "backward", message });
}

function checkTensor(config: JobConfig, message: TensorMessage, open: ClientStep): void {
  const { phase, channels, codec, tokens, microBatch } = message;
  const say = (what: string): never =>
    fail("NB_TENSOR_INVALID", `${phase} of micro-batch ${microBatch}: ${what}`);
  if (channels !== config.model.hidden) say(`${channels} channels; the model has ${config.model.hidden}`);
  const expected = codecIdOf(config, phase);
  if (codec !== expected) say(`codec ${codec}; the job's is ${expected}`);
  if (tokens !== open.tokens[microBatch]) say(`${tokens} tokens; its A1 had ${open.tokens[microBatch]}`);
  if (message.labels !== undefined) say("labels, which are the client's to send");
}

/** Work of the open step is done. Results for a step that has ended meanwhile mean nothing. */
export function stepComputed(
  turn: ClientTurn,
  result: ClientResult & { kind: "bottom" | "top" | "backward" },
): void {
  const { state } = turn;
  const key = result.kind === "backward" ? result.key : result.message;
  const open = state.open;
  if (open === undefined || !isOpen(turn, key) || state.work !== WorkStatus.STEPPING) return;
  if (result.kind === "bottom") {
    const { message } = result;
    const tokens = [...open.tokens, message.tokens];
    state.open = { ...open, a1: open.a1 + 1, tokens, madeA1: [...open.madeA1, message] };
    if (state.ready) turn.send(message);
  } else if (result.kind === "top") {
    state.open = {
      ...open,
      g2: open.g2 + 1,
      lossSum: open.lossSum + result.lossSum,
      supervisedTokens: open.supervisedTokens + result.supervisedTokens,
      madeG2: [...open.madeG2, result.message],
    };
    if (state.ready) turn.send(result.message);
  } else {
    state.open = { ...open, backwards: open.backwards + 1 };
  }
}

/** The step counts: it is applied, once. */
export function acceptCommit(turn: ClientTurn, message: CommitMessage): void {
  const { state } = turn;
  if (isLate(turn, message)) {
    ignored(turn, "commit");
    return;
  }
  const { open } = state;
  if (open === undefined || !isOpen(turn, message) || state.work !== WorkStatus.PREPARED) {
    fail("NB_PROTOCOL_ORDER", `Commit of step ${message.step}.${message.attempt}, which is not prepared`);
  }
  const { step, attempt, lossSum, supervisedTokens } = open;
  state.open = undefined;
  state.lastEnded = { step, attempt };
  state.work = WorkStatus.APPLYING;
  state.taken = step + 1;
  state.uploadDue = (state.ready || state.awaited > 0) && averagesAfter(state.config!, step);
  turn.compute({ kind: "apply", commit: message, supervisedTokens });
  const tokens = open.tokens.reduce((a, b) => a + b, 0);
  turn.notify({ type: "stepCommitted", commit: message, lossSum, supervisedTokens, tokens });
}

export function applied(turn: ClientTurn): void {
  const { state } = turn;
  if (state.work !== WorkStatus.APPLYING) return;
  state.work = WorkStatus.IDLE;
  if (!state.uploadDue) return;
  state.uploadDue = false;
  state.work = WorkStatus.WAITING;
  // Without a connection they are sent when the server says that it still awaits them.
  if (state.link !== LinkStatus.ONLINE) return;
  turn.effect({ type: "sendAdapters", average: state.averaged + 1 });
}

/** The step does not count for this client. */
export function acceptAbandon(turn: ClientTurn, message: AbandonMessage): void {
  const { state } = turn;
  const { step, attempt, code } = message;
  const key = { step, attempt };
  if (isLate(turn, key)) {
    ignored(turn, "abandon");
    return;
  }
  const pending = state.pendingStart !== undefined && compareKeys(key, state.pendingStart) === 0;
  if (pending) {
    state.pendingStart = undefined;
    state.lastEnded = key;
    turn.notify({ type: "stepAbandoned", key, code, message: message.message });
    return;
  }
  if (!isOpen(turn, key)) fail("NB_PROTOCOL_ORDER", `Abandon of step ${step}.${attempt}, which is not open`);
  dropStep(turn, code, message.message);
}

/** Ends the open step without effect. */
export function dropStep(turn: ClientTurn, code: string, message: string): void {
  const { state } = turn;
  if (state.open === undefined) return;
  const key = { step: state.open.step, attempt: state.open.attempt };
  state.open = undefined;
  state.lastEnded = key;
  state.work = WorkStatus.IDLE;
  turn.effect({ type: "discard", key });
  turn.notify({ type: "stepAbandoned", key, code, message });
}

export function acceptAdapterBegin(turn: ClientTurn, message: AdapterBeginMessage): void {
  const { state } = turn;
  const { average, totalBytes, chunkBytes } = message;
  if (average <= state.received || average === state.transfer?.average) {
    ignored(turn, "adapterBegin");
    return;
  }
  if (state.transfer !== undefined || state.open !== undefined || !state.ready) {
    fail("NB_PROTOCOL_ORDER", `average ${average} in the middle of something else`);
  }
  state.transfer = { average, totalBytes, chunkBytes, chunks: Math.ceil(totalBytes / chunkBytes), next: 0 };
  turn.effect({ type: "acceptAdapter", message });
}

export function acceptAdapterChunk(turn: ClientTurn, message: AdapterChunkMessage): void {
  const { state } = turn;
  const { transfer } = state;
  if (message.average <= state.received) {
    ignored(turn, "adapterChunk");
    return;
  }
  if (transfer === undefined || transfer.average !== message.average) {
    fail("NB_PROTOCOL_ORDER", `a chunk of average ${message.average}, which was not begun`);
  }
  if (message.index < transfer.next) {
    ignored(turn, "adapterChunk");
    return;
  }
  if (message.index > transfer.next) {
    fail(
      "NB_PROTOCOL_ORDER",
      `adapter chunk ${message.index}; ${transfer.next} of ${transfer.chunks} is the next`,
    );
  }
  const last = transfer.next === transfer.chunks - 1;
  const size = last ? transfer.totalBytes - transfer.next * transfer.chunkBytes : transfer.chunkBytes;
  if (message.data.length !== size) {
    fail("NB_PROTOCOL_ORDER", `adapter chunk of ${message.data.length} bytes; ${size} were announced`);
  }
  state.transfer = last ? undefined : { ...transfer, next: transfer.next + 1 };
  turn.effect({ type: "acceptAdapter", message });
  if (!last) return;
  state.received = transfer.average;
  state.loading += 1;
  turn.compute({ kind: "loadAverage", average: transfer.average });
}

export function averageLoaded(turn: ClientTurn, average: number): void {
  const { state } = turn;
  if (state.loading === 0) return;
  state.loading -= 1;
  // One that was received from a server that has forgotten this client does not count with it now.
  state.averaged = Math.min(average, state.received);
  if (state.work === WorkStatus.WAITING) state.work = WorkStatus.IDLE;
  turn.notify({ type: "averaged", average });
}
