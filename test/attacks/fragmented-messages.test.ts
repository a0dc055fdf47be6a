/**
 * Messages cut into WebSocket fragments. Expected: a Hello in a few fragments is a Hello; more fragments or bytes than a stranger may send end
 * the connection; a message that never ends is bounded by the same limits.
 */
import { afterEach, describe, expect, it } from "vitest";
import { encodeFrame } from "../../shared/protocol/frame.ts";
import { MAX_FRAGMENTS } from "../../shared/protocol/limits.ts";
import { attacked, cleanUp, expectJobCompletes, HELLO } from "../server/raw-peer.ts";
import { closeCodeOf, rawFrame, rawUpgrade } from "../server/raw-socket.ts";

afterEach(cleanUp);

const HELLO_BYTES = encodeFrame({ job: 0, client: 0, message: HELLO });

function fragments(bytes: Uint8Array, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const fin = at + size >= bytes.length;
    parts.push(rawFrame(bytes.subarray(at, at + size), { opcode: at === 0 ? 2 : 0, fin }));
  }
  return Buffer.concat(parts);
}

describe("a fragmented message", () => {
  it("of a few parts, with a ping between them, is read like any other", async () => {
    const { port, job } = await attacked({}, { policy: { minClients: 2 } });
    const { socket } = await rawUpgrade(port);
    const [first, second] = [HELLO_BYTES.subarray(0, 20), HELLO_BYTES.subarray(20)];
    socket.write(rawFrame(first, { fin: false }));
    socket.write(rawFrame(new Uint8Array(3), { opcode: 9 }));
    socket.write(rawFrame(second, { opcode: 0 }));
    while (job.status().clients.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(job.status().clients).toMatchObject([{ name: "mallory", connected: true }]);
  });

  it("of one byte each is read, or costs the stranger its connection, but nobody else's", async () => {
    const { port, ws } = await attacked();
    const { socket, ended } = await rawUpgrade(port);
    socket.write(fragments(HELLO_BYTES, 1));
    socket.end();
    await ended;
    await expectJobCompletes(ws);
  });

  it.each([0, 1])("of endless parts of %i bytes is cut off", async (size) => {
    const { port, ws } = await attacked();
    const { socket, ended } = await rawUpgrade(port);
    socket.write(rawFrame(new Uint8Array(size), { fin: false }));
    const part = rawFrame(new Uint8Array(size), { opcode: 0, fin: false });
    socket.write(Buffer.concat(Array.from({ length: MAX_FRAGMENTS + 1 }, () => part)));
    await ended;
    await expectJobCompletes(ws);
  });

  it("of a client that is in may have so many parts and no more", async () => {
    const { port } = await attacked({}, { policy: { minClients: 2 } });
    const { socket, ended } = await rawUpgrade(port);
    socket.write(rawFrame(HELLO_BYTES));
    await new Promise((resolve) => socket.once("data", resolve));
    socket.write(fragments(new Uint8Array(MAX_FRAGMENTS + 1), 1));
    expect(closeCodeOf(await ended)).toBe(1008);
  });
});
