/**
 * The one registry of everything that can go wrong in a way a user or a peer must be told about.
 *
 * A code is stable once released: scripts match on it, clients in other languages match on it, and
 * docs/errors.md has one entry per code (a test holds the two together). The message of a thrown
 * error says what was wrong this time; the registry says what the code means and the way out.
 */

export interface ErrorKind {
  /** What the code means, one sentence. */
  readonly summary: string;
  /** What the person who sees it can do. */
  readonly remedy: string;
  /** Exit code of a command that ends with it. 1 failure, 2 wrong use, 3 peer or network, 130 interrupted. */
  readonly exit: 1 | 2 | 3 | 130;
  /** WebSocket close code, for those that end a connection (RFC 6455 §7.4; 4000–4999 are ours). */
  readonly close?: number;
  /** HTTP status, for those that answer a request. */
  readonly http?: number;
}

function kind(summary: string, remedy: string, rest: Omit<ErrorKind, "summary" | "remedy">): ErrorKind {
  return { summary, remedy, ...rest };
}

export const ERRORS = {
  // Use: configuration, files, commands.
  NB_CONFIG_INVALID: kind(
    "A setting has a value that is not accepted.",
    "The message names the field, what was given and what is accepted.",
    { exit: 2, http: 400 },
  ),
  NB_FILE_UNREADABLE: kind(
    "A file or directory could not be read.",
    "Check that the path exists and that this user may read it.",
    { exit: 2 },
  ),
  NB_INTERRUPTED: kind(
    "The command was stopped by a signal after saving what it had.",
    "Run the same command again to go on from the last checkpoint.",
    { exit: 130 },
  ),
  NB_INTERNAL: kind(
    "A check of the program on itself failed.",
    "This is a bug: report it with the message and the log.",
    { exit: 1, close: 4500, http: 500 },
  ),

  // Graphs and engines.
  NB_GRAPH_SHAPE: kind(
    "An operator was given tensors whose shapes or types do not fit it.",
    "The message names the operator, the shapes given and what it takes.",
    { exit: 1 },
  ),
  NB_ENGINE_UNAVAILABLE: kind(
    "The engine that was asked for by name cannot be loaded here.",
    "Install it as the message says, or choose another engine; none is chosen for you.",
    { exit: 2 },
  ),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** The only error class thrown on purpose. `code` is stable; `details` is for logs and `--json`. */
export class NarrowbandError extends Error {
  override readonly name = "NarrowbandError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  get kind(): ErrorKind {
    return ERRORS[this.code];
  }
}

/** Throws a {@link NarrowbandError}. Its type is `never`, so that it can end an expression. */
export function fail(code: ErrorCode, message: string, details?: Record<string, unknown>): never {
  throw new NarrowbandError(code, message, { details });
}

/** The registered error that `error` is or wraps, else NB_INTERNAL around it. */
export function asNarrowbandError(error: unknown): NarrowbandError {
  if (error instanceof NarrowbandError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new NarrowbandError("NB_INTERNAL", message, { cause: error });
}
