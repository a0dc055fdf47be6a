/** Many seeds, told of by environment variables: run by scripts/test-sim.mjs, which see. */
import { writeFileSync } from "node:fs";
import { it } from "vitest";
import { runSeed } from "./check.ts";

it("goes through its share of the seeds", async () => {
  const { SIM_FROM, SIM_TO, SIM_SHARE, SIM_SHARES, SIM_JSON } = process.env;
  const failures: { seed: number; reason: string }[] = [];
  const total = { kills: 0, drops: 0, duplicates: 0, reorders: 0, steps: 0 };
  let seeds = 0;
  for (let seed = Number(SIM_FROM); seed <= Number(SIM_TO); seed++) {
    if (seed % Number(SIM_SHARES) !== Number(SIM_SHARE)) continue;
    const { reason, counts, trace } = await runSeed(seed);
    seeds++;
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
    if (reason === undefined) continue;
    failures.push({ seed, reason });
    console.log(`seed ${seed} fails: ${reason}\n${trace.slice(-40).join("\n")}`);
    console.log(`again, with its whole trace: npm run test:sim -- --seed ${seed}`);
  }
  writeFileSync(SIM_JSON!, JSON.stringify({ seeds, failures, ...total }));
});
