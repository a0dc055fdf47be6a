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
import type { Connector } from "../shared/protocol/transport.ts";
import { WsSocket } from "../shared/protocol/ws-socket-node.ts";

export interface ConnectionOptions {
  /** ws://host:port or wss://host:port; without a path, /ws is asked for. */
  readonly url: string;
  readonly ledger: ByteLedger;
  /** File with certificates (PEM) to trust instead of the system's. */
  readonly caFile?: string;
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

/** Makes connections to one server. */
export function wsConnector(options: ConnectionOptions): Connector {
  const url = webSocketUrl(options.url);
  const ca = options.caFile === undefined ? undefined : readCertificates(options.caFile);
  return () =>
    new Promise((resolve, reject) => {
      const ws = new WebSocket(url, SUBPROTOCOL, {
        ca,
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
        const lasting = error.code !== undefined && LASTING.has(error.code);
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

function readCertificates(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return fail("NB_FILE_UNREADABLE", `tls-ca: ${path}: ${(error as Error).message}`);
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
