/**
 * The door for WebSockets: upgrades, keeps strangers small and short, reads the first message, and hands the connection to the job that
 * it names. What a client must prove it proves to the job's state machine.
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
  HELLO_DEADLINE_MS,
  MAX_BUFFERED_CHUNKS,
  MAX_FRAGMENTS,
  MAX_FRAME_BYTES,
  MAX_HELLO_BYTES,
  MAX_PENDING_HANDSHAKES,
  SUBPROTOCOL,
} from "../shared/protocol/limits.ts";
import type { Frame } from "../shared/protocol/messages.ts";
import { WsSocket } from "../shared/protocol/ws-socket-node.ts";
import type { Job } from "./job.ts";
import { bearerToken } from "./tokens.ts";

export interface GatewayOptions {
  /** The job of that name, if there is one. */
  readonly findJob: (name: string) => Job | undefined;
  /** Origins that web pages may connect from; requests without an Origin header are not from pages. */
  readonly origins: readonly string[];
  readonly maxPendingHandshakes?: number;
  readonly helloDeadlineMs?: number;
  /** Told of connections that ended before they reached a job. */
  readonly onRefused?: (code: ErrorCode, message: string) => void;
}

/** Bytes that a stranger may send after the upgrade: one Hello in as many WebSocket frames as it may have. */
const STRANGER_BYTES = MAX_HELLO_BYTES + 1_024;

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #server: WebSocketServer;
  /** Open connections that no job has let in. */
  #pending = 0;
  readonly #open = new Set<WebSocket>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: MAX_FRAME_BYTES,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
      // Bodies are packed bits already, and compressed messages are an attack surface.
      perMessageDeflate: false,
      handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
  }

  /** Connections that no job has let in yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Handles an HTTP server's "upgrade" event. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const { origins, maxPendingHandshakes = MAX_PENDING_HANDSHAKES } = this.#options;
    const path = request.url?.split("?")[0];
    if (path !== "/ws") {
      this.#refuseUpgrade(socket, 404, "NB_JOB_UNKNOWN", "WebSockets are at /ws");
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined && !origins.includes(origin)) {
      this.#refuseUpgrade(socket, 403, "NB_ORIGIN_REFUSED", `origin ${origin.slice(0, 100)} is not allowed`);
      return;
    }
    if (this.#pending >= maxPendingHandshakes) {
      this.#refuseUpgrade(socket, 503, "NB_SERVER_BUSY", `${this.#pending} connections wait to be let in`);
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

  /** Waits for the Hello of a fresh connection. */
  #receive(
    ws: WebSocket,
    request: IncomingMessage,
    socket: Socket,
    handshake: { readonly sent: number; readonly received: number },
    release: () => void,
  ): void {
    this.#open.add(ws);
    ws.on("close", () => this.#open.delete(ws));
    // The job's ledger takes over what this one has counted once the job is known.
    const ledger = new ByteLedger();
    const wsSocket = new WsSocket({ ws, socket, ledger, sends: "down", handshake });
    const guard = new StrangerGuard(ws, socket);
    const deadline = setTimeout(() => {
      refuse("NB_HELLO_DEADLINE", "no Hello came in time");
    }, this.#options.helloDeadlineMs ?? HELLO_DEADLINE_MS);
    const refuse = (code: ErrorCode, message: string): void => {
      clearTimeout(deadline);
      guard.stop();
      this.#options.onRefused?.(code, message);
      channel.send({ job: 0, client: 0, message: { type: "error", code, message } });
      channel.close(closeCode(code), code);
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
      const onBound = (): void => {
        guard.stop();
        release();
      };
      job.attach(channel, { first: frame, bearer: bearerToken(request.headers.authorization), onBound });
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

  #refuseUpgrade(socket: Duplex, status: number, code: ErrorCode, message: string): void {
    this.#options.onRefused?.(code, message);
    const body = JSON.stringify({ code, message });
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }

  /** Ends all connections. */
  terminate(): void {
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
