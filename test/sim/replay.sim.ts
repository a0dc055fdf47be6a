/** One seed again, with all that happened: run by scripts/test-sim.mjs. */
import { it } from "vitest";
import { runSeed } from "./check.ts";

it("replays a seed", async () => {
  const seed = Number(process.env.SIM_SEED);
  const { reason, counts } = await runSeed(seed, {}, true);
  console.log(JSON.stringify(counts));
  if (reason !== undefined) throw new Error(reason);
});
