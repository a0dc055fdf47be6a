import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**"],
    pool: "forks",
    testTimeout: 60_000,
    maxWorkers: 2,
    // TensorFlow.js' gradients exist only as sources that Node itself cannot import (test/graph/tfjs-gradients.ts).
    server: { deps: { inline: [/tfjs-core\/dist\/(?!tf-core)/] } },
  },
});
