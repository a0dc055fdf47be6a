/** fastify as this server uses it: small bodies, short deadlines, headers that forbid what pages do not need, no stack traces. */
import { readFileSync } from "node:fs";
import fastifyStatic from "@fastify/static";
import fastify, { type FastifyInstance } from "fastify";
import { asNarrowbandError, fail, NarrowbandError } from "../shared/errors.ts";
import { httpStatus } from "./gateway.ts";
import {
  HTTP_BODY_BYTES,
  HTTP_CHECK_MS,
  HTTP_HEADER_BYTES,
  HTTP_HEADER_COUNT,
  HTTP_HEADERS_MS,
  HTTP_KEEP_ALIVE_MS,
  HTTP_REQUEST_MS,
  HTTP_REQUESTS_PER_CONNECTION,
  TLS_HANDSHAKE_MS,
} from "./limits.ts";

export interface TlsFiles {
  /** The certificate chain and its key, PEM. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Certificates, PEM; only clients with a certificate that one of them has signed are let in. */
  readonly clientCaFile?: string;
}

/**
 * What browsers are told about every answer. Pages are ours and load nothing from elsewhere; "wasm-unsafe-eval" is what WebAssembly
 * needs, and isolation from other origins is what its threads need.
 */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
    "connect-src 'self' ws: wss:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** The application without routes; `pages` is a directory that is served at /. */
export function createApp(tls: TlsFiles | undefined, pages: string | undefined): FastifyInstance {
  const http = {
    maxHeaderSize: HTTP_HEADER_BYTES,
    headersTimeout: HTTP_HEADERS_MS,
    connectionsCheckingInterval: HTTP_CHECK_MS,
  };
  const settings = {
    bodyLimit: HTTP_BODY_BYTES,
    requestTimeout: HTTP_REQUEST_MS,
    keepAliveTimeout: HTTP_KEEP_ALIVE_MS,
    maxRequestsPerSocket: HTTP_REQUESTS_PER_CONNECTION,
    forceCloseConnections: true,
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
    logger: false,
  } as const;
  const app: FastifyInstance =
    tls === undefined
      ? fastify({ ...settings, http })
      : (fastify({ ...settings, https: { ...http, ...readTls(tls) } }) as unknown as FastifyInstance);
  app.server.maxHeadersCount = HTTP_HEADER_COUNT;
  if (pages !== undefined)
    app.register(fastifyStatic, { root: pages, dotfiles: "deny", index: "index.html" });
  app.addHook("onSend", async (_request, reply) => {
    reply.headers(HEADERS);
  });
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode;
    if (!(error instanceof NarrowbandError) && status !== undefined && status < 500)
      return reply.status(status).send({ code: "NB_CONFIG_INVALID", message: (error as Error).message });
    // The message of an unforeseen error may tell of the machine, and stays here.
    const { code, message } = asNarrowbandError(error);
    if (code === "NB_AUTH_REFUSED") reply.header("www-authenticate", "Bearer");
    return reply
      .status(httpStatus(code))
      .send({ code, message: code === "NB_INTERNAL" ? "internal error" : message });
  });
  app.setNotFoundHandler((_request, reply) => {
    return reply.status(404).send({ code: "NB_CONFIG_INVALID", message: "no such page" });
  });
  return app;
}

function readTls({ certFile, keyFile, clientCaFile }: TlsFiles) {
  const own = {
    cert: readPem("tls-cert", certFile),
    key: readPem("tls-key", keyFile),
    handshakeTimeout: TLS_HANDSHAKE_MS,
  };
  if (clientCaFile === undefined) return own;
  const ca = readPem("tls-client-ca", clientCaFile);
  return { ...own, ca, requestCert: true, rejectUnauthorized: true };
}

function readPem(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    return fail("NB_FILE_UNREADABLE", `${option}: ${path}: ${(error as Error).message}`);
  }
}
