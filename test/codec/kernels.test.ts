/** The WebAssembly kernels and the plain TypeScript functions that they must equal, bit for bit. */

import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { packBits, packedBytes, unpackBits } from "../../shared/codec/bitpack.ts";
import { channelSums, roundingSums, sumsLength } from "../../shared/codec/gain.ts";
import { kernelSubtractDither } from "../../shared/codec/kernels/dither.ts";
import {
  enableKernels,
  Kernels,
  kernels,
  MAX_ARENA_BYTES,
  room,
} from "../../shared/codec/kernels/kernels.ts";
import {
  addExtremes,
  addMoments,
  CANDIDATES,
  dequantize,
  makeMoments,
  makeTables,
  measureTails,
  quantize,
  setTables,
  startMoments,
} from "../../shared/codec/kernels/reference.ts";
import { kernelChannelSums } from "../../shared/codec/kernels/sums.ts";
import { type ByProducts, KernelTensor, openTensor, SLACK } from "../../shared/codec/kernels/tensor.ts";
import { QuantizerEncoder } from "../../shared/codec/quantizer.ts";
import { subtractDither } from "../../shared/codec/rounding.ts";
import { makeLevels, scalesBytes, writeScales } from "../../shared/codec/scales.ts";
import { packedSymbols } from "../../shared/codec/symbols.ts";
import { planWidths } from "../../shared/codec/widths.ts";
import { CHANNEL_KINDS, PROPERTY_SEED, randomSource, tensorOf } from "./helpers.ts";

const tensors = fc.record({
  tokens: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(16, 48, 512, 513)),
  kinds: fc.array(fc.constantFrom(...CHANNEL_KINDS), { minLength: 1, maxLength: 21 }),
  seed: fc.integer({ min: 0, max: 0x7fffffff }),
});

/** 256 channels: rows of 1 kB, which lie apart in linear memory; 300: five chunks of rows. */
const LARGE = [
  { tokens: 1024, kinds: Array.from({ length: 256 }, (_, c) => CHANNEL_KINDS[c % 3]!), seed: 5 },
  { tokens: 1001, kinds: Array.from({ length: 300 }, (_, c) => CHANNEL_KINDS[c % 9]!), seed: 6 },
];

function open(tokens: number, channels: number, extra = 0): KernelTensor {
  const work = kernels();
  if (work === undefined) throw new Error("these tests need WebAssembly SIMD");
  const tensor = new KernelTensor(work);
  expect(tensor.open(tokens, channels, extra)).toBe(true);
  return tensor;
}

/** Bytes of typed arrays, so that −0 and NaN count. */
function bytes(...arrays: readonly (Float32Array | Float64Array | Uint8Array)[]): Buffer {
  return Buffer.concat(arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength)));
}

function levelsOf(x: Float32Array, widths: Uint8Array, shrink: number) {
  const channels = widths.length;
  const lo = new Float64Array(channels).fill(Infinity);
  const hi = new Float64Array(channels).fill(-Infinity);
  x.forEach((value, i) => {
    lo[i % channels] = Math.min(lo[i % channels]!, value * shrink);
    hi[i % channels] = Math.max(hi[i % channels]!, value * shrink);
  });
  const levels = makeLevels(channels);
  writeScales(lo, hi, widths, "span", true, new Uint8Array(scalesBytes(channels, 1)), levels);
  return levels;
}

function everyTensor(
  check: (kinds: readonly (typeof CHANNEL_KINDS)[number][], tokens: number, seed: number) => void,
) {
  for (const { kinds, tokens, seed } of LARGE) check(kinds, tokens, seed);
  fc.assert(
    fc.property(tensors, ({ kinds, tokens, seed }) => check(kinds, tokens, seed)),
    { seed: PROPERTY_SEED, numRuns: 300 },
  );
}

afterEach(() => enableKernels(true));

describe("kernels equal the reference bit for bit", () => {
  it("in moments", () => {
    everyTensor((kinds, tokens, seed) => {
      const x = tensorOf(kinds, tokens, seed);
      const [expected, got] = [makeMoments(kinds.length), makeMoments(kinds.length)];
      startMoments(x, tokens, expected);
      startMoments(x, tokens, got);
      addMoments(x, tokens, expected);
      open(tokens, kinds.length).addMoments(x, got);
      for (const name of ["min", "max", "sum", "squares"] as const) {
        expect(bytes(got[name]).equals(bytes(expected[name])), name).toBe(true);
      }
    });
  });

  it("in extremes, and in seeing a NaN", () => {
    everyTensor((kinds, tokens, seed) => {
      const x = tensorOf(kinds, tokens, seed);
      const channels = kinds.length;
      const run = () => {
        const [expected, got] = [makeMoments(channels), makeMoments(channels)];
        startMoments(x, tokens, expected);
        startMoments(x, tokens, got);
        const numbers = addExtremes(x, expected);
        expect(open(tokens, channels).addExtremes(x, got)).toBe(numbers);
        expect(bytes(got.min, got.max).equals(bytes(expected.min, expected.max))).toBe(true);
        const tables = [new Float32Array(channels), new Float32Array(channels)] as const;
        const overload = new Float64Array(CANDIDATES * channels);
        expect(open(tokens, channels).measureTails(x, ...tables, overload, got)).toBe(numbers);
        return numbers;
      };
      expect(run()).toBe(true);
      x[Math.floor(randomSource(seed)() * x.length)] = NaN;
      expect(run()).toBe(false);
    });
  });

  it("in tails", () => {
    everyTensor((kinds, tokens, seed) => {
      const x = tensorOf(kinds, tokens, seed);
      const channels = kinds.length;
      const random = randomSource(seed);
      const inverse = Float32Array.from({ length: channels }, (_, c) =>
        c % 7 === 3 ? 0 : 2 ** Math.floor(random() * 8 - 3) / Math.max(Math.abs(x[c]!) || 1, 2 ** -90),
      );
      const center = inverse.map((factor) => (factor === 0 ? 0 : random() - 0.5));
      const [expected, got] = [
        new Float64Array(CANDIDATES * channels),
        new Float64Array(CANDIDATES * channels),
      ];
      const extremes = makeMoments(channels);
      startMoments(x, tokens, extremes);
      expect(measureTails(x, tokens, inverse, center, expected, extremes)).toBe(true);
      const moments = makeMoments(channels);
      startMoments(x, tokens, moments);
      expect(open(tokens, channels).measureTails(x, inverse, center, got, moments)).toBe(true);
      expect(bytes(got).equals(bytes(expected))).toBe(true);
      expect(bytes(moments.min, moments.max).equals(bytes(extremes.min, extremes.max))).toBe(true);
    });
  });

  it("in quantizing, to the nearest level and stochastically, and in what symbols stand for", () => {
    everyTensor((kinds, tokens, seed) => {
      const ordinary = kinds.map((kind) => (kind === "huge" ? "outlier" : kind));
      const x = tensorOf(ordinary, tokens, seed);
      const random = randomSource(seed + 1);
      // Up to 4 bits, and with wider ones, four channels are packed in different ways.
      const widest = random() < 0.5 ? 4 : 8;
      const plan = planWidths(Uint8Array.from(kinds, () => 1 + Math.floor(random() * widest)));
      // A range of half the width: values are clipped.
      const levels = levelsOf(x, plan.widths, random() < 0.5 ? 1 : 0.5);
      const tables = makeTables(kinds.length);
      const scale = setTables(levels, plan.widths, tables);
      expect(scale).toBe(1);
      // Far outside of the levels, where x − lo overflows, and on a channel without a step.
      x[0] = 3.4e38;
      x[x.length - 1] = -3.4e38;
      for (const key of [undefined, Math.floor(random() * 2 ** 32) | 0]) {
        const symbols = new Uint8Array(x.length);
        const expected = new Float32Array(x.length);
        quantize(x, tokens, tables, scale, plan.slots, key, symbols, expected, levels);
        // Without dither, and with it where it goes with the rounding.
        const decoded = expected.slice();
        const dither = key !== undefined && random() < 0.5 ? levels.step : undefined;
        enableKernels(false);
        if (dither !== undefined) subtractDither(expected, dither, key!);
        const sums = channelSums(x, expected, undefined, kinds.length).subarray(0, kinds.length);
        enableKernels(true);

        const got = new Float32Array(x.length);
        const errors = new Float64Array(kinds.length);
        const wanted = [
          { reconstruction: got, dither, errors },
          { reconstruction: got, dither, errors: undefined },
          { reconstruction: undefined, dither, errors },
          { reconstruction: undefined, dither, errors: undefined },
        ];
        const checkByProducts = (made: ByProducts) => {
          if (made.reconstruction) expect(bytes(got).equals(bytes(expected))).toBe(true);
          if (made.errors) expect(bytes(errors).equals(bytes(sums))).toBe(true);
          got.fill(0);
          errors.fill(0);
        };
        for (const made of wanted) {
          const tensor = open(tokens, kinds.length);
          tensor.quantize(x, tables, plan.slots, key, made);
          expect(Buffer.compare(tensor.symbols, symbols)).toBe(0);
          checkByProducts(made);
        }

        const packing = open(tokens, kinds.length);
        expect(packing.packs()).toBe(tokens % 16 === 0);
        if (packing.packs()) {
          const size = packedSymbols.maxBytes(plan, tokens);
          const [whole, packed] = [new Uint8Array(size), new Uint8Array(size)];
          packedSymbols.write(symbols, plan, tokens, whole, levels, undefined);
          for (const made of wanted) {
            const tensor = open(tokens, kinds.length);
            expect(tensor.quantizePacked(x, tables, plan, key, made, packed.fill(0))).toBe(size);
            expect(Buffer.compare(packed, whole)).toBe(0);
            checkByProducts(made);
          }
        }

        const plainly = new Float32Array(x.length);
        dequantize(symbols, tokens, levels, plan.slots, plainly);
        expect(bytes(plainly).equals(bytes(decoded))).toBe(true);
        const again = open(tokens, kinds.length);
        again.symbols.set(symbols);
        again.dequantize(tables, plan.slots, got, key, dither);
        expect(bytes(got).equals(bytes(expected))).toBe(true);
      }
    });
  });

  it("in the sums that allocators learn from", () => {
    everyTensor((kinds, tokens, seed) => {
      const x = tensorOf(kinds, tokens, seed);
      const back = tensorOf(kinds, tokens, seed + 1);
      for (const gradient of [undefined, tensorOf(kinds, tokens, seed + 2)]) {
        const got = new Float64Array(sumsLength(kinds.length));
        const done = kernelChannelSums(x, back, gradient, kinds.length, got);
        expect(done).toBe(x.length >= 2048);
        if (!done) continue;
        got[got.length - 1] = tokens;
        enableKernels(false);
        const expected = channelSums(x, back, gradient, kinds.length);
        enableKernels(true);
        expect(bytes(got).equals(bytes(expected))).toBe(true);
      }
    });
  });

  it("in the sums of what rounding to the nearest level errs, without a reconstruction", () => {
    everyTensor((kinds, tokens, seed) => {
      const x = tensorOf(kinds, tokens, seed);
      const random = randomSource(seed + 1);
      const plan = planWidths(Uint8Array.from(kinds, () => 1 + Math.floor(random() * 8)));
      const levels = levelsOf(x, plan.widths, 0.5);
      const { reconstruction } = new QuantizerEncoder(kinds.length, {
        clip: "none",
        rounding: "nearest",
        grid: "span",
      }).encode(x, tokens, plan, 0, {}, { scales: new Uint8Array(scalesBytes(kinds.length, 1)), levels });
      for (const gradient of [undefined, tensorOf(kinds, tokens, seed + 2)]) {
        const expected = channelSums(x, reconstruction, gradient, kinds.length);
        for (const on of [false, true]) {
          enableKernels(on);
          const got = roundingSums(x, levels, plan.widths, gradient);
          expect(bytes(got).equals(bytes(expected))).toBe(true);
        }
      }
    });
  });

  it("in taking dither away", () => {
    everyTensor((kinds, tokens, seed) => {
      const random = randomSource(seed);
      const step = Float64Array.from(kinds, (_, c) =>
        c % 5 === 2 ? 0 : 2 ** Math.floor(random() * 40 - 30),
      );
      const key = Math.floor(random() * 2 ** 32) | 0;
      const got = tensorOf(kinds, tokens, seed);
      const expected = got.slice();
      // Where the difference leaves f32.
      got[0] = expected[0] = 3.4028234663852886e38;
      expect(kernelSubtractDither(got, step, key)).toBe(got.length >= 2048);
      if (got.length < 2048) return;
      enableKernels(false);
      subtractDither(expected, step, key);
      enableKernels(true);
      expect(bytes(got).equals(bytes(expected))).toBe(true);
    });
  });

  it("in packing and unpacking, at every width and length to 70, and touch nothing but the slack", () => {
    const { run, u8 } = kernels()!;
    const tensor = open(1, 4, room(4096));
    const from = tensor.work.take(1024);
    const to = tensor.work.take(1024);
    const random = randomSource(3);
    for (let width = 1; width <= 8; width++) {
      for (let count = 0; count <= 70; count++) {
        const symbols = Uint8Array.from({ length: count }, () => random() * 2 ** width);
        const size = packedBytes(count, width);
        const expected = new Uint8Array(size);
        packBits(symbols, 0, count, width, expected, 0);
        u8.fill(0xff, from, from + 1024);
        u8.fill(0xff, to, to + 1024);
        u8.set(symbols, from);
        run.pack(from, count, width, to);
        expect([...u8.subarray(to, to + size)]).toEqual([...expected]);
        expect(u8.subarray(to + size + SLACK, to + 1024).every((byte) => byte === 0xff)).toBe(true);

        u8.fill(0xff, from, from + 1024);
        u8.fill(0xff, to, to + 1024);
        u8.set(expected, to);
        run.unpack(to, count, width, from);
        const back = new Uint8Array(count);
        unpackBits(expected, 0, count, width, back, 0);
        expect([...u8.subarray(from, from + count)]).toEqual([...back]);
        expect(u8.subarray(from + count, from + 1024).every((byte) => byte === 0xff)).toBe(true);
      }
    }
  });
});

describe("kernel memory", () => {
  it("is refused beyond the limit, and the message goes to the reference", () => {
    const work = kernels()!;
    const before = work.run.memory.buffer.byteLength;
    expect(work.begin(MAX_ARENA_BYTES + 1)).toBe(false);
    expect(work.run.memory.buffer.byteLength).toBe(before);
    expect(openTensor(64, 64, MAX_ARENA_BYTES)).toBeUndefined();
  });

  it("refuses a kernel more than was announced", () => {
    const work = kernels()!;
    const all = work.run.memory.buffer.byteLength;
    expect(work.begin(64)).toBe(true);
    expect(() => work.take(all)).toThrow(/more than it had announced/);
  });

  it("is let go after a call that took much, and kept after others", () => {
    const tensor = openTensor(64, 64, 0)!;
    tensor.close();
    expect(kernels()).toBe(tensor.work);
    const large = openTensor(64, 64, 100 * 2 ** 20)!;
    large.close();
    expect(kernels()).toBeInstanceOf(Kernels);
    expect(kernels()).not.toBe(large.work);
  });

  it("is not there when kernels are turned off", () => {
    enableKernels(false);
    expect(kernels()).toBeUndefined();
    expect(openTensor(1000, 1000, 0)).toBeUndefined();
  });
});
