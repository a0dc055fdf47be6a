/** Published rows: small, and of the same report as the ones that they were made of. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keptRows } from "../../experiments/report/keep-rows.ts";
import { stepRowOf } from "../../experiments/runner/row-making.ts";
import { parseCellRows, type Row, traceOf } from "../../experiments/runner/rows.ts";
import { RowStore } from "../../experiments/runner/store.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { run } from "../command/helpers.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";

const CODE = "c".repeat(16);
const STEPS = 40;

/** The rows of a run that is measured every tenth step; its loss is `level` plus something that falls. */
function rowsOf(arm: string, seed: number, level: number, changes: { code?: string; started?: string } = {}) {
  const { code = CODE, started = "2026-01-01T00:00:00Z" } = changes;
  const config = Buffer.from(`${arm}${seed}`.padEnd(8, ".")).toString("hex");
  const names = { experiment: "e", config, code, task: "t", model: "m", arm, seed, link: "none" };
  const ms = { clientCompute: 1.5, clientCodec: 1, serverCompute: 2, serverCodec: 1 };
  const cell: Row = {
    row: "cell",
    ...names,
    cell: { seed, arm, steps: STEPS, codecs: { A1: "f16", A2: "f16", G1: "f16", G2: "f16" } },
    inputs: {},
    metric: "loss",
    higherIsBetter: false,
    baseline: false,
    machine: {},
    started,
  };
  const rows: Row[] = [cell];
  const ledger = new ByteLedger().snapshot();
  let before: typeof ledger | undefined;
  for (let step = 0; step <= STEPS; step++) {
    const loss = level + seed + 1 / (step + 1);
    const now = {
      ...ledger,
      up: { ...ledger.up, payload: 1000 * step },
      down: { ...ledger.down, payload: 500 * step, control: 7 },
    };
    if (step > 0) {
      const bits = { A1: 16, A2: 16, G1: 16, G2: 16 };
      const member = { name: "client-1", lossSum: 8 * loss, supervisedTokens: 8, bits };
      const figures = { step, gradientNorm: 1 / step, tokens: 8 * step, ms };
      const bare = stepRowOf([member], now, before, figures, ["A1", "A2", "G2", "G1"]);
      rows.push({ ...names, ...bare } as Row);
    }
    before = now;
    if (step % 10 > 0) continue;
    const metrics = { loss, perplexity: Math.exp(loss) };
    rows.push({
      row: "evaluation",
      ...names,
      step,
      totalBytes: 1500 * step + 7,
      metrics,
      clients: [metrics],
    });
  }
  rows.push({
    row: "end",
    ...names,
    steps: STEPS,
    tokens: 8 * STEPS,
    elements: 1000,
    bytes: { up: { payload: 1000 * STEPS }, down: { payload: 500 * STEPS, control: 7 } },
    totalBytes: 1500 * STEPS + 7,
    codecBitsPerElement: 16,
    wireBitsPerElement: 16.1,
    phaseBits: { A1: 16 },
    baselineBytes: { f32: 4000, f16: 2000, int8: 1000 },
    ms,
    seconds: 1,
    peakMemory: 1,
  });
  return { config, code, rows };
}

async function directoryWith(runs: readonly ReturnType<typeof rowsOf>[]): Promise<string> {
  const directory = temporaryDirectory();
  const store = new RowStore(directory);
  for (const { config, code, rows } of runs) await store.write(config, code, rows);
  return directory;
}

const RUNS = [0, 1, 2].flatMap((seed) => [rowsOf("a", seed, 3), rowsOf("b", seed, 3.1 + 0.01 * seed)]);

async function reportOf(directory: string): Promise<unknown> {
  const { exit, stderr, json } = await run(["experiment", "report", directory, "--json", "--against", "a"]);
  expect(exit, stderr).toBe(0);
  return json().at(-1);
}

describe("rows that are kept", () => {
  it("give the report that all rows give", async () => {
    const directory = await directoryWith(RUNS);
    const out = join(temporaryDirectory(), "kept");
    const kept = await run(["experiment", "keep", directory, "--out", out, "--json"]);
    expect(kept.exit, kept.stderr).toBe(0);
    expect(kept.json().at(-1)).toMatchObject({ experiment: "e", code: CODE, kept: 6, replaced: 0 });
    const report = await reportOf(out);
    expect(report).toEqual(await reportOf(directory));
    expect((report as { arms: unknown[] }).arms.length).toBe(2);
  });

  it("get no report beside them unless it is asked for, as --json alone gets none anywhere", async () => {
    const directory = await directoryWith(RUNS);
    const out = join(temporaryDirectory(), "kept");
    await run(["experiment", "keep", directory, "--out", out]);
    const json = join(temporaryDirectory(), "result.json");
    for (const of of [directory, out])
      expect((await run(["experiment", "report", of, "--json", json])).exit).toBe(0);
    expect(JSON.parse(readFileSync(json, "utf8")).arms.length).toBe(2);
    expect([readdirSync(directory), readdirSync(out)]).toEqual([["cells"], ["cells"]]);
    const plain = await run(["experiment", "report", out]);
    expect([plain.exit, plain.stdout]).toEqual([0, expect.stringContaining("No page was written")]);
    expect(readdirSync(out)).toEqual(["cells"]);
    await run(["experiment", "report", directory]);
    expect(readdirSync(directory).toSorted()).toEqual(["cells", "report.html", "report.json", "rows.csv"]);
    await run(["experiment", "report", out, "--out", out, "--json", json]);
    expect(readdirSync(out)).toContain("report.html");
  });

  it("are a third of them, with every measured step in full and the course of all others", () => {
    const [{ rows }] = RUNS;
    const text = (of: readonly object[]) => of.map((row) => `${JSON.stringify(row)}\n`).join("");
    const raw = parseCellRows("raw", text(rows));
    const small = text(keptRows(raw));
    expect(small.length).toBeLessThan(text(rows).length / 3);
    const kept = parseCellRows("kept", small);
    expect(kept.steps).toEqual(raw.steps.filter(({ step }) => step % 10 === 0));
    expect({ ...kept, steps: [], trace: undefined }).toEqual({ ...raw, steps: [], trace: undefined });
    expect(kept.trace).toEqual(traceOf(raw));
    expect(kept.trace!.step.length).toBe(STEPS);
    expect([kept.trace!.up[1], kept.trace!.down[1]]).toEqual([2000, 1007]);
    // And again they are themselves.
    expect(text(keptRows(kept))).toBe(small);
  });

  it("are of the newest version of the program, and take the place of what was kept before", async () => {
    const directory = await directoryWith(RUNS.slice(0, 2));
    const out = join(temporaryDirectory(), "kept");
    await run(["experiment", "keep", directory, "--out", out]);
    const newer = rowsOf("a", 0, 3, { code: "d".repeat(16), started: "2026-02-01T00:00:00Z" });
    await new RowStore(directory).write(newer.config, newer.code, newer.rows);
    const again = await run(["experiment", "keep", directory, "--out", out, "--json"]);
    expect(again.json().at(-1)).toMatchObject({ kept: 1, replaced: 2 });
    expect(new RowStore(out).hashes()).toEqual([{ config: newer.config, code: newer.code }]);
    expect(again.stderr).toContain("2 runs of other versions");
  });

  it("never take the place of rows in full, nor of another experiment's, nor their own", async () => {
    const older = rowsOf("z", 0, 3, { code: "a".repeat(16) });
    const out = await directoryWith([older]);
    const directory = await directoryWith(RUNS);
    const kept = await run(["experiment", "keep", directory, "--out", out, "--json"]);
    expect(kept.json().at(-1)).toMatchObject({ kept: 6, replaced: 0 });
    expect(new RowStore(out).has(older.config, older.code)).toBe(true);
    const other = older.rows.map((row) => ({ ...row, experiment: "other" }));
    await new RowStore(out).write(older.config, older.code, other);
    const mixed = await run(["experiment", "keep", directory, "--out", out]);
    expect([mixed.exit, mixed.stderr]).toEqual([2, expect.stringContaining('"other"')]);
    const same = await run(["experiment", "keep", directory, "--out", `${directory}/`]);
    expect([same.exit, same.stderr]).toEqual([2, expect.stringContaining("accepted: another one")]);
  });

  it("may hold what a run that diverged measured: no number", () => {
    const text = RUNS[0].rows
      .map((row) => JSON.stringify(row.row === "step" ? { ...row, loss: Number.NaN } : row))
      .join("\n");
    const rows = parseCellRows("diverged", text);
    expect(rows.steps[0].loss).toBeNaN();
    const kept = parseCellRows(
      "kept",
      keptRows(rows)
        .map((row) => JSON.stringify(row))
        .join("\n"),
    );
    expect(kept.trace!.loss[3]).toBeNaN();
  });

  it("are refused with columns of different lengths", async () => {
    const rows = keptRows(parseCellRows("raw", RUNS[0].rows.map((row) => JSON.stringify(row)).join("\n")));
    const short = rows.map((row) => (row.row === "trace" ? { ...row, loss: [1] } : row));
    const text = short.map((row) => JSON.stringify(row)).join("\n");
    expect(await failure("NB_DATA_INVALID", () => parseCellRows("f", text))).toMatch(/different lengths/);
  });
});

describe("experiments/results", () => {
  it("holds small files that all can be read", () => {
    const results = join(import.meta.dirname, "../../experiments/results");
    for (const name of readdirSync(results)) {
      const directory = join(results, name);
      const store = new RowStore(directory);
      for (const { config, code } of store.hashes()) {
        const path = join(directory, "cells", `${config}.${code}.jsonl`);
        expect(statSync(path).size, path).toBeLessThan(24_000);
        expect(store.read(config, code).cell.experiment, path).toBe(name);
      }
      expect(readFileSync(join(directory, "experiment.yaml"), "utf8")).toContain(`name: ${name}`);
    }
  });
});
