/** The ledgers of both ends say what a counting TCP proxy between them sees, to the byte. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type LedgerSnapshot, sumBytes } from "../../shared/ledger/ledger.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import { listening, socketClient, TINY, tinyJob } from "./harness.ts";

/** Passes bytes on and counts them. */
class CountingProxy {
  up = 0;
  down = 0;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #open = new Set<Promise<void>>();

  constructor(target: number) {
    this.#server = createServer((client) => {
      this.connections++;
      const server = connect(target, "127.0.0.1");
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        this.#open.add(new Promise((resolve) => socket.on("close", () => resolve())));
      }
      client.on("data", (chunk) => {
        this.up += chunk.length;
      });
      server.on("data", (chunk) => {
        this.down += chunk.length;
      });
      client.pipe(server);
      server.pipe(client);
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => resolve((this.#server.address() as { port: number }).port));
    });
  }

  /** Resolves when all connections have ended by themselves. */
  async quiet(): Promise<void> {
    await Promise.all(this.#open);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function runThroughProxy(config: typeof TINY) {
  const { job } = tinyJob(config);
  const { server, port } = await listening();
  cleanups.push(() => server.close());
  server.addJob(job);
  const proxy = new CountingProxy(port);
  cleanups.push(() => proxy.close());
  const url = `ws://127.0.0.1:${await proxy.listen()}`;
  const clients = [0, 1].map((index) => socketClient(index, url, config));
  const outcomes = await Promise.all(clients.map(({ edge }) => edge.run()));
  expect(outcomes.map((o) => o.reason)).toEqual(["completed", "completed"]);
  await proxy.quiet();
  return { job, proxy, clients };
}

function total(snapshots: readonly LedgerSnapshot[], direction: "up" | "down"): number {
  return snapshots.reduce((sum, snapshot) => sum + sumBytes(snapshot[direction]), 0);
}

describe("the byte ledger", () => {
  const cases = [
    ["a U-shape in f32", TINY],
    [
      "annealing bit widths",
      { ...TINY, codecs: { A1: "amaq:8-3@3", A2: "amaq:8-3@3", G2: "fixed:4", G1: "f16" } },
    ],
    ["a vanilla split", { ...TINY, split: "vanilla" as const }],
    ["averaged adapters", { ...TINY, aggregation: "fedavg" as const }],
    // Larger than the 125 and the 65,535 bytes at which WebSocket's length field grows.
    [
      "wide tensors",
      { ...TINY, model: { ...TINY.model, hidden: 2_048 }, maxFrameBytes: 1_000_000, steps: 2 },
    ],
  ] as const;
  it.each(cases)("agrees with the proxy for %s", async (_name, config) => {
    const { job, proxy, clients } = await runThroughProxy(config);
    const ends = clients.map(({ edge }) => edge.ledger.snapshot());
    const server = job.ledger.snapshot();
    expect(proxy.connections).toBe(2);
    for (const direction of ["up", "down"] as const) {
      expect(total(ends, direction)).toBe(proxy[direction]);
      expect(total([server], direction)).toBe(proxy[direction]);
      expect(server[direction].unattributed).toBe(0);
    }
    for (const end of ends) expect([end.up.unattributed, end.down.unattributed]).toEqual([0, 0]);
    expect(ledgerReport(server).totalBytes).toBe(proxy.up + proxy.down);
  });

  it("splits a phase's bytes into those of the codec and those around them", async () => {
    const { job } = await runThroughProxy(TINY);
    const { phases } = job.ledger.snapshot();
    const { A1, G1 } = phases;
    const messages = 2 * TINY.steps * TINY.microBatches;
    expect([A1.messages, G1.messages]).toEqual([messages, messages]);
    expect(A1.elements).toBe(A1.tokens * TINY.model.hidden);
    expect(A1.bytes.payload).toBe(A1.elements * 4);
    expect(G1.bytes.payload).toBe(G1.elements * 2);
    expect(A1.bytes.headers).toBeGreaterThan(messages * 20);
    expect(A1.bytes.websocketFraming).toBe(messages * (4 + 4));
    const report = ledgerReport(job.ledger.snapshot());
    expect(report.tokens).toBe(A1.tokens);
    expect(report.baselines.f32).toBe(report.elements * 4);
    expect(report.wireBitsPerElement).toBeCloseTo((report.totalBytes * 8) / report.elements, 10);
  });
});
