/** What `aqsgd` remembers of each row on both ends outlives kills as well: a run of it is simulated like the others, on text that comes again. */
import { expect, it } from "vitest";
import { runSeed } from "./check.ts";
import { scenarioOf } from "./scenario.ts";

const SEEDS = 12;

it(`a job of aqsgd ends as if nothing had happened (${SEEDS} seeds)`, async () => {
  let kills = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { config } = scenarioOf(seed);
    const codecs = {
      A1: "aqsgd:4",
      A2: config.split === "vanilla" ? "f16" : "aqsgd:4",
      G2: "f16",
      G1: "f16",
    };
    const { reason, trace, counts } = await runSeed(seed, { config: { ...config, codecs }, kills: 6 });
    kills += counts.kills;
    if (reason !== undefined) expect.fail(`seed ${seed}: ${reason}\n${trace.slice(-60).join("\n")}`);
  }
  expect(kills).toBeGreaterThan(SEEDS);
});
