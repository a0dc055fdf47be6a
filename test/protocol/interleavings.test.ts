/**
 * Whatever the order of deliveries, whatever is repeated and whichever connections drop, a job ends, in completion or in a
 * named outcome, and both sides agree on which steps were taken.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../shared/errors.ts";
import { type Chaos, JOB, keyName, POLICY, World } from "./world.ts";

const SEED = 20_240_611;

const scenario = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  clients: fc.integer({ min: 2, max: 4 }),
  mode: fc.constantFrom("sync" as const, "sequential" as const),
  split: fc.constantFrom("u-shape" as const, "vanilla" as const),
  aggregation: fc.constantFrom("personal" as const, "fedavg" as const),
  averageEvery: fc.integer({ min: 1, max: 3 }),
  microBatches: fc.integer({ min: 1, max: 4 }),
  inFlight: fc.integer({ min: 1, max: 3 }),
  quorum: fc.integer({ min: 1, max: 2 }),
  stepDeadlineMs: fc.constantFrom<number>(0, 60_000),
  rejoinGraceMs: fc.constantFrom<number>(0, 10_000),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function play(s: Scenario, chaos: Chaos, whole?: { minClients: number; patience: boolean }): World {
  const { mode, split, aggregation, averageEvery, microBatches, inFlight, stepDeadlineMs } = s;
  const config = { ...JOB, mode, split, aggregation, averageEvery, microBatches, inFlight, stepDeadlineMs };
  const policy = { ...POLICY, quorum: s.quorum, rejoinGraceMs: s.rejoinGraceMs };
  const waits = { minClients: whole?.minClients ?? POLICY.minClients };
  const world = new World(s.seed, s.clients, config, { ...policy, ...waits }, chaos, whole?.patience);
  world.run();
  return world;
}

/** Each step that the server committed for a client was applied by that client once, and nothing else was. */
function expectAgreement(world: World, restarts: boolean): void {
  expect(world.commits.map((g) => g.trunkStep)).toEqual(world.commits.map((_, i) => i));
  for (const [i, client] of world.clients.entries()) {
    const record = [...world.server.clients].find((c) => c.name === `c${i}`);
    const committed = world.commits.flatMap((g) =>
      g.members.filter((m) => m.client === record?.index).map(keyName),
    );
    expect(new Set(committed).size).toBe(committed.length);
    expect(new Set(client.applied).size).toBe(client.applied.length);
    const steps = committed.map((name) => name.split(".")[0]);
    expect(new Set(steps).size).toBe(steps.length);
    if (restarts || client.unsure) {
      // A process that was killed, or that gave up, may have left without hearing that its last step counted.
      for (const name of client.applied) expect(committed).toContain(name);
    } else {
      expect(client.applied).toEqual(committed);
    }
  }
}

function expectNamedOutcomes(world: World): void {
  const codes = [world.server.outcome!.code ?? "", ...world.clients.map((c) => c.outcome!.code)];
  for (const code of codes) expect(["", ...Object.keys(ERRORS)]).toContain(code);
  expect(codes).not.toContain("NB_INTERNAL");
  expect(codes).not.toContain("NB_PROTOCOL_ORDER");
}

function check(
  runs: number,
  chaos: fc.Arbitrary<Chaos>,
  then: (s: Scenario, chaos: Chaos, w: World) => void,
): void {
  fc.assert(
    fc.property(scenario, chaos, (s, c) => then(s, c, play(s, c))),
    { seed: SEED, numRuns: runs },
  );
}

describe(`the two machines together (fast-check seed ${SEED})`, () => {
  it("complete every job in which nothing goes wrong, in any order of deliveries", () => {
    const calm = fc.constant<Chaos>({ drops: 0, duplicates: 0, restarts: 0, haste: 0 });
    check(60, calm, (s, _chaos, world) => {
      expectAgreement(world, false);
      expect(world.server.outcome?.reason).toBe("completed");
      expect(world.clients.map((c) => c.outcome?.reason)).toEqual(world.clients.map(() => "completed"));
      for (const client of world.clients) {
        // A client that is late for the first round of a sync job has one step less for each round missed.
        if (s.mode === "sequential") expect(client.applied).toHaveLength(JOB.steps);
      }
      if (s.mode === "sync") expect(world.commits).toHaveLength(JOB.steps);
      expect(world.progress.filter((p) => p.type === "ignored" && p.message !== "adapterBegin")).toEqual([]);
    });
  });

  it("take a repeated frame as if it had not come", () => {
    const repeats = fc.record<Chaos>({
      drops: fc.constant(0),
      duplicates: fc.integer({ min: 1, max: 200 }),
      restarts: fc.constant(0),
      haste: fc.constant(0),
    });
    check(60, repeats, (_s, _chaos, world) => {
      expectAgreement(world, false);
      expect(world.server.outcome?.reason).toBe("completed");
      expect(world.clients.map((c) => c.outcome?.reason)).toEqual(world.clients.map(() => "completed"));
    });
  });

  it("end every job in which connections drop and time presses, and agree on what was taken", () => {
    const rough = fc.record<Chaos>({
      drops: fc.integer({ min: 1, max: 12 }),
      duplicates: fc.integer({ min: 0, max: 50 }),
      restarts: fc.constant(0),
      haste: fc.constantFrom(0, 0.02, 0.2),
    });
    check(120, rough, (_s, _chaos, world) => {
      expectAgreement(world, false);
      expectNamedOutcomes(world);
    });
  });

  it("lose nothing when connections drop and every client is waited for", () => {
    const dropping = fc.record<Chaos>({
      drops: fc.integer({ min: 1, max: 30 }),
      duplicates: fc.integer({ min: 0, max: 50 }),
      restarts: fc.constant(0),
      haste: fc.constant(0),
    });
    check(150, dropping, (s, chaos) => {
      const waiting = { ...s, rejoinGraceMs: 3_600_000, stepDeadlineMs: 0 };
      const world = play(waiting, chaos, { minClients: s.clients, patience: true });
      expectAgreement(world, false);
      expectNamedOutcomes(world);
      expect(world.server.outcome?.reason).toBe("completed");
      for (const client of world.clients) {
        expect(client.outcome?.reason).toBe("completed");
        expect(client.applied).toEqual(Array.from({ length: JOB.steps }, (_, step) => `${step}.0`));
      }
      expect(world.progress.filter((p) => p.type === "stepAbandoned" || p.type === "uploadMissed")).toEqual(
        [],
      );
    });
  });

  it("never apply a step that did not count, even if client processes are killed and started anew", () => {
    const killing = fc.record<Chaos>({
      drops: fc.integer({ min: 0, max: 6 }),
      duplicates: fc.integer({ min: 0, max: 50 }),
      restarts: fc.integer({ min: 1, max: 5 }),
      haste: fc.constantFrom(0, 0.05),
    });
    check(80, killing, (_s, _chaos, world) => {
      expectAgreement(world, true);
      expectNamedOutcomes(world);
    });
  });
});
