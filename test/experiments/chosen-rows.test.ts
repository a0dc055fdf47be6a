/** Which of a directory's rows a report and a published copy take: those of the experiment file beside them. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseExperiment } from "../../experiments/runner/experiment.ts";
import { planOf } from "../../experiments/runner/grid.ts";
import { EXPERIMENT_FILE } from "../../experiments/runner/run-experiment.ts";
import { RowStore } from "../../experiments/runner/store.ts";
import { run } from "../command/helpers.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { INPUTS, standInRun } from "./stand-ins.ts";

const fileOf = (name: string, steps: number, arms: readonly string[]) => `
name: ${name}
models: [models/base-6m]
seeds: 2
tasks: [moby-dick]
settings: { steps: ${steps} }
arms: [${arms.map((arm) => `{ name: ${arm}, activations: f16, gradients: f16 }`).join(", ")}]
`;

/** Arms with their seeds, as a report has them, and what it left out. */
async function reported(directory: string): Promise<{ arms: unknown[]; left: string[] }> {
  const { exit, stderr, json } = await run(["experiment", "report", directory, "--json"]);
  expect(exit, stderr).toBe(0);
  const { arms, left } = json().at(-1) as { arms: { name: string; seeds: number[] }[]; left: string[] };
  return { arms: arms.map(({ name, seeds }) => [name, seeds]), left };
}

describe("rows of a directory with an experiment file", () => {
  it("are those of its settings: an arm that was not run again since they changed is left out", async () => {
    const directory = temporaryDirectory();
    await standInRun(directory, fileOf("e", 3, ["a", "b"]));
    await standInRun(directory, fileOf("e", 5, ["a", "b"]), { only: ["a"] });
    expect(await reported(directory)).toEqual({
      arms: [["a", [0, 1]]],
      left: ["4 runs that the experiment file does not have (a, b)"],
    });
  });

  it("are those of its arms, seeds and tasks, of which some may be missing", async () => {
    const directory = temporaryDirectory();
    await standInRun(directory, fileOf("e", 3, ["a", "b", "c"]), { only: ["a", "b"] });
    await standInRun(directory, fileOf("e", 3, ["b", "c"]).replace("seeds: 2", "seeds: [1, 7]"), {
      only: [],
    });
    expect(await reported(directory)).toEqual({
      arms: [["b", [1]]],
      left: ["3 runs that the experiment file does not have (a, b)"],
    });
  });

  it("are of one model, data set and engine in all arms", async () => {
    const directory = temporaryDirectory();
    await standInRun(directory, fileOf("e", 3, ["a", "b"]), { only: ["a"] });
    await new Promise((resolve) => setTimeout(resolve, 2));
    const inputs = { ...INPUTS, data: "text@2" };
    await standInRun(directory, fileOf("e", 3, ["a", "b"]), { only: ["b"], inputs });
    expect(await reported(directory)).toEqual({
      arms: [["b", [0, 1]]],
      left: ["2 runs on another model, data set or engine (a)"],
    });
  });

  it("may lack settings that their version of the program did not have, for which the default stands", async () => {
    const directory = temporaryDirectory();
    const text = fileOf("e", 3, ["a"]);
    await standInRun(directory, text);
    const store = new RowStore(directory);
    for (const { config, code } of store.hashes()) {
      const { cell, evaluations, end } = store.read(config, code);
      const { generateExamples: _, ...older } = cell.cell;
      await store.write(config, code, [{ ...cell, cell: older }, ...evaluations, end]);
    }
    expect((await reported(directory)).arms).toEqual([["a", [0, 1]]]);
    await standInRun(directory, text.replace("steps: 3", "steps: 3, generateExamples: 9"), { only: [] });
    const { exit, stderr } = await run(["experiment", "report", directory]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("none of the 2 runs")]);
  });

  it("are kept under its name, and without those of another experiment", async () => {
    const directory = temporaryDirectory();
    await standInRun(directory, fileOf("first", 3, ["a", "b"]));
    await standInRun(directory, fileOf("second", 5, ["c"]));
    const out = join(temporaryDirectory(), "kept");
    const kept = await run(["experiment", "keep", directory, "--out", out, "--json"]);
    expect(kept.exit, kept.stderr).toBe(0);
    expect(kept.json().at(-1)).toMatchObject({
      experiment: "second",
      kept: 2,
      left: ["4 runs that the experiment file does not have (a, b)"],
    });
  });
});

describe("a damaged file of a run", () => {
  it("is named by a report, with the way out, and warned of by a run's list, which takes it for missing", async () => {
    const directory = temporaryDirectory();
    const text = fileOf("e", 3, ["a"]);
    const file = join(directory, EXPERIMENT_FILE);
    const plan = planOf(await parseExperiment("e.yaml", text));
    await standInRun(directory, text, { code: plan.code, inputs: plan.cells[0].inputs });
    const damaged = join(directory, "cells", `${plan.cells[0].config}.${plan.code}.jsonl`);
    writeFileSync(damaged, readFileSync(damaged).subarray(0, -9));
    const list = await run(["experiment", "run", file, "--out", directory, "--list"]);
    expect(list.exit, list.stderr).toBe(0);
    expect(list.stdout.match(/ missing$/gm)).toHaveLength(1);
    expect(list.stdout.match(/ there$/gm)).toHaveLength(1);
    expect(list.stderr).toContain(`a run counts as missing: ${damaged}:3: is not JSON`);
    const report = await run(["experiment", "report", directory]);
    expect([report.exit, report.stderr]).toEqual([
      2,
      expect.stringContaining(`${damaged}:3: is not JSON; delete the file, or`),
    ]);
  });
});

describe("rows of a directory without an experiment file", () => {
  it("are refused when they are of several experiments, by a report and by keep", async () => {
    const directory = temporaryDirectory();
    await standInRun(directory, fileOf("first", 3, ["a"]));
    await standInRun(directory, fileOf("second", 5, ["b"]));
    rmSync(join(directory, EXPERIMENT_FILE));
    const out = join(temporaryDirectory(), "kept");
    for (const args of [
      ["report", directory],
      ["keep", directory, "--out", out],
    ]) {
      const { exit, stderr } = await run(["experiment", ...args]);
      expect([exit, stderr]).toEqual([2, expect.stringContaining("rows of several experiments: ")]);
    }
  });
});
