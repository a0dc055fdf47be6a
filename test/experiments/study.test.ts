/** The report's figures from rows whose answers are known by hand, and the page made of them. */
import { describe, expect, it } from "vitest";
import { armsOf, compatibleRuns, studyOf } from "../../experiments/report/study.ts";
import { studyHtml } from "../../experiments/report/study-html.ts";
import {
  type CellRows,
  formatDifference,
  formatMargin,
  formatMetric,
  metricLabel,
} from "../../experiments/runner/rows.ts";

const CODE = "c".repeat(16);

/** A run whose loss falls along straight lines: `points` are (bytes, loss) of its measurements. */
function cell(
  arm: string,
  seed: number,
  points: readonly (readonly [number, number])[],
  changes: { code?: string; settings?: object; started?: string; baseline?: boolean } = {},
): CellRows {
  const { code = CODE, settings = {}, started = "2026-01-01T00:00:00Z", baseline = false } = changes;
  const names = {
    experiment: "e",
    config: "0".repeat(16),
    code,
    task: "t",
    model: "m",
    arm,
    seed,
    link: "none",
  };
  const totalBytes = points.at(-1)![0];
  return {
    cell: {
      row: "cell",
      ...names,
      cell: { seed, arm, ...settings },
      inputs: {},
      metric: "loss",
      higherIsBetter: false,
      baseline,
      machine: {},
      started,
    },
    steps: [],
    evaluations: points.map(([bytes, loss], step) => ({
      row: "evaluation",
      ...names,
      step,
      totalBytes: bytes,
      metrics: { loss },
      clients: [{ loss }],
    })),
    end: {
      row: "end",
      ...names,
      steps: points.length - 1,
      tokens: 1,
      elements: 8,
      bytes: { up: { payload: totalBytes }, down: {} },
      totalBytes,
      codecBitsPerElement: 4,
      wireBitsPerElement: totalBytes,
      phaseBits: { A1: 4 },
      baselineBytes: { f32: 32, f16: 16, int8: 8 },
      ms: { clientCompute: 1, clientCodec: 1, serverCompute: 1, serverCodec: 1 },
      seconds: 1,
    },
  };
}

const RUNS = [0, 1, 2].flatMap((seed) => [
  // The big arm: 1,000 bytes for each step. Seeds differ much, arms little.
  cell("big", seed, [
    [0, 5 + seed],
    [1_000, 4 + seed],
    [2_000, 3 + seed],
  ]),
  // The small one: half the bytes, and each step 0.1 worse in the end, with some scatter.
  cell("small", seed, [
    [0, 5 + seed],
    [500, 4.05 + seed],
    [1_000, 3.1 + 0.01 * seed + seed],
  ]),
]);

describe("a study", () => {
  const study = studyOf(armsOf(RUNS), ["big"]);

  it("has each arm's mean, spread and cost", () => {
    const [big, small] = study.arms;
    expect([big.name, big.mean, big.sd, big.cumulativeBytes, big.seeds]).toEqual([
      "big",
      4,
      1,
      2_000,
      [0, 1, 2],
    ]);
    expect(big.ci95![1] - 4).toBeCloseTo((4.302653 * 1) / Math.sqrt(3), 5);
    expect(small.mean).toBeCloseTo(4.11, 12);
    expect(small.bitsPerElement).toBe(1_000);
  });

  it("compares within seeds: at equal bytes, after all steps, over the curves", () => {
    expect(study.comparisons.length).toBe(1);
    const [c] = study.comparisons;
    expect([c.arm, c.against, c.atBytes, c.pairs, c.byteRatio]).toEqual(["small", "big", 1_000, 3, 0.5]);
    // At 1,000 bytes big stands at 4, small at 3.1, 3.11 and 3.12.
    expect(c.difference).toBeCloseTo(-0.89, 10);
    expect(c.ci95![1] - c.ci95![0]).toBeCloseTo((2 * 4.302653 * 0.01) / Math.sqrt(3), 6);
    expect(c.finalDifference).toBeCloseTo(0.11, 10);
    // Big falls by 1 in 1,000 bytes. At 0, 500, 1,000 the gaps are 0, -0.45 and -0.9, -0.89, -0.88.
    expect(c.meanGap).toBeCloseTo((-0.45 / 2 + (-0.45 - 0.89) / 2) / 2, 10);
  });

  it("counts bytes to what the reference's run of the same seed reached, and means them where all seeds reach it", () => {
    const [big, small] = study.arms;
    expect(big.bytesToTarget).toEqual({ against: "big", pairs: 3, reached: 3, mean: 2_000 });
    expect(small.bytesToTarget).toEqual({ against: "big", pairs: 3, reached: 0, mean: null });
    // Small ends at 3.1, 4.11 and 5.12; big passes these on its way from 4, 5 and 6 to 3, 4 and 5.
    const [toSmall] = studyOf(armsOf(RUNS), ["small"]).arms;
    expect(toSmall.bytesToTarget).toMatchObject({ against: "small", pairs: 3, reached: 3 });
    expect(toSmall.bytesToTarget!.mean).toBeCloseTo((1_900 + 1_890 + 1_880) / 3, 6);
    const lucky = cell("small", 1, [
      [0, 6],
      [1_000, 3.5],
    ]);
    const others = RUNS.filter(({ cell: { arm, seed } }) => arm === "big" || seed === 2);
    const [, some] = studyOf(armsOf([...others, lucky]), ["big"]).arms;
    expect(some.bytesToTarget).toEqual({ against: "big", pairs: 2, reached: 1, mean: null });
  });

  it("counts them to the first of the references, in their order", () => {
    const { arms, comparisons } = studyOf(armsOf(RUNS), ["small", "big"]);
    expect(arms.map(({ bytesToTarget }) => bytesToTarget?.against)).toEqual(["small", "small"]);
    expect(comparisons.map(({ arm, against }) => [arm, against])).toEqual([
      ["big", "small"],
      ["small", "big"],
    ]);
  });

  it("compares with the first arm where none is named, and never baselines", () => {
    const runs = [...RUNS, cell("majority", 0, [[0, 9]], { baseline: true })];
    const { arms, comparisons } = studyOf(armsOf(runs), undefined);
    expect(arms.map(({ name }) => name)).toEqual(["big", "small", "majority"]);
    expect(comparisons.map(({ arm, against }) => [arm, against])).toEqual([["small", "big"]]);
    expect(arms[2].bytesToTarget).toBeNull();
  });

  it("leaves the comparison at equal bytes out when nothing was measured on the way", () => {
    const runs = [cell("a", 0, [[100, 1]]), cell("b", 0, [[200, 2]])];
    const [comparison] = studyOf(armsOf(runs), ["a"]).comparisons;
    expect(comparison).toMatchObject({
      atBytes: null,
      difference: null,
      finalDifference: 1,
      finalCi95: null,
    });
  });
});

describe("rows of several versions", () => {
  const old = cell("big", 0, [[10, 1]], { code: "d".repeat(16), started: "2026-02-01T00:00:00Z" });

  it("are never mixed: the program's own are taken, else the newest", () => {
    expect(compatibleRuns([...RUNS, old], CODE).runs.length).toBe(6);
    expect(compatibleRuns([...RUNS, old], "e".repeat(16)).runs).toEqual([old]);
    expect(compatibleRuns([...RUNS, old], CODE).left[0]).toMatch(/^1 runs of other versions/);
  });

  it("of an arm's settings neither: the newest are taken for all its seeds", () => {
    const newer = cell("small", 0, [[1, 1]], { settings: { steps: 9 }, started: "2026-03-01T00:00:00Z" });
    const { runs, left } = compatibleRuns([...RUNS, newer], CODE);
    expect(runs.filter(({ cell: { arm } }) => arm === "small")).toEqual([newer]);
    expect(left).toEqual(["3 runs with other settings (small)"]);
  });
});

describe("figures as people read them", () => {
  it("shares are in percent, and differ by percentage points", () => {
    expect([formatMetric("accuracy", 0.4321), formatDifference("accuracy", -0.0123)]).toEqual([
      "43.2 %",
      "−1.2 pp",
    ]);
    expect([formatMargin("macroF1", 0.05), formatMargin("loss", 0.00126)]).toEqual(["± 5.0 pp", "± 0.0013"]);
  });

  it("others as they are; no difference has no sign", () => {
    expect([formatMetric("loss", 4.12345), formatMetric("perplexity", 65.8084)]).toEqual(["4.1235", "65.81"]);
    expect([formatDifference("loss", 0.5), formatDifference("loss", 0)]).toEqual(["+0.5000", "0.0000"]);
    expect(metricLabel("bitsPerByte")).toBe("bits per byte");
  });
});

describe("the page", () => {
  it("shows every arm, and takes names for text", async () => {
    const runs = armsOf([
      ...RUNS,
      cell("<b>&", 0, [[1, 2]]),
      cell("majority", 0, [[0, 9]], { baseline: true }),
    ]);
    const html = await studyHtml({
      title: "a < b",
      question: "why?",
      study: studyOf(runs, ["big"]),
      runs,
      code: CODE,
      left: ["one thing"],
      command: "narrowband experiment report x",
    });
    expect(html).toContain("<title>a &lt; b</title>");
    expect(html).toContain("&lt;b&gt;&amp;");
    expect(html).not.toContain("<b>&");
    expect(html.match(/<svg role="img"/g)!.length).toBeGreaterThanOrEqual(2);
    expect(html).toContain("Not used: one thing.");
    const json = /<script type="application\/json" id="study">(.*?)<\/script>/s.exec(html)![1];
    expect(JSON.parse(json).arms.length).toBe(4);
  });
});
