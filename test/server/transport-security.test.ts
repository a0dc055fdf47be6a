/** TLS, certificates of clients, and tokens that must not cross a network in plain text. */
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { wsConnector } from "../../client/connection.ts";
import { platformConnector } from "../../client/web-socket.ts";
import { Server } from "../../server/app.ts";
import { createToken, TokenStore } from "../../server/tokens.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { isLoopback } from "../../shared/protocol/loopback.ts";
import { socketClient, TINY } from "./harness.ts";
import { attacked, cleanUp } from "./raw-peer.ts";

afterEach(cleanUp);

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const TLS = { certFile: fixture("localhost-cert.pem"), keyFile: fixture("localhost-key.pem") };
const CLIENT = { certFile: fixture("client-cert.pem"), keyFile: fixture("client-key.pem") };

describe("mutual TLS", () => {
  it("lets in who has a certificate that is trusted, and nobody else", async () => {
    const { ws, http, job } = await attacked({ tls: { ...TLS, clientCaFile: CLIENT.certFile } });
    const run = (options: object) => {
      const ledger = new ByteLedger();
      const connect = wsConnector({ url: ws, ledger, caFile: TLS.certFile, ...options });
      return socketClient(0, ws, TINY, { ledger, connect }).edge.run();
    };
    expect(await run({})).toMatchObject({ reason: "failed", code: "NB_TLS_UNTRUSTED" });
    // A certificate of somebody else: the server's own will do. The server hangs up without a reason.
    expect(await run(TLS)).toMatchObject({ reason: "failed" });
    await expect(fetch(`${http}/healthz`)).rejects.toThrow();
    expect(job.status().clients).toEqual([]);
    expect(await run(CLIENT)).toMatchObject({ reason: "completed" });
  });
});

describe("a token in plain text", () => {
  const tokens = new TokenStore([createToken({ id: "alice" }).record]);

  it.each(["0.0.0.0", "::", "192.168.1.7", "lab.example"])("is not served at %s", (host) => {
    const plain = expect.objectContaining({ code: "NB_TOKEN_PLAINTEXT" });
    expect(() => new Server({ host, port: 0, tokens })).toThrowError(plain);
    expect(() => new Server({ host, port: 0, tokens, allowPlaintextTokens: true })).not.toThrow();
    expect(() => new Server({ host, port: 0, tokens, tls: TLS })).not.toThrow();
    expect(() => new Server({ host, port: 0 })).not.toThrow();
  });

  it.each(["127.0.0.1", "localhost", "::1"])("is served at %s", (host) => {
    expect(() => new Server({ host, port: 0, tokens })).not.toThrow();
  });

  it("is not sent to another machine", () => {
    const connect = (url: string, rest = {}) => {
      wsConnector({ url, ledger: new ByteLedger(), sendsToken: true, ...rest });
      platformConnector(url, { sendsToken: true, ...rest });
    };
    const plain = expect.objectContaining({ code: "NB_TOKEN_PLAINTEXT" });
    for (const url of [
      "ws://lab.example:8787",
      "ws://10.0.0.1",
      "ws://127.0.0.1.evil.example",
      "ws://[fe80::1]",
    ])
      expect(() => connect(url)).toThrowError(plain);
    for (const url of ["wss://lab.example:8787", "ws://127.0.0.1:1", "ws://localhost", "ws://[::1]:9"])
      expect(() => connect(url)).not.toThrow();
    expect(() => connect("ws://lab.example", { allowPlaintextTokens: true })).not.toThrow();
    expect(() => connect("ws://lab.example", { sendsToken: false })).not.toThrow();
  });

  it("knows which hosts are this machine", () => {
    for (const host of [
      "localhost",
      "LOCALHOST",
      "a.localhost",
      "127.8.9.1",
      "::1",
      "[::1]",
      "::ffff:127.0.0.1",
    ])
      expect(isLoopback(host)).toBe(true);
    for (const host of ["", "127.evil", "localhost.evil.example", "1.127.0.0", "::", "0.0.0.0"])
      expect(isLoopback(host)).toBe(false);
  });
});
