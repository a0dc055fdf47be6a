/** A server that goes away for a while: it says so, finishes what is open, and clients come back to the one that goes on. */
import { afterEach, describe, expect, it } from "vitest";
import { wsConnector } from "../../client/connection.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import type { ClientProgress } from "../../shared/protocol/client-state.ts";
import type { Connector } from "../../shared/protocol/transport.ts";
import { socketClient, TINY } from "./harness.ts";
import { attacked, cleanUp, RawPeer } from "./raw-peer.ts";
import { rawUpgrade } from "./raw-socket.ts";

afterEach(cleanUp);

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
    const first = await attacked({}, { config });
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
          if (commit.step === 2) void first.job.stop(50);
        },
      },
    );
    const run = edge.run();
    const outcome = await first.job.done;
    expect(outcome).toMatchObject({ reason: "stopped", retryAfterMs: 50 });
    // The trunk's state goes over to the next server as a checkpoint would carry it.
    const steps = first.trunk.steps;
    const second = await attacked({}, { config, job: { stepsTaken: steps } });
    second.trunk.loadAdapters(first.trunk.adapters());
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
