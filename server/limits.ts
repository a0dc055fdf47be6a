/**
 * What the server lets the network make it do, besides the protocol's own limits (shared/protocol/limits.ts). Each has its unit and its
 * reason; those in {@link ServerLimits} are options of `narrowband serve`.
 */

export interface ServerLimits {
  /** TCP connections, all together. */
  readonly maxConnections: number;
  /** TCP connections of one address: an IPv4 address or an IPv6 /64. 0: no limit, as behind a proxy, where all have one address. */
  readonly maxConnectionsPerAddress: number;
  /** WebSockets that no job has let in yet. */
  readonly maxPendingHandshakes: number;
  /** Milliseconds from the opening of a WebSocket to its Hello. */
  readonly helloDeadlineMs: number;
  /** Bytes a second that a client may send on average; it is read more slowly when it sends more. 0: no limit. */
  readonly clientBytesPerSecond: number;
  /** Steps a second that a client may end; it is read no further until its next is due. 0: no limit. */
  readonly clientStepsPerSecond: number;
  /** Milliseconds that a client may leave what it is sent unread before its connection is cut. */
  readonly slowReaderMs: number;
}

/** 1,024 file descriptors are what many systems give a process; four times as many is what one Node process serves well. */
export const DEFAULT_MAX_CONNECTIONS = 4_096;

/** A laboratory behind one address has tens of machines. */
export const DEFAULT_MAX_CONNECTIONS_PER_ADDRESS = 128;

/**
 * 64 MB/s is half of a gigabit link, and more than a client computes: 8,192 tokens of 576 channels are 19 MB in f32 and
 * take it longer than a second.
 */
export const DEFAULT_CLIENT_BYTES_PER_SECOND = 64_000_000;

/** Seconds of its byte rate that a client may send at once: a micro-batch comes in one go. */
export const BYTE_BURST_SECONDS = 4;

/** Steps that a client may end at once before its step rate counts. */
export const STEP_BURST = 4;

/** One minute: longer than any pause of a client that lives, short enough that memory held for it is soon free again. */
export const DEFAULT_SLOW_READER_MS = 60_000;

/**
 * Messages a second that carry no work (Ping, Pong, Hello, Ready and the like, and WebSocket's own pings), and how many may come at
 * once. An honest client sends one in many seconds. More end the connection.
 */
export const CONTROL_MESSAGES_PER_SECOND = 20;
export const CONTROL_BURST = 100;

/** Connections of an address above its limit that are still told why; more are cut without a word. */
export const REFUSAL_SLACK = 8;

/**
 * Milliseconds that a refused stranger has to close its end, and that a client has; then the connection is cut. A stranger keeps its place
 * among those that wait to be let in until then.
 */
export const STRANGER_CLOSE_MS = 500;
export const CLIENT_CLOSE_MS = 5_000;

/** Milliseconds between looks whether the tokens of open connections are still good. */
export const TOKEN_RECHECK_MS = 2_000;

/** Bytes of an HTTP body: requests carry none worth mentioning. */
export const HTTP_BODY_BYTES = 16 * 1024;

/** Bytes of an HTTP request's line and headers: browsers send 1 to 2 KB, a token is 46 bytes. */
export const HTTP_HEADER_BYTES = 8 * 1024;

/** Headers of a request; browsers send about 20. */
export const HTTP_HEADER_COUNT = 64;

/** Milliseconds for a TLS handshake, for the headers of a request, for a whole request, and between two requests. */
export const TLS_HANDSHAKE_MS = 10_000;
export const HTTP_HEADERS_MS = 5_000;
export const HTTP_REQUEST_MS = 10_000;
export const HTTP_KEEP_ALIVE_MS = 5_000;

/** Milliseconds between looks at the deadlines above, which therefore end so much late at most. */
export const HTTP_CHECK_MS = 1_000;

/** Requests on one connection, so that none lasts for ever. */
export const HTTP_REQUESTS_PER_CONNECTION = 1_000;
