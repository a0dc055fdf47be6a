/**
 * The calm run: the same commits in the same order, computed without network, clock, disk or state machines, one micro-batch after the
 * other. What a simulated run has trained must be this, bit for bit.
 */
import { EdgeWorker } from "../../client/edge-worker.ts";
import { TrunkWorker } from "../../server/trunk-worker.ts";
import { adapterMessages } from "../../shared/protocol/adapters.ts";
import { averagesAfter, type JobConfig } from "../../shared/protocol/job-config.ts";
import type { CommitGroup } from "../../shared/protocol/server-state.ts";
import { tinyBatch } from "../server/tiny-segments.ts";
import { SimBottom, SimTop, SimTrunk } from "./segments.ts";

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

/**
 * Groups of a sync job, or of a sequential one with a single client. All members average when it is time. `texts` says whose text each
 * client of the job has, by index: they are numbered in the order in which the server let them in.
 */
export async function calmRun(
  config: JobConfig,
  texts: readonly number[],
  groups: readonly CommitGroup[],
): Promise<CalmRun> {
  const { hidden } = config.model;
  const trunk = new SimTrunk(hidden, atOnce);
  const serverTop = new SimTop(hidden, atOnce);
  const vanilla = config.split === "vanilla";
  const server = new TrunkWorker({ config, trunk, top: vanilla ? serverTop : undefined });
  const all = texts.map((text, client): CalmClient => {
    const bottom = new SimBottom(hidden, atOnce);
    const top = new SimTop(hidden, atOnce);
    const segments = { bottom, top: vanilla ? undefined : top };
    const batches = { nextBatch: (step: number, m: number) => tinyBatch(text, step, m) };
    return { bottom, top, worker: new EdgeWorker({ config, client, segments, batches }) };
  });
  const steps = new Map<string, { lossSum: number; supervisedTokens: number }>();
  const weights = texts.map(() => 0);
  let averages = 0;
  for (const group of groups) {
    for (const { client, step } of group.members) {
      const edge = all[client].worker;
      const key = { step, attempt: 0 };
      edge.begin(key);
      server.begin(client, key);
      const sums = { lossSum: 0, supervisedTokens: 0 };
      for (let microBatch = 0; microBatch < config.microBatches; microBatch++) {
        const a1 = await edge.run({ kind: "bottom", key, microBatch });
        if (a1?.kind !== "bottom") throw new Error("no A1");
        let g1 = await server.run({ kind: vanilla ? "vanilla" : "forward", client, message: a1.message });
        if (!vanilla) {
          if (g1?.kind !== "tensor") throw new Error("no A2");
          const g2 = await edge.run({ kind: "top", message: g1.message });
          if (g2?.kind !== "top") throw new Error("no G2");
          sums.lossSum += g2.lossSum;
          sums.supervisedTokens += g2.supervisedTokens;
          g1 = await server.run({ kind: "backward", client, message: g2.message });
        }
        if (g1?.kind !== "tensor") throw new Error("no G1");
        sums.lossSum += g1.message.lossSum;
        sums.supervisedTokens += g1.message.supervisedTokens;
        await edge.run({ kind: "backward", message: g1.message });
      }
      steps.set(`${client}:${step}`, sums);
      weights[client] += sums.supervisedTokens;
    }
    const members = group.members.map((member) => ({
      ...member,
      attempt: 0,
      ...steps.get(`${member.client}:${member.step}`)!,
    }));
    await server.run({ kind: "commit", group: { ...group, members } });
    for (const { client, step, supervisedTokens } of members) {
      const commit = { type: "commit", step, attempt: 0, trunkStep: group.trunkStep } as const;
      const rest = { participants: members.length, supervisedTokens, staleness: 0, gradientNorm: 0 };
      await all[client].worker.run({ kind: "apply", commit: { ...commit, ...rest }, supervisedTokens });
    }
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
  return { trunk, top: serverTop, worker: server, clients: all, steps };
}
