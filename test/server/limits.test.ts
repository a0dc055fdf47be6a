/** What one address and one client may use up of a server. */
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { addressKey } from "../../server/addresses.ts";
import { CONTROL_BURST, REFUSAL_SLACK } from "../../server/limits.ts";
import { TokenBucket } from "../../server/rates.ts";
import { encodeFrame } from "../../shared/protocol/frame.ts";
import { attacked, cleanUp, expectJobCompletes, expectRefused, onCleanUp, RawPeer } from "./raw-peer.ts";

afterEach(cleanUp);

async function tcp(port: number): Promise<{ socket: Socket; closed: Promise<void> }> {
  const socket = connect(port, "127.0.0.1");
  onCleanUp(() => socket.destroy());
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => {}).resume();
  await new Promise((resolve) => socket.once("connect", resolve));
  return { socket, closed };
}

describe("an address", () => {
  it("has so many connections, is told when it has more, and is cut off when it has far more", async () => {
    const limit = 3;
    const { ws, port, refused } = await attacked({ limits: { maxConnectionsPerAddress: limit } });
    const first = await Promise.all(Array.from({ length: limit }, () => tcp(port)));
    const late = new RawPeer(ws);
    await late.closed;
    expect(late.status).toBe(503);
    const slack = await Promise.all(Array.from({ length: REFUSAL_SLACK }, () => tcp(port)));
    await (await tcp(port)).closed;
    expect(new Set(refused)).toEqual(new Set(["NB_SERVER_BUSY"]));
    // Whoever leaves makes room. The server has to notice first.
    for (const { socket } of [...first, ...slack]) socket.destroy();
    await untilLetIn(ws);
  });

  it("may have any number where the limit is 0", async () => {
    const { ws, port } = await attacked({ limits: { maxConnectionsPerAddress: 0 } });
    await Promise.all(Array.from({ length: 150 }, () => tcp(port)));
    const peer = new RawPeer(ws);
    await peer.join();
  });

  it.each([
    ["10.1.2.3", "10.1.2.3"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002:ffff::", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    [undefined, "unknown"],
  ])("%s is counted as %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

/** Waits until a new connection is let in. */
async function untilLetIn(ws: string): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const peer = new RawPeer(ws);
    const opened = await Promise.race([peer.opened.then(() => true), peer.closed.then(() => false)]);
    peer.ws.terminate();
    if (opened) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("no connection was let in any more");
}

describe("a server", () => {
  it("has so many connections altogether", async () => {
    const { port, refused } = await attacked({ limits: { maxConnections: 2, maxConnectionsPerAddress: 0 } });
    await tcp(port);
    await tcp(port);
    await (await tcp(port)).closed;
    expect(refused).toEqual(["NB_SERVER_BUSY"]);
  });
});

describe("a client", () => {
  it("that floods with pings is sent away, and the job goes on", async () => {
    const { ws, job } = await attacked();
    const peer = new RawPeer(ws);
    const names = await peer.join();
    for (let id = 0; id <= CONTROL_BURST + 10; id++) await peer.send({ type: "ping", id }, names);
    await expectRefused(peer, "NB_RATE_EXCEEDED");
    await expectJobCompletes(ws);
    expect(job.status().outcome?.reason).toBe("completed");
  });

  it("that floods with WebSocket's own pings is sent away", async () => {
    const { ws } = await attacked();
    const peer = new RawPeer(ws);
    await peer.join();
    // More at once than ws itself answers would end the connection without a word.
    for (let i = 0; i <= CONTROL_BURST + 10; i++) {
      peer.ws.ping();
      if (i % 20 === 19) await new Promise((resolve) => peer.ws.once("pong", resolve));
    }
    await expectRefused(peer, "NB_RATE_EXCEEDED");
  });

  it("that sends faster than its byte rate is read more slowly, and loses nothing", async () => {
    // 4 s of the rate may come at once; then 20 frames of 27 bytes take 5 s at 100 bytes a second, of which a part is watched.
    const { ws, server } = await attacked({ limits: { clientBytesPerSecond: 100 } });
    const peer = new RawPeer(ws);
    const names = await peer.join();
    const size = encodeFrame({ ...names, message: { type: "ping", id: 0 } }).length + 6;
    const count = Math.ceil(500 / size);
    const start = performance.now();
    for (let id = 0; id < count; id++) await peer.send({ type: "ping", id }, names);
    while (peer.received.filter(({ type }) => type === "pong").length < count)
      await new Promise((resolve) => setTimeout(resolve, 10));
    // Each packet that exceeds the burst waits until it is paid for, so at least the last one came late.
    await peer.send({ type: "ping", id: count }, names);
    while (peer.received.filter(({ type }) => type === "pong").length <= count)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(performance.now() - start).toBeGreaterThan(500);
    const metrics = await (await server.app.inject("/metrics")).body;
    expect(metrics).toMatch(/narrowband_rate_pauses_total [1-9]/);
  });

  it("that steps faster than its step rate is made to wait, and its steps all count", async () => {
    const { ws, job } = await attacked({ limits: { clientStepsPerSecond: 8 } }, { config: { steps: 8 } });
    const start = performance.now();
    await expectJobCompletes(ws);
    // Four steps may come at once; the other four are due 125 ms apart, and the last one's pause holds nothing up.
    expect(performance.now() - start).toBeGreaterThan(300);
    expect(job.status().trunkSteps).toBe(8);
  });
});

describe("a token bucket", () => {
  it("gives its burst at once and its rate on average", () => {
    let now = 0;
    const bucket = new TokenBucket(10, 5, () => now);
    expect(Array.from({ length: 5 }, () => bucket.take(1))).toEqual([0, 0, 0, 0, 0]);
    expect(bucket.take(1)).toBe(100);
    now += 100;
    expect(bucket.take(0)).toBe(0);
    expect(bucket.take(1)).toBe(100);
    now += 10_000;
    expect(bucket.take(6)).toBe(100);
  });

  it("without a rate gives all", () => {
    expect(new TokenBucket(0, 0).take(1e12)).toBe(0);
  });
});
