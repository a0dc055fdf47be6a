/** What a part cost, over processes that were killed. */
import { describe, expect, it } from "vitest";
import { ClientCollector } from "../../experiments/demo/events.ts";
import { PartFigures } from "../../experiments/demo/figures.ts";
import { CATEGORIES } from "../../shared/ledger/ledger.ts";

const bytes = (payload: number) =>
  Object.fromEntries(CATEGORIES.map((category) => [category, category === "payload" ? payload : 0]));
const times = { computeMs: 1, codecMs: 2, linkMs: 3 };

function step(number: number, told: number) {
  return {
    event: "step",
    step: number,
    loss: 5,
    tokens: 10 * told,
    elements: 40 * told,
    bytes: 300 * told,
    bits: { A1: 8, G2: 8 },
    ledger: { up: bytes(100 * told), down: bytes(200 * told) },
    ...times,
  };
}

describe("figures of a part", () => {
  it("are added up over its processes, of which the last has told its result", () => {
    const figures = new PartFigures();
    for (const event of [{ event: "started" }, step(1, 1), step(2, 2), { event: "started" }, step(3, 1)])
      figures.accept(event);
    figures.accept({
      steps: 3,
      ledger: { up: bytes(150), down: bytes(250) },
      report: { totalBytes: 400, tokens: 10, elements: 40, baselines: { f32: 160, f16: 80, int8: 40 } },
      ...times,
    });
    const { steps, ledger, report, computeMs, linkMs } = figures.result;
    expect(steps).toBe(3);
    expect(ledger).toEqual({ up: bytes(350), down: bytes(650) });
    expect(report).toEqual({
      totalBytes: 1000,
      tokens: 30,
      elements: 120,
      baselines: { f32: 480, f16: 240, int8: 120 },
    });
    expect({ computeMs, linkMs }).toEqual({ computeMs: 2, linkMs: 6 });
  });

  it("are those of the last step when a process was killed before it told its result", () => {
    const figures = new PartFigures();
    for (const event of [{ event: "started" }, step(1, 1), { event: "started" }]) figures.accept(event);
    expect(figures.result.report.totalBytes).toBe(300);
  });
});

describe("a client's series", () => {
  it("go on over processes, and have a step that was made again once", () => {
    const collector = new ClientCollector("a");
    for (const event of [
      { event: "started" },
      step(1, 1),
      step(2, 2),
      { event: "started" },
      step(2, 1),
      step(3, 2),
    ])
      collector.accept(event);
    expect(collector.steps.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(collector.steps.map(({ tokens }) => tokens)).toEqual([10, 20, 30]);
    expect(collector.steps.map(({ bytes }) => bytes)).toEqual([300, 900, 1200]);
  });
});
