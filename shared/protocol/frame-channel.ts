/**
 * Frames over a socket: encodes and parses, counts bytes, and holds back what the network does not take yet, so that a slow
 * reader costs memory only for what the protocol lets be under way.
 */
import { asNarrowbandError, type ErrorCode } from "../errors.ts";
import type { ByteLedger, Direction } from "../ledger/ledger.ts";
import { encodeFrame, frameSizes, parseFrame } from "./frame.ts";
import { MAX_QUEUED_FRAMES, SEND_HIGH_WATER_BYTES } from "./limits.ts";
import type { Frame, Refusal } from "./messages.ts";
import type { FrameSocket } from "./transport.ts";
import { bytesWithoutEntropy } from "./without-entropy.ts";

export interface ChannelHandlers {
  frame(frame: Frame): void;
  /** A message could not be read. The channel still works. */
  refused(code: ErrorCode, message: string): void;
  closed(code: number): void;
}

/** Watches what arrives, before anybody else sees it. What it refuses nobody else sees. */
export type FrameMeter = (frame: Frame, bytes: number) => Refusal | undefined;

export class FrameChannel {
  /** Largest message accepted, bytes. */
  maxBytes: number;
  handlers: ChannelHandlers;
  /** Where this channel's messages are counted. */
  ledger: ByteLedger;
  meter: FrameMeter | undefined;
  readonly #socket: FrameSocket;
  readonly #sends: Direction;
  /** What waits to be sent: single frames, and sequences that are made as they are sent. */
  readonly #queue: (Frame | Iterator<Frame>)[] = [];
  #waiting = false;
  #closed = false;
  /** Resolves when the connection is gone, its closing handshake included. */
  readonly gone: Promise<void>;

  /** `sends`: "up" at the client's end, "down" at the server's. */
  constructor(
    socket: FrameSocket,
    ledger: ByteLedger,
    sends: Direction,
    maxBytes: number,
    handlers: ChannelHandlers,
  ) {
    this.#socket = socket;
    this.ledger = ledger;
    this.#sends = sends;
    this.maxBytes = maxBytes;
    this.handlers = handlers;
    this.gone = new Promise((resolve) => {
      socket.handlers = {
        message: (bytes) => this.#received(bytes),
        closed: (code) => {
          const first = !this.#closed;
          this.#closed = true;
          this.#queue.length = 0;
          if (first) this.handlers.closed(code);
          resolve();
        },
      };
    });
  }

  /** Sends a frame after those that wait. Its arrays must not change until it is sent, unless nothing waits. */
  send(frame: Frame): void {
    this.#push(frame);
  }

  /** Sends a sequence of frames, each made only when it can be sent. */
  sendAll(frames: Iterable<Frame>): void {
    this.#push(frames[Symbol.iterator]());
  }

  #push(entry: Frame | Iterator<Frame>): void {
    if (this.#closed) return;
    if (this.#queue.length >= MAX_QUEUED_FRAMES) {
      // Nothing of it is sent any more: that the peer does not read is why it waits.
      this.#queue.length = 0;
      this.refuse("NB_SLOW_READER", `${MAX_QUEUED_FRAMES} messages wait to be read`);
      return;
    }
    this.#queue.push(entry);
    if (!this.#waiting) this.#pump();
  }

  /** Tells the channel's owner that its peer broke a rule that others watch over; the owner then closes the channel. */
  refuse(code: ErrorCode, message: string): void {
    if (!this.#closed) this.handlers.refused(code, message);
  }

  /**
   * Closes. Single frames that wait are still sent, sequences are cut short. From now on nothing is received, and handlers are not told
   * of the end.
   */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const entry of this.#queue.splice(0)) if ("job" in entry) this.#write(entry);
    this.#socket.close(code, reason);
  }

  #pump(): void {
    this.#waiting = false;
    while (this.#queue.length > 0) {
      if (this.#socket.bufferedBytes > SEND_HIGH_WATER_BYTES) {
        this.#waiting = true;
        this.#socket.onceDrained(() => this.#pump());
        return;
      }
      this.#sendNext();
    }
  }

  #sendNext(): void {
    const entry = this.#queue[0];
    if ("job" in entry) {
      this.#queue.shift();
      this.#write(entry);
      return;
    }
    const next = entry.next();
    if (next.done) this.#queue.shift();
    else this.#write(next.value);
  }

  #write(frame: Frame): void {
    const bytes = encodeFrame(frame);
    const framing = this.#socket.framing(bytes.length, "sent");
    this.ledger.countFrame(this.#sends, frame.message, frameSizes(frame.message, bytes.length), framing);
    const packed = bytesWithoutEntropy(frame, bytes.length);
    if (packed !== bytes.length) {
      const more = packed + this.#socket.framing(packed, "sent") - bytes.length - framing;
      this.ledger.countSaved(this.#sends, frame.message, packed - bytes.length, more);
    }
    this.#socket.send(bytes);
  }

  #received(bytes: Uint8Array): void {
    const direction = this.#sends === "up" ? "down" : "up";
    const framing = this.#socket.framing(bytes.length, "received");
    let frame: Frame;
    try {
      frame = parseFrame(bytes, this.maxBytes);
    } catch (error) {
      this.ledger.countUnreadable(direction, bytes.length, framing);
      const { code, message } = asNarrowbandError(error);
      if (!this.#closed) this.handlers.refused(code, message);
      return;
    }
    this.ledger.countFrame(direction, frame.message, frameSizes(frame.message, bytes.length), framing);
    if (this.#closed) return;
    const refusal = this.meter?.(frame, bytes.length);
    if (refusal === undefined) this.handlers.frame(frame);
    else this.refuse(refusal.code, refusal.message);
  }
}
