/**
 * The server's side of the step protocol as a pure function: (state, event) → (state, effects). It does no I/O and
 * reads no clock; the driver (server/job.ts, or a simulator) carries out the effects and brings the events.
 *
 * A message that breaks a rule changes nothing but its own connection, which ends with an Error: the rules throw, and what a
 * throwing transition had changed is forgotten.
 */

import { type ErrorCode, fail, NarrowbandError } from "../errors.ts";
import { ClientKind } from "./client-table.ts";
import { isPassing } from "./close-codes.ts";
import { HEARTBEAT_PATIENCE, HELLO_DEADLINE_MS, PROTOCOL_VERSION } from "./limits.ts";
import {
  compareKeys,
  type Frame,
  type HelloMessage,
  NOTHING_TO_RESUME,
  type Refusal,
  type ResumePoint,
} from "./messages.ts";
import {
  absenceEnded,
  advance,
  averaged,
  committed,
  giveUpOpenSteps,
  jobFailed,
  restarted,
  sayGoodbye,
  sendAverage,
  stepDeadline,
  stop,
  uploadMissed,
} from "./server-rounds.ts";
import {
  CheckpointStatus,
  type ClientRecord,
  ConnectionStatus,
  JobPhase,
  type OpenStep,
  type PeerCounts,
  type ServerEffect,
  type ServerEvent,
  type ServerState,
  type ServerTimer,
  StepStatus,
  UploadStatus,
} from "./server-state.ts";
import {
  acceptAdapterBegin,
  acceptAdapterChunk,
  acceptStepDone,
  acceptTensor,
  detach,
  giveUpClient,
  refuse,
  rejoinEnded,
  sendAnswers,
  tensorComputed,
  tensorFailed,
} from "./server-steps.ts";
import { newClient, ServerTurn } from "./server-turn.ts";

export interface ServerTransition {
  readonly state: ServerState;
  readonly effects: readonly ServerEffect[];
}

/** What `event` does to a job in `state`, which is not changed. */
export function serverTransition(state: ServerState, event: ServerEvent): ServerTransition {
  let turn = new ServerTurn(state);
  const connection = "connection" in event ? event.connection : undefined;
  try {
    apply(turn, event);
  } catch (error) {
    if (!(error instanceof NarrowbandError) || connection === undefined) throw error;
    turn = new ServerTurn(state);
    refuse(turn, connection, { code: error.code, message: error.message });
    blame(turn, state.connections.get(connection)?.client, error.code);
  }
  advance(turn);
  return { state: turn.finish(), effects: turn.effects };
}

/**
 * Counts a broken rule against the client that broke it, as a failed step is: one that comes back and breaks rules again and again is shut out. What
 * may be the network's doing, or another connection's, is nobody's fault.
 */
function blame(turn: ServerTurn, index: number | undefined, code: ErrorCode): void {
  if (index !== undefined && !isPassing(code) && code !== "NB_CLIENT_REPLACED")
    turn.client(index).failures += 1;
}

function apply(turn: ServerTurn, event: ServerEvent): void {
  switch (event.type) {
    case "connected":
      turn.setConnection(event.connection, {});
      turn.startTimer(`hello:${event.connection}`, HELLO_DEADLINE_MS);
      return;
    case "closed":
      detach(turn, event.connection, "connection closed", true);
      return;
    case "timer":
      timerFired(turn, event.timer);
      return;
    case "computed":
      switch (event.result.kind) {
        case "tensor":
          tensorComputed(turn, event.result.client, event.result.message);
          return;
        case "commit":
          committed(turn, event.result.trunkStep, event.result.gradientNorm);
          return;
        case "average":
          averaged(turn, event.result.average);
          return;
      }
      break;
    case "computeFailed":
      computeFailed(turn, event);
      return;
    case "adapterRefused": {
      const connection = turn.peek(event.client)?.connection;
      if (connection !== undefined) refuse(turn, connection, { code: event.code, message: event.message });
      return;
    }
    case "stop":
      stop(turn, event.retryAfterMs);
      return;
    case "checkpoint":
      if (turn.state.checkpoint === CheckpointStatus.NONE) turn.state.checkpoint = CheckpointStatus.DUE;
      return;
    case "checkpointed":
      turn.state.checkpoint = CheckpointStatus.NONE;
      return;
    case "restarted":
      restarted(turn, event.policy);
      return;
    default: {
      // Events of connections that are gone already mean nothing.
      if (turn.connection(event.connection) === undefined) return;
      if (event.type === "message") {
        message(turn, event.connection, event.frame);
        return;
      }
      if (event.type === "authenticated") {
        authenticated(turn, event.connection);
        return;
      }
      const index = turn.connection(event.connection)?.client;
      refuse(turn, event.connection, { code: event.code, message: event.message });
      blame(turn, index, event.code);
    }
  }
}

function computeFailed(turn: ServerTurn, event: ServerEvent & { type: "computeFailed" }): void {
  const why: Refusal = { code: event.code, message: event.message };
  const { request } = event;
  if (request.kind !== "commit" && request.kind !== "average") {
    tensorFailed(turn, request, why);
    return;
  }
  if (turn.state.phase === JobPhase.ENDED) return;
  jobFailed(turn, {
    reason: "failed",
    code: why.code,
    message: `the ${request.kind} failed: ${why.message}`,
  });
}

function timerFired(turn: ServerTurn, timer: ServerTimer): void {
  const [kind, id] = timer.split(":") as [string, string | undefined];
  const number = Number(id);
  switch (kind) {
    case "hello":
      if (turn.connection(number) === undefined) return;
      refuse(turn, number, {
        code: "NB_HELLO_DEADLINE",
        message: `not introduced after ${HELLO_DEADLINE_MS} ms`,
      });
      return;
    case "heartbeat":
      heartbeat(turn, number);
      return;
    case "goodbye":
      if (turn.connection(number) === undefined) return;
      turn.effect({ type: "close", connection: number, code: 1000, reason: "" });
      detach(turn, number, "job ended", false);
      return;
    case "upload":
      uploadMissed(turn, number);
      return;
    case "step": {
      const client = turn.peek(number);
      if (client !== undefined) stepDeadline(turn, [client]);
      return;
    }
    case "rejoin":
      rejoinEnded(turn, number);
      return;
    case "round":
      stepDeadline(turn, turn.clients.of(ClientKind.STEPPING));
      return;
    case "absent":
      absenceEnded(turn);
      return;
    case "stop":
      giveUpOpenSteps(turn);
      return;
  }
}

function heartbeat(turn: ServerTurn, connection: number): void {
  const record = turn.connection(connection);
  if (record === undefined) return;
  const silent = record.heard ? 0 : record.silent + 1;
  if (silent >= HEARTBEAT_PATIENCE) {
    const ms = silent * turn.state.config.heartbeatMs;
    refuse(turn, connection, { code: "NB_PEER_SILENT", message: `nothing was heard for ${ms} ms` });
    return;
  }
  turn.setConnection(connection, { heard: false, silent });
  if (!record.heard) turn.send(connection, { type: "ping", id: silent });
  turn.startTimer(`heartbeat:${connection}`, turn.state.config.heartbeatMs);
}

function message(turn: ServerTurn, connection: number, frame: Frame): void {
  const record = turn.connection(connection)!;
  if (!record.heard || record.silent > 0) turn.setConnection(connection, { heard: true, silent: 0 });
  const { message } = frame;
  const index = record.client;
  if (message.type === "hello") {
    if (record.status === ConnectionStatus.HELLO) {
      hello(turn, connection, message);
      return;
    }
    turn.notify({ type: "ignored", client: index, message: "hello" });
    return;
  }
  if (index === undefined) fail("NB_PROTOCOL_ORDER", `${message.type} before Welcome`);
  if (frame.job !== turn.state.job.number || frame.client !== index) {
    const expected = `job ${turn.state.job.number}, client ${index}`;
    fail(
      "NB_SESSION_MISMATCH",
      `a message of job ${frame.job}, client ${frame.client} on a connection of ${expected}`,
    );
  }
  switch (message.type) {
    case "tensor":
      acceptTensor(turn, index, message);
      return;
    case "stepDone":
      acceptStepDone(turn, index, message);
      return;
    case "adapterBegin":
      acceptAdapterBegin(turn, index, message);
      return;
    case "adapterChunk":
      acceptAdapterChunk(turn, index, message);
      return;
    case "ready":
      ready(turn, index);
      return;
    case "ping":
      turn.send(connection, { type: "pong", id: message.id });
      return;
    case "pong":
      return;
    case "goodbye":
    case "error": {
      turn.effect({ type: "close", connection, code: 1000, reason: "" });
      const on = message.type === "error" && isPassing(message.code);
      detach(turn, connection, `${message.type}: ${[message.code, message.message].join(" ").trim()}`, on);
      return;
    }
    default:
      fail("NB_PROTOCOL_ORDER", `${message.type} is the server's to send`);
  }
}

function hello(turn: ServerTurn, connection: number, message: HelloMessage): void {
  if (message.protocolMin > PROTOCOL_VERSION || message.protocolMax < PROTOCOL_VERSION) {
    const range = `${message.protocolMin} to ${message.protocolMax}`;
    fail("NB_PROTOCOL_VERSION", `the client speaks versions ${range}; the server speaks ${PROTOCOL_VERSION}`);
  }
  turn.setConnection(connection, {
    status: ConnectionStatus.AUTHENTICATING,
    hello: { ...message, token: "" },
  });
  turn.effect({ type: "authenticate", connection, token: message.token, name: message.name });
}

/** The token is good: the client is checked against the job, and let in. */
function authenticated(turn: ServerTurn, connection: number): void {
  const hello = turn.connection(connection)?.hello;
  if (hello === undefined) return;
  const { state, clients } = turn;
  checkHello(state, hello);
  const known = clients.named(hello.name);
  if (known === undefined) {
    if (clients.size >= state.policy.maxClients) {
      fail("NB_JOB_FULL", `the job has its ${state.policy.maxClients} clients`);
    }
    turn.addClient(newClient(clients.size, hello.name, hello.process));
  } else {
    if (known.failures >= state.policy.maxFailedSteps) {
      fail("NB_STEP_REFUSED", `${known.failures} steps of this client in a row were refused or late`);
    }
    if (known.process === hello.process && hello.connection <= known.connections) {
      fail(
        "NB_CLIENT_REPLACED",
        `connection ${hello.connection} of a client that has made ${known.connections}`,
      );
    }
    if (known.connection !== undefined) {
      const message = "the client connected again";
      refuse(turn, known.connection, { code: "NB_CLIENT_REPLACED", message }, true);
    }
  }
  const index = known?.index ?? clients.size;
  bind(turn, connection, index, hello);
}

function checkHello({ config, job, codecNames }: ServerTurn["state"], hello: HelloMessage): void {
  if (hello.job !== job.name) fail("NB_JOB_UNKNOWN", `no job "${hello.job}" here`);
  const pairs = [
    ["model", hello.modelFingerprint, config.model.fingerprint],
    ["tokenizer", hello.tokenizerFingerprint, config.model.tokenizerFingerprint],
  ] as const;
  for (const [what, theirs, ours] of pairs) {
    if (theirs !== "" && ours !== "" && theirs !== ours) {
      fail("NB_MODEL_MISMATCH", `the client's ${what} is ${theirs}; the job's is ${ours}`);
    }
  }
  const missing = codecNames.filter((name) => !hello.codecs.includes(name));
  if (missing.length > 0) fail("NB_CODEC_UNSUPPORTED", `the client lacks the codec ${missing.join(", ")}`);
}

/** Makes the connection the client's, welcomes it, and goes on where it and the server stand. */
function bind(turn: ServerTurn, connection: number, index: number, hello: HelloMessage): void {
  const { state } = turn;
  const client = turn.client(index);
  const { resume } = hello;
  // A client that has just been met has made no connections yet.
  const resumed = client.process === hello.process && client.connections > 0;
  if (!resumed) forgetRun(turn, index);
  const { open, lastCommit } = client;
  const own = open?.process === hello.process ? open : undefined;
  const shared = resumed && resume.open && own !== undefined && compareKeys(own, resume) === 0;
  const counted =
    resumed && resume.prepared && lastCommit !== undefined && compareKeys(lastCommit, resume) === 0;
  if (resumed) checkStanding(client, resume, { own, shared, counted });
  client.process = hello.process;
  client.connections = hello.connection;
  client.averaged = resumed ? Math.min(resume.averaged, state.averages) : 0;
  client.connection = connection;
  // Ready goes without saying for one whose step goes on.
  client.ready = shared;
  client.forgot = own !== undefined && !shared;
  if (shared) {
    client.rejoining = false;
    turn.stopTimer(`rejoin:${index}`);
  }
  if (own !== undefined) client.open = { ...own, peer: peerCounts(own, shared ? resume : NOTHING_TO_RESUME) };
  turn.setConnection(connection, { status: ConnectionStatus.BOUND, hello: undefined, client: index });
  turn.stopTimer(`hello:${connection}`);
  turn.startTimer(`heartbeat:${connection}`, state.config.heartbeatMs);
  turn.effect({ type: "resetStreams", client: index, resumed });
  turn.send(connection, {
    type: "welcome",
    protocol: PROTOCOL_VERSION,
    resumed,
    job: state.job.number,
    client: index,
    config: state.config,
    resume: resumed ? standing(turn, index) : NOTHING_TO_RESUME,
  });
  turn.notify({ type: "joined", client: index, name: client.name, resumed });
  if (counted) turn.send(connection, lastCommit);
  else if (resume.open && !shared) {
    const { step, attempt } = resume;
    const message = "the step was abandoned while the client was away";
    turn.send(connection, { type: "abandon", step, attempt, code: "NB_STEP_INTERRUPTED", message });
  }
  sendAnswers(turn, index);
  if (state.phase === JobPhase.ENDED && !resumed) sayGoodbye(turn, connection);
}

/** Another run of the client has taken the place of the one that was here: what that one left open, nobody can go on with. */
function forgetRun(turn: ServerTurn, index: number): void {
  giveUpClient(turn, index, "another run of the client has taken its place");
  turn.client(index).lastCommit = undefined;
}

/** NB_SESSION_MISMATCH when one side has lost what it had told the other: the run cannot be gone on with. */
function checkStanding(
  client: ClientRecord,
  resume: ResumePoint,
  { own, shared, counted }: { own: OpenStep | undefined; shared: boolean; counted: boolean },
): void {
  const taken = client.lastCommit === undefined ? 0 : client.lastCommit.step + 1;
  const differ = (what: string): never =>
    fail("NB_SESSION_MISMATCH", `the run of client "${client.name}" cannot be resumed: ${what}`);
  if (!counted && resume.taken !== taken) {
    differ(`it has taken steps up to ${resume.taken}, the server up to ${taken}`);
  }
  const late = client.lastEnded !== undefined && compareKeys(resume, client.lastEnded) <= 0;
  if (resume.open && !shared && !late) {
    differ(`it is in step ${resume.step}.${resume.attempt}, of which the server knows nothing`);
  }
  if (own !== undefined && client.status !== StepStatus.STEPPING && !(shared && resume.prepared)) {
    differ(`it has forgotten step ${own.step}.${own.attempt}, which it had finished`);
  }
}

/** What the client has of its open step, as its Hello says. */
function peerCounts(open: OpenStep, resume: ResumePoint): PeerCounts {
  return {
    a1: Math.min(resume.a1, open.a1),
    g2: Math.min(resume.g2, open.g2),
    a2: resume.a2,
    g1: resume.g1,
    resumed: resume.open,
  };
}

/** Where the server stands with a run, for Welcome. */
function standing(turn: ServerTurn, index: number): ResumePoint {
  const { averages } = turn.state;
  const { open, process, status, lastCommit, upload } = turn.peek(index)!;
  const own = open?.process === process ? open : undefined;
  const { step, attempt, a1, a2, g2, g1 } = own ?? NOTHING_TO_RESUME;
  return {
    open: own !== undefined,
    prepared: own !== undefined && (status !== StepStatus.STEPPING || own.done !== undefined),
    ...{ step, attempt, a1, a2, g2, g1 },
    taken: lastCommit === undefined ? 0 : lastCommit.step + 1,
    averaged: averages,
    upload: upload?.status === UploadStatus.EXPECTED ? upload.average : 0,
  };
}

/** The client can be given steps. */
function ready(turn: ServerTurn, index: number): void {
  const client = turn.client(index);
  if (client.ready) {
    turn.notify({ type: "ignored", client: index, message: "ready" });
    return;
  }
  client.ready = true;
  client.rejoining = false;
  turn.stopTimer(`rejoin:${index}`);
  turn.notify({ type: "ready", client: index });
  sendAverage(turn, index);
  const { connection, open } = client;
  if (client.forgot && open !== undefined && connection !== undefined) {
    const { step, attempt } = open;
    client.forgot = false;
    turn.send(connection, { type: "roundStart", step, attempt });
  }
  if (turn.state.phase === JobPhase.ENDED && connection !== undefined) sayGoodbye(turn, connection);
}
