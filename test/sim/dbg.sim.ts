import { it } from "vitest";
import { scenarioOf } from "./scenario.ts";
import { Simulation } from "./simulation.ts";
it("x", async () => {
  const s = new Simulation(scenarioOf(Number(process.env.SIM_SEED)));
  await s.run().catch((e) => console.log(String(e)));
  const show = (v: unknown) => JSON.stringify(v, (k, x) => (k === "config" || k==="policy" || k.startsWith("sent") || k.startsWith("made") ? undefined : x instanceof Map ? [...x] : x));
  console.log(show((s.server!.job as any).debugState), );
  for (const c of s.clients) console.log(show((c.process!.edge as any).debugState));
});
