/** What a simulated step's time went to: parts that add up, and that are known where one can work them out by hand. */
import { describe, expect, it } from "vitest";
import { type LinkProfile, PROFILES } from "../../experiments/link/profiles.ts";
import type { Costs } from "../../experiments/simulator/costs.ts";
import { totalMs } from "../../experiments/simulator/critical-path.ts";
import { type SimulatedJob, simulatedJob } from "../../experiments/simulator/job.ts";
import { meanStepPath, type SimulationOptions, simulate } from "../../experiments/simulator/simulate.ts";

const COSTS: Costs = {
  client: { bottom: 10, top: 20, backward: 15, apply: 1 },
  server: { forward: 30, backward: 40, addGradients: 0.5, optimizer: 2 },
  codec: { client: { bottom: 2, top: 3, backward: 1 }, server: { forward: 4, backward: 5 } },
  bytes: { A1: 50_000, A2: 50_000, G2: 50_000, G1: 50_000 },
  adapterBytes: 1_000,
  tokens: 64,
};

function path(job: Partial<SimulatedJob>, link: LinkProfile, more: Partial<SimulationOptions> = {}) {
  const clients = job.clients ?? 1;
  const result = simulate({
    ...simulatedJob({
      steps: 6,
      clients,
      microBatches: 1,
      inFlight: 1,
      hidden: 8,
      tokens: 64,
      activations: "f32",
      gradients: "f32",
      ...job,
    }),
    costs: COSTS,
    clients: Array.from({ length: clients }, () => ({ link, slowness: 1, dropEverySeconds: 0 })),
    seed: 1,
    ...more,
  });
  const { commits, firstRound } = result;
  return {
    result,
    path: meanStepPath(result),
    stepMs: (commits.at(-1)!.ms - firstRound.ms) / commits.length,
  };
}

/** Of a step of one client: all that its machines do, with `apply` after every commit but the last. */
const CLIENT = 10 + 20 + 15 + (5 / 6) * 1;
const SERVER = 30 + 40 + 0.5 + 2;

describe("the critical path of a step", () => {
  it("of one client without a link is its computations, side by side and with the codec apart", () => {
    const { path: parts } = path({}, PROFILES.none);
    expect(parts.clientCodec).toBeCloseTo(2 + 3 + 1, 6);
    expect(parts.serverCodec).toBeCloseTo(4 + 5, 6);
    expect(parts.clientCompute).toBeCloseTo(CLIENT - 6, 6);
    expect(parts.serverCompute).toBeCloseTo(SERVER - 9, 6);
    expect([parts.link, parts.waiting]).toEqual([0, 0]);
  });

  it("has six one-way delays on the link for a client alone", () => {
    const direction = { bitsPerSecond: 0, delayMs: 25, jitterMs: 0, loss: 0 };
    const { path: parts } = path({}, { up: direction, down: direction, resetEverySeconds: 0 });
    expect(parts.link).toBeCloseTo(6 * 25, 6);
    expect(parts.clientCompute + parts.clientCodec).toBeCloseTo(CLIENT, 6);
  });

  it("is the server's where many clients wait for it", () => {
    const { path: parts, stepMs } = path({ clients: 20 }, PROFILES.lan);
    expect((parts.serverCompute + parts.serverCodec) / stepMs).toBeGreaterThan(0.95);
  });

  it("is the slowest client's where one is slower than all else", () => {
    const clients = [1, 40].map((slowness) => ({ link: PROFILES.lan, slowness, dropEverySeconds: 0 }));
    const { path: parts, stepMs } = path({ clients: 2 }, PROFILES.lan, { clients });
    expect(parts.clientCompute + parts.clientCodec).toBeCloseTo(40 * CLIENT, 3);
    expect((parts.clientCompute + parts.clientCodec) / stepMs).toBeGreaterThan(0.9);
  });

  it("adds up to the step's time over every link, with many micro-batches and clients, in both modes", () => {
    for (const link of Object.values(PROFILES))
      for (const job of [
        {},
        { clients: 3, microBatches: 4, inFlight: 2 },
        { clients: 3, mode: "sequential" as const },
        { clients: 2, averageEvery: 2 },
      ]) {
        const { path: parts, stepMs } = path(job, link);
        expect(totalMs(parts)).toBeCloseTo(stepMs, 6);
        for (const ms of Object.values(parts)) expect(ms).toBeGreaterThanOrEqual(-1e-9);
        expect(parts.waiting).toBeCloseTo(0, 9);
      }
  });
});
