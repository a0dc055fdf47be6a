/** Drawing tokens from logits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleToken, tokenUniform } from "../../client/local/sampling.ts";

const SEED = 20_260_107;

const logitsArbitrary = fc
  .array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 40 })
  .map((values) => Float32Array.from(values));
const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const settings = fc.record({
  temperature: fc.double({ min: 0.01, max: 5, noNaN: true }),
  topK: fc.integer({ min: 0, max: 50 }),
  topP: fc.double({ min: 0.001, max: 1, noNaN: true }),
});

/** Ids from the likeliest on; equal ones by id. */
function ranked(logits: Float32Array): number[] {
  return [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b);
}

describe("sampleToken", () => {
  it("takes the likeliest at temperature 0", () => {
    fc.assert(
      fc.property(logitsArbitrary, uniform, (logits, u) => {
        expect(sampleToken(logits, { temperature: 0, topK: 0, topP: 1 }, u)).toBe(ranked(logits)[0]);
      }),
      { seed: SEED },
    );
  });

  it("draws from the k likeliest alone", () => {
    fc.assert(
      fc.property(logitsArbitrary, settings, uniform, (logits, s, u) => {
        const allowed = s.topK === 0 ? ranked(logits) : ranked(logits).slice(0, s.topK);
        expect(allowed).toContain(sampleToken(logits, s, u));
      }),
      { seed: SEED },
    );
  });

  it("draws from the smallest set of likeliest tokens whose probability is at least p", () => {
    fc.assert(
      fc.property(logitsArbitrary, settings, uniform, (logits, s, u) => {
        const one = { ...s, topK: 0 };
        const order = ranked(logits);
        const weights = order.map((id) => Math.exp((logits[id] - logits[order[0]]) / s.temperature));
        const total = weights.reduce((a, b) => a + b, 0);
        let mass = 0;
        const nucleus = order.filter((_, i) => {
          const before = mass;
          mass += weights[i];
          // A little more than p, for rounding.
          return before < (s.topP + 1e-9) * total;
        });
        expect(nucleus).toContain(sampleToken(logits, one, u));
      }),
      { seed: SEED },
    );
  });

  it("draws each token as often as softmax says", () => {
    const logits = Float32Array.of(Math.log(1), Math.log(2), Math.log(3), Math.log(4));
    const counts = [0, 0, 0, 0];
    const n = 1000;
    for (let i = 0; i < n; i++)
      counts[sampleToken(logits, { temperature: 1, topK: 0, topP: 1 }, (i + 0.5) / n)]++;
    // An even grid of uniforms gives the probabilities themselves.
    expect(counts).toEqual([100, 200, 300, 400]);
  });

  it("sharpens at a low temperature and flattens at a high one", () => {
    const logits = Float32Array.of(0, 1);
    const share = (temperature: number) => {
      let ones = 0;
      for (let i = 0; i < 1000; i++) ones += sampleToken(logits, { temperature, topK: 0, topP: 1 }, i / 1000);
      return ones / 1000;
    };
    expect(share(0.1)).toBeGreaterThan(0.99);
    expect(share(1)).toBeCloseTo(1 / (1 + Math.exp(-1)), 2);
    expect(share(50)).toBeCloseTo(0.5, 1);
  });
});

describe("tokenUniform", () => {
  it("depends on seed and position alone, and lies in [0, 1)", () => {
    expect(tokenUniform(1, 2)).toBe(tokenUniform(1, 2));
    expect(tokenUniform(1, 2)).not.toBe(tokenUniform(1, 3));
    expect(tokenUniform(1, 2)).not.toBe(tokenUniform(2, 2));
    for (let i = 0; i < 1000; i++) {
      expect(tokenUniform(3, i)).toBeGreaterThanOrEqual(0);
      expect(tokenUniform(3, i)).toBeLessThan(1);
    }
  });
});
