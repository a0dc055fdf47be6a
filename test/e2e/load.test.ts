/** The load bench, built and in real processes, only smaller: `npm run test:e2e`. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

it("bench:load writes its figures, of a run without errors", () => {
  const directory = mkdtempSync(join(tmpdir(), "narrowband-load-"));
  try {
    const shell = process.platform === "win32";
    execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit", shell });
    const json = join(directory, "load.json");
    const args = [
      "dist/experiments/bench/load.js",
      "--clients",
      "40",
      "--active",
      "4",
      "--seconds",
      "1",
      "--json",
      json,
    ];
    const ran = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 120_000 });
    expect(ran.status, ran.stderr).toBe(0);
    const figures = JSON.parse(readFileSync(json, "utf8"));
    expect(figures).toMatchObject({ clients: 40, active: 4, errors: 0 });
    for (const name of ["stepsPerSecond", "p50Ms", "p99Ms", "cpuMsPerStep"])
      expect(figures[name], name).toBeGreaterThan(0);
    expect(figures.p99Ms).toBeGreaterThanOrEqual(figures.p50Ms);
    for (const name of ["rssPerIdleBytes", "rssPerActiveBytes"])
      expect(Number.isInteger(figures[name]), name).toBe(true);
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 180_000);
