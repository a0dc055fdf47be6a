/** A broken body is refused with NB_CODEC_BODY_INVALID, or decodes to finite values; a refusal changes nothing. */

import { describe, expect, it } from "vitest";
import type { EncodedSections, TensorDecoder } from "../../shared/codec/codec.ts";
import { type CodecSpec, createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianTensor, sameBits } from "./helpers.ts";

const CHANNELS = 5;
const TOKENS = 7;
const SPECS = ["f32", "f16", "fixed:3", "fixed:8", "amaq:3.4-3.4"].map((text) => parseCodecSpec(text));

function bodyOf(spec: CodecSpec, tokens = TOKENS) {
  const x = gaussianTensor(1, tokens, CHANNELS, (c) => 10 ** (c - 2));
  const options = { channels: CHANNELS, role: "gradient", seed: 1, streamId: 1 } as const;
  return createEncoder(spec, options).encode(x, tokens, { step: 0, microBatch: 0 });
}

/** "refused" with the right code and nothing written, or "decoded" to finite values; anything else throws. */
function attempt(decoder: TensorDecoder, sections: EncodedSections, tokens = TOKENS): "refused" | "decoded" {
  const out = new Float32Array(tokens * CHANNELS).fill(-77);
  try {
    decoder.decode(sections, tokens, out);
  } catch (error) {
    if (!(error instanceof NarrowbandError) || error.code !== "NB_CODEC_BODY_INVALID") throw error;
    if (!out.every((value) => value === -77)) throw new Error("a refused body was partly written");
    return "refused";
  }
  if (!out.every(Number.isFinite)) throw new Error("a body decoded to NaN or infinity");
  return "decoded";
}

const SECTIONS = ["bitTable", "scales", "payload"] as const;

describe.each(SPECS.map((spec) => [spec.codec, spec] as const))("a body of %s", (_, spec) => {
  it("is refused when a section is cut short or is too long", () => {
    const body = bodyOf(spec);
    for (const section of SECTIONS) {
      const bytes = body[section];
      if (bytes === undefined) continue;
      for (let length = 0; length < bytes.length; length++) {
        const cut = { ...body, [section]: bytes.subarray(0, length) };
        expect(attempt(createDecoder(spec, { channels: CHANNELS }), cut)).toBe("refused");
      }
      const longer = { ...body, [section]: Uint8Array.of(...bytes, 0) };
      expect(attempt(createDecoder(spec, { channels: CHANNELS }), longer)).toBe("refused");
    }
  });

  it("is refused, or decodes to finite values, with any single bit flipped", () => {
    const body = bodyOf(spec);
    const seen = { refused: 0, decoded: 0 };
    for (const section of SECTIONS) {
      const bytes = body[section];
      if (bytes === undefined) continue;
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
        seen[attempt(createDecoder(spec, { channels: CHANNELS }), { ...body, [section]: flipped })]++;
      }
    }
    // Both outcomes occur: a flipped element is only another element, a flipped padding bit or exponent is not.
    expect(seen.decoded).toBeGreaterThan(0);
    if (spec.codec !== "f32" && spec.codec !== "f16") expect(seen.refused).toBeGreaterThan(0);
  });

  it("is refused when it holds other tokens than the header says", () => {
    const body = bodyOf(spec);
    for (const tokens of [0, 1, TOKENS - 1, TOKENS + 1]) {
      expect(attempt(createDecoder(spec, { channels: CHANNELS }), body, tokens)).toBe("refused");
    }
  });

  it("decodes without tokens, to nothing", () => {
    const body = bodyOf(spec, 0);
    expect(body.payload.length + body.scales.length).toBe(0);
    expect(attempt(createDecoder(spec, { channels: CHANNELS }), body, 0)).toBe("decoded");
  });

  it("leaves the decoder as it was when it is refused", () => {
    const body = bodyOf(spec);
    const decoder = createDecoder(spec, { channels: CHANNELS });
    attempt(decoder, body);
    const before = decoder.save();
    const otherTable = body.bitTable && Uint8Array.from(body.bitTable).reverse();
    for (const bad of [
      { ...body, bitTable: otherTable, bitTableVersion: 9, payload: body.payload.subarray(1) },
      { ...body, bitTable: undefined, bitTableVersion: 9 },
    ]) {
      expect(attempt(decoder, bad)).toBe("refused");
      expect(decoder.save()).toEqual(before);
    }
    const out = new Float32Array(TOKENS * CHANNELS);
    decoder.decode({ ...body, bitTable: undefined }, TOKENS, out);
    expect(sameBits(out, body.reconstruction)).toBe(true);
  });
});

describe("scales", () => {
  const spec = parseCodecSpec("fixed:3,rounding=stochastic");
  const patched = (at: number, half: number) => {
    const body = bodyOf(spec);
    const scales = Uint8Array.from(body.scales);
    scales[at] = half & 255;
    scales[at + 1] = half >> 8;
    return { ...body, scales };
  };
  const decode = (body: EncodedSections) => attempt(createDecoder(spec, { channels: CHANNELS }), body);

  it("are refused with NaN or infinity as lowest level or step, or a negative step", () => {
    for (const half of [0x7c00, 0xfc00, 0x7e01]) {
      expect(decode(patched(1, half))).toBe("refused");
      expect(decode(patched(1 + 2 * CHANNELS, half))).toBe("refused");
    }
    expect(decode(patched(1 + 2 * CHANNELS, 0x8001))).toBe("refused");
    expect(decode(patched(1 + 2 * CHANNELS, 0x8000))).toBe("refused");
    expect(decode(patched(1, 0x8001))).toBe("decoded");
  });

  it("are refused when the exponent is out of bounds or a level lies beyond f32", () => {
    const withExponent = (exponent: number) => {
      const body = bodyOf(spec);
      const scales = Uint8Array.from(body.scales);
      scales[0] = exponent;
      return { ...body, scales };
    };
    for (const exponent of [113, 127, -103, -128]) expect(decode(withExponent(exponent))).toBe("refused");
    expect(decode(withExponent(-102))).toBe("decoded");
    // The last channel is the widest: its lowest level at f16's largest value, and 7 steps above that.
    const large = patched(1 + 2 * (CHANNELS - 1), 0x7bff);
    large.scales[0] = 112;
    expect(decode(large)).toBe("refused");
  });
});

describe("padding", () => {
  it("is refused when it is not zero, in the payload and in the bit table", () => {
    // 7 tokens of 5 channels at 3 bits: 105 bits, so the 7 highest bits of byte 13 are padding.
    const fixed = parseCodecSpec("fixed:3");
    for (let bit = 1; bit < 8; bit++) {
      const body = bodyOf(fixed);
      body.payload[13] = body.payload[13]! | (1 << bit);
      expect(attempt(createDecoder(fixed, { channels: CHANNELS }), body)).toBe("refused");
    }
    // 5 channels take 15 bits of a table.
    const amaq = parseCodecSpec("amaq:3-3");
    const body = bodyOf(amaq);
    body.bitTable![1] = body.bitTable![1]! | 0x80;
    expect(attempt(createDecoder(amaq, { channels: CHANNELS }), body)).toBe("refused");
  });
});

describe("bit tables", () => {
  it("are refused with a width outside of the agreed ones", () => {
    const wide = parseCodecSpec({ codec: "amaq", startBits: 7, targetBits: 7, annealSteps: 0 });
    const narrow = parseCodecSpec({ codec: "amaq", startBits: 4, targetBits: 4, annealSteps: 0, maxBits: 6 });
    expect(attempt(createDecoder(wide, { channels: CHANNELS }), bodyOf(wide))).toBe("decoded");
    expect(attempt(createDecoder(narrow, { channels: CHANNELS }), bodyOf(wide))).toBe("refused");
  });

  it("are refused with a version that is not an integer from 1 to 2^32 − 1", () => {
    const spec = parseCodecSpec("amaq:3-3");
    const body = bodyOf(spec);
    for (const bitTableVersion of [0, -1, 1.5, NaN, 2 ** 32]) {
      expect(attempt(createDecoder(spec, { channels: CHANNELS }), { ...body, bitTableVersion })).toBe(
        "refused",
      );
    }
  });

  it("are needed: a body without one is refused by a decoder that has none, or another version", () => {
    const spec = parseCodecSpec("amaq:3-3");
    const body = bodyOf(spec);
    const decoder = createDecoder(spec, { channels: CHANNELS });
    expect(attempt(decoder, { ...body, bitTable: undefined })).toBe("refused");
    expect(attempt(decoder, body)).toBe("decoded");
    expect(attempt(decoder, { ...body, bitTable: undefined })).toBe("decoded");
    expect(attempt(decoder, { ...body, bitTable: undefined, bitTableVersion: 2 })).toBe("refused");
  });
});
