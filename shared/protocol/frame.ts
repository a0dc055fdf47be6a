/**
 * Frames, the bytes of messages: an eight-byte prelude, a protobuf header, and a raw body (proto/wire.proto has the
 * layout). Every length is checked against the bytes that are there before anything is cut or copied, and a body is never copied.
 */
import { fail } from "../errors.ts";
import { xxh32 } from "./checksum.ts";
import { encodeHeader, type ParsedHeader, parseHeader, type SectionSizes } from "./header.ts";
import { MAX_FRAME_BYTES, MAX_HEADER_BYTES, PRELUDE_BYTES } from "./limits.ts";
import type { AdapterBeginMessage, AdapterChunkMessage, Frame, Message, TensorMessage } from "./messages.ts";

const MAGIC = 0x4e;
const LAYOUT_VERSION = 1;
const EMPTY = new Uint8Array(0);
const NO_SECTIONS: SectionSizes = { bitTableBytes: 0, labelBytes: 0, scaleBytes: 0 };

/** The body of a message as the pieces that it is written from. */
function bodyOf(message: Message): readonly Uint8Array[] {
  switch (message.type) {
    case "tensor":
      return [message.bitTable ?? EMPTY, message.labels ?? EMPTY, message.scales, message.payload];
    case "adapterBegin":
      return [message.manifest];
    case "adapterChunk":
      return [message.data];
    default:
      return [];
  }
}

function sectionsOf(message: Message): SectionSizes {
  if (message.type !== "tensor") return NO_SECTIONS;
  return {
    bitTableBytes: message.bitTable?.length ?? 0,
    labelBytes: message.labels?.length ?? 0,
    scaleBytes: message.scales.length,
  };
}

/** Sizes of what a frame is made of, for the ledger; bytes. */
export interface FrameSizes {
  readonly total: number;
  /** Prelude and header. */
  readonly header: number;
  readonly bitTable: number;
  readonly labels: number;
  readonly scales: number;
  /** Elements of a tensor, or the body of another message. */
  readonly payload: number;
}

/** The sizes of a message in a frame of `total` bytes. */
export function frameSizes(message: Message, total: number): FrameSizes {
  const { bitTableBytes, labelBytes, scaleBytes } = sectionsOf(message);
  const body = bodyOf(message).reduce((sum, piece) => sum + piece.length, 0);
  return {
    total,
    header: total - body,
    bitTable: bitTableBytes,
    labels: labelBytes,
    scales: scaleBytes,
    payload: body - bitTableBytes - labelBytes - scaleBytes,
  };
}

/** Checksum of a whole frame but for its checksum field. */
function checksumOf(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset, PRELUDE_BYTES);
  return xxh32(frame.subarray(PRELUDE_BYTES), view.getUint32(0, true));
}

/**
 * The bytes of a frame, a new array that the caller owns. The message's arrays are copied. NB_FRAME_TOO_LARGE when the header or the whole
 * would be larger than any receiver takes.
 */
export function encodeFrame(frame: Frame): Uint8Array {
  const header = encodeHeader(frame, sectionsOf(frame.message));
  const body = bodyOf(frame.message);
  const total = PRELUDE_BYTES + header.length + body.reduce((sum, piece) => sum + piece.length, 0);
  if (header.length > MAX_HEADER_BYTES) {
    fail("NB_FRAME_TOO_LARGE", `a header of ${header.length} bytes; at most ${MAX_HEADER_BYTES} fit`);
  }
  if (total > MAX_FRAME_BYTES) {
    fail("NB_FRAME_TOO_LARGE", `a message of ${total} bytes; at most ${MAX_FRAME_BYTES} are accepted`);
  }
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  bytes[0] = MAGIC;
  bytes[1] = LAYOUT_VERSION;
  view.setUint16(2, header.length, true);
  bytes.set(header, PRELUDE_BYTES);
  let offset = PRELUDE_BYTES + header.length;
  for (const piece of body) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  view.setUint32(4, checksumOf(bytes), true);
  return bytes;
}

/**
 * Reads a frame of at most `maxBytes`. Sections of the result are views of `bytes`, which must not change while they are used.
 * Throws NB_FRAME_TOO_LARGE, NB_FRAME_MALFORMED or NB_FRAME_CHECKSUM, and nothing else, whatever the bytes.
 */
export function parseFrame(bytes: Uint8Array, maxBytes: number): Frame {
  if (bytes.length > maxBytes) {
    fail("NB_FRAME_TOO_LARGE", `a message of ${bytes.length} bytes; at most ${maxBytes} are accepted here`);
  }
  if (bytes.length < PRELUDE_BYTES) {
    fail("NB_FRAME_MALFORMED", `prelude: ${bytes.length} bytes; a message has at least ${PRELUDE_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, PRELUDE_BYTES);
  if (bytes[0] !== MAGIC) fail("NB_FRAME_MALFORMED", `prelude: begins with byte ${bytes[0]}, not ${MAGIC}`);
  if (bytes[1] !== LAYOUT_VERSION) {
    fail("NB_FRAME_MALFORMED", `prelude: layout version ${bytes[1]}; this end reads ${LAYOUT_VERSION}`);
  }
  const headerBytes = view.getUint16(2, true);
  const bodyStart = PRELUDE_BYTES + headerBytes;
  if (bodyStart > bytes.length) {
    fail("NB_FRAME_MALFORMED", `prelude: header of ${headerBytes} bytes in a message of ${bytes.length}`);
  }
  const checksum = view.getUint32(4, true);
  if (checksum !== checksumOf(bytes)) {
    fail(
      "NB_FRAME_CHECKSUM",
      `checksum ${checksum.toString(16)} does not fit the ${bytes.length} bytes received`,
    );
  }
  const header = parseHeader(bytes.subarray(PRELUDE_BYTES, bodyStart));
  return { job: header.job, client: header.client, message: messageOf(header, bytes.subarray(bodyStart)) };
}

function messageOf(header: ParsedHeader, body: Uint8Array): Message {
  switch (header.kind) {
    case "tensor":
      return tensorOf(header.fields as TensorFields, body);
    case "adapterBegin":
      return { type: "adapterBegin", ...(header.fields as AdapterBeginFields), manifest: body };
    case "adapterChunk":
      return { type: "adapterChunk", ...(header.fields as AdapterChunkFields), data: body };
    default:
      if (body.length > 0) {
        fail("NB_FRAME_MALFORMED", `${header.kind}: a body of ${body.length} bytes; it has none`);
      }
      // The schema of the kind has checked the fields.
      return { type: header.kind, ...header.fields } as Message;
  }
}

type TensorFields = Omit<TensorMessage, "type" | "bitTable" | "labels" | "scales" | "payload"> & SectionSizes;
type AdapterBeginFields = Omit<AdapterBeginMessage, "type" | "manifest">;
type AdapterChunkFields = Omit<AdapterChunkMessage, "type" | "data">;

function tensorOf(fields: TensorFields, body: Uint8Array): TensorMessage {
  const { bitTableBytes, labelBytes, scaleBytes, ...rest } = fields;
  const declared = bitTableBytes + labelBytes + scaleBytes;
  if (declared > body.length) {
    fail("NB_FRAME_MALFORMED", `tensor: sections of ${declared} bytes in a body of ${body.length}`);
  }
  if (rest.lengths.length > 0) {
    const sum = rest.lengths.reduce((a, b) => a + b, 0);
    if (sum !== rest.tokens) {
      fail("NB_FRAME_MALFORMED", `tensor.lengths: rows of ${sum} tokens in a message of ${rest.tokens}`);
    }
  }
  const labelsStart = bitTableBytes;
  const scalesStart = labelsStart + labelBytes;
  return {
    type: "tensor",
    ...rest,
    bitTable: bitTableBytes > 0 ? body.subarray(0, labelsStart) : undefined,
    labels: labelBytes > 0 ? body.subarray(labelsStart, scalesStart) : undefined,
    scales: body.subarray(scalesStart, declared),
    payload: body.subarray(declared),
  };
}
