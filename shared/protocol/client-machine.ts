/**
 * The client's side of the step protocol as a pure function: (state, event) → (state, effects). It does no I/O and
 * reads no clock; the driver (client/edge.ts, or a simulator) carries out the effects and brings the events.
 */
import { fail, NarrowbandError } from "../errors.ts";
import {
  CheckpointStatus,
  type ClientEffect,
  type ClientEvent,
  type ClientOutcome,
  type ClientState,
  type ClientTimer,
  ClientTurn,
  LinkStatus,
  WorkStatus,
} from "./client-state.ts";
import {
  acceptAbandon,
  acceptAdapterBegin,
  acceptAdapterChunk,
  acceptCommit,
  acceptRoundStart,
  acceptTensor,
  applied,
  averageLoaded,
  beginStep,
  continueStep,
  dropStep,
  resumeStep,
  stepComputed,
} from "./client-steps.ts";
import { closeCode, errorOfClose, isPassing } from "./close-codes.ts";
import { HEARTBEAT_PATIENCE, HELLO_DEADLINE_MS, PROTOCOL_VERSION, STOP_GRACE_MS } from "./limits.ts";
import { compareKeys, type Frame, NOTHING_TO_RESUME, type Refusal, type WelcomeMessage } from "./messages.ts";

export interface ClientTransition {
  readonly state: ClientState;
  readonly effects: readonly ClientEffect[];
}

/** What `event` does to a client in `state`, which is not changed. */
export function clientTransition(state: ClientState, event: ClientEvent): ClientTransition {
  if (state.work === WorkStatus.ENDED) return { state, effects: [] };
  let turn = new ClientTurn(state);
  try {
    apply(turn, event);
  } catch (error) {
    if (!(error instanceof NarrowbandError) || event.type !== "message") throw error;
    turn = new ClientTurn(state);
    refuse(turn, { code: error.code, message: error.message });
  }
  settle(turn);
  return { state: turn.state, effects: turn.effects };
}

function apply(turn: ClientTurn, event: ClientEvent): void {
  const { state } = turn;
  switch (event.type) {
    case "opened":
      opened(turn);
      return;
    case "closed":
      closed(turn, event.code);
      return;
    case "message":
      if (state.link === LinkStatus.OFFLINE) return;
      message(turn, event.frame);
      return;
    case "refused":
      refuse(turn, event);
      return;
    case "timer":
      timerFired(turn, event.timer);
      return;
    case "computed": {
      const { result } = event;
      if (result.kind === "build") {
        if (state.work === WorkStatus.BUILDING) state.work = WorkStatus.IDLE;
      } else if (result.kind === "apply") applied(turn);
      else if (result.kind === "loadAverage") averageLoaded(turn, result.average);
      else stepComputed(turn, result);
      return;
    }
    case "computeFailed":
      end(turn, { reason: "failed", code: event.code, message: event.message });
      return;
    case "checkpoint":
      if (state.checkpoint === CheckpointStatus.NONE) state.checkpoint = CheckpointStatus.DUE;
      return;
    case "checkpointed":
      state.checkpoint = CheckpointStatus.NONE;
      return;
    case "gaveUp":
      end(turn, { reason: "failed", code: event.code, message: event.message });
      return;
    case "stop":
      state.ending ??= { reason: "stopped", code: "", message: "the client was asked to stop" };
      turn.effect({ type: "startTimer", timer: "stop", ms: STOP_GRACE_MS });
      return;
  }
}

/** Does what the state allows after an event: ends, begins a step, gets ready, or goes on with the step. */
function settle(turn: ClientTurn): void {
  const { state } = turn;
  if (state.work === WorkStatus.ENDED) return;
  if (state.ending !== undefined) {
    // What is committed is applied before the client ends; of what is prepared, the outcome is awaited for a while.
    const prepared =
      state.work === WorkStatus.PREPARED && state.ending.reason === "stopped" && state.ending.code === "";
    if (state.work === WorkStatus.APPLYING || state.loading > 0 || prepared) return;
    end(turn, state.ending);
    return;
  }
  const still = state.work === WorkStatus.IDLE || state.work === WorkStatus.WAITING;
  if (state.link === LinkStatus.ONLINE && !state.ready && still && state.loading === 0) {
    state.ready = true;
    turn.send({ type: "ready" });
  }
  const free = still && state.transfer === undefined && state.loading === 0;
  if (state.checkpoint === CheckpointStatus.DUE && free && state.work === WorkStatus.IDLE) {
    state.checkpoint = CheckpointStatus.TAKING;
    turn.effect({ type: "checkpoint" });
  }
  if (state.checkpoint === CheckpointStatus.TAKING) return;
  if (state.pendingStart !== undefined && free) beginStep(turn, state.pendingStart);
  if (state.work === WorkStatus.STEPPING) continueStep(turn);
}

function opened(turn: ClientTurn): void {
  const { state } = turn;
  const { open, averaged, taken } = state;
  state.connections += 1;
  state.link = LinkStatus.WELCOMING;
  state.refusal = undefined;
  state.stated = { a1: open?.a1 ?? 0, g2: open?.g2 ?? 0 };
  const { step, attempt, a1, a2, g2, g1 } = open ?? NOTHING_TO_RESUME;
  turn.send({
    type: "hello",
    protocolMin: PROTOCOL_VERSION,
    protocolMax: PROTOCOL_VERSION,
    token: "",
    ...state.identity,
    connection: state.connections,
    resume: {
      open: open !== undefined,
      prepared: state.work === WorkStatus.PREPARED,
      ...{ step, attempt, a1, a2, g2, g1, taken, averaged },
      upload: 0,
    },
  });
  turn.effect({ type: "startTimer", timer: "welcome", ms: HELLO_DEADLINE_MS });
}

/** The connection is gone. The open step, what is being applied and adapters that are awaited stay for the next one. */
function disconnect(turn: ClientTurn): void {
  const { state } = turn;
  state.link = LinkStatus.OFFLINE;
  state.ready = false;
  state.pendingStart = undefined;
  state.awaited = 0;
  state.transfer = undefined;
  for (const timer of ["welcome", "heartbeat"] as const) turn.effect({ type: "stopTimer", timer });
}

function closed(turn: ClientTurn, code: number): void {
  const { state } = turn;
  const { refusal } = state;
  disconnect(turn);
  turn.notify({ type: "disconnected", code });
  if (state.ending !== undefined) return;
  const why = refusal?.code ?? errorOfClose(code);
  if (why !== undefined && !isPassing(why)) {
    const message = refusal?.message ?? `the server closed the connection with code ${code}`;
    end(turn, { reason: "failed", code: why, message });
    return;
  }
  turn.effect({ type: "connect" });
}

/** Ends the connection because the server broke a rule, and connects again if the network may be to blame. */
function refuse(turn: ClientTurn, why: Refusal): void {
  const code = closeCode(why.code);
  turn.send({ type: "error", code: why.code, message: why.message });
  turn.effect({ type: "close", code, reason: why.code });
  disconnect(turn);
  turn.notify({ type: "disconnected", code });
  if (isPassing(why.code)) turn.effect({ type: "connect" });
  else end(turn, { reason: "failed", code: why.code, message: why.message });
}

/** The client has ended, one way or another. A prepared step's gradients go with it, whether the server counts them or not. */
function end(turn: ClientTurn, why: ClientOutcome): void {
  const { state } = turn;
  const { open, work } = state;
  const unknown = open !== undefined && work === WorkStatus.PREPARED;
  const note = unknown ? `; whether step ${open.step} counted is not known` : "";
  const outcome = { ...why, message: `${why.message}${note}` };
  dropStep(turn, outcome.code || "NB_STEP_INTERRUPTED", outcome.message);
  if (state.link === LinkStatus.ONLINE) {
    const { reason, code, message } = outcome;
    turn.send({ type: "goodbye", reason, code, message, retryAfterMs: 0 });
  }
  if (state.link !== LinkStatus.OFFLINE) turn.effect({ type: "close", code: 1000, reason: "" });
  disconnect(turn);
  turn.effect({ type: "stopTimer", timer: "stop" });
  state.ending = outcome;
  state.work = WorkStatus.ENDED;
  turn.notify({ type: "ended", outcome });
}

function timerFired(turn: ClientTurn, timer: ClientTimer): void {
  const { state } = turn;
  if (timer === "stop") {
    if (state.ending !== undefined) end(turn, state.ending);
    return;
  }
  if (state.link === LinkStatus.OFFLINE) return;
  if (timer === "welcome") {
    if (state.link === LinkStatus.ONLINE) return;
    refuse(turn, { code: "NB_PEER_SILENT", message: `no Welcome after ${HELLO_DEADLINE_MS} ms` });
    return;
  }
  const silent = state.heard ? 0 : state.silent + 1;
  const { heartbeatMs } = state.config!;
  if (silent >= HEARTBEAT_PATIENCE) {
    refuse(turn, {
      code: "NB_PEER_SILENT",
      message: `nothing was heard for ${silent * heartbeatMs} ms`,
    });
    return;
  }
  if (!state.heard) turn.send({ type: "ping", id: silent });
  state.heard = false;
  state.silent = silent;
  turn.effect({ type: "startTimer", timer: "heartbeat", ms: heartbeatMs });
}

function message(turn: ClientTurn, frame: Frame): void {
  const { state } = turn;
  const { message } = frame;
  state.heard = true;
  state.silent = 0;
  if (message.type === "error") {
    state.refusal = { code: message.code, message: message.message };
    return;
  }
  if (message.type === "welcome") {
    if (state.link === LinkStatus.WELCOMING) {
      welcome(turn, message);
      return;
    }
    turn.notify({ type: "ignored", message: "welcome" });
    return;
  }
  if (state.link !== LinkStatus.ONLINE) fail("NB_PROTOCOL_ORDER", `${message.type} before Welcome`);
  if (frame.job !== state.jobNumber || frame.client !== state.index) {
    const expected = `job ${state.jobNumber}, client ${state.index}`;
    fail(
      "NB_SESSION_MISMATCH",
      `a message of job ${frame.job}, client ${frame.client} on a connection of ${expected}`,
    );
  }
  switch (message.type) {
    case "roundStart":
      acceptRoundStart(turn, message);
      return;
    case "tensor":
      acceptTensor(turn, message);
      return;
    case "commit":
      acceptCommit(turn, message);
      return;
    case "abandon":
      acceptAbandon(turn, message);
      return;
    case "adapterBegin":
      acceptAdapterBegin(turn, message);
      return;
    case "adapterChunk":
      acceptAdapterChunk(turn, message);
      return;
    case "ping":
      turn.send({ type: "pong", id: message.id });
      return;
    case "pong":
      return;
    case "goodbye":
      if (message.retryAfterMs > 0) comeBackLater(turn, message.retryAfterMs);
      else state.ending ??= { reason: message.reason, code: message.code, message: message.message };
      return;
    default:
      fail("NB_PROTOCOL_ORDER", `${message.type} is the client's to send`);
  }
}

/** The server goes away for a while: as if the connection had dropped, but it says when to connect again. */
function comeBackLater(turn: ClientTurn, afterMs: number): void {
  if (turn.state.ending !== undefined) return;
  turn.effect({ type: "close", code: 1000, reason: "" });
  disconnect(turn);
  turn.notify({ type: "disconnected", code: 1000 });
  turn.effect({ type: "connect", afterMs });
}

function welcome(turn: ClientTurn, message: WelcomeMessage): void {
  const { state } = turn;
  const { config, resumed } = message;
  if (message.protocol !== PROTOCOL_VERSION) {
    fail(
      "NB_PROTOCOL_VERSION",
      `the server chose version ${message.protocol}; the client speaks ${PROTOCOL_VERSION}`,
    );
  }
  if (state.config !== undefined && JSON.stringify(config) !== JSON.stringify(state.config)) {
    fail("NB_SESSION_MISMATCH", "the job's settings are not those that it had before");
  }
  state.link = LinkStatus.ONLINE;
  state.jobNumber = message.job;
  state.index = message.client;
  state.known = resumed;
  state.awaited = resumed ? message.resume.upload : 0;
  // A server that does not know this run counts its averages anew.
  if (!resumed) {
    state.averaged = 0;
    state.received = 0;
  }
  if (state.awaited === 0) state.uploadDue = false;
  if (state.work === WorkStatus.WAITING && !resumed) state.work = WorkStatus.IDLE;
  turn.effect({ type: "stopTimer", timer: "welcome" });
  turn.effect({ type: "startTimer", timer: "heartbeat", ms: config.heartbeatMs });
  turn.effect({ type: "resetStreams", resumed });
  turn.notify({ type: "welcomed", config, resumed });
  if (state.work === WorkStatus.NONE) {
    state.config = config;
    state.work = WorkStatus.BUILDING;
    turn.compute({ kind: "build", config });
  }
  const { open, work } = state;
  const theirs = message.resume;
  if (resumed && open !== undefined && theirs.open && compareKeys(open, theirs) === 0) {
    state.ready = true;
    resumeStep(turn, theirs);
  }
  if (work === WorkStatus.WAITING && state.awaited === state.averaged + 1) {
    turn.effect({ type: "sendAdapters", average: state.awaited });
  }
}

/** The first effect of a client's life. */
export const START: readonly ClientEffect[] = [{ type: "connect" }];
