/** Every allocator meets the budget to the bit whatever it learns; each finds the optimum that it claims to. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Allocator, AllocatorOptions } from "../../shared/codec/allocators/allocator.ts";
import { fill } from "../../shared/codec/allocators/closed-form.ts";
import { errorTable } from "../../shared/codec/allocators/error-model.ts";
import { marginalAnalysis } from "../../shared/codec/allocators/greedy.ts";
import { ALLOCATOR_NAMES, ALLOCATORS, createAllocator } from "../../shared/codec/allocators/registry.ts";
import { allocateWidths } from "../../shared/codec/budget.ts";
import type { ChannelSums } from "../../shared/codec/gain.ts";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianSource, gaussianTensor, PROPERTY_SEED, randomSource } from "./helpers.ts";

const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

function optionsFor(channels: number, change: Partial<AllocatorOptions> = {}): AllocatorOptions {
  return {
    channels,
    minBits: 2,
    maxBits: 8,
    hysteresis: 0,
    errorAt: errorTable("optimal"),
    averaging: 0.9,
    alpha: 2.5,
    gateLearningRate: 0.02,
    freeze: 1,
    entropyCoded: false,
    ...change,
  };
}

/** What a step would say of channels with these weights, at these widths. */
function sumsOf(weights: ArrayLike<number>, widths: Uint8Array, noise = () => 0): ChannelSums {
  const errorAt = errorTable("optimal");
  const distortion = Float64Array.from(weights, (weight, c) => weight * errorAt[widths[c]!]!);
  return {
    tokens: 1,
    distortion,
    products: distortion.map((d) => d + noise() * Math.sqrt(d)),
    gradientEnergy: new Float64Array(weights.length).fill(1),
  };
}

/** The widths after some steps of the same weights at one budget. */
function settle(
  allocator: Allocator,
  weights: ArrayLike<number>,
  total: number,
  start: Uint8Array,
  steps = 20,
) {
  let widths = start;
  for (let step = 0; step < steps; step++) {
    allocator.endStep(sumsOf(weights, widths), widths, total / weights.length);
    widths = allocator.allocate(total, widths);
  }
  return widths;
}

/** The least Σ weights · errorAt[n] of all widths that sum to `total`, by trying them all. */
function bruteForce(
  weights: number[],
  total: number,
  min: number,
  max: number,
  errorAt: readonly number[],
): number {
  if (weights.length === 1) return total < min || total > max ? Infinity : weights[0]! * errorAt[total]!;
  let least = Infinity;
  for (let n = min; n <= max; n++) {
    const rest = bruteForce(weights.slice(1), total - n, min, max, errorAt);
    least = Math.min(least, weights[0]! * errorAt[n]! + rest);
  }
  return least;
}

const weight = fc.double({ min: -20, max: 20, noNaN: true }).map((exponent) => 2 ** exponent);
const problem = fc.record({
  weights: fc.array(weight, { minLength: 1, maxLength: 40 }),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  bounds: fc.constantFrom([2, 8], [2, 4], [3, 3], [1, 6]),
  hysteresis: fc.constantFrom(0, 0.5, 2),
  seed: fc.nat(),
});

describe.each(ALLOCATOR_NAMES)("%s", (name) => {
  it("meets the total exactly, within the bounds, for any statistics and from any widths", () => {
    fc.assert(
      fc.property(problem, ({ weights, share, bounds: [minBits, maxBits], hysteresis, seed }) => {
        const channels = weights.length;
        const random = randomSource(seed);
        const gaussian = gaussianSource(seed);
        const options = optionsFor(channels, { minBits: minBits!, maxBits: maxBits!, hysteresis });
        const allocator = createAllocator(name, options);
        let widths: Uint8Array = Uint8Array.from(
          weights,
          () => minBits! + Math.floor(random() * (maxBits! - minBits! + 1)),
        );
        for (let step = 0; step < 6; step++) {
          const mean = minBits! + (maxBits! - minBits!) * Math.abs(share - step / 10);
          const total = Math.round(mean * channels);
          allocator.endStep(step === 2 ? undefined : sumsOf(weights, widths, gaussian), widths, mean);
          widths = allocator.allocate(total, widths);
          expect(sum(widths)).toBe(total);
          expect(widths.every((width) => width >= minBits! && width <= maxBits!)).toBe(true);
        }
      }),
      { seed: PROPERTY_SEED, numRuns: 150 },
    );
  });

  it("goes on as before when restored, and changes nothing of itself when it refuses a state", () => {
    const channels = 12;
    const gaussian = gaussianSource(5);
    const weights = Float64Array.from({ length: channels }, () => Math.exp(2 * gaussian()));
    const options = optionsFor(channels, { freeze: 0.3 });
    const first = createAllocator(name, options);
    const start = new Uint8Array(channels).fill(4);
    const widths = settle(first, weights, 48, start, 7);
    const second = createAllocator(name, options);
    const saved = { codec: "amaq", bitTableVersion: 1, ...first.save() };
    second.restore(saved);
    const noise = gaussianSource(6);
    const sums = Array.from({ length: 9 }, () => sumsOf(weights, widths, noise));
    const go = (allocator: Allocator) =>
      sums.map((of) => {
        allocator.endStep(of, widths, 3);
        return [...allocator.allocate(36, widths)];
      });
    expect(go(second)).toEqual(go(first));
    expect(second.save()).toEqual(first.save());
    for (const array of Object.keys(saved.arrays)) {
      const before = second.save();
      const bad = { ...saved, arrays: { ...saved.arrays, [array]: new Float64Array(channels + 1) } };
      expect(() => second.restore(bad)).toThrow(NarrowbandError);
      expect(second.save()).toEqual(before);
    }
  });

  it("does not care in which order channels stand, where none are equal", () => {
    const channels = 16;
    const gaussian = gaussianSource(9);
    const weights = Array.from({ length: channels }, () => Math.exp(2 * gaussian()));
    const order = weights.map((_, c) => (c * 5 + 3) % channels);
    const start = new Uint8Array(channels).fill(4);
    // At an integer mean, where the control has no ties to break.
    const straight = settle(createAllocator(name, optionsFor(channels)), weights, 4 * channels, start);
    const permuted = settle(
      createAllocator(name, optionsFor(channels)),
      order.map((c) => weights[c]!),
      4 * channels,
      start,
    );
    expect([...permuted]).toEqual(order.map((c) => straight[c]!));
  });

  it("tells its summary and source", () => {
    const { summary, source } = ALLOCATORS.find((allocator) => allocator.name === name)!;
    expect(Math.min(summary.length, source.length)).toBeGreaterThan(3);
  });

  if (name === "uniform" || name === "tied") return;

  it("gives more bits to channels where they are worth more, and does better than equal widths", () => {
    const channels = 24;
    const gaussian = gaussianSource(3);
    const weights = Float64Array.from({ length: channels }, () => Math.exp(2.5 * gaussian()));
    const start = new Uint8Array(channels).fill(3);
    const widths = settle(createAllocator(name, optionsFor(channels)), weights, 3 * channels, start, 150);
    const errorAt = errorTable("optimal");
    const cost = (of: ArrayLike<number>) => sum(weights.map((w, c) => w * errorAt[of[c]!]!));
    expect(cost(widths)).toBeLessThan(cost(start) * 0.35);
    const order = [...weights.keys()].sort((a, b) => weights[a]! - weights[b]!);
    expect(widths[order.at(-1)!]).toBeGreaterThan(widths[order[0]!]!);
  });
});

describe("marginal analysis", () => {
  it.each(["none", "optimal"] as const)(
    "finds the optimum that trying all widths finds, clip: %s",
    (clip) => {
      const errorAt = errorTable(clip);
      fc.assert(
        fc.property(
          fc.array(weight, { minLength: 1, maxLength: 5 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          (weights, share) => {
            const total = Math.round((2 + 4 * share) * weights.length);
            const limits = { minBits: 2, maxBits: 6, errorAt };
            const any = new Uint8Array(weights.length).fill(2);
            const widths = marginalAnalysis(Float64Array.from(weights), total, limits, any);
            expect(sum(widths)).toBe(total);
            const cost = sum(weights.map((w, c) => w * errorAt[widths[c]!]!));
            const least = bruteForce(weights, total, 2, 6, errorAt);
            expect(cost).toBeLessThanOrEqual(least * (1 + 1e-12));
          },
        ),
        { seed: PROPERTY_SEED, numRuns: 300 },
      );
    },
  );

  it("leaves bits where they are until moving one saves 4 to the power of the hysteresis times what it costs", () => {
    const options = { minBits: 2, maxBits: 8, errorAt: [1, 4, 16, 64, 256, 1024].map((x) => 1 / x) };
    const errorAt = [...options.errorAt, 1 / 4096, 1 / 16384, 1 / 65536];
    const current = Uint8Array.of(3, 3);
    // A bit more saves 3/256 of the weight, a bit less costs 3/64: even at a ratio of 4.
    const at = (ratio: number, stay: number) => [
      ...marginalAnalysis(Float64Array.of(ratio, 1), 6, { ...options, errorAt }, current, stay),
    ];
    expect(at(4.1, 1)).toEqual([4, 2]);
    expect(at(3.9, 1)).toEqual([3, 3]);
    expect(at(4 * 1.9, Math.SQRT2)).toEqual([3, 3]);
    expect(at(4 * 2.1, Math.SQRT2)).toEqual([4, 2]);
  });
});

describe("the error model", () => {
  it.each(["none", "optimal"] as const)("falls, and by less with each bit, clip: %s", (clip) => {
    const table = errorTable(clip);
    expect(table.length).toBe(9);
    for (let n = 1; n < 8; n++) {
      expect(table[n]! - table[n + 1]!).toBeGreaterThan(0);
      expect(table[n]! - table[n + 1]!).toBeLessThan(table[n - 1]! - table[n]!);
    }
  });
});

describe("reverse water-filling", () => {
  const noise = (weights: Float64Array, bits: Float64Array) => sum(weights.map((w, c) => w * 4 ** -bits[c]!));

  it("meets the mean within the bounds, and is never worse than equal widths", () => {
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: 1, maxLength: 60 }),
        fc.double({ min: 2, max: 8, noNaN: true }),
        (list, mean) => {
          const weights = Float64Array.from(list);
          const bits = fill(weights, mean, { minBits: 2, maxBits: 8 });
          expect(Math.abs(sum(bits) / bits.length - mean)).toBeLessThan(1e-9);
          expect(bits.every((b) => b >= 2 && b <= 8)).toBe(true);
          const even = noise(weights, new Float64Array(bits.length).fill(mean));
          expect(noise(weights, bits)).toBeLessThanOrEqual(even * (1 + 1e-9));
        },
      ),
      { seed: PROPERTY_SEED, numRuns: 500 },
    );
  });

  it("leaves every channel that no bound holds with the same noise", () => {
    const weights = Float64Array.of(1, 2, 8, 1 / 4);
    const bits = fill(weights, 4, { minBits: 2, maxBits: 8 });
    const each = weights.map((w, c) => w * 4 ** -bits[c]!);
    for (const value of each) expect(value / each[0]!).toBeCloseTo(1, 9);
  });

  it("rounded to a whole sum, is the best of all widths, as far as no bound holds", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 0, max: 4 }),
        (exponents, extra) => {
          const weights = exponents.map((e) => 4 ** e);
          const total = Math.min(5 * weights.length, 4 * weights.length + extra);
          const limits = { minBits: 1, maxBits: 8, hysteresis: 0 };
          const bits = fill(Float64Array.from(weights), total / weights.length, limits);
          const even = new Uint8Array(weights.length).fill(4);
          const widths = allocateWidths(bits, even, total, limits);
          const errorAt = Array.from({ length: 9 }, (_, n) => 4 ** -n);
          const cost = sum(weights.map((w, c) => w * errorAt[widths[c]!]!));
          expect(cost).toBeLessThanOrEqual(bruteForce(weights, total, 1, 8, errorAt) * (1 + 1e-9));
        },
      ),
      { seed: PROPERTY_SEED, numRuns: 200 },
    );
  });
});

describe("gate-rate behind an entropy coder", () => {
  /** Bits that a coder would need: those of the steps, less what seldom used levels save. */
  const codedBits = (steps: Float64Array, saved: number, noise: number) =>
    sum(steps.map((count) => Math.log2(count + 1))) / steps.length - saved + noise;

  /** What a step would say of channels whose ranges were divided so. */
  const steppedSums = (weights: Float64Array, steps: Float64Array, noise: () => number): ChannelSums => {
    const distortion = weights.map((weight, c) => (weight / steps[c]! ** 2) * (1 + 0.05 * noise()));
    return { ...sumsOf(weights, new Uint8Array(weights.length).fill(3)), distortion };
  };

  const run = fc.record({
    channels: fc.constantFrom(1, 7, 64),
    saved: fc.double({ min: 0, max: 1.5, noNaN: true }),
    start: fc.double({ min: 3, max: 6, noNaN: true }),
    fall: fc.constantFrom(0, 1 / 100, 1 / 25),
    seed: fc.nat(),
  });

  it("keeps coded bits within 0.05 bit of the budget, whatever the coder saves", () => {
    fc.assert(
      fc.property(run, ({ channels, saved, start, fall, seed }) => {
        const gaussian = gaussianSource(seed);
        const weights = Float64Array.from({ length: channels }, () => Math.exp(gaussian()));
        const allocator = createAllocator("gate-rate", optionsFor(channels, { entropyCoded: true }));
        let widths: Uint8Array = new Uint8Array(channels).fill(Math.ceil(start));
        allocator.endStep(undefined, widths, start);
        widths = allocator.allocate(0, widths);
        for (let step = 0; step < 60; step++) {
          const budget = Math.max(2.5, start - fall * step);
          const steps = allocator.steps!()!;
          steps.forEach((count, c) => {
            expect(count).toBeGreaterThanOrEqual(1);
            expect(count).toBeLessThanOrEqual((2 ** widths[c]! - 1) * (1 + 1e-9));
          });
          const coded = codedBits(steps, saved, 0.005 * gaussian());
          if (step >= 12) expect(Math.abs(coded - budget)).toBeLessThan(0.05);
          const next = Math.max(2.5, start - fall * (step + 1));
          allocator.endStep(steppedSums(weights, steps, gaussian), widths, next, coded);
          widths = allocator.allocate(0, widths);
        }
      }),
      { seed: PROPERTY_SEED, numRuns: 60 },
    );
  });

  it("changes widths seldom, though steps move all the time", () => {
    const channels = 32;
    const gaussian = gaussianSource(4);
    const weights = Float64Array.from({ length: channels }, () => Math.exp(gaussian()));
    const allocator = createAllocator("gate-rate", optionsFor(channels, { entropyCoded: true }));
    let widths: Uint8Array = new Uint8Array(channels).fill(3);
    let tables = 0;
    allocator.endStep(undefined, widths, 3);
    for (let step = 0; step < 200; step++) {
      const sums = steppedSums(weights, allocator.steps!()!, gaussian);
      allocator.endStep(sums, widths, 3, 3 + 0.02 * gaussian());
      const next = allocator.allocate(0, widths);
      if (step >= 100 && next.some((width, c) => width !== widths[c])) tables++;
      widths = next;
    }
    expect(tables).toBeLessThan(10);
  });
});

describe("freezing", () => {
  it("holds gates whose gradient keeps turning its sign, and no others", () => {
    const channels = 8;
    const run = (freeze: number, steps: number) => {
      const allocator = createAllocator("gate-ste", optionsFor(channels, { freeze }));
      const widths = new Uint8Array(channels).fill(4);
      for (let step = 0; step < steps; step++) {
        // Channels 0 to 3 gain nothing in the mean, 4 and 5 much, 6 and 7 little.
        const turn = step % 2 === 0 ? 1 : -1;
        const products = Float64Array.of(turn * 4, -turn * 4, turn * 4, -turn * 4, 4, 4, 0.1, 0.1);
        const sums = { tokens: 1, products, distortion: products, gradientEnergy: products };
        allocator.endStep(sums, widths, 4);
      }
      return allocator.save().arrays;
    };
    const of = (freeze: number, steps: number, name: "q" | "turns") =>
      run(freeze, steps)[name] as Float64Array;
    const turns = [...of(0.4, 80, "turns")];
    expect(turns.slice(0, 4).every((share) => share > 0.9)).toBe(true);
    expect(turns.slice(4).every((share) => share < 0.1)).toBe(true);
    // How far two gates move against one another in one step more.
    const moved = (freeze: number, a: number, b: number) => {
      const [before, after] = [of(freeze, 80, "q"), of(freeze, 81, "q")];
      return Math.abs(after[a]! - after[b]! - (before[a]! - before[b]!));
    };
    expect(moved(0.4, 0, 1)).toBeLessThan(1e-12);
    expect(moved(1, 0, 1)).toBeGreaterThan(1e-4);
    expect(moved(0.4, 0, 4)).toBeGreaterThan(1e-4);
    expect(of(0.4, 80, "q")[4]!).toBeGreaterThan(of(0.4, 80, "q")[6]!);
  });
});

describe("tied", () => {
  it("gives a gradient the widths of the activation at its cut, offset to its own mean", () => {
    const allocator = createAllocator("tied", optionsFor(4));
    const even = new Uint8Array(4).fill(3);
    expect([...allocator.allocate(12, even)]).toEqual([3, 3, 3, 3]);
    allocator.follow!(Uint8Array.of(2, 3, 5, 6));
    expect([...allocator.allocate(16, even)]).toEqual([2, 3, 5, 6]);
    expect([...allocator.allocate(20, even)]).toEqual([3, 4, 6, 7]);
    // Where the offset would leave the bounds, the others make up for it.
    expect([...allocator.allocate(12, even)]).toEqual([2, 2, 4, 4]);
    expect(sum(allocator.allocate(12, even))).toBe(12);
  });

  it("needs no traffic: the sender of the gradient has received the activation's bit table", () => {
    const options = { channels: 4, seed: 1, streamId: 1 };
    const spec = parseCodecSpec("amaq:3-3@0,allocator=greedy,dwell=1,hysteresis=0");
    const activation = createEncoder(spec, { ...options, role: "activation" });
    const received = createDecoder(spec, { channels: 4 });
    const tied = parseCodecSpec("amaq:4-4@0,allocator=tied,dwell=1,hysteresis=0");
    const gradient = createEncoder(tied, { ...options, role: "gradient" });
    expect(received.widths!()).toBeUndefined();
    const tokens = 64;
    for (let step = 0; step < 4; step++) {
      const x = gaussianTensor(step, tokens, 4, (c) => [1, 1, 30, 30][c]!);
      const body = activation.encode(x, tokens, { step, microBatch: 0 });
      received.decode(body, tokens, new Float32Array(x.length));
      gradient.follow!(received.widths!()!);
      const g = gaussianTensor(100 + step, tokens, 4);
      gradient.encode(g, tokens, { step, microBatch: 0 });
      activation.observe(x, body.reconstruction, g, tokens);
      activation.endStep(step);
      gradient.endStep(step);
    }
    expect([...received.widths!()!]).toEqual([2, 2, 4, 4]);
    expect([...gradient.widths()]).toEqual([3, 3, 5, 5]);
  });
});
