/**
 * The server as one thing: HTTP by fastify (health, jobs, metrics, static pages) and WebSockets by the gateway, on one
 * port, with or without TLS.
 */
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import fastifyStatic from "@fastify/static";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { asNarrowbandError, type ErrorCode, fail, NarrowbandError } from "../shared/errors.ts";
import { Gateway, httpStatus } from "./gateway.ts";
import type { Job } from "./job.ts";
import { createMetrics } from "./metrics.ts";
import { bearerToken, type TokenStore } from "./tokens.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Files with the certificate chain and its key, PEM. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Without them everybody may join and read. Pass {@link tokenCheck} of the same store to each job. */
  readonly tokens?: TokenStore;
  /** Origins that web pages may connect from. */
  readonly origins?: readonly string[];
  /** Directory of static pages, served at /. */
  readonly pages?: string;
  readonly maxPendingHandshakes?: number;
  readonly helloDeadlineMs?: number;
  /** Told of connections that ended before they reached a job. */
  readonly onRefused?: (code: ErrorCode, message: string) => void;
}

/** Requests carry no bodies worth mentioning. Bytes. */
const BODY_LIMIT = 16 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

export class Server {
  readonly app: FastifyInstance;
  readonly #options: ServerOptions;
  readonly #jobs = new Map<string, Job>();
  readonly #gateway: Gateway;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#gateway = new Gateway({
      findJob: (name) => this.#jobs.get(name),
      origins: options.origins ?? [],
      maxPendingHandshakes: options.maxPendingHandshakes,
      helloDeadlineMs: options.helloDeadlineMs,
      onRefused: options.onRefused,
    });
    this.app = createApp(options);
    this.#addRoutes();
    this.app.server.on("upgrade", (request, socket, head) => {
      this.#gateway.handleUpgrade(request, socket, head);
    });
  }

  /** Makes a job reachable under its name. */
  addJob(job: Job): void {
    if (this.#jobs.has(job.name)) fail("NB_CONFIG_INVALID", `job: there is a job "${job.name}" already`);
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
    const address = this.app.server.address() as AddressInfo;
    const name = host.includes(":") ? `[${host}]` : host;
    const s = tls === undefined ? "" : "s";
    return {
      http: `http${s}://${name}:${address.port}`,
      ws: `ws${s}://${name}:${address.port}`,
      port: address.port,
    };
  }

  /** Ends all connections and stops listening. Stop the jobs first, to let them say goodbye. */
  async close(): Promise<void> {
    for (const job of this.#jobs.values()) job.terminate();
    this.#gateway.terminate();
    await this.app.close();
  }

  #addRoutes(): void {
    const { app } = this;
    const metrics = createMetrics(() => this.jobs);
    const guard = { preHandler: (request: FastifyRequest) => this.#requireObserver(request) };
    app.get("/healthz", () => ({ status: "ok" }));
    app.get("/api/jobs", guard, () => ({
      jobs: this.jobs.map((job) => {
        const { name, number, phase, trunkSteps, clients, outcome } = job.status();
        const connected = clients.filter((c) => c.connected).length;
        return { name, number, phase, trunkSteps, clients: connected, outcome };
      }),
    }));
    app.get<{ Params: { name: string } }>("/api/jobs/:name", guard, (request) => {
      const job = this.#jobs.get(request.params.name);
      if (job === undefined) {
        return fail("NB_JOB_UNKNOWN", `no job "${request.params.name.slice(0, 64)}" here`);
      }
      return job.status();
    });
    app.get("/metrics", guard, async (_request, reply: FastifyReply) => {
      reply.type(metrics.contentType);
      return metrics.metrics();
    });
  }

  /** The API and the metrics are for observers and admins, where there are tokens at all. */
  async #requireObserver(request: FastifyRequest): Promise<void> {
    const { tokens } = this.#options;
    if (tokens === undefined) return;
    const job = (request.params as { name?: string }).name ?? "*";
    const refusal = tokens.refusal(bearerToken(request.headers.authorization), job, "observer");
    if (refusal !== undefined) fail(refusal.code, refusal.message);
  }
}

/** What a job asks about a client's token. */
export function tokenCheck(tokens: TokenStore | undefined, job: string) {
  return tokens === undefined ? undefined : (token: string) => tokens.refusal(token, job, "client");
}

function createApp(options: ServerOptions): FastifyInstance {
  const { tls } = options;
  const settings = {
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    logger: false,
  } as const;
  const app: FastifyInstance =
    tls === undefined
      ? fastify(settings)
      : (fastify({ ...settings, https: readTls(tls) }) as unknown as FastifyInstance);
  if (options.pages !== undefined) app.register(fastifyStatic, { root: options.pages });
  app.addHook("onSend", async (_request, reply) => {
    reply.header("x-content-type-options", "nosniff");
    reply.header("cache-control", "no-store");
  });
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode;
    if (!(error instanceof NarrowbandError) && status !== undefined && status < 500) {
      return reply.status(status).send({ code: "NB_CONFIG_INVALID", message: (error as Error).message });
    }
    // The message of an unforeseen error may tell of the machine, and stays here.
    const { code, message } = asNarrowbandError(error);
    return reply
      .status(httpStatus(code))
      .send({ code, message: code === "NB_INTERNAL" ? "internal error" : message });
  });
  app.setNotFoundHandler((_request, reply) => {
    return reply.status(404).send({ code: "NB_CONFIG_INVALID", message: "no such page" });
  });
  return app;
}

function readTls({ certFile, keyFile }: { certFile: string; keyFile: string }): {
  cert: Buffer;
  key: Buffer;
} {
  const read = (option: string, path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      return fail("NB_FILE_UNREADABLE", `${option}: ${path}: ${(error as Error).message}`);
    }
  };
  return { cert: read("tls-cert", certFile), key: read("tls-key", keyFile) };
}
