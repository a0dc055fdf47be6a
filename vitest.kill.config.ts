import { defineConfig } from "vitest/config";

/** Real processes that are killed, see scripts/test-kill.mjs. */
export default defineConfig({
  test: {
    include: ["test/kill/*.kill.ts"],
    pool: "forks",
    testTimeout: 14_400_000,
    disableConsoleIntercept: true,
  },
});
