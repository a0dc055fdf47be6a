/**
 * What every registered codec must hold to, on each of its examples: a codec gets these tests by being registered.
 * The receiver has the encoder's reconstruction bit for bit; broken bodies are refused or decode to finite values; a
 * saved state goes on; NaN is refused.
 */

import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import type {
  CodecState,
  EncodedSections,
  EncodedTensor,
  StreamPosition,
  TensorDecoder,
  TensorEncoder,
} from "../../shared/codec/codec.ts";
import { CODECS, createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import {
  CHANNEL_KINDS,
  gaussianTensor,
  hex,
  PROPERTY_SEED,
  randomSource,
  sameBits,
  tensorOf,
} from "./helpers.ts";

const EXAMPLES = CODECS.flatMap((codec) => codec.examples);
const CASES = EXAMPLES.flatMap((text) =>
  (["activation", "gradient"] as const).map((role) => ({ text, role })),
);
const packr = new Packr({ useRecords: false, structuredClone: true });
const SMALLEST_NORMAL = 2 ** -126;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof NarrowbandError) return error.code;
    throw error;
  }
  return "none";
}

/** Copies of the sections: an encoder's next call may overwrite its own. */
function copyOf(body: EncodedTensor): EncodedSections {
  const { bitTable, bitTableVersion, scales, payload } = body;
  return {
    bitTable: bitTable && Uint8Array.from(bitTable),
    bitTableVersion,
    scales: Uint8Array.from(scales),
    payload: Uint8Array.from(payload),
  };
}

/** Rows of a tensor: the same few come again and again, as in epochs. */
function rowsAt(tokens: number, turn: number): Pick<StreamPosition, "rows"> {
  const first = Math.ceil(tokens / 2);
  const lengths = tokens > 1 ? [first, tokens - first] : [tokens];
  return tokens === 0 ? {} : { rows: { lengths, ids: lengths.map((_, r) => (turn + r) % 5) } };
}

/** "refused" with the right code and nothing written, or "decoded" to finite values; anything else throws. */
function attempt(decoder: TensorDecoder, sections: EncodedSections, tokens: number): "refused" | "decoded" {
  const out = new Float32Array(tokens * decoder.channels).fill(-77);
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

/** Encodes and decodes one half of a step (two micro-batches) and returns what was sent, in hex. */
function halfStep(encoder: TensorEncoder, decoder: TensorDecoder, half: number, tokens = 10): string {
  const at = { step: half >> 1, microBatch: half & 1, ...rowsAt(tokens, half) };
  const x = gaussianTensor(half % 5, tokens, encoder.channels, (c) => 1 + (c % 5));
  const body = encoder.encode(x, tokens, at);
  const sent = copyOf(body);
  const out = new Float32Array(x.length);
  decoder.decode(sent, tokens, out);
  expect(sameBits(out, body.reconstruction)).toBe(true);
  const gradient = x.map((value, i) => (out[i]! - value) * (i % 3));
  encoder.observe(x, body.reconstruction, gradient, tokens);
  if (at.microBatch === 1) encoder.endStep(at.step);
  return [sent.bitTable ?? new Uint8Array(0), sent.scales, sent.payload].map(hex).join("/");
}

describe.each(CASES)("$text for a stream of $role", ({ text, role }) => {
  const spec = parseCodecSpec(text);
  const ends = (channels: number, seed = 3) => ({
    encoder: createEncoder(spec, { channels, role, seed, streamId: 9 }),
    decoder: createDecoder(spec, { channels }),
  });
  const keepsRanges = "clip" in spec && spec.clip === "ema";
  /** A body that decodes, and a decoder that is ready for it. */
  const bodyOf = (channels: number, tokens: number) => {
    const { encoder, decoder } = ends(channels);
    if (tokens > 0) halfStep(encoder, decoder, 0, tokens);
    if (tokens > 0) halfStep(encoder, decoder, 1, tokens);
    const x = gaussianTensor(2, tokens, channels, (c) => 10 ** (c % 5));
    const sections = copyOf(encoder.encode(x, tokens, { step: 1, microBatch: 0, ...rowsAt(tokens, 1) }));
    const state = decoder.save();
    const fresh = () => {
      const other = createDecoder(spec, { channels });
      other.restore(state);
      return other;
    };
    return { sections, fresh };
  };

  it("writes and learns the same whether its reconstruction is made and shown to it, or only what it observes", () => {
    // Below and above the size from which kernels work.
    for (const [tokens, channels] of [
      [10, 12],
      [150, 20],
    ] as const) {
      const [shown, spared] = [ends(channels).encoder, ends(channels).encoder];
      for (let half = 0; half < 8; half++) {
        const at = { step: half >> 1, microBatch: half & 1, ...rowsAt(tokens, half) };
        const x = gaussianTensor(half, tokens, channels, (c) => 1 + (c % 5));
        const gradient = gaussianTensor(half + 50, tokens, channels, (c) => 1 + (c % 3));
        const body = shown.encode(x, tokens, at);
        shown.observe(x, body.reconstruction, gradient, tokens);
        const { observes } = spared;
        const needs = observes === "reconstruction" ? {} : ({ reconstruction: false } as const);
        const alone = spared.encode(x, tokens, at, needs);
        expect(copyOf(alone)).toEqual(copyOf(body));
        if (observes === "levels") spared.observe(x, spared.sentLevels!(), gradient, tokens);
        if (observes === "reconstruction") spared.observe(x, alone.reconstruction, gradient, tokens);
        if (at.microBatch === 0) continue;
        shown.endStep(at.step);
        spared.endStep(at.step);
      }
      expect(spared.save()).toEqual(shown.save());
    }
  });

  it("decodes to the encoder's reconstruction, bit for bit, finite and without subnormals", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...CHANNEL_KINDS), { minLength: 1, maxLength: 70 }),
        fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (kinds, sizes, seed) => {
          const { encoder, decoder } = ends(kinds.length, seed);
          sizes.forEach((tokens, step) => {
            const x = tensorOf(kinds, tokens, seed + step);
            const at = { step, microBatch: 0, ...rowsAt(tokens, step) };
            const body = encoder.encode(x, tokens, at);
            const out = new Float32Array(x.length).fill(NaN);
            decoder.decode(copyOf(body), tokens, out);
            expect(sameBits(out, body.reconstruction)).toBe(true);
            expect(out.every(Number.isFinite)).toBe(true);
            if (spec.codec !== "f32") {
              expect(out.every((v) => v === 0 || Math.abs(v) >= SMALLEST_NORMAL)).toBe(true);
            }
            encoder.endStep(step);
          });
        },
      ),
      { seed: PROPERTY_SEED, numRuns: 25 },
    );
  });

  it("has nothing to send for no tokens", () => {
    const { sections, fresh } = bodyOf(5, 0);
    expect(sections.scales.length + sections.payload.length).toBe(0);
    expect(attempt(fresh(), sections, 0)).toBe("decoded");
    expect(attempt(fresh(), { ...sections, payload: Uint8Array.of(0) }, 0)).toBe("refused");
  });

  it("decodes sections that lie at odd places in a Node Buffer", () => {
    const { sections, fresh } = bodyOf(66, 3);
    const place = (bytes: Uint8Array) => Buffer.concat([Buffer.of(1, 2, 3), bytes]).subarray(3);
    const [left, right] = [new Float32Array(198), new Float32Array(198)];
    fresh().decode(sections, 3, left);
    const { bitTable, bitTableVersion, scales, payload } = sections;
    const moved = {
      bitTable: bitTable && place(bitTable),
      bitTableVersion,
      scales: place(scales),
      payload: place(payload),
    };
    fresh().decode(moved, 3, right);
    expect(sameBits(left, right)).toBe(true);
  });

  it("is refused when a section is cut short or too long, or when the tokens are others", () => {
    const { sections, fresh } = bodyOf(5, 7);
    expect(attempt(fresh(), sections, 7)).toBe("decoded");
    for (const section of ["bitTable", "scales", "payload"] as const) {
      const bytes = sections[section];
      if (bytes === undefined) continue;
      for (let length = 0; length < bytes.length; length++) {
        const cut = { ...sections, [section]: bytes.subarray(0, length) };
        const outcome = attempt(fresh(), cut, 7);
        // Where the receiver keeps ranges, a body may go without: what is cut short can be another that is whole.
        if (!(keepsRanges && section === "scales"))
          expect(outcome, `${section} of ${length}`).toBe("refused");
      }
      expect(attempt(fresh(), { ...sections, [section]: Uint8Array.of(...bytes, 0) }, 7)).toBe("refused");
    }
    for (const tokens of [0, 1, 21]) expect(attempt(fresh(), sections, tokens), `${tokens}`).toBe("refused");
  });

  it("is refused, or decodes to finite values, with any single bit flipped", () => {
    const { sections, fresh } = bodyOf(5, 7);
    for (const section of ["bitTable", "scales", "payload"] as const) {
      const bytes = sections[section];
      if (bytes === undefined) continue;
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
        attempt(fresh(), { ...sections, [section]: flipped }, 7);
      }
    }
  });

  it("survives random bytes in the place of any section", () => {
    const { sections, fresh } = bodyOf(5, 7);
    const random = randomSource(PROPERTY_SEED);
    const noise = (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
    for (let run = 0; run < 200; run++) {
      const { scales, payload } = sections;
      const length = run % 4 === 0 ? Math.floor(random() * 80) : undefined;
      attempt(
        fresh(),
        {
          ...sections,
          scales: run % 3 === 0 ? scales : noise(length ?? scales.length),
          payload: run % 3 === 1 ? payload : noise(length ?? payload.length),
        },
        7,
      );
    }
  });

  it("is as it was after a refusal", () => {
    const { sections, fresh } = bodyOf(5, 7);
    const decoder = fresh();
    const before = decoder.save();
    expect(attempt(decoder, { ...sections, payload: sections.payload.subarray(1) }, 7)).toBe("refused");
    expect(decoder.save()).toEqual(before);
    expect(attempt(decoder, sections, 7)).toBe("decoded");
  });

  it.each([1, 6])("goes on bit for bit when both ends are saved after %i half steps", (cut) => {
    const { encoder, decoder } = ends(24);
    for (let half = 0; half < cut; half++) halfStep(encoder, decoder, half);
    const stored = packr.pack({ encoder: encoder.save(), decoder: decoder.save() });
    const straight = Array.from({ length: 8 }, (_, i) => halfStep(encoder, decoder, cut + i));
    const state = packr.unpack(stored) as { encoder: CodecState; decoder: CodecState };
    const other = ends(24);
    other.encoder.restore(state.encoder);
    other.decoder.restore(state.decoder);
    const resumed = Array.from({ length: 8 }, (_, i) => halfStep(other.encoder, other.decoder, cut + i));
    expect(resumed).toEqual(straight);
    expect(other.encoder.save()).toEqual(encoder.save());
    expect(other.decoder.save()).toEqual(decoder.save());
  });

  it("saves copies, and refuses the state of another codec", () => {
    const { encoder, decoder } = ends(24);
    halfStep(encoder, decoder, 0);
    const saved = [encoder.save(), decoder.save()];
    const copy = structuredClone(saved);
    for (let half = 1; half < 8; half++) halfStep(encoder, decoder, half);
    expect(saved).toEqual(copy);
    const foreign: CodecState = { ...saved[0]!, codec: "another" };
    expect(codeOf(() => encoder.restore(foreign))).toBe("NB_CODEC_STATE_INVALID");
    expect(codeOf(() => decoder.restore(foreign))).toBe("NB_CODEC_STATE_INVALID");
  });

  it("sends the same for a step that is done again from the state before it, which the receiver bears", () => {
    const { encoder, decoder } = ends(24);
    for (let half = 0; half < 6; half++) halfStep(encoder, decoder, half);
    const before = encoder.save();
    const once = [6, 7].map((half) => halfStep(encoder, decoder, half));
    encoder.restore(before);
    const again = [6, 7].map((half) => halfStep(encoder, decoder, half));
    expect(again).toEqual(once);
    // Abandoned in its middle, then another step.
    const open = encoder.save();
    halfStep(encoder, decoder, 8);
    encoder.restore(open);
    for (let half = 12; half < 20; half++) halfStep(encoder, decoder, half);
  });

  it("refuses NaN and infinities", () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const { encoder } = ends(8);
      const x = gaussianTensor(1, 6, 8);
      x[21] = bad;
      expect(codeOf(() => encoder.encode(x, 6, { step: 0, microBatch: 0 }))).toBe("NB_TENSOR_NOT_FINITE");
    }
  });

  it("says widths for each channel", () => {
    const { encoder } = ends(24);
    expect(encoder.widths().length).toBe(24);
    expect(encoder.meanBits).toBeGreaterThan(0);
    expect(encoder.meanBits).toBeLessThanOrEqual(32);
  });
});
