/**
 * A TCP proxy that is a slow link (Node only, no rights needed): every connection to it is passed on to a target, with each direction's
 * bytes held back until they would have arrived.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { NarrowbandError } from "../../shared/errors.ts";
import { random32 } from "../../shared/random.ts";
import type { LinkProfile } from "./profiles.ts";
import { IDLE, pieceBytes, type ShaperLink, type ShaperState, shaperLinks, ship } from "./shaper.ts";

export interface LinkProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  readonly profile: LinkProfile;
  /** Of jitter, losses and resets. */
  readonly seed: number;
  /** Told when a connection ends. */
  readonly onClosed?: (connection: ConnectionStatistics) => void;
}

export interface ConnectionStatistics {
  readonly number: number;
  readonly upBytes: number;
  readonly downBytes: number;
  /** Whether the link cut it. */
  readonly reset: boolean;
}

/** Bytes that a direction holds before it stops reading: what routers' buffers hold, and far less than would hide a slow link. */
const QUEUE_BYTES = 256 * 1024;

/** Node's timers come up to a millisecond late; a wait shorter than this is sat out. */
const SPIN_MS = 1.2;

interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** Bytes on their way in one direction. */
class Pipe {
  readonly #link: ShaperLink;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #queue: Piece[] = [];
  #state: ShaperState = IDLE;
  #queued = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #waiting = false;

  constructor(link: ShaperLink, from: Socket, to: Socket) {
    this.#link = link;
    this.#from = from;
    this.#to = to;
    from.on("data", (chunk: Buffer) => this.#take(chunk));
    from.on("end", () => {
      this.#ended = true;
      this.#schedule();
    });
  }

  get bytes(): number {
    return this.#state.bytes;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #take(chunk: Buffer): void {
    const now = performance.now();
    const size = pieceBytes(this.#link);
    for (let at = 0; at < chunk.length; at += size) {
      const bytes = chunk.subarray(at, at + size);
      this.#state = ship(this.#link, this.#state, now, bytes.length);
      this.#queue.push({ bytes, dueMs: this.#state.arrivedMs });
    }
    this.#queued += chunk.length;
    if (this.#queued > QUEUE_BYTES) this.#from.pause();
    this.#schedule();
  }

  /** Waits for the first piece; the last of a burst, which somebody waits for, to a fraction of a millisecond. */
  #schedule(): void {
    if (this.#waiting || this.#stopped) return;
    const [first] = this.#queue;
    if (first === undefined) {
      if (this.#ended) this.#to.end();
      return;
    }
    const wait = first.dueMs - performance.now();
    const exact = this.#queue.length === 1;
    this.#waiting = true;
    const wake = () => {
      this.#waiting = false;
      this.#deliver();
    };
    if (wait <= 0) wake();
    else if (wait > SPIN_MS) this.#timer = setTimeout(wake, exact ? wait - SPIN_MS : wait);
    else if (exact) setImmediate(wake);
    else this.#timer = setTimeout(wake, wait);
  }

  #deliver(): void {
    if (this.#stopped) return;
    const now = performance.now();
    while (this.#queue.length > 0 && this.#queue[0].dueMs <= now) {
      const { bytes } = this.#queue.shift()!;
      this.#queued -= bytes.length;
      this.#to.write(bytes);
    }
    if (this.#from.isPaused() && this.#queued <= QUEUE_BYTES / 2) this.#from.resume();
    this.#schedule();
  }
}

/** A client's connection and the one to the target. */
class Connection {
  readonly #sockets: readonly [Socket, Socket];
  readonly #pipes: readonly [Pipe, Pipe];
  #resetTimer: NodeJS.Timeout | undefined;
  #reset = false;
  #over = false;
  readonly #onClosed: (statistics: ConnectionStatistics) => void;
  readonly #number: number;

  constructor(
    client: Socket,
    number: number,
    options: LinkProxyOptions,
    onClosed: (s: ConnectionStatistics) => void,
  ) {
    const { target, profile, seed } = options;
    const server = connect({ ...target, allowHalfOpen: true });
    this.#number = number;
    this.#onClosed = onClosed;
    this.#sockets = [client, server];
    const { up, down } = shaperLinks(profile, seed, number);
    this.#pipes = [new Pipe(up, client, server), new Pipe(down, server, client)];
    for (const socket of this.#sockets) {
      socket.setNoDelay(true);
      // Either end may vanish; "close" follows.
      socket.on("error", () => this.destroy());
      socket.on("close", () => this.#closed());
    }
    if (profile.resetEverySeconds > 0) {
      const u = (random32(seed, number, 0xffff_ffff) + 0.5) / 2 ** 32;
      const after = -Math.log(u) * profile.resetEverySeconds * 1_000;
      this.#resetTimer = setTimeout(
        () => {
          this.#reset = true;
          this.destroy();
        },
        Math.min(after, 2 ** 31 - 1),
      );
    }
  }

  /** Cuts both sides as a broken link does, with a reset. */
  destroy(): void {
    for (const pipe of this.#pipes) pipe.stop();
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #closed(): void {
    if (this.#over || !this.#sockets.every((socket) => socket.closed)) return;
    this.#over = true;
    clearTimeout(this.#resetTimer);
    const [up, down] = this.#pipes;
    this.#onClosed({ number: this.#number, upBytes: up.bytes, downBytes: down.bytes, reset: this.#reset });
  }
}

export class LinkProxy {
  readonly #options: LinkProxyOptions;
  readonly #server: Server;
  readonly #open = new Set<Connection>();
  #count = 0;

  constructor(options: LinkProxyOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const connection: Connection = new Connection(client, this.#count++, options, (statistics) => {
        this.#open.delete(connection);
        this.#options.onClosed?.(statistics);
      });
      this.#open.add(connection);
    });
  }

  /** Starts listening; returns the port. NB_ADDRESS_UNAVAILABLE when it cannot be had. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", (cause) => {
        reject(new NarrowbandError("NB_ADDRESS_UNAVAILABLE", `${host}:${port}: ${cause.message}`, { cause }));
      });
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Cuts all connections and stops listening. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const connection of this.#open) connection.destroy();
    });
  }
}
