/**
 * Entropy-coded payloads are, byte for byte, these. They were checked with a decoder written from docs/codecs.md in
 * another language.
 */

import { describe, expect, it } from "vitest";
import type { EncodedSections } from "../../../shared/codec/codec.ts";
import { createDecoder, createEncoder, parseCodecSpec } from "../../../shared/codec/registry.ts";
import { NarrowbandError } from "../../../shared/errors.ts";
import { hex, randomSource } from "../helpers.ts";

const STREAM = { role: "activation", seed: 1, streamId: 1 } as const;
const RANS = parseCodecSpec("fixed:2,clip=none,entropy=rans");
const PREDICT = parseCodecSpec("fixed:2,clip=none,entropy=predict");

const RANS_SCALES = "f3" + "0000" + "0070";
const RANS_PAYLOAD = "01" + "1b18" + "ae931800a6120f00cb800300f3ffe202" + "88bc56338539f570960b50518b2e7edd";
const PREDICT_SCALES = "f4" + "0000" + "00f6" + "006c" + "0070";
/** A predictor of 28 bytes and a message, then a message that counts on it. */
const WITH_PREDICTOR =
  "03" +
  "1c000000" +
  "01000000f59ffec6ed9f760000600100804701003b2000208007b06e" +
  "160e00b81a00e9ae1800d3609f300919dc11ee229822f9b4c58698226710370c727b8410c586446b6e845103727b15aa91f27b7326657224777661d8b4b341651d226cbd5ca5";
const PREDICTED =
  "02" +
  "01000000" +
  "160ec6b70a007ec10600727bd177d3609f30612cee22446bf9b4bc13982215aa370cda1d6e10ee226e84e001c68691f29822ef8d607523867776bff4474f4165e18f73d70022";

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function sections(scales: string, payload: Uint8Array): EncodedSections {
  return { bitTable: undefined, bitTableVersion: 0, scales: bytes(scales), payload };
}

/** 160 tokens of one channel: 0, 3, then 1, but 2 where t is a multiple of 5. */
const ONE_CHANNEL = Float32Array.from({ length: 160 }, (_, t) => (t === 0 ? 0 : t === 1 ? 3 : t % 5 ? 1 : 2));

/** 200 tokens of two channels, the second being 2·first − 6. */
function twoChannels(step: number): Float32Array {
  const first = (t: number) => (t * 7 + step + (t >> 2)) % 4;
  return Float32Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? first(i >> 1) : 2 * first(i >> 1) - 6));
}

/** "decoded", or "refused" with the right code and nothing written. */
function attempt(scales: string, payload: Uint8Array, tokens: number, prepare: boolean): string {
  const channels = scales === RANS_SCALES ? 1 : 2;
  const decoder = createDecoder(channels === 1 ? RANS : PREDICT, { channels });
  const out = new Float32Array(tokens * channels);
  if (prepare) decoder.decode(sections(PREDICT_SCALES, bytes(WITH_PREDICTOR)), 200, new Float32Array(400));
  out.fill(-77);
  try {
    decoder.decode(sections(scales, payload), tokens, out);
  } catch (error) {
    if (!(error instanceof NarrowbandError) || error.code !== "NB_CODEC_BODY_INVALID") throw error;
    if (!out.every((value) => value === -77)) throw new Error("a refused body was partly written");
    return "refused";
  }
  return "decoded";
}

describe("golden payloads", () => {
  it("entropy=rans: a message that stands for itself", () => {
    const body = createEncoder(RANS, { ...STREAM, channels: 1 }).encode(ONE_CHANNEL, 160, {
      step: 0,
      microBatch: 0,
    });
    expect({ scales: hex(body.scales), payload: hex(body.payload) }).toEqual({
      scales: RANS_SCALES,
      payload: RANS_PAYLOAD,
    });
    const out = new Float32Array(160);
    createDecoder(RANS, { channels: 1 }).decode(sections(RANS_SCALES, bytes(RANS_PAYLOAD)), 160, out);
    expect(out).toEqual(ONE_CHANNEL);
  });

  it("entropy=predict: packed, then with a predictor, then counting on it", () => {
    const encoder = createEncoder(PREDICT, { ...STREAM, channels: 2 });
    const decoder = createDecoder(PREDICT, { channels: 2 });
    const payloads = [0, 1, 2, 3].map((step) => {
      const body = encoder.encode(twoChannels(step), 200, { step, microBatch: 0 });
      const text = hex(body.payload);
      expect(hex(body.scales)).toBe(PREDICT_SCALES);
      const out = new Float32Array(400);
      decoder.decode(sections(PREDICT_SCALES, bytes(text)), 200, out);
      expect(out).toEqual(twoChannels(step));
      encoder.endStep(step);
      return text;
    });
    expect(payloads.slice(0, 2).map((text) => text.slice(0, 2))).toEqual(["00", "00"]);
    expect(payloads.slice(2)).toEqual([WITH_PREDICTOR, PREDICTED]);
  });
});

describe.each([
  { name: "a message", scales: RANS_SCALES, text: RANS_PAYLOAD, tokens: 160, prepare: false },
  {
    name: "a message with a predictor",
    scales: PREDICT_SCALES,
    text: WITH_PREDICTOR,
    tokens: 200,
    prepare: false,
  },
  {
    name: "a message that counts on a predictor",
    scales: PREDICT_SCALES,
    text: PREDICTED,
    tokens: 200,
    prepare: true,
  },
])("$name", ({ scales, text, tokens, prepare }) => {
  const golden = bytes(text);

  it("is refused when cut at any byte, or when it goes on", () => {
    for (let length = 0; length < golden.length; length++) {
      expect(attempt(scales, golden.subarray(0, length), tokens, prepare)).toBe("refused");
    }
    for (const more of [[0], [0, 0], [1, 2, 3, 4]]) {
      expect(attempt(scales, Uint8Array.of(...golden, ...more), tokens, prepare)).toBe("refused");
    }
  });

  it("is refused for other numbers of tokens", () => {
    for (const other of [1, tokens - 1, tokens + 1, 4 * tokens]) {
      expect(attempt(scales, golden, other, prepare)).toBe("refused");
    }
  });

  it("with any single bit flipped is refused, but where that names another symbol as likely", () => {
    let decoded = 0;
    for (let bit = 0; bit < golden.length * 8; bit++) {
      const flipped = Uint8Array.from(golden);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      if (attempt(scales, flipped, tokens, prepare) === "decoded") decoded++;
    }
    // Bytes of a predictor's version, means and scales are all equally likely.
    expect(decoded).toBeLessThanOrEqual(text === WITH_PREDICTOR ? 100 : 0);
  });

  it("is never what random bytes are taken for, with its mode or another", () => {
    const random = randomSource(11);
    let decoded = 0;
    for (let i = 0; i < 1500; i++) {
      const body = Uint8Array.from({ length: Math.floor(random() * 120) }, () => Math.floor(random() * 256));
      if (body.length > 0 && i % 4 > 0) body[0] = i % 4;
      if (body.length > 4 && i % 4 === 3) body.set([28, 0, 0, 0], 1);
      if (attempt(scales, body, tokens, prepare) === "decoded") decoded++;
    }
    expect(decoded).toBe(0);
  });
});
