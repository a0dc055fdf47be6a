/** In a running job, gradients take over the widths of the activations at their cut, without a byte of traffic for it. */
import { describe, expect, it } from "vitest";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { inProcess, TINY, tinyClient, tinyJob } from "./harness.ts";

const ACTIVATIONS = "amaq:3.5-3.5@0,allocator=greedy,dwell=1,hysteresis=0";
const GRADIENTS = "amaq:4.5-4.5@0,allocator=tied,dwell=1,hysteresis=0";

describe.each(["u-shape", "vanilla"] as const)("in a job of the %s", (split) => {
  it("the sender of a gradient follows the activation's bit table, one step behind", async () => {
    const codecs = { A1: ACTIVATIONS, A2: ACTIVATIONS, G2: GRADIENTS, G1: GRADIENTS };
    const config: JobConfig = { ...TINY, split, steps: 12, codecs };
    const { job } = tinyJob(config, { minClients: 1, quorum: 1 });
    const seen: string[] = [];
    const { edge } = tinyClient(0, inProcess(job), config, {
      onStep: () => seen.push([...edge.senders!.A1.encoder.widths()].join()),
    });
    const outcome = await edge.run();
    expect(outcome.reason).toBe("completed");
    const { encoder } = job.senders(0).G1;
    const leader = encoder.save().arrays.leader as Uint8Array;
    expect(new Set(leader).size).toBeGreaterThan(1);
    expect(seen).toContain(leader.join());
    expect([...encoder.widths()]).toEqual([...leader].map((width) => width + 1));
    if (split === "vanilla") return;
    const own = edge.senders!.G2.encoder;
    expect([...own.widths()]).toEqual(
      [...(own.save().arrays.leader as Uint8Array)].map((width) => width + 1),
    );
  });
});
