/** The edge runtime over the Web platform's WebSocket, as in a browser: by the ws package's class of that interface, and by Node's own where it has one. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import { platformConnector } from "../../client/web-socket.ts";
import { sumBytes } from "../../shared/ledger/ledger.ts";
import { listening, TINY, tinyClient, tinyJob } from "../server/harness.ts";

const native: typeof WebSocket | undefined = globalThis.WebSocket;
const classes: [string, unknown][] = [["the ws package's", WsWebSocket]];
if (native !== undefined) classes.push(["Node's own", native]);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(policy = {}) {
  const { server, ws } = await listening();
  cleanups.push(() => server.close());
  const { job } = tinyJob({}, policy);
  server.addJob(job);
  return { job, url: `${ws}/ws` };
}

describe.each(classes)("a client over %s WebSocket", (_name, implementation) => {
  it("completes a job, and counts its messages as the server does", async () => {
    vi.stubGlobal("WebSocket", implementation);
    const { job, url } = await start({ minClients: 1 });
    const { edge } = tinyClient(0, platformConnector(url), TINY);
    expect((await edge.run()).reason).toBe("completed");
    const [own, servers] = [edge.ledger.snapshot(), job.ledger.snapshot()];
    for (const direction of ["up", "down"] as const) {
      // Only the upgrade and the closing are hidden from it.
      const { handshake, websocketFraming, ...rest } = servers[direction];
      expect(own[direction]).toMatchObject(rest);
      expect(sumBytes(servers[direction]) - sumBytes(own[direction])).toBeLessThan(handshake + 16);
    }
  });

  it("is told by its code why the server sent it away", async () => {
    vi.stubGlobal("WebSocket", implementation);
    const { url } = await start();
    const { edge } = tinyClient(0, platformConnector(url), TINY, { job: "other" });
    expect(await edge.run()).toMatchObject({ reason: "failed", code: "NB_JOB_UNKNOWN" });
  });

  it("gives up on a server that is not there", async () => {
    vi.stubGlobal("WebSocket", implementation);
    const backoff = { baseMs: 1, capMs: 1, attempts: 2 };
    const { edge } = tinyClient(0, platformConnector("ws://127.0.0.1:1/ws"), TINY, { backoff });
    expect(await edge.run()).toMatchObject({ reason: "failed", code: "NB_CONNECTION_LOST" });
  });
});
