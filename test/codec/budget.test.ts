/** Integer widths meet the bit budget at every step and for any data, and stay near what the gates want. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALLOCATOR_NAMES } from "../../shared/codec/allocators/registry.ts";
import { allocateWidths, budgetAt } from "../../shared/codec/budget.ts";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { gaussianSource, heavyTailedSource, PROPERTY_SEED, randomSource } from "./helpers.ts";

const LIMITS = { minBits: 2, maxBits: 8, hysteresis: 0 };
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

describe("the budget", () => {
  it("falls from the first mean to the last over the anneal and then holds", () => {
    for (const anneal of ["linear", "cosine"] as const) {
      const spec = { startBits: 8, targetBits: 3, annealSteps: 100, anneal };
      expect(budgetAt(spec, 0)).toBe(8);
      expect(budgetAt(spec, 50)).toBeCloseTo(5.5, 12);
      expect(budgetAt(spec, 100)).toBe(3);
      expect(budgetAt(spec, 1e6)).toBe(3);
      for (let step = 1; step <= 100; step++) {
        expect(budgetAt(spec, step)).toBeLessThan(budgetAt(spec, step - 1));
      }
    }
    expect(budgetAt({ startBits: 8, targetBits: 3, annealSteps: 100, anneal: "cosine" }, 25)).toBeCloseTo(
      8 - 2.5 * (1 - Math.SQRT1_2),
      12,
    );
    expect(budgetAt({ startBits: 8, targetBits: 3, annealSteps: 0, anneal: "linear" }, 0)).toBe(3);
  });

  it("falls in steps of one bit, each held equally long, the last as far as the target", () => {
    const at = (startBits: number, targetBits: number) => {
      const spec = { startBits, targetBits, annealSteps: 12, anneal: "step" as const };
      return Array.from({ length: 14 }, (_, step) => budgetAt(spec, step));
    };
    expect(at(6, 3)).toEqual([6, 6, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 3, 3]);
    expect(at(4, 2.5)).toEqual([4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 2.5, 2.5]);
    expect(at(2, 4)).toEqual([2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4]);
    expect(at(3, 3)).toEqual(new Array(14).fill(3));
  });
});

describe("the allocation", () => {
  const problem = fc.record({
    wanted: fc.array(fc.double({ min: 2, max: 8, noNaN: true }), { minLength: 1, maxLength: 60 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
    hysteresis: fc.constantFrom(0, 0.5, 2),
  });

  it("meets the total exactly, within the bounds, from any widths", () => {
    fc.assert(
      fc.property(problem, ({ wanted, share, seed, hysteresis }) => {
        const random = randomSource(seed);
        const current = Uint8Array.from(wanted, () => 2 + Math.floor(random() * 7));
        const total = Math.round((2 + 6 * share) * wanted.length);
        const widths = allocateWidths(Float64Array.from(wanted), current, total, { ...LIMITS, hysteresis });
        expect(sum(widths)).toBe(total);
        expect(widths.every((width) => width >= 2 && width <= 8)).toBe(true);
      }),
      { seed: PROPERTY_SEED, numRuns: 1000 },
    );
  });

  it("without hysteresis, leaves no exchange of a bit that would bring widths nearer to the gates", () => {
    fc.assert(
      fc.property(problem, ({ wanted, share, seed }) => {
        const random = randomSource(seed);
        const current = Uint8Array.from(wanted, () => 2 + Math.floor(random() * 7));
        const total = Math.round((2 + 6 * share) * wanted.length);
        const widths = allocateWidths(Float64Array.from(wanted), current, total, LIMITS);
        const missing = wanted.map((b, c) => b - widths[c]!);
        const most = Math.max(...missing.filter((_, c) => widths[c]! < 8));
        const least = Math.min(...missing.filter((_, c) => widths[c]! > 2));
        expect(most - least).toBeLessThanOrEqual(1 + 1e-12);
      }),
      { seed: PROPERTY_SEED, numRuns: 1000 },
    );
  });

  it("with hysteresis, leaves widths alone while two channels gain less by an exchange", () => {
    const current = Uint8Array.of(3, 3);
    const limits = { ...LIMITS, hysteresis: 0.5 };
    expect([...allocateWidths(Float64Array.of(3.7, 2.3), current, 6, limits)]).toEqual([3, 3]);
    expect([...allocateWidths(Float64Array.of(3.8, 2.2), current, 6, limits)]).toEqual([4, 2]);
    // Back again only when they have crossed by as much the other way.
    expect([...allocateWidths(Float64Array.of(3.3, 2.7), Uint8Array.of(4, 2), 6, limits)]).toEqual([4, 2]);
    expect([...allocateWidths(Float64Array.of(3.2, 2.8), Uint8Array.of(4, 2), 6, limits)]).toEqual([3, 3]);
  });

  it("breaks ties in favour of the lower channel", () => {
    const wanted = new Float64Array(4).fill(3);
    expect([...allocateWidths(wanted, new Uint8Array(4).fill(3), 10, LIMITS)]).toEqual([2, 2, 3, 3]);
    expect([...allocateWidths(wanted, new Uint8Array(4).fill(3), 14, LIMITS)]).toEqual([4, 4, 3, 3]);
  });
});

/** Gradients that try to pull the mean width off its budget. */
const ADVERSARIES = {
  /** Every channel cries for more bits. */
  allWantMore: (_step: number, _c: number, error: number) => error * 1e6,
  /** Every channel wants fewer. */
  allWantLess: (_step: number, _c: number, error: number) => -error * 1e-6,
  /** The sign turns in each step. */
  flipping: (step: number, c: number, error: number) => ((step + c) % 2 === 0 ? error : -error),
  /** One channel outweighs all others, another one in each step. */
  spike: (step: number, c: number, error: number) => (c === step % 7 ? error * 1e30 : error * 1e-30),
  /** Nothing comes back. */
  silent: () => 0,
};

describe("amaq under adversarial gradients", () => {
  const settings = fc.record({
    channels: fc.constantFrom(8, 9, 10, 17, 64, 100, 256, 1024),
    targetBits: fc.constantFrom(2, 2.5, 3, 3.5, 4.2, 8),
    anneal: fc.constantFrom("linear" as const, "cosine" as const, "step" as const),
    allocator: fc.constantFrom(...ALLOCATOR_NAMES),
    annealSteps: fc.constantFrom(0, 1, 7, 30),
    role: fc.constantFrom("activation" as const, "gradient" as const),
    adversary: fc.constantFrom(...(Object.keys(ADVERSARIES) as (keyof typeof ADVERSARIES)[])),
    gateLearningRate: fc.constantFrom(0.02, 5),
    seed: fc.nat(),
  });

  it("keeps the mean width on the budget: exactly after the anneal, within 1/32 bit and half a channel before", () => {
    fc.assert(
      fc.property(settings, ({ channels, role, adversary, seed, ...rest }) => {
        const spec = parseCodecSpec({ codec: "amaq", ...rest });
        if (spec.codec !== "amaq") throw new Error("unreachable");
        const encoder = createEncoder(spec, { channels, role, seed, streamId: 1 });
        const draw = role === "gradient" ? heavyTailedSource(seed) : gaussianSource(seed);
        for (let step = 0; step < spec.annealSteps + 15; step++) {
          const budget = budgetAt(spec, step);
          const tolerance = step >= spec.annealSteps ? 0.5 / channels : 1 / 32 + 0.5 / channels;
          expect(Math.abs(encoder.meanBits - budget)).toBeLessThanOrEqual(tolerance + 1e-12);
          const widths = encoder.widths();
          expect(sum(widths) / channels).toBeCloseTo(encoder.meanBits, 12);
          expect(widths.every((width) => width >= spec.minBits && width <= spec.maxBits)).toBe(true);
          const x = Float32Array.from({ length: 3 * channels }, (_, i) => draw() * 10 ** ((i % 5) - 2));
          const { reconstruction } = encoder.encode(x, 3, { step, microBatch: 0 });
          const gradient = x.map((value, i) =>
            ADVERSARIES[adversary](step, i % channels, reconstruction[i]! - value),
          );
          encoder.observe(x, reconstruction, gradient, 3);
          encoder.endStep(step);
        }
      }),
      { seed: PROPERTY_SEED, numRuns: 60 },
    );
  });

  it("ends within 0.05 bit of the target wherever channels can represent that", () => {
    for (const channels of [8, 16, 255, 256, 1024]) {
      for (const targetBits of [2, 3, 4, 3.5]) {
        if (Math.abs(Math.round(targetBits * channels) / channels - targetBits) > 0.05) continue;
        const spec = parseCodecSpec({ codec: "amaq", targetBits, annealSteps: 10 });
        const encoder = createEncoder(spec, { channels, role: "activation", seed: 1, streamId: 1 });
        for (let step = 0; step < 60; step++) {
          encoder.endStep(step);
          if (step >= 9) expect(Math.abs(encoder.meanBits - targetBits)).toBeLessThanOrEqual(0.05);
        }
      }
    }
  });
});
