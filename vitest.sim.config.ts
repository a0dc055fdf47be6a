import { defineConfig } from "vitest/config";

/** The simulator's longer runs, see scripts/test-sim.mjs. */
export default defineConfig({
  test: {
    include: ["test/sim/*.sim.ts"],
    pool: "forks",
    testTimeout: 3_600_000,
    disableConsoleIntercept: true,
  },
});
