/** Time to target: sizes and steps out of rows, times that can be worked out by hand, the command and its page. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { armsOf } from "../../experiments/report/study.ts";
import { type Cell, cellsOf, experimentSchema } from "../../experiments/runner/experiment.ts";
import type { CellRows, Row, StepRow } from "../../experiments/runner/rows.ts";
import { RowStore } from "../../experiments/runner/store.ts";
import type { Costs } from "../../experiments/simulator/costs.ts";
import { totalMs } from "../../experiments/simulator/critical-path.ts";
import { makeDocument } from "../../experiments/tables/run.ts";
import { resultsReader } from "../../experiments/tables/selection.ts";
import { meanRowTokens, shareComputing } from "../../experiments/times/arm-costs.ts";
import { armTimes } from "../../experiments/times/arm-times.ts";
import { stepsToTarget, targetValues } from "../../experiments/times/targets.ts";
import { meanSizes, transferSizes } from "../../experiments/times/transfer-sizes.ts";
import { run, writeRandomModel } from "../command/helpers.ts";
import { failure } from "../model/helpers.ts";

const STEPS = 4;
const CLIENTS = 2;
const ROWS = 2;
const ROW_TOKENS = 6;

/** Cells of two arms and two seeds, as an experiment file makes them. */
function cells(model: string, changes: object = {}): Cell[] {
  return cellsOf(
    experimentSchema.parse({
      name: "e",
      models: [model],
      seeds: 2,
      tasks: ["moby-dick"],
      settings: { steps: STEPS, clients: CLIENTS, rows: ROWS, length: 8, ...changes },
      arms: [
        { name: "big", activations: "f32", gradients: "f32" },
        { name: "small", activations: "fixed:4", gradients: "fixed:4" },
      ],
    }),
  );
}

/** Rows of a run whose loss falls by `fall` a step from 5, and whose steps have more and more bytes. */
function rowsOf(cell: Cell, fall: number, evaluateEvery = 2): CellRows {
  const config = `${cell.arm === "big" ? "b" : "5"}${cell.seed}`.padEnd(16, "0");
  const { task, model, arm, seed, link } = cell;
  const names = { experiment: "e", config, code: "c".repeat(16), task, model, arm, seed, link };
  const steps = Array.from({ length: cell.steps }, (_, i): StepRow => {
    const up = { payload: 4_000 * (i + 1), scales: 400, headers: 80, websocketFraming: 60, control: 50 };
    const stepBytes = { up, down: { ...up, payload: 2_000 * (i + 1) } };
    return {
      row: "step",
      ...names,
      step: i + 1,
      loss: 5 - fall * (i + 1),
      clientLosses: { "client-1": 1, "client-2": 1 },
      supervisedTokens: 1,
      tokens: (i + 1) * CLIENTS * ROWS * ROW_TOKENS,
      gradientNorm: 1,
      bits: { A1: 4, A2: 4, G2: 4, G1: 4 },
      wireBits: { A1: 3, A2: 4, G2: 1, G1: 4 },
      bytes: stepBytes,
      stepBytes,
      ms: { clientCompute: 1, clientCodec: 1, serverCompute: 1, serverCodec: 1 },
    };
  });
  const evaluations = [0, ...steps.map(({ step }) => step)].filter((step) => step % evaluateEvery === 0);
  return {
    cell: {
      row: "cell",
      ...names,
      cell: { ...cell },
      inputs: { model: "m" },
      metric: "loss",
      higherIsBetter: false,
      baseline: false,
      machine: {},
      started: "2026-01-01T00:00:00Z",
    },
    steps,
    evaluations: evaluations.map((step) => ({
      row: "evaluation",
      ...names,
      step,
      totalBytes: step,
      metrics: { loss: 5 - fall * step + seed },
      clients: [],
    })),
    end: {
      row: "end",
      ...names,
      steps: cell.steps,
      tokens: 1,
      elements: 8,
      bytes: { up: { payload: 1 }, down: {} },
      totalBytes: 1,
      codecBitsPerElement: 4,
      wireBitsPerElement: 4,
      phaseBits: { A1: 4 },
      baselineBytes: { f32: 32, f16: 16, int8: 8 },
      ms: { clientCompute: 1, clientCodec: 1, serverCompute: 1, serverCodec: 1 },
      seconds: 1,
    },
  };
}

/** The small arm falls by 0.8 of what the big one does. */
function study(model = "m", changes: object = {}): CellRows[] {
  return cells(model, changes).map((cell) => rowsOf(cell, cell.arm === "big" ? 0.1 : 0.08));
}

const COSTS: Costs = {
  client: { bottom: 10, top: 20, backward: 15, apply: 0 },
  server: { forward: 30, backward: 40, addGradients: 0, optimizer: 0 },
  codec: { client: { bottom: 1, top: 1, backward: 1 }, server: { forward: 2, backward: 2 } },
  bytes: { A1: 1, A2: 1, G2: 1, G1: 1 },
  adapterBytes: 0,
  tokens: ROWS * ROW_TOKENS,
};
const NETWORK = { clients: [], serverSpeed: 1, slowness: 1, serverLine: 0 };

describe("sizes of transfers", () => {
  const [rows] = study();
  const [cell] = cells("m");
  const sizes = transferSizes(cell, rows);

  it("are the row's bytes, by what each phase's codec spent, in each client's message", () => {
    // Up: 4,400 bytes of which three quarters are A1's, and 80 of headers, for two clients; framing with a mask is 8 bytes.
    expect(sizes(0, "A1")).toBe((0.75 * 4_400 + 40) / 2 + 8);
    expect(sizes(0, "G2")).toBe((0.25 * 4_400 + 40) / 2 + 8);
    // Down: half each; framing is 4 bytes.
    expect(sizes(0, "A2")).toBe((0.5 * 2_400 + 40) / 2 + 4);
    expect(sizes(2, "G1")).toBe((0.5 * 6_400 + 40) / 2 + 4);
  });

  it("stay what the last step's were behind the run's end, and can be averaged", () => {
    expect(sizes(99, "A1")).toBe(sizes(3, "A1"));
    const mean = (sizes(0, "A2") + sizes(1, "A2")) / 2;
    expect(meanSizes(sizes, 2)(7, "A2")).toBe(Math.round(mean));
  });

  it("are those of a published run too, of which few steps have rows", () => {
    // Cumulative totals as they are in full rows.
    let [up, down] = [0, 0];
    const total = (bytes: Partial<Record<string, number>>) =>
      Object.values(bytes).reduce<number>((a, b) => a + (b ?? 0), 0);
    const totals = rows.steps.map(({ stepBytes }) => {
      up += total(stepBytes.up);
      down += total(stepBytes.down);
      return { up, down };
    });
    const steps = rows.steps.map(({ step }) => step);
    const { steps: _steps, ...names } = rows.end;
    const trace: CellRows["trace"] = {
      row: "trace",
      experiment: names.experiment,
      config: names.config,
      code: names.code,
      task: names.task,
      model: names.model,
      arm: names.arm,
      seed: names.seed,
      link: names.link,
      step: steps,
      loss: steps,
      gradientNorm: steps,
      up: totals.map((each) => each.up),
      down: totals.map((each) => each.down),
    };
    const published = transferSizes(cell, { ...rows, steps: rows.steps.slice(3), trace });
    for (const step of [0, 1, 2, 3])
      for (const phase of ["A1", "A2", "G2", "G1"] as const)
        expect(published(step, phase)).toBe(sizes(step, phase));
  });

  it("without an entropy stage are larger by what each phase's would have been", () => {
    const packedWireBits = { A1: 6, A2: 4, G2: 1, G1: 8 };
    const steps = rows.steps.map((row) => ({ ...row, packedWireBits }));
    const packed = transferSizes(cell, { ...rows, steps }, true);
    expect(packed(0, "A1")).toBe((2 * 0.75 * 4_400 + 40) / 2 + 8);
    expect(packed(0, "G1")).toBe((2 * 0.5 * 2_400 + 40) / 2 + 4);
    expect(packed(0, "A2")).toBe(sizes(0, "A2"));
  });

  it("of a sequential run are means of one step of every client", () => {
    const sequential = transferSizes({ ...cell, mode: "sequential" }, rows);
    const of = (payload: number) => 0.5 * (payload + 400) + 40;
    expect(sequential(0, "A2")).toBe((of(2_000) + of(4_000)) / 2 + 4);
    expect(sequential(1, "A2")).toBe((of(6_000) + of(8_000)) / 2 + 4);
  });
});

describe("steps to a target", () => {
  const group = armsOf(study());
  const [big, small] = group;

  it("are those of the target's arm itself, all of them, and its seeds' own", () => {
    const targets = targetValues(group, { arm: "big", within: 0 });
    expect([...targets.values()]).toEqual([4.6, 5.6]);
    expect(stepsToTarget(big, 0, targets)).toBeCloseTo(4, 9);
    expect(stepsToTarget(small, 0, targets)).toBeUndefined();
  });

  it("lie between measurements where the target does", () => {
    const targets = targetValues(group, { value: 4.76 });
    expect(stepsToTarget(small, 0, targets)).toBeCloseTo(3, 9);
    expect(stepsToTarget(small, 1, targets)).toBeUndefined();
  });

  it("are fewer where the target may be missed by a share", () => {
    const targets = targetValues(group, { arm: "big", within: 0.02 });
    expect(targets.get(0)).toBeCloseTo(4.6 * 1.02, 9);
    expect(stepsToTarget(small, 0, targets)).toBeCloseTo((5 - 4.6 * 1.02) / 0.08, 6);
  });

  it("of an arm that is not there are refused with those that are", () => {
    expect(() => targetValues(group, { arm: "f16", within: 0 })).toThrow(/"f16".*accepted: big, small/);
  });
});

describe("an arm's times", () => {
  const group = armsOf(study("m", { clients: 1 }));
  const [, small] = group;
  const [, cell] = cells("m", { clients: 1 });
  const targets = targetValues(group, { value: 4.76 });

  it("without a link are its steps to the target times its computations, of the seeds that reach it", () => {
    const times = armTimes(small, cell, COSTS, targets, { ...NETWORK, links: ["none"] });
    expect([times.seeds, times.reached]).toEqual([2, 1]);
    expect(times.steps).toBeCloseTo(3, 9);
    const [none] = times.times;
    expect(none.stepMs).toBeCloseTo(115, 6);
    expect(none.secondsToTarget).toBeCloseTo(3 * 0.115, 6);
    expect(none.pathToTarget!.clientCodec).toBeCloseTo(3 * 3, 6);
    expect(none.pathToTarget!.serverCompute).toBeCloseTo(3 * 66, 6);
    expect(none.ci95).toBeNull();
  });

  it("over links are longer, and made of the parts of their critical paths", () => {
    const times = armTimes(small, cell, COSTS, targets, { ...NETWORK, links: ["lan", "4g", "satellite"] });
    const seconds = times.times.map(({ secondsToTarget }) => secondsToTarget!);
    expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
    for (const { pathToTarget, secondsToTarget, stepPath, stepMs } of times.times) {
      expect(totalMs(pathToTarget!)).toBeCloseTo(1_000 * secondsToTarget!, 6);
      expect(totalMs(stepPath)).toBeCloseTo(stepMs, 6);
    }
    // Six one-way delays of 300 ms a step.
    expect(times.times[2].stepPath.link).toBeGreaterThan(1_700);
  });

  it("of a run packed are those of its messages without the entropy stage", () => {
    const twice = { A1: 6, A2: 8, G2: 2, G1: 8 };
    const coded = study("m", { clients: 1 }).filter(({ cell }) => cell.arm === "small");
    const runs = coded.map((rows): CellRows => {
      const { totalBytes, codecBitsPerElement, phaseBits } = rows.end;
      const packed = {
        packedBytes: 2 * totalBytes,
        packedCodecBits: 2 * codecBitsPerElement,
        packedPhaseBits: phaseBits,
      };
      return {
        ...rows,
        steps: rows.steps.map((row) => ({ ...row, packedWireBits: twice })),
        evaluations: rows.evaluations.map((row) => ({ ...row, packedBytes: 2 * row.totalBytes })),
        end: { ...rows.end, ...packed },
      };
    });
    const [own, packed] = armsOf(runs, () => "packed");
    expect(packed.packedOf?.arm).toBe("small");
    const [a, b] = [own, packed].map((arm) =>
      armTimes(arm, cell, COSTS, targets, { ...NETWORK, links: ["4g"] }),
    );
    expect(b.times[0].upBytesPerStep / a.times[0].upBytesPerStep).toBeCloseTo(2, 1);
    expect(b.times[0].stepPath.link).toBeGreaterThan(a.times[0].stepPath.link);
  });

  it("are unknown where the target is not reached; a step's is known", () => {
    const never = targetValues(group, { value: 1 });
    const [time] = armTimes(small, cell, COSTS, never, { ...NETWORK, links: ["lan"] }).times;
    expect([time.secondsToTarget, time.pathToTarget]).toEqual([null, null]);
    expect(time.stepMs).toBeGreaterThan(115);
  });

  it("of very many clients come out of a part of the steps, and nearly as out of all", () => {
    const [cell] = cells("m", { clients: 1, steps: 40 });
    const [arm] = armsOf([rowsOf(cell, 0.01, 40)]);
    const end = targetValues([arm], { arm: "big", within: 0 });
    const at = (mostClientSteps: number) => {
      const network = { ...NETWORK, clients: [4], mostClientSteps };
      return armTimes(arm, cell, COSTS, end, { ...network, links: ["4g"] }).times[0];
    };
    const [whole, part] = [at(160), at(40)];
    expect(part.secondsToTarget! / whole.secondsToTarget!).toBeCloseTo(1, 1);
    expect(part.secondsToTarget).not.toBe(whole.secondsToTarget);
    expect(part.upBytesPerStep / whole.upBytesPerStep).toBeCloseTo(1, 2);
  });
});

describe("costs", () => {
  it("have one time for computing among runs that differ in their codecs, and each its own codec's", () => {
    const slow: Costs = {
      ...COSTS,
      client: { ...COSTS.client, bottom: 14 },
      codec: { ...COSTS.codec!, client: { bottom: 3, top: 1, backward: 1 } },
    };
    const [a, b] = shareComputing([COSTS, slow]);
    // 10 − 1 and 14 − 3 computing: 10 for both.
    expect([a.client.bottom, b.client.bottom]).toEqual([11, 13]);
    expect([a.server, b.server]).toEqual([COSTS.server, COSTS.server]);
  });

  it("are measured for rows as long as the run's were", () => {
    const [rows] = study();
    expect(meanRowTokens(cells("m")[0], rows)).toBe(ROW_TOKENS);
  });
});

describe("narrowband experiment times", () => {
  let directory: string;
  let model: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "narrowband-times-"));
    model = await writeRandomModel(join(directory, "model"));
    const store = new RowStore(directory);
    for (const { cell, steps, evaluations, end } of study(model)) {
      const rows: Row[] = [cell, ...steps, ...evaluations, end];
      await store.write(cell.config, cell.code, rows);
    }
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("measures what is not in --costs, and writes a table, a page and figures for machines", async () => {
    const file = (name: string) => join(directory, name);
    const target = ["--target-arm", "big", "--within", "0.02"];
    const args = ["experiment", "times", directory, "--links", "lan,dsl", ...target];
    const outputs = [
      "--costs",
      file("costs.json"),
      "--json",
      file("times.json"),
      "--out",
      file("times.html"),
    ];
    const first = await run([...args, ...outputs]);
    expect(first.exit, first.stderr).toBe(0);
    expect(first.stderr).toContain("measuring the costs of small");
    expect(first.stdout).toMatch(/small +\d\.\d +[\d.]+ m?s +[\d.]+ m?s/);
    const result = JSON.parse(readFileSync(file("times.json"), "utf8"));
    expect(result.targets[0]).toMatchObject({ task: "moby-dick", metric: "loss", arm: "big", within: 0.02 });
    const reached = result.arms.map((arm: { arm: string; reached: number }) => [arm.arm, arm.reached]);
    expect(reached.toSorted()).toEqual([
      ["big", 2],
      ["small", 2],
    ]);
    const [lan, dsl] = result.arms[1].times;
    expect([lan.link, dsl.link]).toEqual(["lan", "dsl"]);
    expect(dsl.pathToTarget.link).toBeGreaterThan(lan.pathToTarget.link);
    const page = readFileSync(file("times.html"), "utf8");
    expect(page).toContain('aria-label="Time to the target over dsl, by arm and what it is spent on"');
    expect(page).toContain("within 2.0 % of what big reached");
    const second = await run([...args, "--costs", file("costs.json"), "--json", file("again.json")]);
    expect(second.stderr).not.toContain("measuring");
    expect(JSON.parse(readFileSync(file("again.json"), "utf8")).arms).toEqual(result.arms);
  }, 60_000);

  describe("in a document", () => {
    const mark = (options: string) =>
      `<!-- table: times ${basename(directory)} ${options} costs=known.json -->\n<!-- end -->`;
    const lines = async (options: string) => {
      const read = resultsReader(dirname(directory), () => true);
      const { text } = await makeDocument(join(directory, "d.md"), mark(options), read);
      return text.split("\n").slice(1, -1);
    };

    beforeAll(() => {
      const book = JSON.parse(readFileSync(join(directory, "costs.json"), "utf8"));
      for (const entry of Object.values(book)) Object.assign(entry as object, { costs: COSTS });
      writeFileSync(join(directory, "known.json"), JSON.stringify(book));
    });

    it("is a table of seconds, and the percent of them that computing, the codec and the link took", async () => {
      // Two clients and one server: 10 + 30 + 30 + 40 + 40 + 15 ms a step, of which 2 + 8 are the codec's.
      const table = await lines("arms=big,small targetArm=big within=0.02 links=none");
      expect(table).toEqual([
        "| arm | steps | `none` |",
        "|---|--:|--:|",
        "| big | 3.0 | 0.492 s (94 / 6 / 0) |",
        "| small | 3.7 | 0.615 s (94 / 6 / 0) |",
      ]);
      const [, , only, ...rest] = await lines("targetArm=big arms=small links=lan,satellite");
      expect([only, rest]).toEqual(["| small | not reached | not reached | not reached |", []]);
    });

    it("refuses a target, a link and costs that are not there, and measures nothing", async () => {
      const refused = (options: string) => failure("NB_DATA_INVALID", () => lines(options));
      expect(await refused("targetArm=huge links=lan")).toMatch(/targetArm: "huge".*accepted: small, big/);
      expect(await refused("targetArm=big links=lan,moon")).toMatch(/d\.md:1: links/);
      writeFileSync(join(directory, "known.json"), "{}");
      expect(await refused("targetArm=big links=lan")).toMatch(/known\.json: has no costs of "small"/);
      expect(readFileSync(join(directory, "known.json"), "utf8")).toBe("{}");
      rmSync(join(directory, "known.json"));
      expect(await refused("targetArm=big links=lan")).toMatch(/there is no .*known\.json/);
    });
  });

  it("refuses costs that are none, and a target of both kinds", async () => {
    const path = join(directory, "broken.json");
    writeFileSync(path, '{"a": 1}');
    const broken = await run(["experiment", "times", directory, "--costs", path]);
    expect([broken.exit, broken.stderr]).toEqual([2, expect.stringContaining("--costs")]);
    const both = await run(["experiment", "times", directory, "--target", "4", "--target-arm", "big"]);
    expect([both.exit, both.stderr]).toEqual([2, expect.stringContaining("not both")]);
  });
});
