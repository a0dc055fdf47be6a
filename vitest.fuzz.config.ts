import { defineConfig } from "vitest/config";

/** The long fuzz run, `npm run test:fuzz`; kept out of the default suite for its length. */
export default defineConfig({
  test: { include: ["test/fuzz/*.fuzz.ts"], pool: "forks", maxWorkers: 1, testTimeout: 24 * 60 * 60 * 1000 },
});
