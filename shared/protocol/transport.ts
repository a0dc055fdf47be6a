/**
 * What carries frames: one end of a connection, seen from the drivers. Implemented over ws, over a browser's WebSocket, and in memory.
 */

/** What the owner of a socket is told. Set once, before anything can arrive. */
export interface SocketHandlers {
  /** A whole binary message; the bytes belong to the handler. */
  message(bytes: Uint8Array): void;
  /** The connection is gone, whoever ended it. Called once. 1006: without a closing handshake. */
  closed(code: number): void;
}

export interface FrameSocket {
  handlers: SocketHandlers;
  /** Bytes handed to send() that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Bytes that a message of `size` bytes costs besides its own when this end sends it, or receives it. */
  framing(size: number, direction: "sent" | "received"): number;
  /** Sends one binary message. Messages arrive in order. Does nothing once the connection is closing. */
  send(bytes: Uint8Array): void;
  /** Calls back, once, when bufferedBytes may have fallen. */
  onceDrained(callback: () => void): void;
  /** Ends the connection with a WebSocket close code and a reason of at most 123 bytes. */
  close(code: number, reason: string): void;
}

/** Opens a connection. Rejects with a NarrowbandError: NB_CONNECTION_LOST if trying again may help. */
export type Connector = () => Promise<FrameSocket>;

/** Calls `callback` after `ms` milliseconds, until the returned function is called. Real time, or a simulator's. */
export type SetTimer = (ms: number, callback: () => void) => () => void;

/** Timers of the runtime. */
export const realTimer: SetTimer = (ms, callback) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};

/** Named timers: starting one that runs starts it anew. */
export class Timers<Name extends string> {
  readonly #running = new Map<Name, () => void>();
  readonly #setTimer: SetTimer;
  readonly #fired: (name: Name) => void;

  constructor(setTimer: SetTimer, fired: (name: Name) => void) {
    this.#setTimer = setTimer;
    this.#fired = fired;
  }

  start(name: Name, ms: number): void {
    this.stop(name);
    const cancel = this.#setTimer(ms, () => {
      this.#running.delete(name);
      this.#fired(name);
    });
    this.#running.set(name, cancel);
  }

  stop(name: Name): void {
    this.#running.get(name)?.();
    this.#running.delete(name);
  }

  stopAll(): void {
    for (const name of [...this.#running.keys()]) this.stop(name);
  }
}
