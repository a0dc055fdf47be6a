// npm run test:fuzz -- [--frames N] [--seed S]: hostile bytes into every decoder and the frame parser (test/fuzz/).
// Prints seed, frames, seconds and the most bytes that one frame made it allocate. Exits with 1 at the first finding.

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) {
  console.log("npm run test:fuzz -- [--frames N (default 1000000)] [--seed S (default 1)]");
  process.exit(0);
}
for (const [name, least] of [
  ["frames", 1],
  ["seed", 0],
]) {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < least) {
    console.error(`--${name} is ${values[name]}; it must be an integer of at least ${least}`);
    process.exit(2);
  }
}

const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--config",
    "vitest.fuzz.config.ts",
    "--disable-console-intercept",
  ],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      NARROWBAND_FUZZ_FRAMES: String(Number(values.frames)),
      NARROWBAND_FUZZ_SEED: String(Number(values.seed)),
    },
  },
);
process.exit(status ?? 1);
