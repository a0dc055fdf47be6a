/**
 * Messages that are small on the wire and large when unpacked. Expected: compression is never agreed to, and a frame that is marked as
 * compressed ends its connection with 1002 without being unpacked.
 */
import { deflateRawSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { encodeFrame } from "../../shared/protocol/frame.ts";
import { attacked, cleanUp, expectJobCompletes, HELLO, RawPeer } from "../server/raw-peer.ts";
import { closeCodeOf, rawFrame, rawUpgrade } from "../server/raw-socket.ts";

afterEach(cleanUp);

/** 100 MB of zeros in 100 kB. */
const BOMB = deflateRawSync(Buffer.alloc(100_000_000));

describe("compression", () => {
  it("is not agreed to, whoever offers it", async () => {
    const { port, ws } = await attacked();
    const { head } = await rawUpgrade(port, {
      headers: ["Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15"],
    });
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head.toLowerCase()).not.toContain("permessage-deflate");
    const peer = new RawPeer(ws, { perMessageDeflate: true });
    await peer.opened;
    expect(peer.ws.extensions).toBe("");
  });

  it.each([
    ["before it is let in", false],
    ["when it is in", true],
  ])("that a peer uses all the same ends its connection %s", async (_, joined) => {
    const { port, ws } = await attacked();
    const { socket, ended } = await rawUpgrade(port);
    if (joined) {
      socket.write(rawFrame(encodeFrame({ job: 0, client: 0, message: HELLO })));
      await new Promise((resolve) => socket.once("data", resolve));
    }
    const before = process.memoryUsage().rss;
    socket.write(rawFrame(joined ? BOMB : BOMB.subarray(0, 2_000), { rsv1: true }));
    expect(closeCodeOf(await ended)).toBe(1002);
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
    await expectJobCompletes(ws);
  });

  it("of an HTTP body is refused", async () => {
    const { http } = await attacked();
    const response = await fetch(`${http}/api/jobs/demo/stop`, {
      method: "POST",
      headers: { "content-encoding": "deflate", "content-type": "application/json" },
      body: BOMB.subarray(0, 10_000),
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  });
});
