/**
 * Sockets in memory that count what the same messages would cost over a WebSocket on a real socket: the HTTP upgrade, frame headers, the
 * closing handshake. With them a run in one process has the ledger that it would have on a network.
 */
import type { ByteLedger, Direction } from "../../shared/ledger/ledger.ts";
import { SUBPROTOCOL } from "../../shared/protocol/limits.ts";
import { memorySocketPair } from "../../shared/protocol/memory-socket.ts";
import type { FrameSocket, SocketHandlers } from "../../shared/protocol/transport.ts";
import { frameHeaderBytes } from "../../shared/protocol/ws-socket-node.ts";

/** Characters of a Sec-WebSocket-Key and of its answer: 16 and 20 bytes in base64. */
const KEY = "k".repeat(24);
const ACCEPT = "a".repeat(28);

/** What the ws package sends to upgrade a connection to a server on this machine, whose free ports have five digits. */
const REQUEST = [
  "GET /ws HTTP/1.1",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${KEY}`,
  "Connection: Upgrade",
  "Upgrade: websocket",
  `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
  "Host: 127.0.0.1:54321",
  "\r\n",
].join("\r\n");

const RESPONSE = [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Accept: ${ACCEPT}`,
  `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
  "\r\n",
].join("\r\n");

class CountedSocket implements FrameSocket {
  readonly #inner: FrameSocket;
  readonly #ledger: ByteLedger;
  readonly #sends: Direction;
  /** Shared by both ends: bytes of the closing frame's payload, once one of them closes. */
  readonly #closing: { payload: number };
  #handlers: SocketHandlers;

  constructor(inner: FrameSocket, ledger: ByteLedger, sends: Direction, closing: { payload: number }) {
    this.#inner = inner;
    this.#handlers = inner.handlers;
    this.#ledger = ledger;
    this.#sends = sends;
    this.#closing = closing;
    ledger.count("up", "handshake", REQUEST.length);
    ledger.count("down", "handshake", RESPONSE.length);
  }

  get handlers(): SocketHandlers {
    return this.#handlers;
  }

  set handlers(handlers: SocketHandlers) {
    this.#handlers = handlers;
    this.#inner.handlers = {
      message: (bytes) => handlers.message(bytes),
      closed: (code) => {
        // Each side sends one closing frame with the same content.
        const { payload } = this.#closing;
        this.#ledger.count("up", "websocketFraming", payload + frameHeaderBytes(payload, true));
        this.#ledger.count("down", "websocketFraming", payload + frameHeaderBytes(payload, false));
        handlers.closed(code);
      },
    };
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  framing(size: number, direction: "sent" | "received"): number {
    // Clients mask what they send.
    return frameHeaderBytes(size, (direction === "sent") === (this.#sends === "up"));
  }

  send(bytes: Uint8Array): void {
    this.#inner.send(bytes);
  }

  onceDrained(callback: () => void): void {
    this.#inner.onceDrained(callback);
  }

  close(code: number, reason: string): void {
    // The first to close decides; the other answers with the same.
    if (this.#closing.payload < 0) this.#closing.payload = 2 + Buffer.byteLength(reason);
    this.#inner.close(code, reason);
  }
}

/** The client's and the server's end of one connection in memory; bytes go into the ledgers given. */
export function countedSocketPair(client: ByteLedger, server: ByteLedger): [FrameSocket, FrameSocket] {
  const [a, b] = memorySocketPair();
  const closing = { payload: -1 };
  return [new CountedSocket(a, client, "up", closing), new CountedSocket(b, server, "down", closing)];
}
