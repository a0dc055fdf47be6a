import { defineConfig } from "vitest/config";

/** What needs the built package and real processes; kept out of the default suite for its length. */
export default defineConfig({
  test: { include: ["test/e2e/**/*.test.ts"], pool: "forks", maxWorkers: 1 },
});
