/**
 * The calm run: the same commits in the same order, computed without network, clock, disk or state machines, one micro-batch after the
 * other. What a simulated run has trained must be this, bit for bit.
 */
import { EdgeWorker } from "../../client/edge-worker.ts";
import { TrunkWorker } from "../../server/trunk-worker.ts";
import type { ServerRecord } from "../../shared/job/server-records.ts";
import { adapterMessages } from "../../shared/protocol/adapters.ts";
import { averagesAfter, type JobConfig } from "../../shared/protocol/job-config.ts";
import type { TensorMessage } from "../../shared/protocol/messages.ts";
import type { CommitGroup, CommitMember } from "../../shared/protocol/server-state.ts";
import { SimBottom, SimTop, SimTrunk } from "./segments.ts";
import { simBatch } from "./text.ts";

const atOnce = async (): Promise<void> => {};

export interface CalmClient {
  readonly bottom: SimBottom;
  readonly top: SimTop;
  readonly worker: EdgeWorker;
}

export interface CalmRun {
  readonly trunk: SimTrunk;
  readonly top: SimTop;
  readonly worker: TrunkWorker;
  readonly clients: readonly CalmClient[];
  /** Supervised tokens and loss of each client's steps: "client:step". */
  readonly steps: ReadonlyMap<string, { readonly lossSum: number; readonly supervisedTokens: number }>;
}

interface Parts extends CalmRun {
  readonly steps: Map<string, { lossSum: number; supervisedTokens: number }>;
}

/** Fresh segments and workers. `texts` says whose text each client of the job has, by index: they are numbered in the order of joining. */
function parts(config: JobConfig, texts: readonly number[]): Parts {
  const { hidden } = config.model;
  const trunk = new SimTrunk(hidden, atOnce);
  const serverTop = new SimTop(hidden, atOnce);
  const vanilla = config.split === "vanilla";
  const worker = new TrunkWorker({ config, trunk, top: vanilla ? serverTop : undefined });
  const clients = texts.map((text, client): CalmClient => {
    const bottom = new SimBottom(hidden, atOnce);
    const top = new SimTop(hidden, atOnce);
    const segments = { bottom, top: vanilla ? undefined : top };
    const batches = { nextBatch: (step: number, m: number) => simBatch(config, text, step, m) };
    return { bottom, top, worker: new EdgeWorker({ config, client, segments, batches }) };
  });
  return { trunk, top: serverTop, worker, clients, steps: new Map() };
}

/** The micro-batch up to what the server's forward pass answers: A2, or G1 in a vanilla split. */
async function forward(run: Parts, vanilla: boolean, client: number, step: number, microBatch: number) {
  const key = { step, attempt: 0 };
  const name = `${client}:${step}`;
  const edge = run.clients[client].worker;
  if (!run.steps.has(name)) {
    run.steps.set(name, { lossSum: 0, supervisedTokens: 0 });
    edge.begin(key);
    run.worker.begin(client, key);
  }
  const a1 = await edge.run({ kind: "bottom", key, microBatch });
  if (a1?.kind !== "bottom") throw new Error("no A1");
  const answer = await run.worker.run({ kind: vanilla ? "vanilla" : "forward", client, message: a1.message });
  if (answer?.kind !== "tensor") throw new Error("no answer to A1");
  return answer.message;
}

/** The rest of the micro-batch. */
async function backward(run: Parts, vanilla: boolean, client: number, answer: TensorMessage): Promise<void> {
  const edge = run.clients[client].worker;
  const sums = run.steps.get(`${client}:${answer.step}`)!;
  let g1 = answer;
  if (!vanilla) {
    const g2 = await edge.run({ kind: "top", message: answer });
    if (g2?.kind !== "top") throw new Error("no G2");
    sums.lossSum += g2.lossSum;
    sums.supervisedTokens += g2.supervisedTokens;
    const made = await run.worker.run({ kind: "backward", client, message: g2.message });
    if (made?.kind !== "tensor") throw new Error("no G1");
    g1 = made.message;
  }
  sums.lossSum += g1.lossSum;
  sums.supervisedTokens += g1.supervisedTokens;
  await edge.run({ kind: "backward", message: g1 });
}

async function commit(run: Parts, group: CommitGroup): Promise<readonly CommitMember[]> {
  const members = group.members.map((member) => {
    return { ...member, attempt: 0, ...run.steps.get(`${member.client}:${member.step}`)! };
  });
  await run.worker.run({ kind: "commit", group: { ...group, members } });
  for (const { client, step, supervisedTokens } of members) {
    const message = { type: "commit", step, attempt: 0, trunkStep: group.trunkStep } as const;
    const rest = { participants: members.length, supervisedTokens, staleness: 0, gradientNorm: 0 };
    await run.clients[client].worker.run({
      kind: "apply",
      commit: { ...message, ...rest },
      supervisedTokens,
    });
  }
  return members;
}

/** Groups of a sync job, or of a sequential one with a single client. All members average when it is time. */
export async function calmRun(
  config: JobConfig,
  texts: readonly number[],
  groups: readonly CommitGroup[],
): Promise<CalmRun> {
  const run = parts(config, texts);
  const { worker: server, clients: all } = run;
  const vanilla = config.split === "vanilla";
  const weights = texts.map(() => 0);
  let averages = 0;
  for (const group of groups) {
    for (const { client, step } of group.members) {
      for (let microBatch = 0; microBatch < config.microBatches; microBatch++) {
        const answer = await forward(run, vanilla, client, step, microBatch);
        await backward(run, vanilla, client, answer);
      }
    }
    const members = await commit(run, group);
    for (const { client, supervisedTokens } of members) weights[client] += supervisedTokens;
    if (!averagesAfter(config, group.members[0].step)) continue;
    averages += 1;
    for (const { client } of members) {
      const adapters = all[client].worker.adaptersToSend();
      for (const message of adapterMessages(averages, adapters)) server.acceptAdapter(client, message);
    }
    const average = members.map(({ client }) => ({ client, weight: weights[client] }));
    await server.run({ kind: "average", average: averages, members: average });
    weights.fill(0);
    const made = server.average!;
    for (const { worker } of all) {
      const sent = { digest: made.digest, data: made.data, manifest: undefined };
      for (const message of adapterMessages(averages, sent)) worker.acceptAdapter(message);
      await worker.run({ kind: "loadAverage", average: averages });
    }
  }
  return run;
}

/**
 * A sequential job of several clients without averages: computations in the order in which the server's log says that they were made, for
 * forward passes meet commits of others.
 */
export async function calmSequentialRun(
  config: JobConfig,
  texts: readonly number[],
  groups: readonly CommitGroup[],
  log: readonly ServerRecord[],
): Promise<CalmRun> {
  const run = parts(config, texts);
  const vanilla = config.split === "vanilla";
  const answers = new Map<string, TensorMessage>();
  for (const record of log) {
    if (record.type !== "computed") continue;
    const { done } = record;
    if (done.kind === "commit") await commit(run, groups[done.trunkStep]);
    if (done.kind !== "tensor") continue;
    const { client, step, microBatch, phase } = done;
    const name = `${client}:${step}:${microBatch}`;
    if (phase === "A2" || vanilla) answers.set(name, await forward(run, vanilla, client, step, microBatch));
    if (phase === "G1") await backward(run, vanilla, client, answers.get(name)!);
  }
  return run;
}
