/**
 * Messages that end too early. Expected: NB_FRAME_MALFORMED or NB_FRAME_CHECKSUM at every cut; a WebSocket frame that never
 * ends holds nobody up, and ends at the Hello deadline.
 */
import { afterEach, describe, expect, it } from "vitest";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import { FRAMES } from "../protocol/frames.ts";
import { attacked, cleanUp, expectJobCompletes, HELLO, RawPeer } from "../server/raw-peer.ts";
import { rawFrame, rawUpgrade } from "../server/raw-socket.ts";

afterEach(cleanUp);

describe("a truncated message", () => {
  it.each(Object.entries(FRAMES))("%s is refused wherever it is cut", (_, frame) => {
    const whole = encodeFrame(frame);
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseFrame(whole.slice(0, length), 1e6)).toThrowError(
        expect.objectContaining({ code: expect.stringMatching(/^NB_FRAME_(MALFORMED|CHECKSUM)$/) }),
      );
    }
  });

  it("as a first message ends the connection with its code", async () => {
    const { ws } = await attacked();
    const whole = encodeFrame({ job: 0, client: 0, message: HELLO });
    for (const length of [0, 1, 7, 8, 9, whole.length - 1]) {
      const peer = new RawPeer(ws);
      await peer.sendBytes(whole.subarray(0, length));
      expect([4400, 4401]).toContain((await peer.closed).code);
    }
    await expectJobCompletes(ws);
  });

  it("whose rest never comes is given up at the deadline", async () => {
    const { port, ws, refused } = await attacked({ limits: { helloDeadlineMs: 100 } });
    const { socket, ended } = await rawUpgrade(port);
    socket.write(rawFrame(new Uint8Array(10), { declared: 3_000n }));
    const cut = ended.then(() => true);
    await expectJobCompletes(ws);
    // A peer that does not answer the closing is cut all the same.
    expect(await cut).toBe(true);
    expect(refused).toEqual(["NB_HELLO_DEADLINE"]);
  });

  it("by a connection that breaks in its middle leaves nothing behind", async () => {
    const { port, ws, job, server } = await attacked();
    const { socket, ended } = await rawUpgrade(port);
    socket.write(rawFrame(encodeFrame({ job: 0, client: 0, message: HELLO })));
    await new Promise((resolve) => socket.once("data", resolve));
    socket.write(rawFrame(new Uint8Array(100), { declared: 50_000n }));
    socket.destroy();
    await ended;
    await expectJobCompletes(ws);
    expect(job.status().clients.find(({ name }) => name === "mallory")).toMatchObject({ connected: false });
    const metrics = (await server.app.inject("/metrics")).body;
    expect(metrics).toContain('narrowband_connections{state="pending"} 0');
  });
});
