/** The rivals' entropy stage: the shortest of three forms, decoded to the same symbols, and no bytes that break it. */
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { enableKernels } from "../../../shared/codec/kernels/kernels.ts";
import { createDecoder, createEncoder, parseCodecSpec } from "../../../shared/codec/registry.ts";
import { readSymbols, type SymbolPart, writeSymbols } from "../../../shared/codec/zoo/symbols.ts";
import { NarrowbandError } from "../../../shared/errors.ts";
import { gaussianTensor, hex, PROPERTY_SEED, randomSource, sameBits } from "../helpers.ts";

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

function part(width: number, count: number, symbol: (i: number) => number): SymbolPart {
  return { width, symbols: Uint8Array.from({ length: count }, (_, i) => symbol(i)) };
}

function read(bytes: Uint8Array, parts: readonly SymbolPart[], channels: number): Uint8Array[] {
  const shapes = parts.map(({ symbols, width }) => ({ count: symbols.length, width }));
  const tokens = shapes.reduce((sum, { count }) => sum + count, 0) / channels;
  return readSymbols(bytes, shapes, channels, tokens, "rans");
}

/** "decoded", or "refused" with the right code. */
function attempt(bytes: Uint8Array, parts: readonly SymbolPart[], channels: number): string {
  try {
    read(bytes, parts, channels);
    return "decoded";
  } catch (error) {
    if (error instanceof NarrowbandError && error.code === "NB_CODEC_BODY_INVALID") return "refused";
    throw error;
  }
}

/** Symbols that are about normal about the middle, with a spread that depends on the channel. */
function bells(width: number, tokens: number, channels: number): SymbolPart {
  const x = gaussianTensor(3, tokens, channels, (c) => 2 ** width / (4 * 2 ** (c % 5)));
  const top = 2 ** width - 1;
  return part(width, x.length, (i) => Math.max(0, Math.min(top, Math.round(top / 2 + x[i]!))));
}

/** Symbols of two humps, as a codebook that is dense about zero has them. */
function humps(width: number, tokens: number, channels: number): SymbolPart {
  const random = randomSource(5);
  const top = 2 ** width - 1;
  return part(width, tokens * channels, () => {
    const side = random() < 0.5 ? 0.12 : 0.88;
    return Math.round(top * (side + 0.1 * (random() - 0.5)));
  });
}

/** What each form is for: the form, its parts and their channels. */
const CASES: readonly (readonly [string, number, readonly SymbolPart[], number])[] = [
  ["packed, where symbols are few", 0, [part(3, 6, (t) => t)], 2],
  ["bells, where channels differ", 1, [bells(4, 60, 16)], 16],
  ["bells of two widths", 1, [bells(3, 40, 16), bells(4, 50, 16)], 16],
  ["tables, where a histogram has two humps", 2, [humps(8, 80, 16)], 16],
  ["tables of two widths", 2, [humps(4, 40, 16), humps(5, 60, 16)], 16],
];

afterEach(() => enableKernels(true));

describe.each(CASES)("symbols as %s", (_, form, parts, channels) => {
  const { bytes, packedBytes } = writeSymbols(parts, channels, "rans");

  it("take the form that is shortest, and never more than a byte above packed", () => {
    expect(bytes[0]).toBe(form);
    const plain = writeSymbols(parts, channels, "none");
    expect(plain.bytes.length).toBe(packedBytes);
    if (form === 0) expect(hex(bytes)).toBe(`00${hex(plain.bytes)}`);
    else expect(bytes.length).toBeLessThan(0.98 * packedBytes);
  });

  it("come back as they were, with kernels and without, from the same bytes", () => {
    for (const on of [true, false]) {
      enableKernels(on);
      expect(hex(writeSymbols(parts, channels, "rans").bytes)).toBe(hex(bytes));
      expect(read(bytes, parts, channels)).toEqual(parts.map(({ symbols }) => symbols));
    }
  });

  it("are refused when they are cut at any byte, or go on", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(attempt(bytes.subarray(0, length), parts, channels), `${length} bytes`).toBe("refused");
    }
    expect(attempt(Uint8Array.of(...bytes, 0), parts, channels)).toBe("refused");
    expect(attempt(Uint8Array.of(...bytes, 0, 0), parts, channels)).toBe("refused");
  });

  it("are refused, or decode to symbols below 2^width, with bits flipped", () => {
    const random = randomSource(PROPERTY_SEED);
    const few = bytes.length * 8 < 800;
    const flips = few ? bytes.length * 8 : 600;
    for (let n = 0; n < flips; n++) {
      // All of the head, and places all over.
      const bit = few || n < 300 ? n : Math.floor(random() * bytes.length * 8);
      const flipped = bytes.slice();
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      if (attempt(flipped, parts, channels) === "refused") continue;
      for (const [i, symbols] of read(flipped, parts, channels).entries()) {
        expect(symbols.every((q) => q < 2 ** parts[i]!.width)).toBe(true);
      }
    }
  });
});

describe("the bytes", () => {
  it("of bells are those of the entropy stage of `fixed` with the same symbols", () => {
    // The example of docs/codecs.md: 0, 3, then 1, but 2 where t is a multiple of 5.
    const parts = [part(2, 160, (t) => (t === 0 ? 0 : t === 1 ? 3 : t % 5 === 0 ? 2 : 1))];
    expect(hex(writeSymbols(parts, 1, "rans").bytes)).toBe(
      "011b18ae931800a6120f00cb800300f3ffe20288bc56338539f570960b50518b2e7edd",
    );
  });

  it("of tables are those of docs/zoo.md, read by a decoder in another language, too", () => {
    const parts = [part(2, 160, (t) => (t % 7 === 0 ? 0 : 3)), part(3, 200, (t) => (t % 7 === 0 ? 1 : 6))];
    const golden =
      // Form, length of the first part; its frequencies 4710, 0, 0, 28058; states; words.
      `02${"1f000000"}${"e624"}0000${"9adb01"}${"888a6201"}${"7d964100"}${"ae4b7f01"}${"58ec8b01"}b067acbd521aac05` +
      // Frequencies 0, 4751, 0, 0, 0, 0, 28017, 0.
      `00${"8f25"}00000000${"f1da01"}00${"fe85fdef"}${"416af62a"}${"a9a74a27"}${"72d25b2a"}ca5100c89f5e58c2`;
    expect(hex(writeSymbols(parts, 2, "rans").bytes)).toBe(golden);
    expect(read(bytesOf(golden), parts, 2)).toEqual(parts.map(({ symbols }) => symbols));
  });

  it("of a table that does not sum to 2^15, or whose numbers are too long, are refused", () => {
    const parts = [part(2, 100, () => 3)];
    const states = "00000100".repeat(4);
    expect(attempt(bytesOf(`02000000808002${states}`), parts, 1)).toBe("decoded");
    expect(attempt(bytesOf(`02000000ffff01${states}`), parts, 1)).toBe("refused");
    expect(attempt(bytesOf(`02000000818002${states}`), parts, 1)).toBe("refused");
    expect(attempt(bytesOf(`0200000080808000${states}`), parts, 1)).toBe("refused");
    expect(attempt(bytesOf("02"), parts, 1)).toBe("refused");
  });

  it("of no symbols are none", () => {
    expect(writeSymbols([part(4, 0, () => 0)], 3, "rans").bytes.length).toBe(0);
    expect(attempt(Uint8Array.of(0), [part(4, 0, () => 0)], 3)).toBe("refused");
  });
});

describe("any symbols", () => {
  it("come back, at most a byte longer than packed", () => {
    const widths = fc.integer({ min: 2, max: 8 });
    const shape = fc.record({
      width: widths,
      tokens: fc.integer({ min: 0, max: 60 }),
      spread: fc.constantFrom(1, 3, 256),
      seed: fc.integer({ min: 0, max: 1000 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(shape, { minLength: 1, maxLength: 3 }),
        (channels, shapes) => {
          const parts = shapes.map(({ width, tokens, spread, seed }) => {
            const random = randomSource(seed);
            const used = Math.min(spread, 2 ** width);
            return part(width, tokens * channels, () => Math.floor(random() * used));
          });
          const { bytes, packedBytes } = writeSymbols(parts, channels, "rans");
          expect(bytes.length).toBeLessThanOrEqual(packedBytes + 1);
          expect(read(bytes, parts, channels)).toEqual(parts.map(({ symbols }) => symbols));
        },
      ),
      { seed: PROPERTY_SEED, numRuns: 40 },
    );
  });
});

describe.each([
  "fixpoint:4",
  "fixpoint:8,rounding=stochastic",
  "aqsgd:4",
  "tah",
  "group:4",
  "int8:dynamic",
  "int8:linear",
])("%s with entropy=rans", (text) => {
  it.each(["activation", "gradient"] as const)("decodes to the same from fewer bytes, %s", (role) => {
    const [channels, tokens] = [64, 128];
    const options = { channels, role, seed: 1, streamId: 1 };
    const plain = createEncoder(parseCodecSpec(text), options);
    const spec = parseCodecSpec(`${text},entropy=rans`);
    const coded = createEncoder(spec, options);
    const decoder = createDecoder(spec, { channels });
    for (let step = 0; step < 2; step++) {
      const x = gaussianTensor(step, tokens, channels, (c) => 1 + (c % 3));
      const at = { step, microBatch: 0, rows: { lengths: [64, 64], ids: [1, 2 + step] } };
      const [a, b] = [plain.encode(x, tokens, at), coded.encode(x, tokens, at)];
      expect(sameBits(a.reconstruction, b.reconstruction)).toBe(true);
      expect(b.packedBytes).toBe(a.payload.length);
      // AQ-SGD's first visits are f16 and nothing else.
      if (!(text === "aqsgd:4" && role === "activation" && step === 0)) {
        expect(b.payload.length).toBeLessThan(a.payload.length);
      }
      const out = new Float32Array(x.length);
      decoder.decode(b, tokens, out);
      expect(sameBits(out, a.reconstruction)).toBe(true);
      plain.endStep(step);
      coded.endStep(step);
    }
  });
});
