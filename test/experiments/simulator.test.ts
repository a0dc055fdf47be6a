/** The simulator: step times that can be worked out by hand, bytes as on sockets, failures survived, and agreement with real proxies. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LinkProfile, PROFILES } from "../../experiments/link/profiles.ts";
import { timelineHtml } from "../../experiments/report/timeline.ts";
import { SimulatedClock } from "../../experiments/simulator/clock.ts";
import type { Costs } from "../../experiments/simulator/costs.ts";
import { type SimulatedJob, simulatedJob } from "../../experiments/simulator/job.ts";
import { costsOf, type PacedJobOptions, runPacedJob } from "../../experiments/simulator/paced-job.ts";
import { medianStepMs, type SimulationOptions, simulate } from "../../experiments/simulator/simulate.ts";
import { SimulatedMachine, type Span } from "../../experiments/simulator/workers.ts";
import { sumBytes } from "../../shared/ledger/ledger.ts";

const COSTS: Costs = {
  client: { bottom: 10, top: 20, backward: 15, apply: 1 },
  server: { forward: 30, backward: 40, addGradients: 0.5, optimizer: 2 },
  bytes: { A1: 50_000, A2: 50_000, G2: 50_000, G1: 50_000 },
  adapterBytes: 1_000,
  tokens: 64,
};

const JOB: SimulatedJob = {
  steps: 4,
  clients: 1,
  microBatches: 1,
  inFlight: 1,
  hidden: 8,
  tokens: 64,
  activations: "f32",
  gradients: "f32",
};

const symmetric = (bitsPerSecond: number, delayMs: number): LinkProfile => {
  const direction = { bitsPerSecond, delayMs, jitterMs: 0, loss: 0 };
  return { up: direction, down: direction, resetEverySeconds: 0 };
};

function options(
  job: Partial<SimulatedJob>,
  link: LinkProfile,
  more: Partial<SimulationOptions> = {},
): SimulationOptions {
  const all = { ...JOB, ...job };
  const client = { link, slowness: 1, dropEverySeconds: 0 };
  return {
    ...simulatedJob(all),
    costs: COSTS,
    clients: Array.from({ length: all.clients }, () => client),
    seed: 1,
    ...more,
  };
}

/** All computations of one micro-batch, and those of a round. */
const COMPUTE = 10 + 20 + 15 + 30 + 40;
const ROUND = 1 + 0.5 + 2;

describe("one client's step", () => {
  it("without a link takes as long as its computations", () => {
    const result = simulate(options({}, PROFILES.none));
    expect(result.outcome?.reason).toBe("completed");
    expect(result.commitMs.length).toBe(4);
    expect(medianStepMs(result)).toBeCloseTo(COMPUTE + ROUND, 6);
    expect(result.serverBusy + result.clientBusy).toBeCloseTo(1, 1);
  });

  it("costs six one-way delays more: RoundStart, four tensors, StepDone", () => {
    const result = simulate(options({}, symmetric(0, 25)));
    expect(medianStepMs(result)).toBeCloseTo(COMPUTE + ROUND + 6 * 25, 6);
  });

  it("costs the time of its tensors on the wire", () => {
    // 10 Mbit/s: 40 ms for each tensor, and little for what is small.
    const result = simulate(options({}, symmetric(10e6, 0)));
    expect(medianStepMs(result)).toBeGreaterThan(COMPUTE + ROUND + 4 * 40);
    expect(medianStepMs(result)).toBeLessThan(COMPUTE + ROUND + 4 * 40 + 1);
  });

  it("takes as many times as long on a machine as that is slow", () => {
    const slow = { link: PROFILES.none, slowness: 3, dropEverySeconds: 0 };
    const result = simulate(options({}, PROFILES.none, { clients: [slow], serverSlowness: 0.5 }));
    expect(medianStepMs(result)).toBeCloseTo(3 * (10 + 20 + 15 + 1) + 0.5 * (30 + 40 + 2.5), 6);
  });
});

describe("pipelining", () => {
  it("hides a link behind the busiest machine when enough is in flight", () => {
    const many = { microBatches: 16, inFlight: 8 };
    const near = medianStepMs(simulate(options(many, PROFILES.none)));
    const far = medianStepMs(simulate(options(many, PROFILES["100m-50ms"])));
    const serverAlone = 16 * (30 + 40);
    expect(near).toBeGreaterThan(serverAlone);
    expect(near / far).toBeGreaterThan(0.85);
    const one = { microBatches: 16, inFlight: 1 };
    const unhidden = medianStepMs(simulate(options(one, PROFILES["100m-50ms"])));
    expect(near / unhidden).toBeLessThan(0.5);
  });

  it("keeps the server as busy as clients allow: two feed it better than one", () => {
    const one = simulate(options({}, PROFILES.none));
    const two = simulate(options({ clients: 2 }, PROFILES.none));
    expect(two.serverBusy).toBeGreaterThan(1.3 * one.serverBusy);
  });
});

describe("the server's own line", () => {
  it("is shared: a hundred clients need a hundred times as long for their bytes", () => {
    const line = { bitsPerSecond: 100e6, delayMs: 0, jitterMs: 0, loss: 0 };
    const serverLink = { up: line, down: line };
    const fast = { serverSlowness: 1e-6 };
    const result = simulate(options({ clients: 100 }, PROFILES.none, { ...fast, serverLink }));
    // 100 × 50 kB each way, twice: 400 ms a pass at 100 Mbit/s.
    expect(medianStepMs(result)).toBeGreaterThan(2 * 400);
    expect(result.meanParticipants).toBe(100);
  });
});

describe("failures", () => {
  const dropping = (seed: number) =>
    options({ clients: 8, steps: 12, quorum: 1, minClients: 8, microBatches: 2 }, PROFILES.cable, {
      clients: Array.from({ length: 8 }, () => ({ link: PROFILES.cable, slowness: 1, dropEverySeconds: 4 })),
      seed,
    });

  it("of connections cost time and no steps: every client takes part in each", () => {
    const result = simulate(dropping(3));
    const clients = Array.from({ length: 8 }, () => ({
      link: PROFILES.cable,
      slowness: 1,
      dropEverySeconds: 0,
    }));
    const calm = simulate({ ...dropping(3), clients });
    expect(result.outcome?.reason).toBe("completed");
    expect(result.commitMs.length).toBe(12);
    expect(result.drops).toBeGreaterThan(3);
    expect(result.meanParticipants).toBe(8);
    expect(result.commitMs[11]!).toBeGreaterThan(calm.commitMs[11]!);
  });

  it("are the same for a seed, and others for another", () => {
    const of = (seed: number) => simulate(dropping(seed)).commitMs;
    expect(of(3)).toEqual(of(3));
    expect(of(3)).not.toEqual(of(4));
  });

  it("by slowness are left out after the deadline", () => {
    const clients = [1, 1, 50].map((slowness) => ({ link: PROFILES.none, slowness, dropEverySeconds: 0 }));
    const job = { clients: 3, quorum: 1, minClients: 3, stepDeadlineMs: 400 };
    const result = simulate(options(job, PROFILES.none, { clients }));
    expect(result.outcome?.reason).toBe("completed");
    expect(result.abandoned).toBeGreaterThan(0);
    expect(medianStepMs(result)).toBeLessThan(450);
  });
});

describe("many clients", () => {
  it("are simulated too: three hundred, each in every step", () => {
    const result = simulate(options({ clients: 300, steps: 2 }, PROFILES["4g"], { serverSlowness: 0.01 }));
    expect(result.outcome?.reason).toBe("completed");
    expect(result.meanParticipants).toBe(300);
    expect(result.bytes.up).toBeGreaterThan(2 * 300 * 100_000);
  }, 30_000);
});

describe("against real sockets", () => {
  it("steps take about as long as it says (npm run bench:simulator has the table), and cost the same bytes", async () => {
    const link = symmetric(6e6, 40);
    const job = { ...JOB, clients: 2, microBatches: 2, inFlight: 2, steps: 6, hidden: 32, tokens: 256 };
    const { config, policy } = simulatedJob(job);
    const paced: PacedJobOptions = {
      config,
      policy,
      pace: { bottom: 10, top: 20, bottomBackward: 10, forward: 20, backward: 30, optimizer: 0 },
      rows: 2,
      rowTokens: 128,
      links: [link, link],
      seed: 1,
    };
    const real = await runPacedJob(paced);
    const clients = paced.links.map((profile) => ({ link: profile, slowness: 1, dropEverySeconds: 0 }));
    const predicted = simulate({ config, policy, costs: costsOf(paced, real), clients, seed: 1 });
    // Load on this machine makes some steps longer; the shortest is nearest to what the link makes of it.
    const times = real.commitMs.slice(1).map((at, i) => at - real.commitMs[i]);
    const shortest = Math.min(...times);
    expect(medianStepMs(predicted) / shortest).toBeGreaterThan(0.85);
    expect(medianStepMs(predicted) / shortest).toBeLessThan(1.1);
    for (const way of ["up", "down"] as const) {
      const socket = sumBytes(real.ledger[way]) - real.ledger[way].handshake;
      expect(Math.abs(predicted.bytes[way] / socket - 1)).toBeLessThan(0.002);
    }
  }, 30_000);
});

describe("the clock", () => {
  it("lets things happen in order of time, then of asking, whatever was cancelled", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean()), { maxLength: 60 }),
        (asked) => {
          const clock = new SimulatedClock();
          const happened: [number, number][] = [];
          const cancels = asked.map(([at], i) => clock.at(at, () => happened.push([clock.nowMs, i])));
          for (const [i, [, cancelled]] of asked.entries()) if (cancelled) cancels[i]();
          while (clock.tick()) {
            // All of it.
          }
          const expected = asked
            .map(([at, cancelled], i) => ({ at, cancelled, i }))
            .filter(({ cancelled }) => !cancelled)
            .sort((a, b) => a.at - b.at || a.i - b.i)
            .map(({ at, i }) => [at, i]);
          expect(happened).toEqual(expected);
        },
      ),
      { seed: 2, numRuns: 200 },
    );
  });
});

describe("a machine", () => {
  it("takes turns between owners, urgent work first, one thing at a time", () => {
    const clock = new SimulatedClock();
    const spans: Span[] = [];
    const machine = new SimulatedMachine(clock, "server", (span) => spans.push(span));
    const work = (what: string) => ({ ms: 10, what, step: 0, microBatch: 0, done: () => {} });
    for (const [owner, what] of [
      [0, "a1"],
      [0, "a2"],
      [0, "a3"],
      [1, "b1"],
    ] as const)
      machine.push(owner, work(what));
    machine.pushUrgent(work("commit"));
    while (clock.tick()) {
      // To the end.
    }
    expect(spans.map(({ what, fromMs }) => [what, fromMs])).toEqual([
      ["a1", 0],
      ["commit", 10],
      ["a2", 20],
      ["b1", 30],
      ["a3", 40],
    ]);
    expect(machine.busyMs).toBe(50);
  });
});

describe("the timeline", () => {
  it("draws machines and links of the first steps", () => {
    const spans: Span[] = [];
    simulate(options({ clients: 2 }, PROFILES.dsl, { trace: (span) => spans.push(span) }));
    const html = timelineHtml(spans, "a <b> title");
    for (const who of ["server", "client-1", "client-2", "client-1 up", "client-1 down"])
      expect(html).toContain(`>${who}</text>`);
    expect(html).toContain("a &lt;b&gt; title");
    expect(html).toContain("backward, step 3");
    expect(html).not.toContain("step 4");
    expect(html).toContain("The first 3 steps of a simulated run");
  });

  it("says how many steps are drawn of a run that has fewer", () => {
    const pageOf = (steps: number) => {
      const spans: Span[] = [];
      simulate(options({ clients: 1, steps }, PROFILES.lan, { trace: (span) => spans.push(span) }));
      return timelineHtml(spans, "t");
    };
    expect(pageOf(2)).toContain("The first 2 steps of a simulated run");
    expect(pageOf(1)).toContain("The first step of a simulated run");
    const none = timelineHtml([], "t");
    expect(none).toContain("No step was made");
    expect(none).not.toContain("The first");
  });
});
