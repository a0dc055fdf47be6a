/**
 * npm run test:sim -- [--seeds N] [--from N] [--json FILE]     N seeds of the simulator, on two processes
 * npm run test:sim -- --seed N                                  one seed, with everything that happens in it
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    json: { type: "string" },
  },
});

function run(file, environment) {
  return new Promise((resolve) => {
    const vitest = join("node_modules", "vitest", "vitest.mjs");
    const args = [vitest, "run", "--config", "vitest.sim.config.ts", file];
    const env = { ...process.env, ...environment };
    spawn(process.execPath, args, { stdio: "inherit", env }).on("exit", (code) => resolve(code ?? 1));
  });
}

if (values.seed !== undefined) {
  process.exit(await run("test/sim/replay.sim.ts", { SIM_SEED: values.seed }));
}

const SHARES = 2;
const [count, from] = [Number(values.seeds), Number(values.from)];
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(from) || from < 1) {
  console.error("--seeds and --from: whole numbers from 1 are accepted");
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), "narrowband-sim-"));
const start = performance.now();
const shares = Array.from({ length: SHARES }, (_, share) => ({
  share,
  file: join(directory, `${share}.json`),
}));
const codes = await Promise.all(
  shares.map(({ share, file }) =>
    run("test/sim/seeds.sim.ts", {
      SIM_FROM: String(from),
      SIM_TO: String(from + count - 1),
      SIM_SHARE: String(share),
      SIM_SHARES: String(SHARES),
      SIM_JSON: file,
    }),
  ),
);
if (codes.some((code) => code !== 0)) {
  console.error("the simulator itself failed");
  process.exit(1);
}
const total = {
  seeds: 0,
  failures: [],
  kills: 0,
  drops: 0,
  duplicates: 0,
  reorders: 0,
  steps: 0,
  seconds: 0,
};
for (const { file } of shares) {
  for (const [name, value] of Object.entries(JSON.parse(readFileSync(file, "utf8")))) {
    total[name] = Array.isArray(value) ? [...total[name], ...value] : total[name] + value;
  }
}
rmSync(directory, { recursive: true });
total.seconds = Math.round((performance.now() - start) / 100) / 10;
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(total, undefined, 2)}\n`);
console.log(JSON.stringify({ ...total, failures: total.failures.length }));
process.exit(total.failures.length === 0 ? 0 : 1);
