/**
 * npm run test:kill -- [--kills N] [--steps N] [--seed N]
 *
 * Kills N real processes, servers and clients, at random moments of jobs of so many steps, and compares the adapters with those of a job in which
 * nothing was killed.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    steps: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (/^[1-9]\d*$/.test(value)) continue;
  console.error(`--${name}: whole numbers from 1 are accepted`);
  process.exit(2);
}
const build = spawnSync("npm", ["run", "--silent", "build"], {
  stdio: "inherit",
  shell: process.platform === "win32",
});
if (build.status !== 0) process.exit(1);
const env = { ...process.env, KILLS: values.kills, KILL_STEPS: values.steps, KILL_SEED: values.seed };
const vitest = join("node_modules", "vitest", "vitest.mjs");
const args = [vitest, "run", "--config", "vitest.kill.config.ts"];
process.exit(spawnSync(process.execPath, args, { stdio: "inherit", env }).status ?? 1);
