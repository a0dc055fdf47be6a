/**
 * The server's rules for the job: when a round begins, when a step commits, when adapters are averaged, and when the job ends. They look at
 * the state after each event and move it on as far as it goes.
 */

import { ClientKind, isLive, isUploading } from "./client-table.ts";
import { averagesAfter, type JobPolicy } from "./job-config.ts";
import { STOP_GRACE_MS } from "./limits.ts";
import type { CommitMessage, GoodbyeMessage } from "./messages.ts";
import {
  CheckpointStatus,
  type ClientRecord,
  type CommitGroup,
  type CommitMember,
  type JobOutcome,
  JobPhase,
  StepStatus,
  UploadStatus,
} from "./server-state.ts";
import {
  abandonStep,
  awaitReturn,
  detach,
  expectUpload,
  failStep,
  leaveBarrier,
  openStep,
} from "./server-steps.ts";
import type { ServerTurn } from "./server-turn.ts";

/** Moves the job on as far as it can go without another event. */
export function advance(turn: ServerTurn): void {
  if (turn.state.phase === JobPhase.ENDED) return;
  if (turn.state.config.mode === "sync") advanceSync(turn);
  else advanceSequential(turn);
  watchAbsence(turn);
}

function advanceSync(turn: ServerTurn): void {
  const { state } = turn;
  const { config, policy } = state;
  if (state.phase === JobPhase.AVERAGING && !state.averaging) collectUploads(turn);
  if (state.phase === JobPhase.RUNNING) {
    if (turn.count(ClientKind.STEPPING) > 0) return;
    turn.stopTimer("round");
    const prepared = turn.clients.of(ClientKind.PREPARED);
    if (prepared.length >= policy.quorum) {
      requestCommit(turn, prepared);
      state.phase = JobPhase.COMMITTING;
      return;
    }
    const message = `${prepared.length} of ${policy.quorum} clients that a step needs were done with it`;
    for (const { index } of prepared) abandonStep(turn, index, { code: "NB_QUORUM_LOST", message });
    state.attempt += 1;
    state.phase = JobPhase.GATHERING;
  }
  if (state.phase !== JobPhase.GATHERING) return;
  // Those who were here a moment ago take part in the round, and hear how the last one went.
  if (state.outcome === undefined && turn.count(ClientKind.REJOINING) > 0) return;
  if (state.outcome === undefined && state.step === config.steps) state.outcome = COMPLETED;
  if (state.outcome !== undefined) {
    end(turn);
    return;
  }
  if (takesCheckpoint(turn)) return;
  if (turn.count(ClientKind.STARTABLE) < (state.started ? policy.quorum : policy.minClients)) return;
  const idle = turn.clients.of(ClientKind.STARTABLE);
  state.started = true;
  state.phase = JobPhase.RUNNING;
  for (const client of idle) openStep(turn, client.index, state.step, state.attempt);
  if (config.stepDeadlineMs > 0) turn.startTimer("round", config.stepDeadlineMs);
  const key = { step: state.step, attempt: state.attempt };
  turn.notify({ type: "roundStarted", key, clients: idle.map((c) => c.index) });
}

function advanceSequential(turn: ServerTurn): void {
  const { state } = turn;
  const { config, policy } = state;
  if (state.phase === JobPhase.GATHERING && state.outcome === undefined) {
    if (turn.count(ClientKind.STARTABLE) < policy.minClients) return;
    state.started = true;
    state.phase = JobPhase.RUNNING;
  }
  for (const client of turn.clients.of(ClientKind.PREPARED)) requestCommit(turn, [client]);
  const enough = turn.count(ClientKind.LIVE) >= policy.quorum;
  const goesOn = state.outcome === undefined && enough;
  // A client at the barrier waits for those who are on their way to it.
  const underway =
    (goesOn && turn.count(ClientKind.UNFINISHED) > 0) ||
    turn.count(ClientKind.OPEN) > 0 ||
    turn.count(ClientKind.RETURNING) > 0;
  if (!underway && !state.averaging) collectUploads(turn);
  if (state.averaging) return;
  const busy = turn.count(ClientKind.BUSY) > 0;
  const away = turn.count(ClientKind.REJOINING) > 0;
  const { size } = turn.clients;
  if (!busy && !away && size > 0 && turn.count(ClientKind.FINISHED) === size) {
    state.outcome ??= COMPLETED;
  }
  if (state.outcome !== undefined) {
    if (!busy) end(turn);
    return;
  }
  if (!enough || takesCheckpoint(turn)) return;
  for (const { index, step, attempt } of turn.clients.of(ClientKind.UNFINISHED)) {
    openStep(turn, index, step, attempt);
    if (config.stepDeadlineMs > 0) turn.startTimer(`step:${index}`, config.stepDeadlineMs);
    turn.notify({ type: "roundStarted", key: { step, attempt }, clients: [index] });
  }
}

/**
 * Whether a checkpoint holds up the beginning of steps. One that is due is taken as soon as no step is open; in a sequential job that
 * averages, clients still go on to a barrier at which others wait.
 */
function takesCheckpoint(turn: ServerTurn): boolean {
  const { state } = turn;
  if (state.checkpoint !== CheckpointStatus.DUE) return state.checkpoint === CheckpointStatus.TAKING;
  if (turn.count(ClientKind.BARRIER) > 0) return false;
  if (state.commits.length === 0 && turn.count(ClientKind.BUSY) === 0) {
    state.checkpoint = CheckpointStatus.TAKING;
    turn.effect({ type: "checkpoint" });
  }
  return true;
}

/** Averages what was uploaded once nobody is uploading any more; without uploads the barrier just opens. */
function collectUploads(turn: ServerTurn): void {
  const { state } = turn;
  if (turn.count(ClientKind.UPLOADING) > 0) return;
  const waiting = turn.clients.of(ClientKind.BARRIER);
  const members = waiting
    .filter((c) => c.upload?.status === UploadStatus.DONE && c.weight > 0)
    .map((c) => ({ client: c.index, weight: c.weight }));
  if (members.length === 0) {
    for (const client of waiting) leaveBarrier(turn, client.index);
    if (state.phase === JobPhase.AVERAGING) state.phase = JobPhase.GATHERING;
    return;
  }
  state.averaging = true;
  turn.effect({ type: "compute", request: { kind: "average", average: state.averages + 1, members } });
}

function requestCommit(turn: ServerTurn, prepared: readonly ClientRecord[]): void {
  const { state } = turn;
  const members = prepared.map(({ index }): CommitMember => {
    const client = turn.client(index);
    const open = client.open!;
    client.status = StepStatus.COMMITTING;
    return {
      client: index,
      step: open.step,
      attempt: open.attempt,
      supervisedTokens: open.supervisedTokens,
      lossSum: open.lossSum,
      tokens: open.tokens.reduce((a, b) => a + b, 0),
      staleness: state.trunkSteps - open.trunkStep,
    };
  });
  const group: CommitGroup = { trunkStep: state.trunkSteps, members };
  state.trunkSteps += 1;
  state.commits = [...state.commits, group];
  turn.effect({ type: "compute", request: { kind: "commit", group } });
}

/** The trunk has taken an optimizer step: its members are told, and go on. */
export function committed(turn: ServerTurn, trunkStep: number, gradientNorm: number): void {
  const { state } = turn;
  const group = state.commits.find((g) => g.trunkStep === trunkStep);
  if (group === undefined) return;
  state.commits = state.commits.filter((g) => g !== group);
  const supervisedTokens = group.members.reduce((sum, m) => sum + m.supervisedTokens, 0);
  let due = false;
  for (const member of group.members) {
    const client = turn.client(member.client);
    const { step, attempt, staleness } = member;
    const participants = group.members.length;
    const commit: CommitMessage = {
      type: "commit",
      ...{ step, attempt, trunkStep, participants, supervisedTokens, staleness, gradientNorm },
    };
    const sameProcess = client.process === client.open!.process;
    client.lastEnded = { step, attempt };
    if (sameProcess) client.lastCommit = commit;
    const { forgot } = client;
    client.open = undefined;
    client.forgot = false;
    client.status = StepStatus.IDLE;
    client.step = step + 1;
    client.attempt = 0;
    client.weight += member.supervisedTokens;
    client.failures = 0;
    if (!sameProcess) continue;
    if (client.connection !== undefined && !forgot) turn.send(client.connection, commit);
    if ((client.ready || client.rejoining) && averagesAfter(state.config, step)) {
      due = true;
      expectUpload(turn, client.index);
    }
  }
  if (state.config.mode === "sync") {
    state.step += 1;
    state.attempt = 0;
    state.phase = due ? JobPhase.AVERAGING : JobPhase.GATHERING;
  }
  turn.notify({ type: "committed", group, gradientNorm });
}

/** The average is made: everybody who is here gets it. */
export function averaged(turn: ServerTurn, average: number): void {
  const { state } = turn;
  if (!state.averaging || average !== state.averages + 1) return;
  state.averaging = false;
  state.averages = average;
  const members = turn.clients.of(ClientKind.UPLOADED).map((c) => c.index);
  for (const { index } of turn.clients) {
    const client = turn.client(index);
    client.weight = 0;
    if (client.status === StepStatus.BARRIER) leaveBarrier(turn, index);
    if (isLive(client)) sendAverage(turn, index);
  }
  if (state.phase === JobPhase.AVERAGING) state.phase = JobPhase.GATHERING;
  turn.notify({ type: "averaged", average, clients: members });
}

/** Sends the newest average to a client that does not hold it. */
export function sendAverage(turn: ServerTurn, index: number): void {
  const client = turn.client(index);
  if (client.averaged >= turn.state.averages || client.connection === undefined) return;
  client.averaged = turn.state.averages;
  turn.effect({ type: "sendAverage", connection: client.connection, client: index });
}

/** A client's adapters did not come in time: the others are averaged without it. */
export function uploadMissed(turn: ServerTurn, index: number): void {
  const client = turn.client(index);
  if (client.upload === undefined || !isUploading(client)) return;
  client.upload = { ...client.upload, status: UploadStatus.MISSED };
  turn.notify({ type: "uploadMissed", client: index });
}

/** A deadline has passed: of the round, or of one client's step in sequential mode. */
export function stepDeadline(turn: ServerTurn, clients: readonly ClientRecord[]): void {
  const message = `not done ${turn.state.config.stepDeadlineMs} ms after its start`;
  for (const client of clients) {
    if (client.status === StepStatus.STEPPING) {
      failStep(turn, client.index, { code: "NB_STEP_DEADLINE", message });
    }
  }
}

/** Runs the absence timer exactly while the job waits for clients that went away. */
function watchAbsence(turn: ServerTurn): void {
  const { state } = turn;
  const open = state.phase !== JobPhase.ENDED && state.outcome === undefined;
  const absent = open && state.checkpoint !== CheckpointStatus.TAKING && isShort(turn);
  if (absent === state.waiting) return;
  state.waiting = absent;
  if (absent) turn.startTimer("absent", state.policy.absentGraceMs);
  else turn.stopTimer("absent");
}

function isShort(turn: ServerTurn): boolean {
  const { config, phase, policy, started } = turn.state;
  if (!started) return false;
  if (config.mode === "sync")
    return phase === JobPhase.GATHERING && turn.count(ClientKind.STARTABLE) < policy.quorum;
  // Sequential: nobody here has anything left to do, or too few are here.
  const live = turn.count(ClientKind.LIVE);
  return live < policy.quorum || turn.count(ClientKind.DONE) === live;
}

/** The clients that went away did not come back in time. */
export function absenceEnded(turn: ServerTurn): void {
  const { state } = turn;
  state.waiting = false;
  if (state.outcome !== undefined) return;
  const finished = state.config.mode === "sequential" && turn.count(ClientKind.FINISHED) > 0;
  const live = turn.count(ClientKind.LIVE);
  state.outcome = finished
    ? COMPLETED
    : {
        reason: "failed",
        code: "NB_QUORUM_LOST",
        message: `${live} of ${state.policy.quorum} clients that the job needs were left for ${state.policy.absentGraceMs} ms`,
      };
  giveUpOpenSteps(turn);
}

/** A new process goes on with the job. */
export function restarted(turn: ServerTurn, policy: JobPolicy): void {
  const { state } = turn;
  state.policy = policy;
  state.waiting = false;
  const ended = state.phase === JobPhase.ENDED;
  if (ended)
    state.phase = state.started && state.config.mode === "sequential" ? JobPhase.RUNNING : JobPhase.GATHERING;
  state.outcome = undefined;
  for (const connection of turn.connections()) detach(turn, connection, "the server was restarted", true);
  for (const { index, rejoining } of turn.clients) {
    // Also of a job that was stopped: its clients were told, and come back when they are started again.
    if ((rejoining || ended) && policy.rejoinGraceMs > 0) awaitReturn(turn, index);
  }
}

/** Begins an orderly end: nothing new is started, what is open may finish until the grace is over. */
export function stop(turn: ServerTurn, retryAfterMs?: number): void {
  if (turn.state.outcome !== undefined) return;
  const message = "the server was asked to stop";
  turn.state.outcome = { reason: "stopped", code: "NB_JOB_STOPPED", message, retryAfterMs };
  turn.startTimer("stop", STOP_GRACE_MS);
}

/** Ends waiting: open steps are abandoned and outstanding uploads left out. What is being committed still commits. */
export function giveUpOpenSteps(turn: ServerTurn): void {
  const { outcome } = turn.state;
  const code = outcome?.code ?? "NB_STEP_INTERRUPTED";
  for (const client of turn.clients) {
    if (client.status === StepStatus.STEPPING || client.status === StepStatus.PREPARED) {
      abandonStep(turn, client.index, { code, message: outcome?.message ?? "the job has ended" });
    }
    uploadMissed(turn, client.index);
  }
}

const COMPLETED: JobOutcome = { reason: "completed", code: undefined, message: "all steps are taken" };

/** The trunk or the average could not be computed: the job cannot go on. */
export function jobFailed(turn: ServerTurn, outcome: JobOutcome): void {
  const { state } = turn;
  state.outcome = outcome;
  state.commits = [];
  state.averaging = false;
  for (const { index } of turn.clients) {
    const client = turn.client(index);
    // What was being committed has not been: its clients are told so.
    if (client.status === StepStatus.COMMITTING) client.status = StepStatus.PREPARED;
    if (client.status === StepStatus.BARRIER) leaveBarrier(turn, index);
  }
  giveUpOpenSteps(turn);
  end(turn);
}

function end(turn: ServerTurn): void {
  const { state } = turn;
  state.phase = JobPhase.ENDED;
  for (const timer of ["round", "stop"] as const) turn.stopTimer(timer);
  turn.notify({ type: "ended", outcome: state.outcome! });
  for (const client of turn.clients) {
    if (client.connection !== undefined) sayGoodbye(turn, client.connection);
  }
}

/** Tells a connection that the job is over. It has as long to close by itself as an average may take to reach it. */
export function sayGoodbye(turn: ServerTurn, connection: number): void {
  const { reason, code, message, retryAfterMs = 0 } = turn.state.outcome!;
  const goodbye: GoodbyeMessage = { type: "goodbye", reason, code: code ?? "", message, retryAfterMs };
  turn.send(connection, goodbye);
  turn.startTimer(`goodbye:${connection}`, turn.state.policy.uploadDeadlineMs);
}
