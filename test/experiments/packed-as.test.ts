/** What a run says it would have sent without its entropy stage is what the run without it sends, to the byte. */
import { describe, expect, it } from "vitest";
import { armsOf, studyOf } from "../../experiments/report/study.ts";
import { studyHtml } from "../../experiments/report/study-html.ts";
import { cellsOf, parseExperiment } from "../../experiments/runner/experiment.ts";
import { runMemoryCell } from "../../experiments/runner/memory-cell.ts";
import type { BareRow } from "../../experiments/runner/rows.ts";
import { parseCellRows } from "../../experiments/runner/rows.ts";
import { withoutEntropy } from "../../shared/protocol/without-entropy.ts";
import { writeRandomModel } from "../command/helpers.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";

const SETTINGS = "steps: 4, rows: 2, length: 16, trainExamples: 40, testTokens: 64, evaluateEvery: 2";

async function rowsOf(
  model: string,
  activations: string,
  gradients: string,
  settings: string,
): Promise<BareRow[]> {
  const experiment = await parseExperiment(
    "x.yaml",
    `
name: packed
models: ["${model}"]
seeds: [11]
settings: { ${SETTINGS}, ${settings} }
tasks: [moby-dick]
arms: [{ name: a, activations: "${activations}", gradients: "${gradients}" }]
`,
  );
  const rows: BareRow[] = [];
  await runMemoryCell(cellsOf(experiment)[0], { onRow: (row) => rows.push(row) });
  return rows;
}

const of = <K extends BareRow["row"]>(rows: readonly BareRow[], kind: K) =>
  rows.filter((row): row is Extract<BareRow, { row: K }> => row.row === kind);

const sum = (bytes: Record<string, number>) => Object.values(bytes).reduce((a, b) => a + b, 0);

describe.each([
  ["fixed:3,entropy=predict", "fixed:3,entropy=predict", "clients: 2"],
  ["amaq:8-3@3,entropy=predict", "aqsgd:4,entropy=rans", "clients: 1, microBatches: 2"],
  [
    "fixed:4,clip=ema,sinks=auto,rotate=16,entropy=rans",
    "amaq:8-3@3,entropy=predict",
    "clients: 1, split: vanilla",
  ],
])("%s, %s, %s", (activations, gradients, settings) => {
  it("knows the bytes of the run without its entropy stage, which has the same losses", async () => {
    const model = await writeRandomModel(temporaryDirectory());
    const coded = await rowsOf(model, activations, gradients, settings);
    const packed = await rowsOf(model, withoutEntropy(activations), withoutEntropy(gradients), settings);
    const [codedSteps, packedSteps] = [of(coded, "step"), of(packed, "step")];
    expect(codedSteps.map(({ loss }) => loss)).toEqual(packedSteps.map(({ loss }) => loss));
    expect(codedSteps.map((row) => row.packedBytes)).toEqual(
      packedSteps.map(({ bytes: { up, down } }) => sum(up) + sum(down)),
    );
    for (const [i, { packedWireBits }] of codedSteps.entries()) {
      for (const [phase, bits] of Object.entries(packedSteps[i].wireBits!)) {
        expect(packedWireBits![phase as "A1"]).toBeCloseTo(bits, 12);
      }
    }
    const [codedAt, packedAt] = [of(coded, "evaluation"), of(packed, "evaluation")];
    expect(codedAt.length).toBe(3);
    expect(codedAt.map((row) => row.metrics)).toEqual(packedAt.map((row) => row.metrics));
    expect(codedAt.map((row) => row.packedBytes)).toEqual(packedAt.map((row) => row.totalBytes));
    const [[end], [other]] = [of(coded, "end"), of(packed, "end")];
    expect(end.packedBytes).toBe(other.totalBytes);
    expect(end.totalBytes).not.toBe(other.totalBytes);
    expect(end.packedCodecBits).toBeCloseTo(other.codecBitsPerElement, 12);
    for (const [phase, bits] of Object.entries(other.phaseBits)) {
      expect(end.packedPhaseBits![phase as "A1"]).toBeCloseTo(bits, 12);
    }
    // Nothing is claimed where there is no such stage.
    expect([...packedSteps, ...packedAt, other].every((row) => row.packedBytes === undefined)).toBe(true);
  }, 120_000);
});

describe("an arm's packedAs", () => {
  const file = (arms: string, more = "") =>
    `{ name: p, models: [m], seeds: 1, tasks: [moby-dick], arms: [${arms}]${more} }`;
  const coded = "name: c, activations: 'fixed:3,entropy=rans', gradients: f16";

  it("is no setting of the run: hashes and codecs are those of the arm without it", async () => {
    const [named] = cellsOf(await parseExperiment("p.yaml", file(`{ ${coded}, packedAs: p }`)));
    const [plain] = cellsOf(await parseExperiment("p.yaml", file(`{ ${coded} }`)));
    expect(named).toEqual(plain);
  });

  it.each([
    ["of another arm", `{ ${coded}, packedAs: c }`, ""],
    [
      "that two have",
      `{ ${coded}, packedAs: p }, { name: d, activations: "fixed:2,entropy=rans", gradients: f16, packedAs: p }`,
      "",
    ],
    ["without an entropy stage", "{ name: c, activations: f16, gradients: f16, packedAs: p }", ""],
    [
      "of gate-rate, which without its stage would be another run",
      `{ name: c, activations: "amaq:3-3,allocator=gate-rate,entropy=rans", gradients: f16, packedAs: p }`,
      "",
    ],
    ["over processes", `{ ${coded}, packedAs: p }`, ", transport: process"],
  ])("is refused: a name %s", async (_, arms, more) => {
    const message = await failure("NB_CONFIG_INVALID", () => parseExperiment("p.yaml", file(arms, more)));
    expect(message).toContain("packedAs");
  });

  it("may be what others are compared with", async () => {
    const experiment = await parseExperiment("p.yaml", file(`{ ${coded}, packedAs: p }`, ", against: [p]"));
    expect(experiment.against).toEqual(["p"]);
  });
});

describe("the report of runs that say packedAs", () => {
  const names = { experiment: "e", config: "0", code: "c", task: "t", model: "m", arm: "coded", seed: 0 };
  const ms = { clientCompute: 1, clientCodec: 2, serverCompute: 3, serverCodec: 4 };
  const run = (changes: object) => {
    const evaluations = [
      { step: 0, totalBytes: 10, packedBytes: 20, metrics: { loss: 3 }, clients: [] },
      { step: 1, totalBytes: 110, packedBytes: 220, metrics: { loss: 1 }, clients: [] },
    ];
    const end = {
      steps: 1,
      tokens: 1,
      elements: 16,
      bytes: { up: {}, down: {} },
      totalBytes: 110,
      packedBytes: 220,
      codecBitsPerElement: 4,
      packedCodecBits: 8,
      wireBitsPerElement: 55,
      phaseBits: { A1: 4 },
      packedPhaseBits: { A1: 8 },
      baselineBytes: { f32: 0, f16: 0, int8: 0 },
      ms,
      seconds: 1,
    };
    const cell = {
      row: "cell",
      cell: {},
      inputs: {},
      metric: "loss",
      higherIsBetter: false,
      baseline: false,
      machine: {},
      started: "2026-01-01T00:00:00Z",
      ...changes,
    };
    const rows = [cell, ...evaluations.map((row) => ({ row: "evaluation", ...row })), { row: "end", ...end }];
    return parseCellRows(
      "x",
      rows.map((row) => JSON.stringify({ ...names, link: "none", ...row })).join("\n"),
    );
  };

  it("shows the same losses a second time, at the packed bytes", () => {
    const { arms, comparisons } = studyOf(armsOf([run({ packedAs: "packed" })]), ["packed"]);
    const [coded, packed] = arms;
    expect([coded.name, packed.name, packed.packedOf]).toEqual(["coded", "packed", "coded"]);
    expect([coded.mean, packed.mean]).toEqual([1, 1]);
    expect([coded.cumulativeBytes, packed.cumulativeBytes]).toEqual([110, 220]);
    expect([packed.bitsPerElement, packed.codecBitsPerElement, packed.phaseBits.A1]).toEqual([110, 8, 8]);
    expect([coded.bytesToTarget?.mean, packed.bytesToTarget?.mean]).toEqual([110, 220]);
    // The codec's time is that of the run with the stage.
    expect(packed.ms).toEqual({ clientCompute: 1, serverCompute: 3 });
    // Loss falls by 2 in 100 bytes, packed in 200: at 110 bytes packed stands at 2.1.
    expect(comparisons.length).toBe(1);
    expect(comparisons[0]).toMatchObject({ arm: "coded", against: "packed", atBytes: 110, byteRatio: 0.5 });
    expect(comparisons[0].difference).toBeCloseTo(1 - 2.1, 12);
  });

  it("draws arms as they were sent and packed in two charts with the same axes, and each pair once in the legend", async () => {
    const runs = armsOf([run({ packedAs: "packed" })]);
    const page = { title: "t", question: undefined, code: "c", left: [], command: "x" };
    const html = await studyHtml({ ...page, study: studyOf(runs, ["packed"]), runs });
    expect(html.match(/<h3>Loss against bytes[^<]*/g)).toEqual([
      "<h3>Loss against bytes",
      "<h3>Loss against bytes, packed",
    ]);
    const [legend] = /<ul class="legend">.*?<\/ul>/s.exec(html)!;
    expect(legend.match(/<li>/g)!.length).toBe(1);
    expect(legend).toContain("coded (packed: packed)");
    const [sent, packed] = html.match(/<svg role="img"[^>]* on t against cumulative bytes.*?<\/svg>/gs)!;
    const ticks = (svg: string) => [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    expect(ticks(sent)).toEqual(ticks(packed));
    expect(/stroke-dasharray="6,4"/.test(packed)).toBe(true);
    expect(/stroke-dasharray="6,4"/.test(sent)).toBe(false);
    const alone = await studyHtml({ ...page, study: studyOf([runs[0]], undefined), runs: [runs[0]] });
    expect(alone.match(/<h3>Loss against bytes[^<]*/g)).toEqual(["<h3>Loss against bytes"]);
  });

  it("takes another name from the experiment file, or none", () => {
    const runs = [run({ packedAs: "packed" })];
    expect(armsOf(runs, () => "other").map(({ arm }) => arm)).toEqual(["coded", "other"]);
    expect(armsOf(runs, () => undefined).map(({ arm }) => arm)).toEqual(["coded"]);
  });

  it("leaves out what the rows do not know", () => {
    const { cell, steps, evaluations, end } = run({ packedAs: "packed" });
    const old = { cell, steps, evaluations, end: { ...end, packedBytes: undefined } };
    expect(armsOf([old]).map(({ arm }) => arm)).toEqual(["coded"]);
  });
});
