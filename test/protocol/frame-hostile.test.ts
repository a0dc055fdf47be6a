/** Whatever the bytes, parsing a frame gives a frame or a typed error; nothing else, and quickly. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { narrowband } from "../../proto/generated/wire.js";
import { NarrowbandError } from "../../shared/errors.ts";
import { xxh32 } from "../../shared/protocol/checksum.ts";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import { MAX_FRAME_BYTES, PRELUDE_BYTES } from "../../shared/protocol/limits.ts";
import { FRAMES } from "./frames.ts";

const SEED = 41_041;
const CODES = ["NB_FRAME_MALFORMED", "NB_FRAME_CHECKSUM", "NB_FRAME_TOO_LARGE"];

/** The code that parsing fails with; "" if it does not fail. */
function codeOf(bytes: Uint8Array, maxBytes = MAX_FRAME_BYTES): string {
  try {
    parseFrame(bytes, maxBytes);
    return "";
  } catch (error) {
    if (error instanceof NarrowbandError) return error.code;
    throw error;
  }
}

/** Frames a header and a body as a peer with bad intent would: with a good checksum. */
function seal(header: Uint8Array, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(PRELUDE_BYTES + header.length + body.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x4e, 1]);
  view.setUint16(2, header.length, true);
  bytes.set(header, PRELUDE_BYTES);
  bytes.set(body, PRELUDE_BYTES + header.length);
  view.setUint32(4, xxh32(bytes.subarray(PRELUDE_BYTES), view.getUint32(0, true)), true);
  return bytes;
}

function sealed(envelope: narrowband.Envelope.$Properties, body?: Uint8Array): Uint8Array {
  return seal(narrowband.Envelope.encode(envelope).finish(), body);
}

describe("parsing a frame", () => {
  it.each(Object.entries(FRAMES))("refuses %s cut short at any byte", (_name, frame) => {
    const bytes = encodeFrame(frame);
    for (let length = 0; length < bytes.length; length++) {
      expect(CODES).toContain(codeOf(bytes.subarray(0, length)));
    }
  });

  it.each(Object.entries(FRAMES))("refuses %s with any one bit flipped", (_name, frame) => {
    const bytes = encodeFrame(frame);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      expect(CODES).toContain(codeOf(flipped));
    }
  });

  it("refuses a frame above the receiver's limit before it looks at it", () => {
    expect(codeOf(new Uint8Array(101), 100)).toBe("NB_FRAME_TOO_LARGE");
  });

  it(`gives a typed error or a frame for any bytes (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(["", ...CODES]).toContain(codeOf(bytes));
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it(`gives a typed error or a frame for any header with a good checksum (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 40 }), (header, body) => {
        expect(["", "NB_FRAME_MALFORMED"]).toContain(codeOf(seal(header, body)));
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it(`gives a typed error or a frame for a good header with some bytes changed (seed ${SEED})`, () => {
    const names = Object.keys(FRAMES);
    const edit = fc.tuple(fc.nat(300), fc.nat(255));
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (name, edits) => {
          const bytes = encodeFrame(FRAMES[name]);
          const headerBytes = new DataView(bytes.buffer).getUint16(2, true);
          const header = bytes.slice(PRELUDE_BYTES, PRELUDE_BYTES + headerBytes);
          for (const [at, value] of edits) if (header.length > 0) header[at % header.length] = value;
          const body = bytes.subarray(PRELUDE_BYTES + headerBytes);
          expect(["", "NB_FRAME_MALFORMED"]).toContain(codeOf(seal(header, body)));
        },
      ),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  const tensor = { step: 1, phase: narrowband.Phase.A1, tokens: 2, channels: 4, codec: 1, lengths: [2] };
  const cases: [string, narrowband.Envelope.$Properties, Uint8Array?][] = [
    ["no message", { job: 1 }],
    ["sections larger than the body", { tensor: { ...tensor, scaleBytes: 0xffffffff } }],
    [
      "sections whose sum is larger",
      { tensor: { ...tensor, bitTableBytes: 3, scaleBytes: 3 } },
      new Uint8Array(5),
    ],
    ["row lengths that do not sum up", { tensor: { ...tensor, lengths: [1, 2] } }],
    ["a row without tokens", { tensor: { ...tensor, lengths: [2, 0] } }],
    ["no tokens", { tensor: { ...tensor, tokens: 0, lengths: [] } }],
    ["an absurd number of tokens", { tensor: { ...tensor, tokens: 0xffffffff, lengths: [0xffffffff] } }],
    ["an absurd number of channels", { tensor: { ...tensor, channels: 0xffffffff } }],
    ["an unknown phase", { tensor: { ...tensor, phase: 9 as narrowband.Phase } }],
    ["no phase", { tensor: { ...tensor, phase: 0 } }],
    ["a loss that is no number", { stepDone: { step: 1, lossSum: Number.NaN } }],
    ["an infinite loss", { stepDone: { step: 1, lossSum: Number.POSITIVE_INFINITY } }],
    ["a body where there is none", { ping: { id: 1 } }, new Uint8Array(1)],
    [
      "a job name that is a path",
      { hello: { job: "../etc", name: "a", process: "0123456789abcdef", connection: 1 } },
    ],
    [
      "a client name with a line break",
      { hello: { job: "a", name: "b\nc", process: "0123456789abcdef", connection: 1 } },
    ],
    ["a process too short to be random", { hello: { job: "a", name: "b", process: "1", connection: 1 } }],
    ["adapters of no bytes", { adapterBegin: { average: 1, totalBytes: 0, chunkBytes: 4 } }],
    ["adapters of 4 GiB", { adapterBegin: { average: 1, totalBytes: 0xfffffffc, chunkBytes: 4 } }],
    ["a welcome without settings", { welcome: { protocol: 1, job: 1 } }],
    ["a goodbye without a reason", { goodbye: {} }],
  ];
  it.each(cases)("refuses %s", (_name, envelope, body) => {
    expect(codeOf(sealed(envelope, body))).toBe("NB_FRAME_MALFORMED");
  });

  it("does not let a message reach Object.prototype", () => {
    const header = new TextEncoder().encode("__proto__");
    codeOf(seal(Uint8Array.of(0x82, 0x01, header.length, ...header)));
    expect(({} as Record<string, unknown>).token).toBeUndefined();
  });

  it("skips header fields that it does not know", () => {
    const known = narrowband.Envelope.encode({ job: 1, client: 2, ping: { id: 7 } }).finish();
    // Field 99 of type varint.
    const header = Uint8Array.of(...known, 0x98, 0x06, 0x01);
    expect(parseFrame(seal(header), 1_000)).toEqual(FRAMES.ping);
  });
});
