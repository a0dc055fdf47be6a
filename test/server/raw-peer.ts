/** A peer that sends what it likes to a real server, for tests of what becomes of it. */
import { expect } from "vitest";
import { WebSocket } from "ws";
import { type ServerOptions, tokenCheck } from "../../server/app.ts";
import type { JobOptions } from "../../server/job.ts";
import { ERRORS, type ErrorCode, type ErrorKind } from "../../shared/errors.ts";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import type { JobConfig, JobPolicy } from "../../shared/protocol/job-config.ts";
import type { Frame, Message } from "../../shared/protocol/messages.ts";
import { helloOf } from "../protocol/bench.ts";
import { listening, socketClient, tinyJob } from "./harness.ts";

const cleanups: (() => unknown)[] = [];

/** Ends what tests have left open. To be called after each. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** Has something done by {@link cleanUp}. */
export function onCleanUp(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

export interface Attacked {
  readonly config?: Partial<JobConfig>;
  readonly policy?: Partial<JobPolicy>;
  readonly job?: Partial<JobOptions>;
}

/** A server on a free port with one job, "demo", that one client suffices for. */
export async function attacked(options: Partial<ServerOptions> = {}, rest: Attacked = {}) {
  const refused: ErrorCode[] = [];
  const { server, ...address } = await listening({ onRefused: (code) => refused.push(code), ...options });
  onCleanUp(() => server.close());
  const made = tinyJob(
    rest.config,
    { minClients: 1, ...rest.policy },
    { authenticate: tokenCheck(options.tokens, "demo"), ...rest.job },
  );
  server.addJob(made.job);
  return { server, refused, ...made, ...address };
}

/** A Hello without token and fingerprints. */
export const HELLO = helloOf("mallory", { token: "", modelFingerprint: "", tokenizerFingerprint: "" });

export interface PeerOptions {
  readonly origin?: string;
  readonly headers?: Record<string, string>;
  readonly perMessageDeflate?: boolean;
}

export class RawPeer {
  readonly ws: WebSocket;
  readonly received: Message[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** HTTP status that the upgrade was refused with. */
  status: number | undefined;

  constructor(url: string, options: PeerOptions = {}) {
    this.ws = new WebSocket(`${url}/ws`, "narrowband", { perMessageDeflate: false, ...options });
    this.ws.on("message", (data: Buffer) => this.received.push(parseFrame(data, 1e8).message));
    this.ws.on("unexpected-response", (_request, response) => {
      this.status = response.statusCode;
      this.ws.terminate();
    });
    this.ws.on("error", () => {});
    this.opened = new Promise((resolve) => this.ws.on("open", () => resolve()));
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    onCleanUp(() => this.ws.terminate());
  }

  async send(message: Message, names: Partial<Frame> = {}): Promise<void> {
    await this.sendBytes(encodeFrame({ job: 0, client: 0, ...names, message }));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.opened;
    this.ws.send(bytes);
  }

  /** Resolves when a message of that type has come. */
  async until<T extends Message["type"]>(type: T): Promise<Message & { type: T }> {
    for (let i = 0; i < 1000; i++) {
      const found = this.received.find((m): m is Message & { type: T } => m.type === type);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`no ${type} came`);
  }

  /** Introduces itself and says that it is ready; resolves once it is let in. */
  async join(hello: Partial<typeof HELLO> = {}): Promise<{ job: number; client: number }> {
    await this.send({ ...HELLO, ...hello });
    const { job, client } = await this.until("welcome");
    await this.send({ type: "ready" }, { job, client });
    return { job, client };
  }
}

/** Waits for the connection's end by this code, of which the peer was told. */
export async function expectRefused(peer: RawPeer, code: ErrorCode): Promise<void> {
  const kind: ErrorKind = ERRORS[code];
  expect(await peer.closed).toEqual({ code: kind.close, reason: code });
  expect(peer.received.at(-1)).toMatchObject({ type: "error", code });
}

/** An honest client takes the job to its end: whatever happened before has harmed nobody else. */
export async function expectJobCompletes(ws: string, token?: string): Promise<void> {
  const { edge } = socketClient(0, ws, undefined, token === undefined ? {} : { token });
  expect((await edge.run()).reason).toBe("completed");
}
