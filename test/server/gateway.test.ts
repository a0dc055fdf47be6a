/** Strangers and broken peers at the door: each is sent away with its code, and the job goes on. */
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { wsConnector } from "../../client/connection.ts";
import type { ServerOptions } from "../../server/app.ts";
import { tokenCheck } from "../../server/app.ts";
import { createToken, TokenStore } from "../../server/tokens.ts";
import { ERRORS, type ErrorCode, type ErrorKind } from "../../shared/errors.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import type { Frame, Message } from "../../shared/protocol/messages.ts";
import { helloOf } from "../protocol/bench.ts";
import { listening, socketClient, TINY, tinyJob } from "./harness.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Partial<ServerOptions> = {}, policy = {}) {
  const refused: ErrorCode[] = [];
  const { server, ...address } = await listening({ onRefused: (code) => refused.push(code), ...options });
  cleanups.push(() => server.close());
  const { job } = tinyJob({}, policy, { authenticate: tokenCheck(options.tokens, "demo") });
  server.addJob(job);
  return { server, job, refused, ...address };
}

const HELLO = helloOf("alice", { token: "", modelFingerprint: "", tokenizerFingerprint: "" });

/** A peer that sends what it likes. */
class RawPeer {
  readonly ws: WebSocket;
  readonly received: Message[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** HTTP status that the upgrade was refused with. */
  status: number | undefined;

  constructor(url: string, options: { origin?: string; headers?: Record<string, string> } = {}) {
    this.ws = new WebSocket(`${url}/ws`, "narrowband", { ...options, perMessageDeflate: false });
    this.ws.on("message", (data: Buffer) => this.received.push(parseFrame(data, 1e8).message));
    this.ws.on("unexpected-response", (_request, response) => {
      this.status = response.statusCode;
      this.ws.terminate();
    });
    this.ws.on("error", () => {});
    this.opened = new Promise((resolve) => this.ws.on("open", () => resolve()));
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    cleanups.push(() => this.ws.terminate());
  }

  async send(message: Message, names: Partial<Frame> = {}): Promise<void> {
    await this.opened;
    this.ws.send(encodeFrame({ job: 0, client: 0, ...names, message }));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.opened;
    this.ws.send(bytes);
  }

  /** Resolves when a message of that type has come. */
  async until(type: Message["type"]): Promise<Message> {
    for (let i = 0; i < 500; i++) {
      const found = this.received.find((m) => m.type === type);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`no ${type} came`);
  }
}

async function expectClosed(peer: RawPeer, code: ErrorCode): Promise<void> {
  const kind: ErrorKind = ERRORS[code];
  expect(await peer.closed).toEqual({ code: kind.close, reason: code });
  expect(peer.received.at(-1)).toMatchObject({ type: "error", code });
}

describe("the gateway sends away", () => {
  it("bytes that are no frame", async () => {
    const { ws, refused } = await start();
    const peer = new RawPeer(ws);
    await peer.sendBytes(new TextEncoder().encode("GET / HTTP/1.1"));
    await expectClosed(peer, "NB_FRAME_MALFORMED");
    expect(refused).toEqual(["NB_FRAME_MALFORMED"]);
  });

  it("a first message larger than a Hello", async () => {
    const { ws } = await start();
    const peer = new RawPeer(ws);
    await peer.sendBytes(new Uint8Array(4_097));
    await expectClosed(peer, "NB_FRAME_TOO_LARGE");
  });

  it("a stranger that sends much before it is let in, without waiting for its message to end", async () => {
    const { ws } = await start();
    const peer = new RawPeer(ws);
    await peer.sendBytes(new Uint8Array(10_000_000));
    expect((await peer.closed).code).toBe(1006);
  });

  it("a stranger that begins with something else than Hello", async () => {
    const { ws } = await start();
    const peer = new RawPeer(ws);
    await peer.send({ type: "ready" });
    await expectClosed(peer, "NB_PROTOCOL_ORDER");
  });

  it("a stranger that says nothing", async () => {
    const { ws } = await start({ limits: { helloDeadlineMs: 30 } });
    await expectClosed(new RawPeer(ws), "NB_HELLO_DEADLINE");
  });

  it("a client of a job that is not there", async () => {
    const { ws } = await start();
    const peer = new RawPeer(ws);
    await peer.send({ ...HELLO, job: "other" });
    await expectClosed(peer, "NB_JOB_UNKNOWN");
  });

  it("text messages", async () => {
    const { ws } = await start();
    const peer = new RawPeer(ws);
    await peer.opened;
    peer.ws.send("hello");
    expect((await peer.closed).code).toBe(1003);
  });

  it("an altered frame of a client that is in, whose job goes on", async () => {
    const { ws, job } = await start({}, { minClients: 1 });
    const peer = new RawPeer(ws);
    await peer.send({ ...HELLO, name: "mallory" });
    await peer.until("welcome");
    const bytes = encodeFrame({ job: 1, client: 0, message: { type: "ready" } });
    bytes[bytes.length - 1] ^= 1;
    await peer.sendBytes(bytes);
    await expectClosed(peer, "NB_FRAME_CHECKSUM");
    const { edge } = socketClient(0, ws);
    expect((await edge.run()).reason).toBe("completed");
    expect(job.status().outcome?.reason).toBe("completed");
  });

  it("more strangers than it keeps waiting", async () => {
    const { ws, refused } = await start({ limits: { maxPendingHandshakes: 1 } });
    const first = new RawPeer(ws);
    await first.opened;
    const second = new RawPeer(ws);
    await second.closed;
    expect(second.status).toBe(503);
    await first.send(HELLO);
    await first.until("welcome");
    const third = new RawPeer(ws);
    await third.opened;
    expect(refused).toEqual(["NB_SERVER_BUSY"]);
  });

  it("web pages of origins that are not listed", async () => {
    const { ws } = await start({ origins: ["https://good.example"] });
    const bad = new RawPeer(ws, { origin: "https://evil.example" });
    await bad.closed;
    expect(bad.status).toBe(403);
    const good = new RawPeer(ws, { origin: "https://good.example" });
    await good.send(HELLO);
    expect(await good.until("welcome")).toMatchObject({ type: "welcome", job: 1 });
  });

  it("upgrades at other paths", async () => {
    const { port } = await start();
    const status = await new Promise((resolve) => {
      const headers = { connection: "upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
      const request = httpRequest({ port, path: "/other", headers });
      request.on("response", (response) => resolve(response.statusCode));
      request.end();
    });
    expect(status).toBe(404);
  });

  it("a TCP connection that never speaks HTTP, without harm", async () => {
    const { port, ws } = await start({}, { minClients: 1 });
    const socket = connect(port, "127.0.0.1");
    cleanups.push(() => socket.destroy());
    socket.write("\u0000\u0001\u0002\r\n\r\n");
    await new Promise((resolve) => socket.on("close", resolve).resume());
    const { edge } = socketClient(0, ws, { ...TINY });
    expect((await edge.run()).reason).toBe("completed");
  });
});

describe("tokens", () => {
  const good = createToken({ id: "alice", job: "demo" });
  const other = createToken({ id: "bob", job: "another-job" });
  const observer = createToken({ id: "carol", job: "demo", role: "observer" });
  const tokens = new TokenStore([good.record, other.record, observer.record]);

  it.each([
    ["none", ""],
    ["an unknown one", createToken({ id: "mallory" }).token],
    ["one of another job", other.token],
    ["one that may only look", observer.token],
  ])("refuse a client with %s", async (_name, token) => {
    const { ws } = await start({ tokens });
    const peer = new RawPeer(ws);
    await peer.send({ ...HELLO, token });
    await expectClosed(peer, "NB_AUTH_REFUSED");
  });

  it("let a client in, in Hello or in the Authorization header", async () => {
    const { ws } = await start({ tokens });
    const inHello = new RawPeer(ws);
    await inHello.send({ ...HELLO, token: good.token });
    await inHello.until("welcome");
    const inHeader = new RawPeer(ws, { headers: { authorization: `Bearer ${good.token}` } });
    await inHeader.send({ ...HELLO, name: "bob", process: "another-process-0001" });
    await inHeader.until("welcome");
  });

  it("end a client for good when they are refused", async () => {
    const { ws } = await start({ tokens });
    const { edge } = socketClient(0, ws, TINY, { token: "nb_wrong" });
    expect(await edge.run()).toMatchObject({ reason: "failed", code: "NB_AUTH_REFUSED" });
  });
});

describe("TLS", () => {
  it("carries a job, for clients that trust the certificate, and no others", async () => {
    const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
    const certFile = fixture("localhost-cert.pem");
    const { ws, job } = await start(
      { tls: { certFile, keyFile: fixture("localhost-key.pem") } },
      { minClients: 1 },
    );
    expect(ws).toMatch(/^wss:/);
    const stranger = socketClient(1, ws);
    expect(await stranger.edge.run()).toMatchObject({ reason: "failed", code: "NB_TLS_UNTRUSTED" });
    const ledger = new ByteLedger();
    const connect = wsConnector({ url: ws, ledger, caFile: certFile });
    const { edge } = socketClient(0, ws, TINY, { ledger, connect });
    expect((await edge.run()).reason).toBe("completed");
    const [own, servers] = [ledger.snapshot(), job.ledger.snapshot()];
    expect(own.up.payload).toBe(servers.up.payload);
    // Inside TLS the sockets' own counters agree too.
    expect([own.up.unattributed, own.down.unattributed]).toEqual([0, 0]);
  });
});
