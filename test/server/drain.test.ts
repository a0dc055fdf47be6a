/** A server that goes away for a while: it says so, finishes what is open, and clients come back to the one that goes on. */
import { afterEach, describe, expect, it } from "vitest";
import { wsConnector } from "../../client/connection.ts";
import { Job } from "../../server/job.ts";
import { DirectoryStorage } from "../../shared/job/storage-node.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import type { ClientProgress } from "../../shared/protocol/client-state.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { Connector } from "../../shared/protocol/transport.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { POLICY } from "../protocol/world.ts";
import { listening, socketClient, TINY } from "./harness.ts";
import { attacked, cleanUp, onCleanUp, RawPeer } from "./raw-peer.ts";
import { rawUpgrade } from "./raw-socket.ts";
import { TinyTrunk } from "./tiny-segments.ts";

afterEach(cleanUp);

/** A server whose job is kept in a storage, as `narrowband serve` keeps it. */
async function keptJob(config: Partial<JobConfig>, storage: DirectoryStorage, resume: boolean) {
  const { server, ws } = await listening();
  onCleanUp(() => server.close());
  const trunk = new TinyTrunk(TINY.model.hidden);
  const job = await Job.open(
    { name: "demo", number: 1, config: { ...TINY, ...config }, policy: { ...POLICY, minClients: 1 }, trunk },
    { storage, resume, every: 0, onNote: () => {} },
  );
  server.addJob(job);
  return { job, trunk, ws };
}

describe("a server that drains", () => {
  it("is not ready, lets nobody in, says when to come back, and is still alive", async () => {
    const { server, port, http } = await attacked();
    expect((await fetch(`${http}/readyz`)).status).toBe(200);
    server.drain(7_000);
    const ready = await fetch(`${http}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { status: "draining" }]);
    expect((await fetch(`${http}/healthz`)).status).toBe(200);
    const { head } = await rawUpgrade(port);
    expect(head).toMatch(/^HTTP\/1\.1 503 /);
    expect(head).toMatch(/\r\nRetry-After: 7\r\n/);
  });

  it("tells each client in its Goodbye after how long to come back", async () => {
    const { ws, job } = await attacked({}, { policy: { minClients: 2 } });
    const peer = new RawPeer(ws);
    await peer.join();
    await job.stop(1_234);
    expect(await peer.until("goodbye")).toMatchObject({ reason: "stopped", retryAfterMs: 1_234 });
  });

  it("finishes the open step, and its clients take the job to its end on the server that follows", async () => {
    const config = { steps: 6 };
    const storage = new DirectoryStorage(temporaryDirectory());
    const first = await keptJob(config, storage, false);
    const taken: number[] = [];
    const progress: ClientProgress[] = [];
    let url = first.ws;
    const ledger = new ByteLedger();
    const connect: Connector = () => wsConnector({ url, ledger })();
    const { edge, bottom } = socketClient(
      0,
      url,
      { ...TINY, ...config },
      {
        connect,
        ledger,
        random: () => 0,
        onProgress: (event) => progress.push(event),
        onStep: ({ commit }) => {
          taken.push(commit.step);
          if (commit.step === 2) void first.job.stop(300);
        },
      },
    );
    const run = edge.run();
    const outcome = await first.job.done;
    expect(outcome).toMatchObject({ reason: "stopped", retryAfterMs: 300 });
    await first.job.close();
    const second = await keptJob(config, storage, true);
    url = second.ws;
    expect((await run).reason).toBe("completed");
    expect(taken).toEqual([0, 1, 2, 3, 4, 5]);
    expect(progress.filter(({ type }) => type === "welcomed").length).toBe(2);
    // As if nothing had happened.
    const calm = await attacked({}, { config });
    const reference = socketClient(0, calm.ws, { ...TINY, ...config });
    await reference.edge.run();
    expect(second.trunk.scale).toEqual(calm.trunk.scale);
    expect(bottom.scale).toEqual(reference.bottom.scale);
  });
});
