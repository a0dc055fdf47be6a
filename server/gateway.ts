/**
 * The door for WebSockets: upgrades, keeps strangers small and short, reads the first message, and hands the connection to the job that
 * it names. What a client must prove it proves to the job's state machine; what it may use up is watched here.
 */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { ErrorCode } from "../shared/errors.ts";
import { ERRORS, type ErrorKind } from "../shared/errors.ts";
import { ByteLedger } from "../shared/ledger/ledger.ts";
import { closeCode } from "../shared/protocol/close-codes.ts";
import { FrameChannel } from "../shared/protocol/frame-channel.ts";
import {
  MAX_BUFFERED_CHUNKS,
  MAX_FRAGMENTS,
  MAX_HELLO_BYTES,
  SUBPROTOCOL,
} from "../shared/protocol/limits.ts";
import type { Frame } from "../shared/protocol/messages.ts";
import { WsSocket } from "../shared/protocol/ws-socket-node.ts";
import { type AddressCounter, addressKey } from "./addresses.ts";
import type { Job } from "./job.ts";
import { CLIENT_CLOSE_MS, type ServerLimits, STRANGER_CLOSE_MS, TOKEN_RECHECK_MS } from "./limits.ts";
import { ClientRates, RateKeeper } from "./rates.ts";
import { bearerToken, type TokenStore, tokenDigest } from "./tokens.ts";

export interface GatewayOptions {
  /** The job of that name, if there is one. */
  readonly findJob: (name: string) => Job | undefined;
  /** Origins that web pages may connect from; requests without an Origin header are not from pages. */
  readonly origins: readonly string[];
  readonly limits: ServerLimits;
  /** TCP connections of each address; counted by the server that the gateway is part of. */
  readonly addresses: AddressCounter;
  /** To end connections whose token is no longer good. */
  readonly tokens: TokenStore | undefined;
  /** Told of connections that ended before they reached a job. */
  readonly onRefused?: (code: ErrorCode, message: string) => void;
}

/** A connection that lasts as long as its token is good. */
interface Watched {
  readonly channel: FrameChannel;
  readonly job: string;
  /** SHA-256 of the token that it was let in with. */
  readonly digest: Buffer;
}

/** Bytes that a stranger may send after the upgrade: one Hello in as many WebSocket frames as it may have. */
const STRANGER_BYTES = MAX_HELLO_BYTES + 1_024;

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #server: WebSocketServer;
  /** Open connections that no job has let in. */
  #pending = 0;
  readonly #open = new Set<WebSocket>();
  readonly #watched = new Set<Watched>();
  /** By job and client name; as many as jobs have let in. */
  readonly #rates = new Map<string, ClientRates>();
  readonly #recheck: NodeJS.Timeout;
  #pauses = 0;
  #slowReaders = 0;
  /** Milliseconds after which clients may try again; set once the server drains. */
  #retryAfterMs: number | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // A stranger may send one Hello; more is allowed once there are jobs that take more.
      maxPayload: MAX_HELLO_BYTES,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
      // Not in the types of ws yet.
      ...({ closeTimeout: CLIENT_CLOSE_MS } as object),
      // Bodies are packed bits already, and compressed messages are an attack surface.
      perMessageDeflate: false,
      handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.#recheck = setInterval(() => this.#checkTokens(), TOKEN_RECHECK_MS);
    this.#recheck.unref();
  }

  /** Connections that no job has let in yet. */
  get pending(): number {
    return this.#pending;
  }

  /** WebSockets that are open. */
  get connections(): number {
    return this.#open.size;
  }

  /** How often a client was made to wait because it sent faster than its rates. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Connections that were cut because their peer did not read. */
  get slowReaders(): number {
    return this.#slowReaders;
  }

  /** Lets messages be as large as this, which some job takes; each job refuses what is larger than its own limit. */
  allowMessages(bytes: number): void {
    this.#server.options.maxPayload = Math.max(this.#server.options.maxPayload ?? 0, bytes);
  }

  /** Lets nobody in any more; who asks is told to come back after so many milliseconds. */
  drain(retryAfterMs: number): void {
    this.#retryAfterMs = retryAfterMs;
  }

  /** Handles an HTTP server's "upgrade" event. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const refusal = this.#upgradeRefusal(request, socket as Socket);
    if (refusal !== undefined) {
      this.#refuseUpgrade(socket, ...refusal);
      return;
    }
    // Bytes of the head are a client's first frames, which came along with the request.
    const received = (socket as Socket).bytesRead - head.length;
    this.#pending += 1;
    let counted = true;
    const release = (): void => {
      if (counted) this.#pending -= 1;
      counted = false;
    };
    socket.once("close", release);
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const handshake = { received, sent: (socket as Socket).bytesWritten };
      this.#receive(ws, request, socket as Socket, handshake, release);
    });
  }

  /** Why a request is not upgraded: HTTP status, code and message. */
  #upgradeRefusal(request: IncomingMessage, socket: Socket): [number, ErrorCode, string] | undefined {
    const { origins, limits, addresses } = this.#options;
    if (request.url?.split("?")[0] !== "/ws") return [404, "NB_JOB_UNKNOWN", "WebSockets are at /ws"];
    const { origin } = request.headers;
    if (origin !== undefined && !origins.includes(origin))
      return [403, "NB_ORIGIN_REFUSED", `origin ${JSON.stringify(origin.slice(0, 100))} is not allowed`];
    if (this.#retryAfterMs !== undefined) return [503, "NB_SERVER_BUSY", "the server is about to stop"];
    const { maxConnectionsPerAddress, maxPendingHandshakes } = limits;
    const own = addresses.count(addressKey(socket.remoteAddress));
    if (maxConnectionsPerAddress > 0 && own > maxConnectionsPerAddress)
      return [503, "NB_SERVER_BUSY", `this address has ${maxConnectionsPerAddress} connections`];
    if (this.#pending >= maxPendingHandshakes)
      return [503, "NB_SERVER_BUSY", `${this.#pending} connections wait to be let in`];
    return undefined;
  }

  /** Waits for the Hello of a fresh connection. */
  #receive(
    ws: WebSocket,
    request: IncomingMessage,
    socket: Socket,
    handshake: { readonly sent: number; readonly received: number },
    release: () => void,
  ): void {
    const { limits, tokens } = this.#options;
    this.#open.add(ws);
    ws.on("close", () => this.#open.delete(ws));
    // The job's ledger takes over what this one has counted once the job is known.
    const ledger = new ByteLedger();
    const onStalled = (): void => {
      this.#slowReaders += 1;
      this.#options.onRefused?.("NB_SLOW_READER", `nothing was read for ${limits.slowReaderMs} ms`);
    };
    const stall = { stallMs: limits.slowReaderMs, onStalled };
    const wsSocket = new WsSocket({ ws, socket, ledger, sends: "down", handshake, ...stall });
    const guard = new StrangerGuard(ws, socket);
    const deadline = setTimeout(() => {
      refuse("NB_HELLO_DEADLINE", "no Hello came in time");
    }, limits.helloDeadlineMs);
    const refuse = (code: ErrorCode, message: string): void => {
      clearTimeout(deadline);
      guard.stop();
      this.#options.onRefused?.(code, message);
      channel.send({ job: 0, client: 0, message: { type: "error", code, message } });
      channel.close(closeCode(code), code);
      setTimeout(() => ws.terminate(), STRANGER_CLOSE_MS).unref();
    };
    const hello = (frame: Frame): void => {
      clearTimeout(deadline);
      const { message } = frame;
      if (message.type !== "hello") {
        refuse("NB_PROTOCOL_ORDER", `${message.type} before Hello`);
        return;
      }
      const job = this.#options.findJob(message.job);
      if (job === undefined) {
        refuse("NB_JOB_UNKNOWN", `no job "${message.job}" here`);
        return;
      }
      job.ledger.absorb(ledger.snapshot());
      wsSocket.ledger = job.ledger;
      channel.ledger = job.ledger;
      const bearer = bearerToken(request.headers.authorization);
      const onBound = (): void => {
        guard.stop();
        release();
        this.#holdToRates(ws, socket, channel, `${job.name}/${message.name}`);
        if (tokens !== undefined) {
          const digest = tokenDigest(message.token === "" ? bearer : message.token);
          this.#watch(ws, { channel, job: job.name, digest });
        }
      };
      job.attach(channel, { first: frame, bearer, onBound });
    };
    const channel = new FrameChannel(wsSocket, ledger, "down", MAX_HELLO_BYTES, {
      frame: hello,
      refused: refuse,
      closed: () => {
        clearTimeout(deadline);
        guard.stop();
      },
    });
  }

  /** A client's rates are its own, however often it connects. */
  #holdToRates(ws: WebSocket, socket: Socket, channel: FrameChannel, client: string): void {
    const rates = this.#rates.get(client) ?? new ClientRates(this.#options.limits);
    this.#rates.set(client, rates);
    const onPause = (): void => {
      this.#pauses += 1;
    };
    const onFlood = (): void => channel.refuse("NB_RATE_EXCEEDED", "too many WebSocket pings");
    const keeper = new RateKeeper(ws, socket, rates, onPause, onFlood);
    channel.meter = (frame) => keeper.frame(frame);
  }

  #watch(ws: WebSocket, watched: Watched): void {
    this.#watched.add(watched);
    ws.once("close", () => this.#watched.delete(watched));
  }

  /** Ends the connections whose token was revoked or has expired since they were let in. */
  #checkTokens(): void {
    const { tokens } = this.#options;
    for (const { channel, job, digest } of [...this.#watched]) {
      const refusal = tokens?.refusalOfDigest(digest, job, "client");
      if (refusal !== undefined) channel.refuse(refusal.code, refusal.message);
    }
  }

  #refuseUpgrade(socket: Duplex, status: number, code: ErrorCode, message: string): void {
    this.#options.onRefused?.(code, message);
    const body = JSON.stringify({ code, message });
    const retry =
      this.#retryAfterMs === undefined ? "" : `Retry-After: ${Math.ceil(this.#retryAfterMs / 1000)}\r\n`;
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n${retry}` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }

  /** Ends all connections. */
  terminate(): void {
    clearInterval(this.#recheck);
    for (const ws of this.#open) ws.terminate();
  }
}

/** Cuts a connection whose peer sends more than a Hello before it is let in. */
class StrangerGuard {
  readonly #socket: Socket;
  readonly #count: (chunk: Buffer) => void;

  constructor(ws: WebSocket, socket: Socket) {
    this.#socket = socket;
    let bytes = 0;
    this.#count = (chunk) => {
      bytes += chunk.length;
      if (bytes > STRANGER_BYTES) ws.terminate();
    };
    socket.on("data", this.#count);
  }

  stop(): void {
    this.#socket.off("data", this.#count);
  }
}

/** HTTP status of an error. */
export function httpStatus(code: ErrorCode): number {
  const kind: ErrorKind = ERRORS[code];
  return kind.http ?? 500;
}
