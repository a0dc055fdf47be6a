/**
 * Connections are cut at random places, drivers and codecs included. What is trained is exactly what the committed steps make: recomputed
 * here without a network, with the same clients in each step, it gives the same adapters.
 */
import { describe, expect, it } from "vitest";
import type { CommitGroup } from "../../shared/protocol/server-state.ts";
import type { Connector, FrameSocket } from "../../shared/protocol/transport.ts";
import { random } from "../protocol/world.ts";
import { inProcess, TINY, tinyClient, tinyJob } from "./harness.ts";
import { TinyBottom, TinyTop, TinyTrunk, tinyBatch } from "./tiny-segments.ts";

const CONFIG = { ...TINY, steps: 20, codecs: { A1: "f32", A2: "f32", G2: "f32", G1: "f32" } };
const CLIENTS = 3;

/** Cuts each connection after a random number of messages, until `cuts` are used up. */
function cutting(connect: Connector, next: () => number, cuts: { left: number }): Connector {
  return async () => {
    const socket: FrameSocket = await connect();
    let until = Math.floor(next() * 40);
    const send = socket.send.bind(socket);
    socket.send = (bytes) => {
      if (until-- > 0 || cuts.left === 0) {
        send(bytes);
        return;
      }
      cuts.left--;
      socket.close(1006, "");
    };
    return socket;
  };
}

/** The same steps without a split: `groups` says who took part in each. */
async function recompute(groups: readonly CommitGroup[]) {
  const { hidden } = CONFIG.model;
  const bottoms = Array.from({ length: CLIENTS }, () => new TinyBottom(hidden));
  const tops = Array.from({ length: CLIENTS }, () => new TinyTop(hidden));
  const trunk = new TinyTrunk(hidden);
  for (const { members } of groups) {
    for (const { client, step } of members) {
      const [bottom, top] = [bottoms[client], tops[client]];
      // Each client's sum is made apart and added whole, as the server does.
      const before = trunk.gradients();
      trunk.zeroGradients();
      for (let microBatch = 0; microBatch < CONFIG.microBatches; microBatch++) {
        const at = { step, microBatch, training: true };
        const batch = tinyBatch(client, step, microBatch);
        const low = await bottom.forward(batch, at);
        const middle = await trunk.forward(low.output, batch.lengths, at);
        const loss = await top.loss(middle.output, batch.labels, batch.lengths, at);
        await bottom.backward(low.saved!, await trunk.backward(middle.saved!, loss.gradient!));
      }
      trunk.addGradients(before);
    }
    const total = members.reduce((sum, m) => sum + m.supervisedTokens, 0);
    await trunk.optimizerStep(members[0].step, total);
    for (const { client, step, supervisedTokens } of members) {
      await bottoms[client].optimizerStep(step, supervisedTokens);
      await tops[client].optimizerStep(step, supervisedTokens);
    }
  }
  return { bottoms, tops, trunk };
}

describe("a job whose connections are cut", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("trains what its committed steps make (seed %i)", async (seed) => {
    const groups: CommitGroup[] = [];
    const { job, trunk } = tinyJob(CONFIG, {}, { onStep: ({ group }) => groups.push(group) });
    const next = random(seed);
    const cuts = { left: 10 };
    // Indices follow the order of joining, which the first connections keep: they are cut after their Hello at the earliest.
    const clients = Array.from({ length: CLIENTS }, (_, index) => {
      const connect = cutting(inProcess(job), next, cuts);
      return tinyClient(index, connect, CONFIG, {
        backoff: { baseMs: 2, capMs: 4, attempts: 40 },
        random: next,
      });
    });
    const outcomes = await Promise.all(clients.map(({ edge }) => edge.run()));
    expect(outcomes.map((o) => o.reason)).toEqual(outcomes.map(() => "completed"));
    expect(groups.map((g) => g.trunkStep)).toEqual([...Array(CONFIG.steps).keys()]);
    expect(cuts.left).toBeLessThan(8);

    const names = job.status().clients.map(({ name }) => Number(name.at(-1)));
    const byName = groups.map((group) => ({
      ...group,
      members: group.members.map((m) => ({ ...m, client: names[m.client] })),
    }));
    const expected = await recompute(byName);
    const near = (a: Float32Array, b: Float32Array): void => {
      for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i], 5);
    };
    near(trunk.scale, expected.trunk.scale);
    for (const [i, { bottom, top }] of clients.entries()) {
      const taken = byName.filter((g) => g.members.some((m) => m.client === i)).length;
      expect([bottom.steps, top.steps]).toEqual([taken, taken]);
      near(bottom.scale, expected.bottoms[i].scale);
      near(top.scale, expected.tops[i].scale);
      expect(bottom.held).toBe(0);
    }
    expect(trunk.held).toBe(0);
  });
});
