/**
 * The server's side of the step protocol as a pure function: (state, event) → (state, effects). It does no I/O and
 * reads no clock; the driver (server/job.ts, or a simulator) carries out the effects and brings the events.
 *
 * A message that breaks a rule changes nothing but its own connection, which ends with an Error: the rules throw, and what a
 * throwing transition had changed is forgotten.
 */

import { fail, NarrowbandError } from "../errors.ts";
import { HEARTBEAT_PATIENCE, HELLO_DEADLINE_MS, PROTOCOL_VERSION } from "./limits.ts";
import { compareKeys, type Frame, type HelloMessage, type Refusal } from "./messages.ts";
import {
  absenceEnded,
  advance,
  averaged,
  committed,
  giveUpOpenSteps,
  jobFailed,
  sayGoodbye,
  sendAverage,
  stepDeadline,
  stop,
  uploadMissed,
} from "./server-rounds.ts";
import {
  ConnectionStatus,
  JobPhase,
  type ServerEffect,
  type ServerEvent,
  type ServerState,
  type ServerTimer,
  StepStatus,
} from "./server-state.ts";
import {
  acceptAdapterBegin,
  acceptAdapterChunk,
  acceptStepDone,
  acceptTensor,
  detach,
  refuse,
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
  }
  advance(turn);
  return { state: turn.state, effects: turn.effects };
}

function apply(turn: ServerTurn, event: ServerEvent): void {
  switch (event.type) {
    case "connected":
      turn.setConnection(event.connection, {});
      turn.startTimer(`hello:${event.connection}`, HELLO_DEADLINE_MS);
      return;
    case "closed":
      detach(turn, event.connection, "connection closed");
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
      const connection = turn.state.clients[event.client]?.connection;
      if (connection !== undefined) refuse(turn, connection, { code: event.code, message: event.message });
      return;
    }
    case "stop":
      stop(turn);
      return;
    default: {
      // Events of connections that are gone already mean nothing.
      if (!turn.state.connections.has(event.connection)) return;
      if (event.type === "message") {
        message(turn, event.connection, event.frame);
        return;
      }
      if (event.type === "authenticated") {
        authenticated(turn, event.connection);
        return;
      }
      refuse(turn, event.connection, { code: event.code, message: event.message });
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
  const { clients, connections } = turn.state;
  switch (kind) {
    case "hello":
      if (!connections.has(number)) return;
      refuse(turn, number, {
        code: "NB_HELLO_DEADLINE",
        message: `not introduced after ${HELLO_DEADLINE_MS} ms`,
      });
      return;
    case "heartbeat":
      heartbeat(turn, number);
      return;
    case "goodbye":
      if (!connections.has(number)) return;
      turn.effect({ type: "close", connection: number, code: 1000, reason: "" });
      detach(turn, number, "job ended");
      return;
    case "upload":
      uploadMissed(turn, number);
      return;
    case "step":
      stepDeadline(turn, clients.slice(number, number + 1));
      return;
    case "round":
      stepDeadline(turn, clients);
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
  const record = turn.state.connections.get(connection);
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
  const record = turn.state.connections.get(connection)!;
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
    case "error":
      turn.effect({ type: "close", connection, code: 1000, reason: "" });
      detach(turn, connection, `${message.type}: ${[message.code, message.message].join(" ").trim()}`);
      return;
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
  const hello = turn.state.connections.get(connection)?.hello;
  if (hello === undefined) return;
  checkHello(turn.state, hello);
  const { state } = turn;
  const known = state.clients.find((c) => c.name === hello.name);
  if (known === undefined) {
    if (state.clients.length >= state.policy.maxClients) {
      fail("NB_JOB_FULL", `the job has its ${state.policy.maxClients} clients`);
    }
    turn.addClient(newClient(state.clients.length, hello.name, hello.process));
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
      refuse(turn, known.connection, { code: "NB_CLIENT_REPLACED", message });
    }
  }
  const index = known?.index ?? state.clients.length - 1;
  bind(turn, connection, index, hello);
}

function checkHello(state: ServerState, hello: HelloMessage): void {
  const { config, job } = state;
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
  const missing = state.codecNames.filter((name) => !hello.codecs.includes(name));
  if (missing.length > 0) fail("NB_CODEC_UNSUPPORTED", `the client lacks the codec ${missing.join(", ")}`);
}

/** Makes the connection the client's, welcomes it, and settles what it left open. */
function bind(turn: ServerTurn, connection: number, index: number, hello: HelloMessage): void {
  const { state } = turn;
  const client = turn.client(index);
  const { resume } = hello;
  // A client that has just been met has made no connections yet.
  const resumed = client.process === hello.process && client.connections > 0;
  client.process = hello.process;
  client.connections = hello.connection;
  client.averaged = resumed ? Math.min(resume.averaged, state.averages) : 0;
  client.connection = connection;
  client.ready = false;
  turn.setConnection(connection, { status: ConnectionStatus.BOUND, hello: undefined, client: index });
  turn.stopTimer(`hello:${connection}`);
  turn.startTimer(`heartbeat:${connection}`, state.config.heartbeatMs);
  turn.effect({ type: "resetStreams", client: index });
  turn.send(connection, {
    type: "welcome",
    protocol: PROTOCOL_VERSION,
    resumed,
    job: state.job.number,
    client: index,
    config: state.config,
  });
  turn.notify({ type: "joined", client: index, name: client.name, resumed });
  if (resume.prepared) {
    const { open, lastCommit } = client;
    const stillOpen =
      open !== undefined && compareKeys(open, resume) === 0 && client.status !== StepStatus.STEPPING;
    if (resumed && lastCommit !== undefined && compareKeys(lastCommit, resume) === 0) {
      turn.send(connection, lastCommit);
    } else if (!resumed || !stillOpen) {
      const { step, attempt } = resume;
      const message = "the step was abandoned while the client was away";
      turn.send(connection, { type: "abandon", step, attempt, code: "NB_STEP_INTERRUPTED", message });
    }
  }
  if (state.phase === JobPhase.ENDED) sayGoodbye(turn, connection);
}

/** The client can be given steps. */
function ready(turn: ServerTurn, index: number): void {
  const client = turn.client(index);
  if (client.ready) {
    turn.notify({ type: "ignored", client: index, message: "ready" });
    return;
  }
  client.ready = true;
  turn.notify({ type: "ready", client: index });
  sendAverage(turn, index);
}
