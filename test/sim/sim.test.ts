/**
 * Whatever is killed, cut, repeated or delayed, at whatever moment: what is trained is what a run in which nothing happened trains, bit
 * for bit. `npm run test:sim` runs more seeds, and one again with its trace.
 */
import { describe, expect, it } from "vitest";
import { runSeed } from "./check.ts";

const SEEDS = 50;

describe("a job in which anything may die at any moment", () => {
  it(`ends as if nothing had happened (${SEEDS} seeds)`, async () => {
    let kills = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { reason, trace, counts } = await runSeed(seed);
      kills += counts.kills;
      if (reason === undefined) continue;
      const replay = `npm run test:sim -- --seed ${seed}`;
      expect.fail(`seed ${seed} (replay with: ${replay}): ${reason}\n${trace.slice(-60).join("\n")}`);
    }
    expect(kills).toBeGreaterThan(SEEDS);
  });
});
