/**
 * Connections over the WebSocket of the Web platform: browsers, workers, and Node from 22 on. The platform shows neither the HTTP upgrade
 * nor the closing handshake, so the ledger lacks their bytes.
 */
import { NarrowbandError } from "../shared/errors.ts";
import { SEND_LOW_WATER_BYTES, SUBPROTOCOL } from "../shared/protocol/limits.ts";
import { refusePlaintextToken } from "../shared/protocol/loopback.ts";
import type { Connector, FrameSocket, SocketHandlers } from "../shared/protocol/transport.ts";

const NOBODY: SocketHandlers = { message: () => {}, closed: () => {} };

/** The platform has no event for drained sockets; this often is looked, milliseconds. */
const DRAIN_POLL_MS = 20;

class PlatformSocket implements FrameSocket {
  handlers: SocketHandlers = NOBODY;
  readonly #ws: WebSocket;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (event.data instanceof ArrayBuffer) this.handlers.message(new Uint8Array(event.data));
      else this.close(4400, "binary messages only");
    });
    ws.addEventListener("close", (event) => this.handlers.closed(event.code));
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  /** RFC 6455 §5.2: 2, 4 or 10 bytes, and 4 more for the mask of a client's message. */
  framing(size: number, direction: "sent" | "received"): number {
    return (size < 126 ? 2 : size < 65_536 ? 4 : 10) + (direction === "sent" ? 4 : 0);
  }

  send(bytes: Uint8Array): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    // Frames are made in arrays of their own, never in shared memory.
    this.#ws.send(bytes as Uint8Array<ArrayBuffer>);
  }

  onceDrained(callback: () => void): void {
    const look = (): void => {
      if (this.#ws.readyState !== WebSocket.OPEN) return;
      if (this.#ws.bufferedAmount <= SEND_LOW_WATER_BYTES) callback();
      else setTimeout(look, DRAIN_POLL_MS);
    };
    setTimeout(look, DRAIN_POLL_MS);
  }

  close(code: number, reason: string): void {
    // The platform lets pages close with 1000 and 3000 to 4999 only.
    this.#ws.close(code === 1000 || code >= 3000 ? code : 4500, reason);
  }
}

/**
 * Makes connections to a server's WebSocket at `url`. NB_TOKEN_PLAINTEXT when a token would be sent where others can read it.
 */
export function platformConnector(
  url: string,
  options: { readonly sendsToken?: boolean; readonly allowPlaintextTokens?: boolean } = {},
): Connector {
  if (options.sendsToken === true && options.allowPlaintextTokens !== true)
    refusePlaintextToken(new URL(url));
  return () =>
    new Promise((resolve, reject) => {
      const ws = new WebSocket(url, SUBPROTOCOL);
      ws.binaryType = "arraybuffer";
      const failed = (): void =>
        reject(new NarrowbandError("NB_CONNECTION_LOST", `${url} could not be reached`));
      ws.addEventListener("error", failed, { once: true });
      ws.addEventListener("open", () => resolve(new PlatformSocket(ws)), { once: true });
    });
}
