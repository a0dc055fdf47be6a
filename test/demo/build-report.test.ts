/** What the processes told becomes a report that its schema accepts, with figures that follow from it. */
import { describe, expect, it } from "vitest";
import { bitsPerElement, buildReport, type DemoNumbers } from "../../experiments/demo/build-report.ts";
import { acceptServerEvent, ClientCollector, resultSchema } from "../../experiments/demo/events.ts";
import { runReportSchema } from "../../experiments/report/run-report.ts";
import { CATEGORIES } from "../../shared/ledger/ledger.ts";
import { JOB } from "../protocol/world.ts";

const STEPS = [1, 2, 3, 4];
const JOB_CONFIG = {
  ...JOB,
  steps: 4,
  codecs: { A1: "amaq:8-3@2", A2: "amaq:8-3@2", G2: "amaq:8-3@2", G1: "amaq:8-3@2" },
};

/** Widths of the steps: the client's streams, and the server's a little wider. */
const CLIENT_BITS = [8, 6, 3, 3];
const SERVER_BITS = [8, 7, 4, 3];

function collectors(): ReadonlyMap<string, ClientCollector> {
  const all = new Map(["a", "b"].map((name) => [name, new ClientCollector(name)]));
  for (const step of STEPS) {
    const bits = { A2: SERVER_BITS[step - 1], G1: SERVER_BITS[step - 1] };
    const widths = [4, 4, 4, 4];
    for (const [name, collector] of all) {
      const own = { A1: CLIENT_BITS[step - 1], G2: CLIENT_BITS[step - 1] };
      collector.accept({ event: "widths", step, A1: widths, G2: widths });
      acceptServerEvent({ event: "widths", step, client: 0, name, A2: widths, G1: widths }, all);
      const told = collector.accept({
        event: "step",
        step,
        loss: 5 - step / 10,
        // The second step has twice the tokens of the others.
        tokens: step === 1 ? 100 : 100 * (step + 1),
        bytes: 1000 * step,
        bits: own,
      });
      expect(told?.step).toBe(step);
    }
    acceptServerEvent(
      {
        event: "step",
        step,
        loss: 5,
        tokens: 1,
        bytes: 1,
        members: ["a", "b"].map((name) => ({ name, step, bits })),
      },
      all,
    );
  }
  return all;
}

function result() {
  const bytes = Object.fromEntries(
    CATEGORIES.map((category) => [category, category === "payload" ? 900 : 0]),
  );
  return resultSchema.parse({
    steps: 4,
    ledger: { up: bytes, down: bytes, phases: {} },
    report: {
      totalBytes: 1800,
      tokens: 500,
      elements: 8000,
      baselines: { f32: 32_000, f16: 16_000, int8: 8000 },
    },
    computeMs: 10,
    codecMs: 2,
    linkMs: 30,
  });
}

function numbers(): DemoNumbers {
  const clients = [...collectors().values()].map((collector) => ({
    collector,
    data: "text",
    result: result(),
    heldOut: { tokens: 50, base: 5, tuned: 4, unsplitF32: 3.9 },
    unsplitLosses: [5, 4.9, 4.8, 4.7],
  }));
  return {
    started: new Date("2026-01-05T00:00:00Z"),
    seconds: 12,
    job: JOB_CONFIG,
    model: { name: "tiny", parameters: 1, adapterParameters: 1, layers: 3, hidden: 4 },
    clients,
    server: result(),
    settings: {},
    environment: {},
  };
}

describe("the demo's report", () => {
  const report = buildReport(numbers());

  it("is one that the schema accepts", () => {
    expect(runReportSchema.parse(report)).toEqual(report);
  });

  it("has each stream's widths from the side that encodes it", () => {
    const { bits } = report.clients[1].series;
    expect(bits).toEqual({ A1: CLIENT_BITS, A2: SERVER_BITS, G2: CLIENT_BITS, G1: SERVER_BITS });
    expect(report.clients[0].widths.map(({ phase }) => phase)).toEqual(["A1", "A2", "G2", "G1"]);
  });

  it("weights the run's mean bits by elements", () => {
    const means = [8, 6.5, 3.5, 3];
    const tokens = [100, 200, 100, 100];
    const mean = means.reduce((sum, bits, i) => sum + bits * tokens[i], 0) / 500;
    expect(bitsPerElement(report.clients)).toEqual({ first: 8, last: 3, mean });
    expect(report.bitsPerElement.mean).toBeCloseTo(mean, 12);
  });

  it("has the budget that the codecs anneal to", () => {
    expect(report.budgetBits).toBe(3);
    const mixed = buildReport({
      ...numbers(),
      job: { ...JOB_CONFIG, codecs: { ...JOB_CONFIG.codecs, G1: "f16" } },
    });
    expect(mixed.budgetBits).toBeUndefined();
  });

  it("takes bytes and baselines from the server, which has all clients' connections", () => {
    expect(report.bytes).toEqual({ total: 1800, f32: 32_000, f16: 16_000, int8: 8000 });
  });

  it("counts elements in all four transfers", () => {
    expect(report.clients[0].series.elements).toEqual([100, 300, 400, 500].map((tokens) => tokens * 4 * 4));
  });
});

describe("an event that is not what it must be", () => {
  it("is refused", () => {
    const collector = new ClientCollector("a");
    expect(() => collector.accept({ event: "step", step: 0, loss: 1 })).toThrow();
    expect(() => acceptServerEvent({ event: "widths", step: 1, name: "a", A2: "?" }, new Map())).toThrow();
  });
});
