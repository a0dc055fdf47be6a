/**
 * Connections that are kept waiting on purpose (slowloris): no request, a header a second, a Hello byte by byte. Expected: each ends at its own
 * deadline, however busy it pretends to be, and holds a place among few, not all of the server.
 */
import { afterEach, describe, expect, it } from "vitest";
import { STRANGER_CLOSE_MS } from "../../server/limits.ts";
import { encodeFrame } from "../../shared/protocol/frame.ts";
import { attacked, cleanUp, expectJobCompletes, HELLO } from "../server/raw-peer.ts";
import { rawConnect, rawFrame, rawUpgrade } from "../server/raw-socket.ts";

afterEach(cleanUp);

/** A server whose HTTP deadlines are short enough to wait for; its looks at them are a second apart all the same. */
async function impatient() {
  const made = await attacked({ limits: { helloDeadlineMs: 300 } });
  made.server.app.server.headersTimeout = 300;
  made.server.app.server.requestTimeout = 300;
  return made;
}

/** Milliseconds until the connection is gone while `drip` is sent again and again. */
async function lasts(
  open: { socket: import("node:net").Socket; ended: Promise<Buffer> },
  drip: () => Buffer | string,
) {
  const start = performance.now();
  const timer = setInterval(() => {
    if (open.socket.writable) open.socket.write(drip());
  }, 50);
  const answer = await open.ended;
  clearInterval(timer);
  return { ms: performance.now() - start, answer: answer.toString("latin1") };
}

describe("a slow handshake", () => {
  it("without a request, with a dripping header, or with a dripping body ends at its deadline", async () => {
    const { port, ws } = await impatient();
    const [silent, headers, body] = await Promise.all([
      rawConnect(port).then((open) => lasts(open, () => "")),
      rawConnect(port).then((open) => {
        open.socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n");
        return lasts(open, () => "X-Drip: 1\r\n");
      }),
      rawConnect(port).then((open) => {
        open.socket.write(
          "POST /api/jobs/demo/stop HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
        );
        return lasts(open, () => "{");
      }),
    ]);
    for (const { ms } of [silent, headers, body]) expect(ms).toBeLessThan(4_000);
    expect(headers.answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
    await expectJobCompletes(ws);
  });

  it("with a Hello that drips ends at the Hello's deadline", async () => {
    const { port, refused } = await impatient();
    const open = await rawUpgrade(port);
    const whole = rawFrame(encodeFrame({ job: 0, client: 0, message: HELLO }));
    let at = 0;
    await lasts(open, () => whole.subarray(at++, at));
    expect(refused).toEqual(["NB_HELLO_DEADLINE"]);
  });

  it("in great numbers leaves room for others as soon as its deadline has passed, though nobody answers", async () => {
    const { port, ws } = await attacked({ limits: { helloDeadlineMs: 200, maxPendingHandshakes: 16 } });
    await Promise.all(Array.from({ length: 16 }, () => rawUpgrade(port)));
    const late = await rawUpgrade(port);
    expect(late.head).toMatch(/^HTTP\/1\.1 503 /);
    await new Promise((resolve) => setTimeout(resolve, 200 + STRANGER_CLOSE_MS + 100));
    await expectJobCompletes(ws);
  });
});
