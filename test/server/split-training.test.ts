/**
 * A job trains what the whole model would train: drivers, machines and codecs together, in memory, with segments small enough to
 * recompute here.
 */
import { describe, expect, it } from "vitest";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { averagesAfter } from "../../shared/protocol/job-config.ts";
import { inProcess, TINY, tinyClient, tinyJob } from "./harness.ts";
import { TinyBottom, TinyTop, TinyTrunk, tinyBatch } from "./tiny-segments.ts";

interface Trained {
  readonly bottoms: Float32Array[];
  readonly tops: Float32Array[];
  readonly trunk: Float32Array;
  readonly losses: number[][];
}

/** The same training without a split: one process, no codec, no protocol. */
async function unsplit(config: JobConfig, clients: number): Promise<Trained> {
  const { hidden } = config.model;
  const bottoms = Array.from({ length: clients }, () => new TinyBottom(hidden));
  const tops = Array.from({ length: clients }, () => new TinyTop(hidden));
  const trunk = new TinyTrunk(hidden);
  const losses: number[][] = bottoms.map(() => []);
  for (let step = 0; step < config.steps; step++) {
    const counts: number[] = [];
    for (let c = 0; c < clients; c++) {
      let tokens = 0;
      let lossSum = 0;
      for (let microBatch = 0; microBatch < config.microBatches; microBatch++) {
        const at = { step, microBatch, training: true };
        const batch = tinyBatch(c, step, microBatch);
        const bottom = await bottoms[c].forward(batch, at);
        const middle = await trunk.forward(bottom.output, batch.lengths, at);
        const loss = await tops[c].loss(middle.output, batch.labels, batch.lengths, at);
        await bottoms[c].backward(bottom.saved!, await trunk.backward(middle.saved!, loss.gradient!));
        tokens += loss.supervisedTokens;
        lossSum += loss.lossSum;
      }
      counts.push(tokens);
      losses[c].push(lossSum / tokens);
    }
    const total = counts.reduce((a, b) => a + b, 0);
    await trunk.optimizerStep(step, total);
    for (let c = 0; c < clients; c++) {
      await bottoms[c].optimizerStep(step, counts[c]);
      await tops[c].optimizerStep(step, counts[c]);
    }
    if (averagesAfter(config, step)) {
      for (const parts of [bottoms, tops]) {
        const mean = parts[0].scale.map((_, i) =>
          parts.reduce((sum, p, c) => sum + (counts[c] / total) * p.scale[i], 0),
        );
        for (const part of parts) part.scale.set(mean);
      }
    }
  }
  return { bottoms: bottoms.map((b) => b.scale), tops: tops.map((t) => t.scale), trunk: trunk.scale, losses };
}

async function split(config: JobConfig, clients: number): Promise<Trained> {
  const { job, trunk, top } = tinyJob(config);
  const losses: number[][] = Array.from({ length: clients }, () => []);
  const all = losses.map((own, index) =>
    tinyClient(index, inProcess(job), config, {
      onStep: ({ lossSum, supervisedTokens }) => own.push(lossSum / supervisedTokens),
    }),
  );
  const outcomes = await Promise.all(all.map(({ edge }) => edge.run()));
  expect(outcomes.map((o) => o.reason)).toEqual(outcomes.map(() => "completed"));
  // Nothing is left of any step.
  for (const part of [trunk, ...all.map((c) => c.bottom)]) expect(part.held).toBe(0);
  const tops = config.split === "vanilla" ? [top.scale] : all.map((c) => c.top.scale);
  return { bottoms: all.map((c) => c.bottom.scale), tops, trunk: trunk.scale, losses };
}

function expectClose(a: Float32Array, b: Float32Array, digits = 6): void {
  for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i], digits);
}

const F32: JobConfig = { ...TINY, steps: 12, codecs: { A1: "f32", A2: "f32", G2: "f32", G1: "f32" } };

describe("a split job in f32", () => {
  it("trains two clients as the unsplit model does, in sync rounds", async () => {
    const [a, b] = [await split(F32, 2), await unsplit(F32, 2)];
    expectClose(a.trunk, b.trunk);
    for (const c of [0, 1]) {
      expectClose(a.bottoms[c], b.bottoms[c]);
      expectClose(a.tops[c], b.tops[c]);
      for (const [i, loss] of a.losses[c].entries()) expect(loss).toBeCloseTo(b.losses[c][i], 6);
    }
    expect(a.losses[0].at(-1)!).toBeLessThan(a.losses[0][0] * 0.9);
  });

  it("gives every client the average when the job averages", async () => {
    // Two clients with the same number of supervised tokens in each step would hide a wrong weight; these have not.
    const config: JobConfig = { ...F32, steps: 3, aggregation: "fedavg", averageEvery: 1 };
    const [a, b] = [await split(config, 2), await unsplit(config, 2)];
    expect([...a.bottoms[0]]).toEqual([...a.bottoms[1]]);
    expect([...a.tops[0]]).toEqual([...a.tops[1]]);
    expectClose(a.bottoms[0], b.bottoms[0]);
    expectClose(a.tops[0], b.tops[0]);
    expectClose(a.trunk, b.trunk);
  });

  it("computes the loss on the server in a vanilla split, and gives the same model", async () => {
    const config: JobConfig = { ...F32, split: "vanilla" };
    const policy = { minClients: 1 };
    const { job, trunk, top } = tinyJob(config, policy);
    const client = tinyClient(0, inProcess(job), config);
    expect((await client.edge.run()).reason).toBe("completed");
    const whole = await unsplit(config, 1);
    expectClose(trunk.scale, whole.trunk);
    expectClose(top.scale, whole.tops[0]);
    expectClose(client.bottom.scale, whole.bottoms[0]);
  });

  it("steps once for each client's step in sequential mode, and completes", async () => {
    const config: JobConfig = { ...F32, mode: "sequential", steps: 5 };
    const { job, trunk } = tinyJob(config);
    const clients = [0, 1].map((index) => tinyClient(index, inProcess(job), config));
    const outcomes = await Promise.all(clients.map(({ edge }) => edge.run()));
    expect(outcomes.map((o) => o.reason)).toEqual(["completed", "completed"]);
    expect(trunk.steps).toBe(10);
    expect(clients.map((c) => c.bottom.steps)).toEqual([5, 5]);
  });
});

describe("a split job with a codec", () => {
  it("uses it: at 3 bits the adapters differ from f32's, and still learn", async () => {
    const coarse: JobConfig = {
      ...F32,
      codecs: { A1: "fixed:3", A2: "fixed:3", G2: "fixed:3", G1: "fixed:3" },
    };
    const [a, b] = [await split(coarse, 2), await split(F32, 2)];
    const distance = Math.hypot(...a.trunk.map((value, i) => value - b.trunk[i]));
    expect(distance).toBeGreaterThan(1e-4);
    expect(a.losses[0].at(-1)!).toBeLessThan(a.losses[0][0]);
  });

  it("sends a bit table only when it changes", async () => {
    const config: JobConfig = {
      ...TINY,
      steps: 6,
      codecs: { A1: "amaq:8-3@4", A2: "amaq:8-3@4", G2: "f16", G1: "f16" },
    };
    const { job } = tinyJob(config);
    const clients = [0, 1].map((index) => tinyClient(index, inProcess(job), config));
    await Promise.all(clients.map(({ edge }) => edge.run()));
    const { phases } = job.ledger.snapshot();
    expect(phases.A1.bytes.bitTables).toBeGreaterThan(0);
    // One a step and client at most, of the 3 micro-batches that each step has.
    const tables = phases.A1.bytes.bitTables / TINY.model.hidden;
    expect(tables).toBeLessThanOrEqual(2 * config.steps);
    expect(clients[0].edge.senders!.A1.encoder.meanBits).toBeCloseTo(3, 1);
  });

  it("gives the same adapters bit for bit when it is run again", async () => {
    const config: JobConfig = {
      ...TINY,
      codecs: { A1: "amaq:8-3@3", A2: "amaq:8-3@3", G2: "fixed:3", G1: "fixed:3" },
    };
    const [a, b] = [await split(config, 2), await split(config, 2)];
    expect(a).toEqual(b);
  });
});
