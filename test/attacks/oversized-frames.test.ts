/**
 * Messages larger than they may be, or that only say so. Expected: NB_FRAME_TOO_LARGE, 1009 or a cut connection, before memory is spent
 * on them; a declared length alone allocates nothing.
 */
import { afterEach, describe, expect, it } from "vitest";
import { encodeFrame } from "../../shared/protocol/frame.ts";
import { TINY } from "../server/harness.ts";
import { attacked, cleanUp, expectJobCompletes, expectRefused, HELLO, RawPeer } from "../server/raw-peer.ts";
import { closeCodeOf, rawFrame, rawUpgrade } from "../server/raw-socket.ts";

afterEach(cleanUp);

const HELLO_BYTES = encodeFrame({ job: 0, client: 0, message: HELLO });

/** Process memory that a piece of work adds and keeps, bytes. */
async function kept(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  await work();
  return process.memoryUsage().rss - before;
}

describe("an oversized message", () => {
  it.each([2n ** 31n, 2n ** 40n, 2n ** 62n])(
    "of a stranger that declares %s bytes is refused by its header",
    async (declared) => {
      const { port } = await attacked();
      const grown = await kept(async () => {
        const { socket, ended } = await rawUpgrade(port);
        socket.write(rawFrame(new Uint8Array(1_000), { declared }));
        expect([1002, 1009]).toContain(closeCodeOf(await ended));
      });
      expect(grown).toBeLessThan(200e6);
    },
  );

  it("of a client that is in, declared larger than its job's limit, is refused by its header", async () => {
    const { port, ws } = await attacked();
    const { socket, ended } = await rawUpgrade(port);
    socket.write(rawFrame(HELLO_BYTES));
    await new Promise((resolve) => socket.once("data", resolve));
    socket.write(rawFrame(new Uint8Array(10), { declared: BigInt(TINY.maxFrameBytes + 1) }));
    expect(closeCodeOf(await ended)).toBe(1009);
    await expectJobCompletes(ws);
  });

  it("of a stranger that is sent in full is cut off long before its end", async () => {
    const { port } = await attacked();
    const { socket, ended } = await rawUpgrade(port);
    const part = Buffer.alloc(1_000_000);
    socket.write(rawFrame(new Uint8Array(0), { declared: 60_000n }));
    for (let i = 0; i < 5; i++) socket.write(part);
    await ended;
    expect(socket.bytesWritten).toBeLessThan(6_000_000);
  });

  it("that is a Hello of 4,097 bytes has its code", async () => {
    const { ws } = await attacked();
    const peer = new RawPeer(ws);
    await peer.sendBytes(new Uint8Array(4_097));
    await expectRefused(peer, "NB_FRAME_TOO_LARGE");
  });

  it("whose header claims to be longer than the message is malformed", async () => {
    const { ws } = await attacked();
    const bytes = encodeFrame({ job: 0, client: 0, message: HELLO });
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(2, 65_535, true);
    const peer = new RawPeer(ws);
    await peer.sendBytes(bytes);
    await expectRefused(peer, "NB_FRAME_MALFORMED");
  });
});
