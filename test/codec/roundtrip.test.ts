/** The decoder reproduces the encoder's reconstruction bit for bit, whatever the tensor. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { makeLevels, readScales } from "../../shared/codec/scales.ts";
import { CHANNEL_KINDS, gaussianTensor, PROPERTY_SEED, sameBits, tensorOf } from "./helpers.ts";

const SPECS = [
  "f32",
  "f16",
  ...[2, 3, 4, 5, 6, 7, 8].map((bits) => ({ codec: "fixed", bits })),
  { codec: "fixed", bits: 3, clip: "none" },
  { codec: "fixed", bits: 3, clip: "none", rounding: "stochastic", grid: "zero" },
  { codec: "fixed", bits: 6, clip: "none", rounding: "stochastic", grid: "zero" },
  { codec: "amaq", startBits: 3.4, targetBits: 3.4, annealSteps: 0 },
  { codec: "amaq", startBits: 5.7, targetBits: 5.7, annealSteps: 0 },
].map((spec) => parseCodecSpec(spec));

const tensors = fc.record({
  kinds: fc.array(fc.constantFrom(...CHANNEL_KINDS), { minLength: 1, maxLength: 14 }),
  tokens: fc.integer({ min: 0, max: 40 }),
  seed: fc.nat(),
});

describe("every codec", () => {
  it("decodes to the encoder's reconstruction, bit for bit, and to finite values", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SPECS),
        fc.constantFrom("activation" as const, "gradient" as const),
        tensors,
        (spec, role, { kinds, tokens, seed }) => {
          const channels = kinds.length;
          const x = tensorOf(kinds, tokens, seed);
          const encoder = createEncoder(spec, { channels, role, seed, streamId: 5 });
          const body = encoder.encode(x, tokens, { step: 0, microBatch: 0 });
          const out = new Float32Array(x.length).fill(NaN);
          createDecoder(spec, { channels }).decode(body, tokens, out);
          expect(sameBits(out, body.reconstruction)).toBe(true);
          expect(out.every(Number.isFinite)).toBe(true);
        },
      ),
      { seed: PROPERTY_SEED, numRuns: 1500 },
    );
  });

  it("decodes sections that lie at odd places in a Node Buffer", () => {
    for (const spec of SPECS) {
      const x = gaussianTensor(3, 9, 5);
      const body = createEncoder(spec, { channels: 5, role: "gradient", seed: 1, streamId: 1 }).encode(x, 9, {
        step: 0,
        microBatch: 0,
      });
      const place = (bytes: Uint8Array) => Buffer.concat([Buffer.of(1, 2, 3), bytes]).subarray(3);
      const out = new Float32Array(45);
      createDecoder(spec, { channels: 5 }).decode(
        {
          bitTable: body.bitTable && place(body.bitTable),
          bitTableVersion: body.bitTableVersion,
          scales: place(body.scales),
          payload: place(body.payload),
        },
        9,
        out,
      );
      expect(sameBits(out, body.reconstruction)).toBe(true);
    }
  });
});

describe("f32 and f16", () => {
  it("keep all bits, or 11 significant ones of every value within 2^-28 of the largest", () => {
    const x = gaussianTensor(8, 64, 8, (c) => 10 ** (c - 6));
    const options = { channels: 8, role: "gradient", seed: 1, streamId: 1 } as const;
    const at = { step: 0, microBatch: 0 };
    const exact = createEncoder(parseCodecSpec("f32"), options).encode(x, 64, at).reconstruction;
    expect(sameBits(exact, x)).toBe(true);
    const half = createEncoder(parseCodecSpec("f16"), options).encode(x, 64, at).reconstruction;
    const largest = Math.max(...x.map(Math.abs));
    for (let i = 0; i < x.length; i++) {
      if (Math.abs(x[i]!) < largest * 2 ** -28) continue;
      expect(Math.abs(half[i]! - x[i]!)).toBeLessThanOrEqual(Math.abs(x[i]!) * 2 ** -11);
    }
  });
});

describe("tensors near the smallest f32", () => {
  it("decode to no subnormal value, which some processors would flush to zero", () => {
    const smallest = 2 ** -126;
    for (const text of ["f16", "fixed:2", "fixed:3", "fixed:8", "amaq:4-3@2"]) {
      for (const size of [1e-36, 1e-38, 1e-40, 1e-44]) {
        for (const role of ["activation", "gradient"] as const) {
          const x = gaussianTensor(11, 64, 8, (c) => size * (c + 1));
          const encoder = createEncoder(parseCodecSpec(text), { channels: 8, role, seed: 1, streamId: 1 });
          const { reconstruction } = encoder.encode(x, 64, { step: 0, microBatch: 0 });
          const subnormal = reconstruction.filter((v) => v !== 0 && Math.abs(v) < smallest);
          expect([...subnormal], `${text} of ${size}`).toEqual([]);
          const error = x.reduce((worst, v, i) => Math.max(worst, Math.abs(v - reconstruction[i]!)), 0);
          // With dither, which gradients have, levels are multiples of 2^-104.
          const finest = role === "gradient" && text !== "f16" ? 2 ** -104 : smallest;
          expect(error).toBeLessThan(64 * Math.max(size, finest));
        }
      }
    }
  });
});

describe("fixed, rounding to nearest, not clipped", () => {
  it("errs by at most half a step and 2^-14 of one", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 8 }),
        fc.constantFrom("span" as const, "zero" as const),
        tensors,
        (bits, grid, { kinds, tokens, seed }) => {
          fc.pre(tokens > 0);
          const channels = kinds.length;
          const x = tensorOf(kinds, tokens, seed);
          const spec = parseCodecSpec({ codec: "fixed", bits, clip: "none", rounding: "nearest", grid });
          const body = createEncoder(spec, { channels, role: "activation", seed, streamId: 5 }).encode(
            x,
            tokens,
            {
              step: 0,
              microBatch: 0,
            },
          );
          const levels = makeLevels(channels);
          readScales(body.scales, new Uint8Array(channels).fill(bits), levels);
          const beyond = x.filter((value, i) => {
            const error = Math.abs(value - body.reconstruction[i]!);
            // x̂ itself is rounded to f32: half a unit in its last place on top.
            const last = Math.max(Math.abs(body.reconstruction[i]!) * 2 ** -24, 2 ** -150);
            // The encoder computes level numbers in f32: at 255, to 3 · 255 · 2^-24.
            return error > levels.step[i % channels]! * (1 / 2 + 2 ** -14) + last;
          });
          expect([...beyond]).toEqual([]);
        },
      ),
      { seed: PROPERTY_SEED, numRuns: 800 },
    );
  });

  it("is really used: 3 bits leave at most 8 values per channel, and they are not those of f32", () => {
    const x = gaussianTensor(4, 256, 6);
    const spec = parseCodecSpec("fixed:3");
    const body = createEncoder(spec, { channels: 6, role: "activation", seed: 1, streamId: 1 }).encode(
      x,
      256,
      {
        step: 0,
        microBatch: 0,
      },
    );
    for (let c = 0; c < 6; c++) {
      const values = new Set(body.reconstruction.filter((_, i) => i % 6 === c));
      expect(values.size).toBeGreaterThan(4);
      expect(values.size).toBeLessThanOrEqual(8);
    }
    expect(body.reconstruction.filter((value, i) => value !== x[i]).length).toBeGreaterThan(x.length * 0.9);
    expect(body.payload.length).toBe((256 * 6 * 3) / 8);
    expect(body.scales.length).toBe(1 + 4 * 6);
  });

  it("holds constants, single tokens and values at the end of f32's range", () => {
    const spec = parseCodecSpec({ codec: "fixed", bits: 3, clip: "none" });
    const encode = (x: number[], channels: number) => {
      const options = { channels, role: "activation", seed: 1, streamId: 1 } as const;
      const at = { step: 0, microBatch: 0 };
      return createEncoder(spec, options).encode(Float32Array.from(x), x.length / channels, at)
        .reconstruction;
    };
    // Exactly representable in f16: exact.
    expect([...encode([0.5, -3, 0.5, -3], 2)]).toEqual([0.5, -3, 0.5, -3]);
    // Others: lo is within 2^-10 of the value and 7 steps span the rest.
    for (const value of [0.1, -1e-20, 12345.678, 1e-44]) {
      const [back] = encode([value], 1);
      expect(Math.abs(back! - Math.fround(value))).toBeLessThanOrEqual(
        Math.abs(value) * 2 ** -13 + 2 ** -126,
      );
    }
    const largest = 3.4028234663852886e38;
    encode([largest, -largest, largest, largest], 1).forEach((back, i) => {
      const value = i === 1 ? -largest : largest;
      expect(Number.isFinite(back)).toBe(true);
      expect(Math.abs(back - value)).toBeLessThan(largest * 2 ** -8);
    });
  });
});
