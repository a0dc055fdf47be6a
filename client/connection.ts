/**
 * Connections to a server over the ws package, for Node: TLS trust can be set, and the bytes of the HTTP upgrade are counted.
 */
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { fail, NarrowbandError } from "../shared/errors.ts";
import type { ByteLedger } from "../shared/ledger/ledger.ts";
import {
  MAX_BUFFERED_CHUNKS,
  MAX_FRAGMENTS,
  MAX_FRAME_BYTES,
  SUBPROTOCOL,
} from "../shared/protocol/limits.ts";
import { refusePlaintextToken } from "../shared/protocol/loopback.ts";
import type { Connector } from "../shared/protocol/transport.ts";
import { WsSocket } from "../shared/protocol/ws-socket-node.ts";

export interface ConnectionOptions {
  /** ws://host:port or wss://host:port; without a path, /ws is asked for. */
  readonly url: string;
  readonly ledger: ByteLedger;
  /** File with certificates (PEM) to trust instead of the system's. */
  readonly caFile?: string;
  /** Files with this client's own certificate chain and key, PEM, for servers that ask for one. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Whether a token will be sent. Then only TLS or this machine will do, unless plain text is allowed. */
  readonly sendsToken?: boolean;
  readonly allowPlaintextTokens?: boolean;
  /** Milliseconds for TCP, TLS and the HTTP upgrade together. */
  readonly timeoutMs?: number;
}

/** The address that a server's WebSocket has. NB_CONFIG_INVALID when `url` is not ws: or wss:. */
export function webSocketUrl(url: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return fail(
      "NB_CONFIG_INVALID",
      `server: ${JSON.stringify(url)}; accepted is ws://HOST:PORT or wss://HOST:PORT`,
    );
  }
  if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") {
    fail(
      "NB_CONFIG_INVALID",
      `server: ${JSON.stringify(url)}; accepted is ws://HOST:PORT or wss://HOST:PORT`,
    );
  }
  if (parsed.pathname === "/") parsed.pathname = "/ws";
  return parsed;
}

/** Codes of failures that trying again does not cure. */
const LASTING = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** Codes with which a server ends a TLS handshake that lacks a certificate of the client, or has one that it does not trust. */
const CLIENT_CERTIFICATE =
  /^ERR_SSL_.*(CERTIFICATE_REQUIRED|ALERT_.*CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE)/;

/** Makes connections to one server. NB_TOKEN_PLAINTEXT when a token would be sent where others can read it. */
export function wsConnector(options: ConnectionOptions): Connector {
  const url = webSocketUrl(options.url);
  if (options.sendsToken === true && options.allowPlaintextTokens !== true) refusePlaintextToken(url);
  const ca = readPem("tls-ca", options.caFile);
  const cert = readPem("tls-cert", options.certFile);
  const key = readPem("tls-key", options.keyFile);
  return () =>
    new Promise((resolve, reject) => {
      const ws = new WebSocket(url, SUBPROTOCOL, {
        ca,
        cert,
        key,
        handshakeTimeout: options.timeoutMs ?? 30_000,
        maxPayload: MAX_FRAME_BYTES,
        maxFragments: MAX_FRAGMENTS,
        maxBufferedChunks: MAX_BUFFERED_CHUNKS,
        perMessageDeflate: false,
        followRedirects: false,
      });
      let socket: Socket | undefined;
      ws.on("upgrade", (response: IncomingMessage) => {
        socket = response.socket;
      });
      ws.on("unexpected-response", (request, response: IncomingMessage) => {
        request.destroy();
        reject(refusedUpgrade(url, response.statusCode ?? 0));
      });
      ws.once("error", (error: NodeJS.ErrnoException) => {
        const { code = "" } = error;
        const lasting = LASTING.has(code) || CLIENT_CERTIFICATE.test(code);
        const message = `${url.host}: ${error.message || error.code}`;
        reject(
          new NarrowbandError(lasting ? "NB_TLS_UNTRUSTED" : "NB_CONNECTION_LOST", message, { cause: error }),
        );
      });
      ws.once("open", () => {
        const handshake = { sent: socket!.bytesWritten, received: socket!.bytesRead };
        resolve(new WsSocket({ ws, socket: socket!, ledger: options.ledger, sends: "up", handshake }));
      });
    });
}

function readPem(option: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return fail("NB_FILE_UNREADABLE", `${option}: ${path}: ${(error as Error).message}`);
  }
}

/** What an HTTP answer instead of an upgrade means. */
function refusedUpgrade(url: URL, status: number): NarrowbandError {
  const message = `${url.host} answered the WebSocket upgrade with HTTP status ${status}`;
  if (status === 401) return new NarrowbandError("NB_AUTH_REFUSED", message);
  if (status === 403) return new NarrowbandError("NB_ORIGIN_REFUSED", message);
  if (status === 404)
    return new NarrowbandError("NB_CONFIG_INVALID", `${message}; is that a narrowband server?`);
  return new NarrowbandError("NB_CONNECTION_LOST", message);
}
