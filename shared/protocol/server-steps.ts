/**
 * The server's rules for one client's step: which of its messages may come when, what they set going, and how a step ends. A rule that
 * is broken throws; the machine then refuses the connection and keeps the state that it had.
 */

import { ERRORS, fail } from "../errors.ts";
import type { AdapterOutline } from "./adapters.ts";
import { ClientKind } from "./client-table.ts";
import { closeCode, isPassing } from "./close-codes.ts";
import { codecIdOf } from "./codecs.ts";
import type { AdapterBeginMessage, AdapterChunkMessage } from "./messages.ts";
import { compareKeys, type Refusal, type StepDoneMessage, type TensorMessage } from "./messages.ts";
import {
  type ClientRecord,
  JobPhase,
  type OpenStep,
  type PeerCounts,
  type ServerRequest,
  StepStatus,
  UploadStatus,
} from "./server-state.ts";
import type { ServerTurn } from "./server-turn.ts";

const NEW_PEER: PeerCounts = { a1: 0, a2: 0, g2: 0, g1: 0, resumed: false };

/** Opens a step for a client and tells it to begin. */
export function openStep(turn: ServerTurn, index: number, step: number, attempt: number): void {
  const client = turn.client(index);
  client.status = StepStatus.STEPPING;
  client.open = {
    step,
    attempt,
    process: client.process,
    trunkStep: turn.state.trunkSteps,
    a1: 0,
    a2: 0,
    g2: 0,
    g1: 0,
    tokens: [],
    lossSum: 0,
    supervisedTokens: 0,
    peer: NEW_PEER,
    sentA2: [],
    sentG1: [],
    done: undefined,
  };
  turn.effect({ type: "begin", client: index, key: { step, attempt } });
  turn.send(client.connection!, { type: "roundStart", step, attempt });
}

/**
 * The open step that a message of `client` belongs to, or undefined when the message is late. NB_PROTOCOL_ORDER when it names a
 * step that was not begun.
 */
function stepOf(client: ClientRecord, key: { step: number; attempt: number }): OpenStep | undefined {
  if (client.lastEnded !== undefined && compareKeys(key, client.lastEnded) <= 0) return undefined;
  if (client.open === undefined || compareKeys(key, client.open) !== 0) {
    const open =
      client.open === undefined ? "none is open" : `${client.open.step}.${client.open.attempt} is open`;
    fail("NB_PROTOCOL_ORDER", `a message of step ${key.step}.${key.attempt}, but ${open}`);
  }
  return client.open;
}

function ignored(
  turn: ServerTurn,
  client: ClientRecord,
  message: "tensor" | "stepDone" | "adapterBegin" | "adapterChunk",
): void {
  turn.notify({ type: "ignored", client: client.index, message });
}

/** A1 or G2 has come. */
export function acceptTensor(turn: ServerTurn, index: number, message: TensorMessage): void {
  const client = turn.client(index);
  const { config } = turn.state;
  const uShape = config.split === "u-shape";
  if (message.phase !== "A1" && !(uShape && message.phase === "G2")) {
    fail("NB_PROTOCOL_ORDER", `${message.phase} is not a client's to send in a ${config.split} split`);
  }
  const open = stepOf(client, message);
  if (open === undefined) {
    ignored(turn, client, "tensor");
    return;
  }
  const { microBatch } = message;
  const accepted = message.phase === "A1" ? open.a1 : open.g2;
  if (microBatch < accepted) {
    repeated(turn, index, open, message);
    return;
  }
  const { peer } = open;
  const ahead = peer.resumed ? config.microBatches : config.inFlight;
  const limit =
    message.phase === "A1"
      ? Math.min(config.microBatches, open.g1 + ahead)
      : peer.resumed
        ? open.a1
        : open.a2;
  const stated = message.phase === "A1" ? peer.a1 : peer.g2;
  if (microBatch > accepted || microBatch >= limit || stated < accepted) {
    fail(
      "NB_PROTOCOL_ORDER",
      `${message.phase} of micro-batch ${microBatch}; ${accepted < limit ? `${accepted} is the next` : "none may come now"}`,
    );
  }
  checkTensor(turn, message, open);
  let kind: "forward" | "backward" | "vanilla" = "backward";
  if (message.phase === "A1") {
    kind = uShape ? "forward" : "vanilla";
    client.open = {
      ...open,
      a1: accepted + 1,
      tokens: [...open.tokens, message.tokens],
      peer: { ...peer, a1: accepted + 1 },
    };
  } else {
    client.open = { ...open, g2: accepted + 1, peer: { ...peer, g2: accepted + 1 } };
  }
  turn.effect({ type: "compute", request: { kind, client: index, message } });
}

/**
 * A1 or G2 has come that was accepted before. A client that has forgotten what it had sent makes it again, and then lacks the answer;
 * anything else is a repeat and has no effect.
 */
function repeated(turn: ServerTurn, index: number, open: OpenStep, message: TensorMessage): void {
  const client = turn.client(index);
  const { microBatch, phase } = message;
  const { peer } = open;
  if (microBatch !== (phase === "A1" ? peer.a1 : peer.g2)) {
    ignored(turn, client, "tensor");
    return;
  }
  const next = microBatch + 1;
  client.open = { ...open, peer: phase === "A1" ? { ...peer, a1: next } : { ...peer, g2: next } };
  sendAnswers(turn, index, microBatch);
}

/** Sends the client those answers that it has asked for and lacks, from micro-batch `from` on. */
export function sendAnswers(turn: ServerTurn, index: number, from = 0): void {
  const { open, connection, forgot, process } = turn.peek(index)!;
  if (connection === undefined || forgot || open?.process !== process) return;
  const { peer, sentA2, sentG1 } = open;
  const askedG1 = turn.state.config.split === "u-shape" ? peer.g2 : peer.a1;
  for (const message of sentA2.slice(Math.max(from, peer.a2), peer.a1)) turn.send(connection, message);
  for (const message of sentG1.slice(Math.max(from, peer.g1), askedG1)) turn.send(connection, message);
}

/** Throws NB_TENSOR_INVALID unless the message is what the job makes it. */
function checkTensor(turn: ServerTurn, message: TensorMessage, open: OpenStep): void {
  const { config } = turn.state;
  const { phase, tokens, lengths, channels, codec, labels } = message;
  const say = (what: string): never =>
    fail("NB_TENSOR_INVALID", `${phase} of micro-batch ${message.microBatch}: ${what}`);
  if (channels !== config.model.hidden) say(`${channels} channels; the model has ${config.model.hidden}`);
  const expected = codecIdOf(config, phase);
  if (codec !== expected) say(`codec ${codec}; the job's is ${expected}`);
  if (phase === "A1") {
    if (lengths.length === 0) say("no row lengths");
    if (lengths.length > config.maxRows) say(`${lengths.length} rows; at most ${config.maxRows}`);
    if (tokens > config.maxTokens) say(`${tokens} tokens; at most ${config.maxTokens}`);
    const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
    if (longest > config.maxRowTokens) say(`a row of ${longest} tokens; at most ${config.maxRowTokens}`);
  } else if (tokens !== open.tokens[message.microBatch]) {
    say(`${tokens} tokens; its A1 had ${open.tokens[message.microBatch]}`);
  }
  if (config.split === "u-shape" || phase !== "A1") {
    if (labels !== undefined) say("labels, which must not leave the client");
  } else if (labels?.length !== tokens * 2 && labels?.length !== tokens * 4) {
    say(`${labels?.length ?? 0} bytes of labels; 2 or 4 for each of ${tokens} tokens`);
  }
}

/** A tensor that answers one of the client's is ready. */
export function tensorComputed(turn: ServerTurn, index: number, message: TensorMessage): void {
  const open = turn.peek(index)?.open;
  if (open === undefined || compareKeys(open, message) !== 0) return;
  const client = turn.client(index);
  const { microBatch, phase } = message;
  if (phase === "A2") {
    client.open = { ...open, a2: microBatch + 1, sentA2: [...open.sentA2, message] };
  } else {
    client.open = {
      ...open,
      g1: microBatch + 1,
      sentG1: [...open.sentG1, message],
      lossSum: open.lossSum + message.lossSum,
      supervisedTokens: open.supervisedTokens + message.supervisedTokens,
    };
  }
  const { peer } = open;
  const asked = phase === "A2" || turn.state.config.split === "vanilla" ? peer.a1 : peer.g2;
  const lacking = microBatch >= (phase === "A2" ? peer.a2 : peer.g1) && microBatch < asked;
  if (client.connection !== undefined && !client.forgot && lacking) turn.send(client.connection, message);
  if (open.done !== undefined && microBatch + 1 === turn.state.config.microBatches && phase === "G1") {
    prepare(turn, index, open.done);
  }
}

/** StepDone has come: the client is prepared. */
export function acceptStepDone(turn: ServerTurn, index: number, message: StepDoneMessage): void {
  const client = turn.client(index);
  const open = stepOf(client, message);
  if (open === undefined || client.status !== StepStatus.STEPPING) {
    ignored(turn, client, "stepDone");
    return;
  }
  const { microBatches, split } = turn.state.config;
  const through = split === "u-shape" ? open.g2 : open.a1;
  // A client that was prepared before this server was restarted need not wait for its G1 to be made again.
  const early = open.peer.resumed && through === microBatches;
  if (open.g1 !== microBatches && !early) {
    fail("NB_PROTOCOL_ORDER", `StepDone after ${open.g1} of ${microBatches} micro-batches`);
  }
  const tokens = open.tokens.reduce((a, b) => a + b, 0);
  if (message.supervisedTokens > tokens) {
    fail("NB_TENSOR_INVALID", `${message.supervisedTokens} supervised tokens of ${tokens} sent`);
  }
  if (open.g1 === microBatches) prepare(turn, index, message);
  else client.open = { ...open, done: message };
}

function prepare(turn: ServerTurn, index: number, message: StepDoneMessage): void {
  const client = turn.client(index);
  client.status = StepStatus.PREPARED;
  if (turn.state.config.split === "u-shape") {
    const { lossSum, supervisedTokens } = message;
    client.open = { ...client.open!, lossSum, supervisedTokens };
  }
  turn.stopTimer(`step:${index}`);
}

/** Ends a client's open step without effect, and tells it if it is there. */
export function abandonStep(turn: ServerTurn, index: number, why: Refusal): void {
  const client = turn.client(index);
  const open = client.open;
  if (open === undefined) return;
  const key = { step: open.step, attempt: open.attempt };
  const { forgot } = client;
  client.open = undefined;
  client.forgot = false;
  client.lastEnded = key;
  client.status = StepStatus.IDLE;
  client.attempt = open.attempt + 1;
  turn.stopTimer(`step:${index}`);
  turn.effect({ type: "discard", client: index, key });
  turn.notify({ type: "stepAbandoned", client: index, key, ...why });
  if (client.connection !== undefined && client.process === open.process && !forgot) {
    turn.send(client.connection, { type: "abandon", ...key, ...why });
  }
}

/** Abandons a step for which the client is to blame; after too many in a row the client is shut out. */
export function failStep(turn: ServerTurn, index: number, why: Refusal): void {
  abandonStep(turn, index, why);
  const client = turn.client(index);
  client.failures += 1;
  if (client.failures >= turn.state.policy.maxFailedSteps && client.connection !== undefined) {
    const message = `${client.failures} steps in a row were refused or late; the last: ${why.message}`;
    refuse(turn, client.connection, { code: "NB_STEP_REFUSED", message });
  }
}

/** Ends a connection with an error. Its client is as if its connection had dropped. */
export function refuse(
  turn: ServerTurn,
  connection: number,
  why: Refusal,
  returns = isPassing(why.code),
): void {
  const client = turn.connection(connection)?.client;
  turn.notify({ type: "connectionRefused", connection, client, ...why });
  turn.send(connection, { type: "error", ...why });
  turn.effect({ type: "close", connection, code: closeCode(why.code), reason: why.code });
  detach(turn, connection, why.code, returns);
}

/**
 * Forgets a connection. If its client `returns`, what is open for it waits as long as the job's policy says; otherwise a step that is
 * not prepared is abandoned.
 */
export function detach(turn: ServerTurn, connection: number, why: string, returns: boolean): void {
  const record = turn.connection(connection);
  if (record === undefined) return;
  turn.setConnection(connection, undefined);
  for (const timer of ["hello", "heartbeat", "goodbye"] as const) turn.stopTimer(`${timer}:${connection}`);
  if (record.client === undefined) return;
  const client = turn.client(record.client);
  const takesPart = client.ready || client.rejoining || client.status !== StepStatus.IDLE;
  client.connection = undefined;
  client.ready = false;
  turn.notify({ type: "left", client: client.index, why });
  const { phase, outcome, policy } = turn.state;
  const over = phase === JobPhase.ENDED && outcome?.reason !== "completed";
  if (returns && takesPart && policy.rejoinGraceMs > 0 && !over) awaitReturn(turn, client.index);
  else giveUpClient(turn, client.index, "the connection dropped");
}

/** Waits for a client that is away: for as long as the grace lasts, its step stays open and no sync round begins. */
export function awaitReturn(turn: ServerTurn, index: number): void {
  const client = turn.client(index);
  client.rejoining = true;
  client.forgot = false;
  if (client.upload?.status === UploadStatus.RECEIVING) {
    client.upload = { ...client.upload, status: UploadStatus.EXPECTED, next: 0 };
  }
  turn.startTimer(`rejoin:${index}`, turn.state.policy.rejoinGraceMs);
}

/** Goes on without a client that is not there. */
export function giveUpClient(turn: ServerTurn, index: number, message: string): void {
  const client = turn.client(index);
  client.rejoining = false;
  turn.stopTimer(`rejoin:${index}`);
  if (client.status === StepStatus.STEPPING) {
    abandonStep(turn, index, { code: "NB_STEP_INTERRUPTED", message });
  } else if (client.status === StepStatus.BARRIER) {
    leaveBarrier(turn, index);
  }
}

/** The grace of a client is over: it has not come back, or came back and did not get ready. */
export function rejoinEnded(turn: ServerTurn, index: number): void {
  const client = turn.client(index);
  if (!client.rejoining) return;
  turn.notify({ type: "givenUp", client: index });
  giveUpClient(turn, index, `its client was away for ${turn.state.policy.rejoinGraceMs} ms`);
}

export function leaveBarrier(turn: ServerTurn, index: number): void {
  const client = turn.client(index);
  client.status = StepStatus.IDLE;
  client.upload = undefined;
  turn.stopTimer(`upload:${index}`);
}

/** Awaits a client's adapters for the next average. */
export function expectUpload(turn: ServerTurn, index: number): void {
  const client = turn.client(index);
  client.status = StepStatus.BARRIER;
  client.upload = {
    status: UploadStatus.EXPECTED,
    average: turn.state.averages + 1,
    chunks: 0,
    totalBytes: 0,
    chunkBytes: 0,
    manifestDigest: 0,
    next: 0,
  };
  turn.startTimer(`upload:${index}`, turn.state.policy.uploadDeadlineMs);
}

/** Of the uploads for the next average that have begun. */
function outlineOfOthers(turn: ServerTurn): AdapterOutline | undefined {
  const other = turn.clients.first(ClientKind.OUTLINED)?.upload;
  return other && { digest: other.manifestDigest, totalBytes: other.totalBytes };
}

/** AdapterBegin has come. Uploads that nobody waits for any more are late, and ignored. */
export function acceptAdapterBegin(turn: ServerTurn, index: number, message: AdapterBeginMessage): void {
  const client = turn.client(index);
  if (message.average > turn.state.averages + 1) {
    fail(
      "NB_PROTOCOL_ORDER",
      `adapters for average ${message.average}; the next is ${turn.state.averages + 1}`,
    );
  }
  if (turn.state.config.aggregation !== "fedavg") {
    fail("NB_PROTOCOL_ORDER", "adapters in a job that does not average them");
  }
  const { upload } = client;
  if (upload?.status !== UploadStatus.EXPECTED || upload.average !== message.average) {
    ignored(turn, client, "adapterBegin");
    return;
  }
  const { totalBytes, chunkBytes, manifestDigest } = message;
  const needed = turn.state.adapters ?? outlineOfOthers(turn);
  if (needed !== undefined && (needed.digest !== manifestDigest || needed.totalBytes !== totalBytes)) {
    const whose = turn.state.adapters === undefined ? "those of the other clients" : "the job's";
    fail("NB_ADAPTER_MISMATCH", `the names or shapes of the adapters are not ${whose}`);
  }
  const chunks = Math.ceil(totalBytes / chunkBytes);
  client.upload = {
    ...upload,
    status: UploadStatus.RECEIVING,
    totalBytes,
    chunkBytes,
    manifestDigest,
    chunks,
    next: 0,
  };
  turn.effect({ type: "acceptAdapter", client: index, message });
}

export function acceptAdapterChunk(turn: ServerTurn, index: number, message: AdapterChunkMessage): void {
  if (turn.state.config.aggregation !== "fedavg") {
    fail("NB_PROTOCOL_ORDER", "adapters in a job that does not average them");
  }
  const client = turn.client(index);
  const { upload } = client;
  if (upload === undefined || upload.average !== message.average || message.index < upload.next) {
    ignored(turn, client, "adapterChunk");
    return;
  }
  if (upload.status === UploadStatus.MISSED) {
    ignored(turn, client, "adapterChunk");
    return;
  }
  if (upload.status !== UploadStatus.RECEIVING || message.index > upload.next) {
    fail(
      "NB_PROTOCOL_ORDER",
      `adapter chunk ${message.index}; ${upload.next} of ${upload.chunks} is the next`,
    );
  }
  const last = upload.next === upload.chunks - 1;
  const size = last ? upload.totalBytes - upload.next * upload.chunkBytes : upload.chunkBytes;
  if (message.data.length !== size) {
    fail("NB_PROTOCOL_ORDER", `adapter chunk of ${message.data.length} bytes; ${size} were announced`);
  }
  client.upload = {
    ...upload,
    next: upload.next + 1,
    status: last ? UploadStatus.DONE : UploadStatus.RECEIVING,
  };
  if (last) turn.stopTimer(`upload:${index}`);
  turn.effect({ type: "acceptAdapter", client: index, message });
}

/** Work for a client's tensor failed. What the peer sent wrongly ends its connection; what cannot be used fails its step. */
export function tensorFailed(
  turn: ServerTurn,
  request: ServerRequest & { client: number; message: TensorMessage },
  why: Refusal,
): void {
  const client = turn.peek(request.client);
  const open = client?.open;
  if (open === undefined || compareKeys(open, request.message) !== 0 || turn.state.phase === JobPhase.ENDED)
    return;
  const connection = client?.connection;
  const kind: { close?: number } = ERRORS[why.code];
  if (connection === undefined || kind.close === undefined) {
    failStep(turn, request.client, why);
    return;
  }
  turn.client(request.client).failures += 1;
  refuse(turn, connection, why);
}
