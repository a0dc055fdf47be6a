/**
 * HTTP requests with too many or too large headers, bodies or paths. Expected: 4xx or a closed connection, small answers without stack
 * traces, and a server that goes on.
 */
import { afterEach, describe, expect, it } from "vitest";
import { HTTP_BODY_BYTES, HTTP_HEADER_BYTES, HTTP_REQUESTS_PER_CONNECTION } from "../../server/limits.ts";
import { attacked, cleanUp, expectJobCompletes } from "../server/raw-peer.ts";
import { rawConnect, upgradeRequest } from "../server/raw-socket.ts";

afterEach(cleanUp);

async function answerTo(port: number, request: string): Promise<string> {
  const { socket, ended } = await rawConnect(port);
  socket.end(request);
  return (await ended).toString("latin1");
}

const header = (i: number, size: number): string => `X-H${i}: ${"x".repeat(size)}`;

describe("a flood of headers", () => {
  it.each([
    ["one that is too large", [header(0, HTTP_HEADER_BYTES)]],
    ["ten thousand small ones", Array.from({ length: 10_000 }, (_, i) => header(i, 1))],
    ["cookies without end", Array.from({ length: 500 }, () => `Cookie: ${"c".repeat(100)}`)],
  ])("%s is answered with 431", async (_, headers) => {
    const { port, ws } = await attacked();
    for (const request of [
      ["GET /healthz HTTP/1.1", "Host: x", ...headers, "\r\n"].join("\r\n"),
      upgradeRequest({ headers }),
    ]) {
      const answer = await answerTo(port, request);
      expect(answer).toMatch(/^HTTP\/1\.1 431 /);
      expect(answer.length).toBeLessThan(1_000);
    }
    await expectJobCompletes(ws);
  });

  it.each([
    [
      "two lengths that contradict each other",
      "POST /api/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ],
    [
      "a length and chunks (request smuggling)",
      "POST /api/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a bare line feed in a header's name", "GET / HTTP/1.1\r\nHo\nst: x\r\n\r\n"],
    ["no host", "GET /healthz HTTP/1.1\r\n\r\n"],
    ["another protocol", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003"],
  ])("%s is answered with 400", async (_, request) => {
    const { port } = await attacked();
    expect(await answerTo(port, request)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("a body that is too large is refused by its length, and one in chunks when it has grown", async () => {
    const { http, port } = await attacked();
    const declared = await answerTo(
      port,
      `POST /api/jobs/demo/stop HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n{`,
    );
    expect(declared).toMatch(/^HTTP\/1\.1 4\d\d /);
    const body = JSON.stringify({ x: "y".repeat(HTTP_BODY_BYTES) });
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${http}/api/jobs/demo/stop`, { method: "POST", headers, body });
    expect([401, 413]).toContain(response.status);
    expect(await response.text()).not.toMatch(/\bat .*\.(ts|js)/);
  });

  it("a path of any length and any bytes is at most not found", async () => {
    const { port } = await attacked();
    for (const path of [
      `/${"a/".repeat(3_000)}`,
      "/%00",
      "/%ff%fe",
      "/api/jobs/%E0%A4%A",
      `/?${"q=1&".repeat(1_500)}`,
    ]) {
      const answer = await answerTo(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).not.toMatch(/\bat .*\.(ts|js)/);
    }
  });

  it("requests without end on one connection end", async () => {
    const { port, server } = await attacked();
    expect(server.app.server.maxRequestsPerSocket).toBe(HTTP_REQUESTS_PER_CONNECTION);
    server.app.server.maxRequestsPerSocket = 20;
    server.app.server.keepAliveTimeout = 50;
    const { socket, ended } = await rawConnect(port);
    socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100));
    const answers = (await ended).toString("latin1").match(/HTTP\/1\.1 200 OK/g) ?? [];
    expect(answers.length).toBe(20);
  });
});
