/**
 * A FrameSocket over a WebSocket of the ws package, at either end, for Node. It counts what ws puts around our messages, and checks
 * its counts against the socket's own when the connection ends.
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { ByteLedger, Direction } from "../ledger/ledger.ts";
import { SEND_LOW_WATER_BYTES } from "./limits.ts";
import type { FrameSocket, SocketHandlers } from "./transport.ts";

/** Bytes of a WebSocket frame's header (RFC 6455 §5.2) before a payload of `size` bytes. */
export function frameHeaderBytes(size: number, masked: boolean): number {
  const length = size < 126 ? 2 : size < 65_536 ? 4 : 10;
  return length + (masked ? 4 : 0);
}

/** Close codes that stand for the absence of one: RFC 6455 §7.4.1. */
const NO_STATUS = 1005;
const ABNORMAL = 1006;

const NOBODY: SocketHandlers = { message: () => {}, closed: () => {} };

export interface WsSocketOptions {
  readonly ws: WebSocket;
  /** The connection under it. */
  readonly socket: Socket;
  readonly ledger: ByteLedger;
  /** "up" at the client's end, "down" at the server's. Clients mask what they send. */
  readonly sends: Direction;
  /** Bytes of the HTTP upgrade, sent and received. */
  readonly handshake: { readonly sent: number; readonly received: number };
  /** Milliseconds that the peer may take nothing of what waits for it; then the connection is cut. For ever by default. */
  readonly stallMs?: number;
  /** Told just before a stalled connection is cut. */
  readonly onStalled?: () => void;
}

export class WsSocket implements FrameSocket {
  handlers: SocketHandlers = NOBODY;
  /** Where upgrade and closing are counted. */
  ledger: ByteLedger;
  readonly #options: WsSocketOptions;
  readonly #counted: { sent: number; received: number };
  #closeFrameSent: number | undefined;
  #drained: (() => void) | undefined;
  #stall: NodeJS.Timeout | undefined;

  constructor(options: WsSocketOptions) {
    this.#options = options;
    this.ledger = options.ledger;
    const { ws, ledger, sends, handshake } = options;
    const receives = opposite(sends);
    this.#counted = { ...handshake };
    ledger.count(sends, "handshake", handshake.sent);
    ledger.count(receives, "handshake", handshake.received);
    ws.binaryType = "nodebuffer";
    ws.on("message", (data: Buffer, isBinary: boolean) => {
      if (!isBinary) {
        this.close(1003, "binary messages only");
        return;
      }
      this.#counted.received += data.length + this.framing(data.length, "received");
      this.handlers.message(new Uint8Array(data.buffer, data.byteOffset, data.length));
    });
    // ws reports what its peer did wrong here, and closes; "close" tells us.
    ws.on("error", () => {});
    ws.on("close", (code: number, reason: Buffer) => this.#closed(code, reason));
  }

  get bufferedBytes(): number {
    return this.#options.ws.bufferedAmount;
  }

  framing(size: number, direction: "sent" | "received"): number {
    const masked = (direction === "sent") === (this.#options.sends === "up");
    return frameHeaderBytes(size, masked);
  }

  send(bytes: Uint8Array): void {
    const { ws } = this.#options;
    if (ws.readyState !== ws.OPEN) return;
    this.#counted.sent += bytes.length + this.framing(bytes.length, "sent");
    ws.send(bytes, { binary: true }, () => {
      if (this.#drained === undefined || ws.bufferedAmount > SEND_LOW_WATER_BYTES) return;
      const callback = this.#drained;
      this.#drained = undefined;
      clearTimeout(this.#stall);
      callback();
    });
  }

  onceDrained(callback: () => void): void {
    this.#drained = callback;
    this.#watchStall(this.#unsentBytes());
  }

  /** Cuts the connection unless its peer has taken something by the next look. */
  #watchStall(before: number): void {
    const { stallMs, ws, onStalled } = this.#options;
    if (stallMs === undefined) return;
    clearTimeout(this.#stall);
    this.#stall = setTimeout(() => {
      const now = this.#unsentBytes();
      if (now < before) {
        this.#watchStall(now);
        return;
      }
      onStalled?.();
      ws.terminate();
    }, stallMs);
    this.#stall.unref();
  }

  /**
   * Bytes that the kernel has not taken. A large message counts whole in bufferedAmount until all of it is written; the handle's own
   * figure, which Node's socket timeouts use too, falls with every part.
   */
  #unsentBytes(): number {
    const { ws, socket } = this.#options;
    const { _handle: handle } = socket as unknown as { _handle?: { writeQueueSize?: number } | null };
    return ws.bufferedAmount + (handle?.writeQueueSize ?? 0);
  }

  close(code: number, reason: string): void {
    const { ws } = this.#options;
    if (ws.readyState !== ws.OPEN) return;
    this.#closeFrameSent = this.#controlFrame(closePayload(code, Buffer.byteLength(reason)), "sent");
    ws.close(code, reason);
  }

  #controlFrame(payload: number, direction: "sent" | "received"): number {
    return payload + this.framing(payload, direction);
  }

  /** Counts the closing handshake, and what the socket carried besides all that was counted. */
  #closed(code: number, reason: Buffer): void {
    const { sends, socket } = this.#options;
    const { ledger } = this;
    clearTimeout(this.#stall);
    const receives = opposite(sends);
    if (code !== ABNORMAL) {
      const payload = closePayload(code, reason.length);
      const received = this.#controlFrame(payload, "received");
      // A side that did not begin the closing answers with the same code and reason.
      const sent = this.#closeFrameSent ?? this.#controlFrame(payload, "sent");
      ledger.count(sends, "websocketFraming", sent);
      ledger.count(receives, "websocketFraming", received);
      this.#counted.sent += sent;
      this.#counted.received += received;
    } else if (this.#closeFrameSent !== undefined) {
      ledger.count(sends, "websocketFraming", this.#closeFrameSent);
      this.#counted.sent += this.#closeFrameSent;
    }
    ledger.count(sends, "unattributed", socket.bytesWritten - this.#counted.sent);
    ledger.count(receives, "unattributed", socket.bytesRead - this.#counted.received);
    this.handlers.closed(code);
  }
}

function closePayload(code: number, reasonBytes: number): number {
  return code === NO_STATUS ? 0 : 2 + reasonBytes;
}

function opposite(direction: Direction): Direction {
  return direction === "up" ? "down" : "up";
}
