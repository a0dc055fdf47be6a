/** As many kills of real processes as asked for, over as many jobs as that takes: run by scripts/test-kill.mjs, which see. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writeRandomModel } from "../command/helpers.ts";
import { random } from "../protocol/world.ts";
import { runJob } from "./processes.ts";

it("ends with the same adapters whatever is killed", async () => {
  const wanted = Number(process.env.KILLS);
  const seed = Number(process.env.KILL_SEED);
  const root = mkdtempSync(join(tmpdir(), "narrowband-kill-"));
  try {
    const model = await writeRandomModel(join(root, "model"));
    const data = join(root, "text.txt");
    writeFileSync(data, "zyxwvutsrqponmlkjihgfedcba".repeat(40));
    const shared = {
      cli: "dist/cli.js",
      model,
      data,
      steps: Number(process.env.KILL_STEPS),
      random: random(seed),
      log: console.log,
    };
    const calm = await runJob({ ...shared, directory: join(root, "calm"), kills: 0 });
    let kills = 0;
    let jobs = 0;
    let broken = 0;
    while (kills < wanted) {
      jobs++;
      const ran = await runJob({ ...shared, directory: join(root, "killed"), kills: wanted - kills });
      for (const [name, bytes] of ran.adapters) {
        expect(bytes.equals(calm.adapters.get(name)!), `the adapter of ${name} in job ${jobs}`).toBe(true);
      }
      expect(ran.kills, "a job that was over before anything was killed").toBeGreaterThan(0);
      kills += ran.kills;
      broken += ran.broken;
    }
    console.log(JSON.stringify({ kills, broken, jobs, seed }));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
