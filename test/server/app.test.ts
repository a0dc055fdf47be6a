/** What a server shows over HTTP. */
import { afterEach, describe, expect, it } from "vitest";
import type { ServerOptions } from "../../server/app.ts";
import { createToken, TokenStore } from "../../server/tokens.ts";
import { inProcess, listening, tinyClient, tinyJob } from "./harness.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Partial<ServerOptions> = {}) {
  const { server, http } = await listening(options);
  cleanups.push(() => server.close());
  const { job } = tinyJob();
  server.addJob(job);
  return { server, http, job };
}

async function train(job: Parameters<typeof inProcess>[0]): Promise<void> {
  await Promise.all([0, 1].map((index) => tinyClient(index, inProcess(job)).edge.run()));
}

describe("the server's pages", () => {
  it("say that it is well", async () => {
    const { http } = await start();
    const response = await fetch(`${http}/healthz`);
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("list the jobs, and tell all of one", async () => {
    const { http, job } = await start();
    await train(job);
    const list = await (await fetch(`${http}/api/jobs`)).json();
    expect(list).toMatchObject({ jobs: [{ name: "demo", number: 1, phase: "ended", trunkSteps: 4 }] });
    const status = await (await fetch(`${http}/api/jobs/demo`)).json();
    expect(status).toMatchObject({
      outcome: { reason: "completed" },
      clients: [
        { name: "client-0", lastStep: 3, meanBits: { A2: 32, G1: 16 } },
        { name: "client-1", lastStep: 3 },
      ],
    });
    expect(status.ledger.totalBytes).toBeGreaterThan(status.ledger.baselines.f16);
    expect(JSON.stringify(status)).not.toContain("process");
  });

  it("answer for a job that is not there with its code", async () => {
    const { http } = await start();
    const response = await fetch(`${http}/api/jobs/none`);
    expect([response.status, (await response.json()).code]).toEqual([404, "NB_JOB_UNKNOWN"]);
    expect((await fetch(`${http}/none`)).status).toBe(404);
  });

  it("measure, in Prometheus's format, what the ledger counts", async () => {
    const { http, job } = await start();
    await train(job);
    const text = await (await fetch(`${http}/metrics`)).text();
    const { up } = job.ledger.snapshot();
    const labels = 'job="demo",direction="up",category="payload"';
    expect(text).toContain(`narrowband_bytes_total{${labels}} ${up.payload}`);
    expect(text).toContain('narrowband_trunk_steps_total{job="demo"} 4');
    expect(text).toMatch(/narrowband_loss\{job="demo",client="client-0"\} \d/);
    const again = await (await fetch(`${http}/metrics`)).text();
    expect(again).toContain(`narrowband_bytes_total{${labels}} ${up.payload}`);
  });

  it("are for observers where there are tokens, but for its health", async () => {
    const observer = createToken({ id: "carol", role: "observer" });
    const client = createToken({ id: "alice", job: "demo" });
    const { http } = await start({ tokens: new TokenStore([observer.record, client.record]) });
    const status = async (path: string, token?: string): Promise<number> => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await fetch(`${http}${path}`, { headers })).status;
    };
    for (const path of ["/api/jobs", "/api/jobs/demo", "/metrics"]) {
      expect(await status(path)).toBe(401);
      expect(await status(path, client.token)).toBe(401);
      expect(await status(path, observer.token)).toBe(200);
    }
    expect(await status("/healthz")).toBe(200);
  });

  it("refuse a request body that is too large, without a stack trace", async () => {
    const { http } = await start();
    const response = await fetch(`${http}/api/jobs`, { method: "POST", body: "x".repeat(100_000) });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.text()).not.toContain("at ");
  });

  it("cannot be had twice on one port", async () => {
    const { server } = await start();
    const { port } = new URL(`http://${server.app.listeningOrigin.split("//")[1]}`);
    await expect(listening({ port: Number(port) })).rejects.toMatchObject({ code: "NB_ADDRESS_UNAVAILABLE" });
  });
});
