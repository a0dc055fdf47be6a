/**
 * Limits of the protocol: what one side lets the other make it do. Each has its unit and its reason; what a job may set lower is in its
 * JobConfig, and these are the bounds of that.
 */

/** Version of the step protocol that this code speaks; see Hello. */
export const PROTOCOL_VERSION = 2;

/** WebSocket subprotocol name. */
export const SUBPROTOCOL = "narrowband";

/** Bytes of the fixed part before every header. */
export const PRELUDE_BYTES = 8;

/** Bytes of a header: its length field has 16 bits. The largest honest headers are A1's row lengths and Welcome, a few KiB. */
export const MAX_HEADER_BYTES = 65_535;

/** Bytes of a message, whatever a job says: 64 MiB holds 4,096 tokens of 4,096 channels in f32. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** Bytes of a message besides its elements as f32: header, scales, bit table, labels. Added to a job's own limit. */
export const FRAME_SLACK_BYTES = 64 * 1024;

/** Bytes of the first message, and all that a stranger may send before it is accepted (besides WebSocket framing). */
export const MAX_HELLO_BYTES = 4_096;

/** Milliseconds from the opening of a connection to its Hello: ten round trips of the slowest links, and a TLS handshake. */
export const HELLO_DEADLINE_MS = 10_000;

/** Connections that are open but not accepted yet; more are refused, so that strangers cannot use up the server's memory. */
export const MAX_PENDING_HANDSHAKES = 64;

/** Milliseconds; as Flower's default. Long enough to cost nothing, short enough for NAT tables, which forget after minutes. */
export const DEFAULT_HEARTBEAT_MS = 30_000;

/** Heartbeat intervals without a message after which a peer is dead: one may be lost to a long pause of the other end. */
export const HEARTBEAT_PATIENCE = 2;

/** Fragments of one WebSocket message. Our own peers send one. */
export const MAX_FRAGMENTS = 1_024;

/** Pieces in which one message may arrive from the kernel: 64 MiB in segments of 1,400 bytes are 48,000. */
export const MAX_BUFFERED_CHUNKS = 65_536;

/**
 * Bytes waiting in a socket above which no more is handed to it, and below which it is fed again. The kernel buffers besides, so
 * that a fast link is never idle; a thousand slow readers hold 1 GB of a server at most, and one frame each.
 */
export const SEND_HIGH_WATER_BYTES = 1024 * 1024;
export const SEND_LOW_WATER_BYTES = 256 * 1024;

/**
 * Frames that wait for a socket to take more. The step protocol lets two of each micro-batch be under way; a peer for which more wait does
 * not read.
 */
export const MAX_QUEUED_FRAMES = 2 * 1_024 + 64;

/** Largest piece of adapters that a peer may choose, bytes. */
export const MAX_ADAPTER_CHUNK_BYTES = 8 * 1024 * 1024;

/** Bytes of one piece of adapters: small enough to let a heartbeat through on a slow link. */
export const ADAPTER_CHUNK_BYTES = 256 * 1024;

/** Bytes of a client's adapters in one upload: rank 64 on every layer of a 3-billion-parameter model is about 400 MB. */
export const MAX_ADAPTER_BYTES = 512 * 1024 * 1024;

/** Bytes of the names and shapes of a client's adapters: 10,000 tensors of 100 bytes. */
export const MAX_MANIFEST_BYTES = 1024 * 1024;

/** Dimensions of an adapter tensor; LoRA has two. */
export const MAX_TENSOR_RANK = 4;

/** Largest dimension of a tensor; the largest known vocabulary is 2^18. */
export const MAX_DIMENSION = 2 ** 24;

/** Channels of smashed data; the largest known models have 2^14. */
export const MAX_CHANNELS = 2 ** 17;

/** Tokens and rows of one micro-batch. */
export const MAX_TOKENS = 2 ** 20;
export const MAX_ROWS = 16_384;

/** Steps of a job, and tries of one step: counters stay far from 2^32. */
export const MAX_STEPS = 2 ** 30;
export const MAX_ATTEMPTS = 2 ** 20;

/** Micro-batches of a step. */
export const MAX_MICRO_BATCHES = 1_024;

/** Clients of a job: indices are small integers, and one server process is not made for more. */
export const MAX_CLIENTS = 65_536;

/** Characters of names (job, client) and of longer strings (messages, paths), so that nothing of a peer's floods a log. */
export const MAX_NAME_LENGTH = 64;
export const MAX_TEXT_LENGTH = 512;

/** Codecs and target modules that a job or a Hello may list. */
export const MAX_LIST_LENGTH = 64;

/** A client's steps in a row that were refused or late, after which it is shut out: it would only hold up the others. */
export const DEFAULT_MAX_FAILED_STEPS = 3;

/** Milliseconds that a job waits for clients to come back when fewer than its quorum are there. */
export const DEFAULT_ABSENT_GRACE_MS = 120_000;

/** Milliseconds that a job waits for a client whose connection dropped before it goes on without it. */
export const DEFAULT_REJOIN_GRACE_MS = 120_000;

/** Milliseconds that a client has for uploading its adapters after a commit. */
export const DEFAULT_UPLOAD_DEADLINE_MS = 120_000;

/**
 * Bytes of a redo log's segment above which a checkpoint is taken at the next opportunity, however few steps it holds. Two segments are
 * kept, each of this and at most one round's messages more.
 */
export const MAX_SEGMENT_BYTES = 256 * 1024 * 1024;

/** Milliseconds that a side waits for an open step when it was asked to stop. */
export const STOP_GRACE_MS = 10_000;

/** Largest message of a job: one micro-batch in f32 and the slack. Bytes. */
export function frameBytesFor(maxTokens: number, channels: number): number {
  return Math.min(MAX_FRAME_BYTES, maxTokens * channels * 4 + FRAME_SLACK_BYTES);
}
