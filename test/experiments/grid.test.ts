/** The grid: goes on where it was stopped, repeats nothing, and never mixes versions. Cells are stand-ins here. */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { finishedCells, runGrid } from "../../experiments/runner/grid.ts";
import { csvHead, csvLines } from "../../experiments/runner/rows.ts";
import { RowStore } from "../../experiments/runner/store.ts";
import { codeHash, configHash, digestOf } from "../../experiments/runner/versions.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";
import { INPUTS, quick, standInPlan } from "./stand-ins.ts";

const FILE = `
name: grid
models: [models/base-6m]
seeds: 3
tasks: [moby-dick]
arms:
  - { name: a, activations: f32, gradients: f32 }
  - { name: b, activations: f16, gradients: f16 }
`;

const plan = (code?: string, file = FILE) => standInPlan(file, { code });

const signal = () => new AbortController().signal;
const ALL = ["a0", "b0", "a1", "b1", "a2", "b2"];

describe("a grid", () => {
  it("runs every cell once, and nothing the second time", async () => {
    const store = new RowStore(temporaryDirectory());
    const told: string[] = [];
    const first = await runGrid(await plan(), store, quick(told), { workers: 2, signal: signal() });
    expect([first.finished, first.kept, told.toSorted()]).toEqual([6, 0, ALL.toSorted()]);
    const second = await runGrid(await plan(), store, quick(told), { workers: 2, signal: signal() });
    expect([second.finished, second.kept, told.length]).toEqual([0, 6, 6]);
  });

  it("keeps what was finished when it is stopped, and goes on with the rest", async () => {
    const store = new RowStore(temporaryDirectory());
    const told: string[] = [];
    const abort = new AbortController();
    const stopping = quick(told, (name) => {
      if (name !== "a1") return;
      abort.abort(new NarrowbandError("NB_INTERRUPTED", "stopped"));
      throw abort.signal.reason;
    });
    await failure("NB_INTERRUPTED", async () =>
      runGrid(await plan(), store, stopping, { workers: 1, signal: abort.signal }),
    );
    expect(told).toEqual(["a0", "b0", "a1"]);
    const again: string[] = [];
    const { kept } = await runGrid(await plan(), store, quick(again), { workers: 1, signal: signal() });
    expect([kept, again]).toEqual([2, ["a1", "b1", "a2", "b2"]]);
  });

  it("goes on past a cell that fails, which is run again next time", async () => {
    const store = new RowStore(temporaryDirectory());
    const failing = quick([], (name) => {
      if (name === "b1") throw new NarrowbandError("NB_DATA_INVALID", "bad");
    });
    const { finished, failed } = await runGrid(await plan(), store, failing, {
      workers: 2,
      signal: signal(),
    });
    expect([finished, failed.map(({ cell, error }) => [cell.arm, cell.seed, error.code])]).toEqual([
      5,
      [["b", 1, "NB_DATA_INVALID"]],
    ]);
    const again: string[] = [];
    await runGrid(await plan(), store, quick(again), { workers: 1, signal: signal() });
    expect(again).toEqual(["b1"]);
  });

  it("asks for a cell's rows again when its turn comes", async () => {
    const store = new RowStore(temporaryDirectory());
    const made = await plan();
    const told: string[] = [];
    const elsewhere = quick([]);
    const runner = quick(told);
    // Somebody else finishes the next two during the first.
    let second: Promise<unknown> | undefined;
    const { finished, kept } = await runGrid(
      made,
      store,
      async (cell, options) => {
        second ??= runGrid({ ...made, cells: made.cells.slice(1, 3) }, store, elsewhere, {
          workers: 1,
          signal: signal(),
        });
        await second;
        await runner(cell, options);
      },
      { workers: 1, signal: signal() },
    );
    expect([finished, kept, told]).toEqual([4, 2, ["a0", "b1", "a2", "b2"]]);
  });

  it("makes a run again whose file is damaged", async () => {
    const directory = temporaryDirectory();
    const store = new RowStore(directory);
    const made = await plan();
    await runGrid(made, store, quick([]), { workers: 1, signal: signal() });
    const { config } = made.cells[2];
    const path = join(directory, "cells", `${config}.${made.code}.jsonl`);
    writeFileSync(path, readFileSync(path).subarray(0, -9));
    expect(finishedCells(made, store).length).toBe(5);
    const said: string[] = [];
    expect(store.find(config, made.code, (what) => said.push(what))).toBeUndefined();
    expect(said[0]).toMatch(
      /jsonl:3: is not JSON; delete the file, or let narrowband experiment run make it again/,
    );
    const told: string[] = [];
    await runGrid(made, store, quick(told), { workers: 1, signal: signal() });
    expect(told).toEqual(["a1"]);
    expect(finishedCells(made, store).length).toBe(6);
  });

  it("takes rows of another program, or of other settings, for missing", async () => {
    const store = new RowStore(temporaryDirectory());
    await runGrid(await plan(), store, quick([]), { workers: 1, signal: signal() });
    const other = await plan(digestOf("other code"));
    expect(finishedCells(other, store)).toEqual([]);
    const told: string[] = [];
    await runGrid(other, store, quick(told), { workers: 1, signal: signal() });
    expect(told).toEqual(ALL);
    expect(store.hashes().length).toBe(12);
    const longer = await plan(undefined, `${FILE}\nsettings: { steps: 61 }`);
    expect(finishedCells(longer, store)).toEqual([]);
  });

  it("puts every row of a cell under its names and hashes", async () => {
    const store = new RowStore(temporaryDirectory());
    const made = await plan();
    await runGrid(made, store, quick([]), { workers: 1, signal: signal() });
    const [first] = finishedCells(made, store);
    expect(first.cell.cell.steps).toBe(60);
    for (const row of [first.cell, ...first.evaluations, first.end])
      expect(row).toMatchObject({
        experiment: "grid",
        config: made.cells[0].config,
        code: made.code,
        arm: "a",
        seed: 0,
      });
    const [line] = csvLines(first);
    expect(line.split(",").length).toBe(csvHead().split(",").length);
  });
});

describe("rows that were tampered with", () => {
  it("are refused: cut short, of another version than their name says, or no JSON", async () => {
    const directory = temporaryDirectory();
    const store = new RowStore(directory);
    const made = await plan();
    await runGrid(made, store, quick([]), { workers: 1, signal: signal() });
    const [{ config }, second] = made.cells;
    const files = join(directory, "cells");
    const path = join(files, `${config}.${made.code}.jsonl`);
    appendFileSync(path, "{");
    expect(await failure("NB_DATA_INVALID", () => store.read(config, made.code))).toMatch(/:4: is not JSON/);
    writeFileSync(path, "");
    expect(await failure("NB_DATA_INVALID", () => store.read(config, made.code))).toMatch(/no first row/);
    const other = join(files, readdirSync(files).find((name) => name.startsWith(second.config))!);
    writeFileSync(other.replace(made.code, "0".repeat(16)), "");
    expect(await failure("NB_DATA_INVALID", () => store.read(second.config, "0".repeat(16)))).toMatch(
      /no first/,
    );
  });
});

describe("hashes", () => {
  it("change with every setting and input, and not with where the model stands", async () => {
    const [{ cell, config }] = (await plan()).cells;
    expect(configHash({ ...cell, model: "/elsewhere/base-6m" }, INPUTS)).toBe(config);
    const others = [
      configHash({ ...cell, steps: cell.steps + 1 }, INPUTS),
      configHash({ ...cell, seed: 9 }, INPUTS),
      configHash({ ...cell, codecs: { ...cell.codecs, G1: "f16" } }, INPUTS),
      configHash({ ...cell, link: "dsl" }, INPUTS),
      configHash(cell, { ...INPUTS, model: digestOf("other") }),
      configHash(cell, { ...INPUTS, data: "text@2" }),
    ];
    expect(new Set([config, ...others]).size).toBe(7);
  });

  it("of the program are the same twice", () => {
    expect(codeHash()).toMatch(/^[0-9a-f]{16}$/);
    expect(codeHash()).toBe(codeHash());
  });
});
