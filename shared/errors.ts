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
    "A file or directory could not be read or written.",
    "Check the path, and that this user may read or write there.",
    { exit: 2 },
  ),
  NB_INTERRUPTED: kind(
    "The command was stopped by a signal after saving what it had.",
    "Run the same command again, with --resume where it has that option, to go on from the last checkpoint.",
    { exit: 130 },
  ),
  NB_INTERNAL: kind(
    "A check of the program on itself failed.",
    "This is a bug: report it with the message and the log.",
    { exit: 1, close: 4500, http: 500 },
  ),

  // Models, adapters, tokenizers, data.
  NB_MODEL_INVALID: kind(
    "A model's files contradict themselves, or lack something that they must hold.",
    "The message names the field or tensor; download or write the model again.",
    { exit: 2 },
  ),
  NB_MODEL_UNSUPPORTED: kind(
    "A model asks for something that is not computed here.",
    "The message names the field and what is supported; choose another model.",
    { exit: 2 },
  ),
  NB_ADAPTER_INVALID: kind(
    "An adapter's files contradict themselves or do not fit the model.",
    "The message names the field or tensor; use an adapter that was made for this model.",
    { exit: 2 },
  ),
  NB_TOKENIZER_INVALID: kind(
    "A tokenizer's files cannot be used.",
    "Use the tokenizer.json that came with the model.",
    { exit: 2 },
  ),
  NB_DATA_INVALID: kind(
    "A data file is not in the form that it was said to be in.",
    "The message names the file, the line and the reason.",
    { exit: 2 },
  ),
  NB_DATA_TOO_LONG: kind(
    "A row of text has more tokens than the model has positions.",
    "Lower the sequence length so that no row exceeds the model's maximum.",
    { exit: 2, close: 4007 },
  ),
  NB_CHECKPOINT_INVALID: kind(
    "A checkpoint file is torn, altered or not a checkpoint.",
    "Use the checkpoint before it; the message says what did not fit.",
    { exit: 1 },
  ),
  NB_CHECKPOINT_MISMATCH: kind(
    "A checkpoint belongs to another model, adapter or run than the one it was given to.",
    "Start with the settings that the checkpoint was made with, or in a new directory.",
    { exit: 2 },
  ),
  NB_LOG_INVALID: kind(
    "A redo log is damaged elsewhere than at its end, or parts of it are missing.",
    "What was accepted after the damage is lost; begin the run anew, on both sides.",
    { exit: 1 },
  ),
  NB_REPLAY_DIFFERS: kind(
    "Going through a redo log again gave other numbers than the run did.",
    "Resume with the same engine, the same number of threads and on the same kind of processor as before.",
    { exit: 1 },
  ),
  NB_STORAGE_FULL: kind(
    "There is no room to write a checkpoint or redo log.",
    "Nothing that was promised is lost: make room, and go on with --resume.",
    { exit: 1 },
  ),
  NB_STORAGE_FAILED: kind(
    "A checkpoint or redo log could not be written or read.",
    "Check the disk and the directory's permissions, and go on with --resume.",
    { exit: 1 },
  ),
  NB_DATASET_MISSING: kind(
    "A data set that was asked for by name is not installed.",
    "Get what the message names, or give a file of your own.",
    { exit: 2 },
  ),
  NB_SAFETENSORS_TRUNCATED: kind(
    "A safetensors file ends before its header does, or before the data that the header declares.",
    "Download or write the file again.",
    { exit: 2 },
  ),
  NB_SAFETENSORS_HEADER: kind(
    "A safetensors header is too large, is not JSON of the form that the format demands, or names a tensor twice.",
    "Write the file again with a tool that keeps to the format.",
    { exit: 2 },
  ),
  NB_SAFETENSORS_LAYOUT: kind(
    "The tensors that a safetensors header declares overlap, leave holes, or do not fill the file.",
    "Write the file again with a tool that keeps to the format.",
    { exit: 2 },
  ),
  NB_SAFETENSORS_DTYPE: kind(
    "A tensor's element type is unknown or cannot be read as f32.",
    "Convert the weights to float32, float16 or bfloat16.",
    { exit: 2 },
  ),
  NB_GGUF_INVALID: kind(
    "A GGUF file is cut off, contradicts itself, or lacks something that a model needs.",
    "The message says what; download or convert the file again.",
    { exit: 2 },
  ),
  NB_TENSOR_MISSING: kind(
    "A tensor that the model needs is in none of its files.",
    "The message names it; check that the directory is complete and of the model that its config.json says.",
    { exit: 2 },
  ),

  // Codecs.
  NB_TENSOR_NOT_FINITE: kind(
    "A tensor that was to be sent holds NaN or infinity.",
    "Training has diverged: lower the learning rate, or look at the data of that step.",
    { exit: 1 },
  ),
  NB_CODEC_BODY_INVALID: kind(
    "The body of a tensor frame is not what its codec, shape and bit table make it.",
    "Both ends must run the same codec settings; the message says what does not fit.",
    { exit: 3, close: 4410 },
  ),
  NB_CODEC_STATE_INVALID: kind(
    "A saved codec state does not fit the codec that it is restored into.",
    "Resume with the codec settings and the model that the checkpoint was made with.",
    { exit: 2 },
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

  // The wire: messages that break a rule.
  NB_FRAME_MALFORMED: kind(
    "A message is not of the form that proto/wire.proto demands.",
    "Check that both ends run compatible versions, and that no proxy between them alters what it passes on.",
    { exit: 3, close: 4400 },
  ),
  NB_FRAME_CHECKSUM: kind(
    "A message was altered on its way.",
    "The connection is made again by itself; if it comes back, look at the network or the proxy between.",
    { exit: 3, close: 4401 },
  ),
  NB_FRAME_TOO_LARGE: kind(
    "A message is larger than its receiver takes.",
    "Use fewer tokens per micro-batch, or raise the limit that the message names.",
    { exit: 3, close: 1009 },
  ),
  NB_PROTOCOL_VERSION: kind(
    "The two ends have no protocol version in common.",
    "Update the older of the two.",
    { exit: 3, close: 4402 },
  ),
  NB_PROTOCOL_ORDER: kind(
    "A message came that its sender could not have sent yet.",
    "The peer does not keep to the step protocol: update it, or report it.",
    { exit: 3, close: 4403 },
  ),
  NB_SESSION_MISMATCH: kind(
    "A message or a reconnection belongs to another job, client or session than the connection.",
    "Start the client again; it will join anew.",
    { exit: 3, close: 4404 },
  ),
  NB_TENSOR_INVALID: kind(
    "A tensor message's shape, codec or sections are not what the job makes them.",
    "Both ends must run the same job settings; the message says what does not fit.",
    { exit: 3, close: 4405 },
  ),
  NB_ADAPTER_MISMATCH: kind(
    "A client's adapters have other names or shapes than those they are to be averaged with.",
    "All clients of an averaging job must use the same model, cut and LoRA settings.",
    { exit: 3, close: 4406 },
  ),

  // The wire: connections.
  NB_AUTH_REFUSED: kind(
    "The token is missing, unknown, or not good for this job.",
    "Ask whoever runs the server for a token, and pass it with --token or NARROWBAND_TOKEN.",
    { exit: 3, close: 4411, http: 401 },
  ),
  NB_TOKEN_PLAINTEXT: kind(
    "A token would have crossed a network where others can read it.",
    "Use TLS (wss://, --tls-cert), or say --allow-plaintext-tokens where something else protects the way.",
    { exit: 2 },
  ),
  NB_RATE_EXCEEDED: kind(
    "A client sent messages that carry no work faster than any client needs to.",
    "Update the client, or report it; there is nothing to set.",
    { exit: 3, close: 4420 },
  ),
  NB_SLOW_READER: kind(
    "A client did not read what it was sent for too long.",
    "Look at the client's machine or its network; the connection is made again by itself.",
    { exit: 3, close: 4421 },
  ),
  NB_ORIGIN_REFUSED: kind(
    "A web page of an origin that the server does not list tried to connect.",
    "Add the page's origin to the server's list of origins.",
    { exit: 3, http: 403 },
  ),
  NB_JOB_UNKNOWN: kind(
    "The server has no job of that name.",
    "Check the name; the server lists its jobs under /api/jobs.",
    { exit: 3, close: 4412, http: 404 },
  ),
  NB_JOB_FULL: kind(
    "The job has as many clients as it accepts.",
    "Raise the job's largest number of clients, or wait for a place.",
    { exit: 3, close: 4413 },
  ),
  NB_MODEL_MISMATCH: kind(
    "The client's model or tokenizer is not the server's.",
    "Point both ends at the same model directory, or at copies of it.",
    { exit: 3, close: 4414 },
  ),
  NB_CODEC_UNSUPPORTED: kind(
    "The job uses a codec that the client does not have.",
    "Update the client, or choose another codec for the job.",
    { exit: 3, close: 4415 },
  ),
  NB_CLIENT_REPLACED: kind(
    "Another connection of the same client name took this one's place.",
    "Give every client of a job a name of its own.",
    { exit: 3, close: 4416 },
  ),
  NB_HELLO_DEADLINE: kind(
    "A connection did not introduce itself in time.",
    "Check that it is a narrowband client that connects, and that the network is not stalled.",
    { exit: 3, close: 4417 },
  ),
  NB_PEER_SILENT: kind(
    "Nothing was heard from the other end for two heartbeat intervals.",
    "The connection is made again by itself; if it comes back, look at the network or the other machine.",
    { exit: 3, close: 4418 },
  ),
  NB_SERVER_BUSY: kind(
    "The server has as many connections, or as many of this address or not yet accepted, as it allows.",
    "Try again later, or raise the limit that the message names.",
    { exit: 3, http: 503 },
  ),
  NB_TLS_UNTRUSTED: kind(
    "The server's certificate is not one that this machine trusts, or not for that name.",
    "Pass the certificate authority's file with --tls-ca, or use the name that the certificate is for.",
    { exit: 3 },
  ),
  NB_ADDRESS_UNAVAILABLE: kind(
    "The server could not listen at the address that it was given.",
    "Choose another port, or stop what uses this one.",
    { exit: 2 },
  ),
  NB_CONNECTION_LOST: kind(
    "The server could not be reached, or not again, within the attempts allowed.",
    "Check the address and the network; start again to rejoin.",
    { exit: 3 },
  ),

  // Outcomes of steps and jobs.
  NB_STEP_DEADLINE: kind(
    "A client's step was not ready by its deadline, and was left out.",
    "Use smaller micro-batches on that client, or a longer deadline.",
    { exit: 3 },
  ),
  NB_GRADIENT_REFUSED: kind(
    "A client's gradient was larger than any that training brings forth, and its step was left out.",
    "Look at that client's data and model; if its gradients are sound, raise --max-client-norm.",
    { exit: 3 },
  ),
  NB_STEP_INTERRUPTED: kind(
    "A step was abandoned because its connection dropped or its round was called off.",
    "Nothing: the client takes part again from the next step.",
    { exit: 3 },
  ),
  NB_STEP_REFUSED: kind(
    "Too many steps of a client in a row were refused or late, and it was shut out.",
    "Look at the reasons given for those steps in the log of the client.",
    { exit: 3, close: 4419 },
  ),
  NB_QUORUM_LOST: kind(
    "Too few clients were left for the job to go on, and they did not come back in time.",
    "Start the job again with its clients, or allow a smaller quorum.",
    { exit: 3 },
  ),
  NB_JOB_STOPPED: kind(
    "The job was stopped on purpose before it had taken all its steps.",
    "Start the server again to go on.",
    { exit: 3 },
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
