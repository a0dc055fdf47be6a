/** The proxy on real sockets: nothing is lost or changed, and rate and delay are the link's. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { linkCommand } from "../../experiments/commands/link.ts";
import { type LinkProfile, PROFILES } from "../../experiments/link/profiles.ts";
import { type ConnectionStatistics, LinkProxy } from "../../experiments/link/proxy.ts";
import { describeProfile, parseTarget, profileOf } from "../../experiments/link/run.ts";
import { failure } from "../model/helpers.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function through(profile: LinkProfile, port: number, onClosed?: (s: ConnectionStatistics) => void) {
  const proxy = new LinkProxy({ target: { host: "127.0.0.1", port }, profile, seed: 1, onClosed });
  closing.push(() => proxy.close());
  return proxy.listen("127.0.0.1", 0);
}

const symmetric = (bitsPerSecond: number, delayMs: number): LinkProfile => {
  const direction = { bitsPerSecond, delayMs, jitterMs: 0, loss: 0 };
  return { up: direction, down: direction, resetEverySeconds: 0 };
};

function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  return new Promise((resolve) => socket.once("end", () => resolve(Buffer.concat(chunks))));
}

/** A connection that asks for so many bytes, and how long the answer takes. */
function asking(address: number): { socket: Socket; ask: (bytes: number) => Promise<number> } {
  const socket = connect({ port: address, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  return {
    socket,
    async ask(bytes) {
      const start = performance.now();
      const request = Buffer.alloc(4);
      request.writeUInt32LE(bytes);
      socket.write(request);
      for (let got = 0; got < bytes; ) {
        const [chunk] = (await once(socket, "data")) as [Buffer];
        got += chunk.length;
      }
      return performance.now() - start;
    },
  };
}

describe("the proxy", () => {
  it("carries bytes both ways unchanged, and half-closed connections too", async () => {
    let closed: ConnectionStatistics | undefined;
    const port = await listen(async (socket) => socket.end(await received(socket)));
    const address = await through(symmetric(200e6, 1), port, (statistics) => {
      closed = statistics;
    });
    const sent = randomBytes(700_001);
    const socket = connect({ port: address, host: "127.0.0.1", allowHalfOpen: true });
    socket.end(sent);
    expect((await received(socket)).equals(sent)).toBe(true);
    socket.destroy();
    await expect
      .poll(() => closed)
      .toEqual({ number: 0, upBytes: 700_001, downBytes: 700_001, reset: false });
  });

  it("has the link's delay and rate, within 5 % when the machine has time for it", async () => {
    const port = await listen((socket) => {
      socket.on("data", (request) => socket.write(Buffer.alloc(request.readUInt32LE())));
    });
    const address = await through(symmetric(16e6, 40), port);
    const { socket, ask } = asking(address);
    await ask(100);
    // Load on this machine can only make it longer, so the shortest of some is what the proxy made; on a busy one it takes more to meet it.
    const least = async (bytes: number, limit: number): Promise<number> => {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 40 && (i < 4 || best >= limit); i++) best = Math.min(best, await ask(bytes));
      return best;
    };
    const delay = await least(10, 80 * 1.05);
    expect(delay).toBeGreaterThan(80 * 0.99);
    expect(delay).toBeLessThan(80 * 1.05);
    // 2,000 bytes a millisecond, and both delays.
    const bulk = await least(600_000, 380 * 1.05);
    expect(bulk).toBeGreaterThan(380 * 0.99);
    expect(bulk).toBeLessThan(380 * 1.05);
    socket.destroy();
  }, 60_000);

  it("cuts connections with a reset when the link does", async () => {
    let closed: ConnectionStatistics | undefined;
    const port = await listen((socket) => socket.pipe(socket));
    const address = await through({ ...symmetric(0, 0), resetEverySeconds: 0.01 }, port, (statistics) => {
      closed = statistics;
    });
    const socket = connect({ port: address, host: "127.0.0.1" });
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
    await expect.poll(() => closed?.reset).toBe(true);
  });

  it("cuts the client off when there is no server", async () => {
    const port = await listen(() => {});
    await closing.pop()!();
    const address = await through(PROFILES.lan, port);
    const socket = connect({ port: address, host: "127.0.0.1" });
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
  });

  it("says when its port is taken", async () => {
    const port = await listen(() => {});
    const proxy = new LinkProxy({ target: { host: "127.0.0.1", port }, profile: PROFILES.none, seed: 0 });
    expect(await failure("NB_ADDRESS_UNAVAILABLE", () => proxy.listen("127.0.0.1", port))).toContain(
      "EADDRINUSE",
    );
  });
});

describe("narrowband link", () => {
  it("takes HOST:PORT, IPv6 in brackets", async () => {
    expect(parseTarget("lab.example:8787")).toEqual({ host: "lab.example", port: 8787 });
    expect(parseTarget("[::1]:80")).toEqual({ host: "::1", port: 80 });
    for (const bad of ["8787", "host:", "host:70000", "a b:1", "::1:80"])
      await failure("NB_CONFIG_INVALID", () => parseTarget(bad));
  });

  it("changes of a profile what the options name", () => {
    const settings = linkCommand.options.parse({ target: "h:1", profile: "dsl", upMbit: 8, loss: 0 });
    const profile = profileOf(settings);
    expect(profile.up.bitsPerSecond).toBe(8e6);
    expect(profile.down.bitsPerSecond).toBe(25e6);
    expect([profile.up.loss, profile.up.delayMs]).toEqual([0, 17]);
    expect(describeProfile(profile)).toBe(
      "8 Mbit/s up, 25 Mbit/s down, 34 ms there and back, ± 3 ms each way",
    );
  });
});
