/** `narrowband experiment run` as it is used: worker processes, killed in the middle, gone on with, over processes too; then its report. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "narrowband-experiment-"));
const PROGRAM = "dist/cli.js";

const text = (name: string, rest: string) => `
name: ${name}
models: [models/base-6m]
seeds: 2
settings: { steps: 4, rows: 2, length: 32, testTokens: 256, trainExamples: 40 }
tasks: [moby-dick]
arms:
  - { name: f16, activations: f16, gradients: f16 }
  - { name: mixed, activations: "amaq:8-3", gradients: "fixed:4" }
${rest}`;

const cellsIn = (out: string) =>
  existsSync(join(out, "cells"))
    ? readdirSync(join(out, "cells")).filter((name) => name.endsWith(".jsonl"))
    : [];

beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true }));

it("goes on after a kill without repeating what was finished", async () => {
  const file = join(directory, "memory.yaml");
  const out = join(directory, "memory");
  writeFileSync(file, text("memory", ""));
  const args = [PROGRAM, "experiment", "run", file, "--out", out, "--workers", "1", "--json"];
  const first = spawn(process.execPath, args, { stdio: "ignore" });
  const exited = once(first, "exit");
  await expect.poll(() => cellsIn(out).length, { timeout: 120_000, interval: 50 }).toBeGreaterThan(0);
  first.kill("SIGKILL");
  await exited;
  const before = cellsIn(out);
  expect(before.length).toBeLessThan(4);
  const second = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 200_000 });
  expect(second.status, second.stderr).toBe(0);
  const result = JSON.parse(second.stdout.trim().split("\n").at(-1)!);
  expect([result.kept, result.finished, result.failed]).toEqual([before.length, 4 - before.length, 0]);
  expect(cellsIn(out).length).toBe(4);
}, 300_000);

it("over processes and a link has the same losses and bytes as in memory", () => {
  const file = join(directory, "process.yaml");
  const out = join(directory, "process");
  writeFileSync(file, text("process", "transport: process\nlinks: [lan]"));
  const ran = spawnSync(process.execPath, [PROGRAM, "experiment", "run", file, "--out", out], {
    encoding: "utf8",
    timeout: 280_000,
  });
  expect(ran.status, ran.stderr).toBe(0);
  const figures = (of: string) =>
    new Map(
      cellsIn(of).map((name) => {
        const rows = readFileSync(join(of, "cells", name), "utf8")
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line));
        const steps = rows.filter(({ row }) => row === "step");
        const end = rows.find(({ row }) => row === "end");
        const losses = steps.map(({ loss }) => loss);
        return [`${rows[0].arm} ${rows[0].seed}`, { losses, bytes: end.bytes }];
      }),
    );
  expect(figures(out)).toEqual(figures(join(directory, "memory")));
}, 300_000);

it("is reported from its rows alone", () => {
  const out = join(directory, "memory");
  const json = join(directory, "result.json");
  const ran = spawnSync(
    process.execPath,
    [PROGRAM, "experiment", "report", out, "--json", json, "--out", out],
    {
      encoding: "utf8",
      timeout: 60_000,
    },
  );
  expect(ran.status, ran.stderr).toBe(0);
  const { arms, comparisons } = JSON.parse(readFileSync(json, "utf8"));
  expect(arms.map(({ name, seeds }: { name: string; seeds: number[] }) => [name, seeds])).toEqual([
    ["f16", [0, 1]],
    ["mixed", [0, 1]],
  ]);
  expect(comparisons[0]).toMatchObject({ arm: "mixed", against: "f16", pairs: 2 });
  expect(existsSync(join(out, "report.html"))).toBe(true);
}, 90_000);
