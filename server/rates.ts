/**
 * How fast a client may go. Bytes and steps beyond a client's rate are not refused: its socket is read no further until they are due, so TCP makes
 * the sender wait and nothing piles up here. Messages that carry no work have no such excuse, and end the connection.
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Frame, Refusal } from "../shared/protocol/messages.ts";
import {
  BYTE_BURST_SECONDS,
  CONTROL_BURST,
  CONTROL_MESSAGES_PER_SECOND,
  type ServerLimits,
  STEP_BURST,
} from "./limits.ts";

/**
 * A token bucket (Turner, "New directions in communications", 1986): `burst` at once, `perSecond` on average. A rate of 0 is
 * no limit. `now` gives milliseconds.
 */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #now: () => number;
  #level: number;
  #at: number;

  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#now = now;
    this.#level = burst;
    this.#at = now();
  }

  /** Takes `amount`, also beyond what is there, and returns the milliseconds until the debt is paid; 0 when there is none. */
  take(amount: number): number {
    if (this.#perMs === 0) return 0;
    const now = this.#now();
    this.#level = Math.min(this.#burst, this.#level + (now - this.#at) * this.#perMs) - amount;
    this.#at = now;
    return this.#level >= 0 ? 0 : -this.#level / this.#perMs;
  }
}

/** Messages that move a step or an upload on; what comes too early or twice, the step protocol deals with. */
const WORK: ReadonlySet<string> = new Set(["tensor", "stepDone", "adapterBegin", "adapterChunk"]);

/** The rates of one client, whichever connection it is on. */
export class ClientRates {
  readonly bytes: TokenBucket;
  readonly steps: TokenBucket;
  readonly control = new TokenBucket(CONTROL_MESSAGES_PER_SECOND, CONTROL_BURST);

  constructor({ clientBytesPerSecond, clientStepsPerSecond }: ServerLimits) {
    this.bytes = new TokenBucket(clientBytesPerSecond, clientBytesPerSecond * BYTE_BURST_SECONDS);
    this.steps = new TokenBucket(clientStepsPerSecond, STEP_BURST);
  }
}

/** Holds one connection to its client's rates. */
export class RateKeeper {
  readonly #ws: WebSocket;
  readonly #rates: ClientRates;
  readonly #onPause: () => void;
  #paused: NodeJS.Timeout | undefined;
  #pausedUntil = 0;

  /** `onPause` is called whenever the connection is made to wait; `onFlood` when it sends too many WebSocket pings. */
  constructor(ws: WebSocket, socket: Socket, rates: ClientRates, onPause: () => void, onFlood: () => void) {
    this.#ws = ws;
    this.#rates = rates;
    this.#onPause = onPause;
    const count = (chunk: Buffer): void => this.#wait(rates.bytes.take(chunk.length));
    // Pings and pongs of WebSocket itself, which ws answers without asking us.
    const control = (): void => {
      if (rates.control.take(1) > 0) onFlood();
    };
    socket.on("data", count);
    ws.on("ping", control);
    ws.on("pong", control);
    ws.once("close", () => {
      clearTimeout(this.#paused);
      socket.off("data", count);
    });
  }

  /** What a frame does to the rates: nothing, a pause, or its refusal. */
  frame({ message }: Frame): Refusal | undefined {
    if (message.type === "stepDone") this.#wait(this.#rates.steps.take(1));
    if (WORK.has(message.type) || this.#rates.control.take(1) === 0) return undefined;
    return {
      code: "NB_RATE_EXCEEDED",
      message: `more than ${CONTROL_BURST} messages at once, and ${CONTROL_MESSAGES_PER_SECOND} a second, that carry no work; the last: ${message.type}`,
    };
  }

  #wait(ms: number): void {
    if (ms === 0) return;
    const until = performance.now() + ms;
    if (until <= this.#pausedUntil) return;
    this.#pausedUntil = until;
    clearTimeout(this.#paused);
    this.#onPause();
    this.#ws.pause();
    this.#paused = setTimeout(() => this.#ws.resume(), ms);
  }
}
