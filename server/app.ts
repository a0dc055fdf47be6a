/**
 * The server as one thing: HTTP (health, jobs, metrics, static pages) and WebSockets by the gateway, on one port, with or without
 * TLS.
 */
import type { AddressInfo, Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type ErrorCode, fail, NarrowbandError } from "../shared/errors.ts";
import { HELLO_DEADLINE_MS, MAX_PENDING_HANDSHAKES } from "../shared/protocol/limits.ts";
import { isLoopback } from "../shared/protocol/loopback.ts";
import type { Refusal } from "../shared/protocol/messages.ts";
import { AddressCounter, addressKey } from "./addresses.ts";
import { Gateway } from "./gateway.ts";
import { createApp, type TlsFiles } from "./http.ts";
import type { Job } from "./job.ts";
import {
  DEFAULT_CLIENT_BYTES_PER_SECOND,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_CONNECTIONS_PER_ADDRESS,
  DEFAULT_SLOW_READER_MS,
  REFUSAL_SLACK,
  type ServerLimits,
} from "./limits.ts";
import { createMetrics } from "./metrics.ts";
import { ANY_JOB, bearerToken, type TokenRole, type TokenStore } from "./tokens.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: TlsFiles;
  /** Without them everybody may join and read. Pass {@link tokenCheck} of the same store to each job. */
  readonly tokens?: TokenStore;
  /** Lets tokens cross a network without TLS, where something else protects them. */
  readonly allowPlaintextTokens?: boolean;
  /** Origins that web pages may connect from. */
  readonly origins?: readonly string[];
  /** Directory of static pages, served at /. */
  readonly pages?: string;
  readonly limits?: Partial<ServerLimits>;
  /** Told of connections that ended before they reached a job. */
  readonly onRefused?: (code: ErrorCode, message: string) => void;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  maxConnections: DEFAULT_MAX_CONNECTIONS,
  maxConnectionsPerAddress: DEFAULT_MAX_CONNECTIONS_PER_ADDRESS,
  maxPendingHandshakes: MAX_PENDING_HANDSHAKES,
  helloDeadlineMs: HELLO_DEADLINE_MS,
  clientBytesPerSecond: DEFAULT_CLIENT_BYTES_PER_SECOND,
  clientStepsPerSecond: 0,
  slowReaderMs: DEFAULT_SLOW_READER_MS,
};

export class Server {
  readonly app: FastifyInstance;
  readonly #options: ServerOptions;
  readonly #limits: ServerLimits;
  readonly #jobs = new Map<string, Job>();
  readonly #gateway: Gateway;
  readonly #addresses = new AddressCounter();
  /** Refused connections, by code. */
  readonly #refusals = new Map<ErrorCode, number>();
  #state: "starting" | "ready" | "draining" = "starting";

  /** NB_TOKEN_PLAINTEXT when others could read the tokens that clients send. */
  constructor(options: ServerOptions) {
    const { host, tls, tokens, allowPlaintextTokens } = options;
    if (tokens !== undefined && tls === undefined && allowPlaintextTokens !== true && !isLoopback(host))
      fail(
        "NB_TOKEN_PLAINTEXT",
        `tokens would cross the network to ${host} in plain text; accepted: --tls-cert and --tls-key, a loopback address, or --allow-plaintext-tokens`,
      );
    this.#options = options;
    this.#limits = { ...DEFAULT_SERVER_LIMITS, ...options.limits };
    this.#gateway = new Gateway({
      findJob: (name) => this.#jobs.get(name),
      origins: options.origins ?? [],
      limits: this.#limits,
      addresses: this.#addresses,
      tokens,
      onRefused: (code, message) => this.#refused(code, message),
    });
    this.app = createApp(tls, options.pages);
    this.app.server.maxConnections = this.#limits.maxConnections;
    this.#addRoutes();
    this.app.server.on("connection", (socket: Socket) => this.#count(socket));
    this.app.server.on("drop", () => {
      this.#refused("NB_SERVER_BUSY", `the server has its ${this.#limits.maxConnections} connections`);
    });
    this.app.server.on("upgrade", (request, socket, head) => {
      this.#gateway.handleUpgrade(request, socket, head);
    });
  }

  /** Makes a job reachable under its name. */
  addJob(job: Job): void {
    if (this.#jobs.has(job.name)) fail("NB_CONFIG_INVALID", `job: there is a job "${job.name}" already`);
    this.#gateway.allowMessages(job.config.maxFrameBytes);
    this.#jobs.set(job.name, job);
  }

  get jobs(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  /** Starts listening; returns the address for clients. NB_ADDRESS_UNAVAILABLE when the port cannot be had. */
  async listen(): Promise<{ readonly http: string; readonly ws: string; readonly port: number }> {
    const { host, port, tls } = this.#options;
    try {
      await this.app.listen({ host, port });
    } catch (error) {
      const message = `${host}:${port}: ${(error as Error).message}`;
      throw new NarrowbandError("NB_ADDRESS_UNAVAILABLE", message, { cause: error });
    }
    if (this.#state === "starting") this.#state = "ready";
    const address = this.app.server.address() as AddressInfo;
    const name = host.includes(":") ? `[${host}]` : host;
    const s = tls === undefined ? "" : "s";
    return {
      http: `http${s}://${name}:${address.port}`,
      ws: `ws${s}://${name}:${address.port}`,
      port: address.port,
    };
  }

  /** Lets nobody in any more and says so at /readyz; those who are in stay. Clients are told to come back after so many milliseconds. */
  drain(retryAfterMs: number): void {
    this.#state = "draining";
    this.#gateway.drain(retryAfterMs);
  }

  /** Ends all connections and stops listening. Stop the jobs first, to let them say goodbye. */
  async close(): Promise<void> {
    for (const job of this.#jobs.values()) job.terminate();
    this.#gateway.terminate();
    await this.app.close();
  }

  /** Counts a TCP connection of its address, and cuts it when that address has far too many to be told why. */
  #count(socket: Socket): void {
    const { maxConnectionsPerAddress: limit } = this.#limits;
    const key = addressKey(socket.remoteAddress);
    const count = this.#addresses.add(key);
    socket.once("close", () => this.#addresses.remove(key));
    if (limit === 0 || count <= limit + REFUSAL_SLACK) return;
    this.#refused("NB_SERVER_BUSY", `an address has its ${limit} connections`);
    socket.destroy();
  }

  #refused(code: ErrorCode, message: string): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
    this.#options.onRefused?.(code, message);
  }

  #addRoutes(): void {
    const { app } = this;
    const metrics = createMetrics({
      jobs: () => this.jobs,
      gateway: this.#gateway,
      refusals: this.#refusals,
    });
    const guard = (role: TokenRole, scope: "job" | "any" | "all") => ({
      preHandler: (request: FastifyRequest) => this.#authorize(request, role, scope),
    });
    app.get("/healthz", () => ({ status: "ok" }));
    app.get("/readyz", (_request, reply) => {
      const ready = this.#state === "ready" && this.#jobs.size > 0;
      return reply.status(ready ? 200 : 503).send({ status: ready ? "ready" : this.#state });
    });
    app.get("/api/jobs", guard("observer", "any"), (request) => ({
      jobs: this.jobs
        .filter((job) => this.#refusal(request, job.name, "observer") === undefined)
        .map((job) => {
          const { name, number, phase, trunkSteps, clients, outcome } = job.status();
          const connected = clients.filter((c) => c.connected).length;
          return { name, number, phase, trunkSteps, clients: connected, outcome };
        }),
    }));
    app.get<{ Params: { name: string } }>("/api/jobs/:name", guard("observer", "job"), (request) => {
      return this.#job(request.params.name).status();
    });
    app.post<{ Params: { name: string } }>(
      "/api/jobs/:name/stop",
      guard("admin", "job"),
      (request, reply) => {
        void this.#job(request.params.name).stop();
        return reply.status(202).send({ status: "stopping" });
      },
    );
    app.get("/metrics", guard("observer", "all"), async (_request, reply: FastifyReply) => {
      reply.type(metrics.contentType);
      return metrics.metrics();
    });
  }

  #job(name: string): Job {
    return this.#jobs.get(name) ?? fail("NB_JOB_UNKNOWN", `no job "${name.slice(0, 64)}" here`);
  }

  /** NB_AUTH_REFUSED unless the request's token is good for the role: in the job of its path, in any job, or in all. */
  async #authorize(request: FastifyRequest, role: TokenRole, scope: "job" | "any" | "all"): Promise<void> {
    const { name } = request.params as { name?: string };
    const job = scope === "any" ? ANY_JOB : scope === "all" ? "*" : (name ?? "*");
    const refusal = this.#refusal(request, job, role);
    if (refusal === undefined) return;
    this.#refused(refusal.code, refusal.message);
    fail(refusal.code, refusal.message);
  }

  /** Without tokens everybody may look, and nobody may change anything. */
  #refusal(request: FastifyRequest, job: string, role: TokenRole) {
    const { tokens } = this.#options;
    if (tokens !== undefined) return tokens.refusal(bearerToken(request.headers.authorization), job, role);
    if (role !== "admin") return undefined;
    return { code: "NB_AUTH_REFUSED", message: "this server has no tokens, and so no admins" } as const;
  }
}

/**
 * What a job asks about a client's token. The name of a client belongs to the holder of the token that it was first used with, for as long as the
 * server runs, so that one holder cannot take another's place in the job.
 */
export function tokenCheck(
  tokens: TokenStore | undefined,
  job: string,
): ((token: string, client: string) => Refusal | undefined) | undefined {
  if (tokens === undefined) return undefined;
  const holders = new Map<string, string>();
  return (token, client) => {
    const refusal = tokens.refusal(token, job, "client");
    if (refusal !== undefined) return refusal;
    const holder = tokens.find(token)?.id ?? "";
    const owner = holders.get(client) ?? holder;
    if (owner !== holder)
      return { code: "NB_AUTH_REFUSED", message: `the name ${client} is used by another token's holder` };
    holders.set(client, holder);
    return undefined;
  };
}
