/** The tables that probabilities come from: the same on every machine, and a partition whatever is asked of them. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bell,
  bellTables,
  boundOf,
  CLASSES,
  deviationTables,
  leveling,
  PROBABILITY_ONE,
  SCALE_ONE,
  SCALE_SHIFT,
  scaleClasses,
  spreadOf,
  symbolAt,
} from "../../../shared/codec/entropy/distribution.ts";
import { mix32 } from "../../../shared/random.ts";
import { PROPERTY_SEED } from "../helpers.ts";

function digest(values: ArrayLike<number>): string {
  let hash = 0;
  for (let i = 0; i < values.length; i++) hash = mix32((Math.imul(hash, 5) + 0x9e3779b9) ^ values[i]!);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

describe("the bell", () => {
  it("is a distribution function of unit variance", () => {
    let variance = 0;
    for (let i = -40000; i < 40000; i++) {
      const z = (i + 0.5) / 400;
      variance += z * z * (bell((i + 1) / 400) - bell(i / 400));
    }
    expect(bell(0)).toBe(0.5);
    expect(variance).toBeCloseTo(1, 3);
    // Student's t, 8 degrees of freedom: P(t < 2.306004) = 0.975.
    expect(bell(2.306004 * Math.sqrt(6 / 8))).toBeCloseTo(0.975, 6);
  });

  it("has four classes to an octave, from 1/8 of a level to 64", () => {
    expect([0, 4, 12, 36].map(spreadOf)).toEqual([0.125, 0.25, 1, 64]);
    expect(CLASSES).toBe(37);
    for (let k = 1; k < CLASSES; k++) expect(spreadOf(k) / spreadOf(k - 1)).toBeCloseTo(2 ** 0.25, 12);
  });
});

describe("tables", () => {
  it("are these, in every build: a change would be another format", () => {
    const { values } = bellTables();
    const { cap, factor } = deviationTables();
    expect([values, scaleClasses(), cap, factor, leveling()].map(digest)).toEqual(DIGESTS);
  });

  it("map a token scale to its class", () => {
    const at = (scale: number) => scaleClasses()[(scale * SCALE_ONE) >> SCALE_SHIFT];
    expect([0.01, 0.25, 0.5, 1, 2, 4, 7.9].map(at)).toEqual([-12, -8, -4, 0, 4, 8, 12]);
  });
});

describe("an alphabet", () => {
  const query = fc.record({
    count: fc.constantFrom(2, 4, 8, 16, 32, 37, 64, 128, 255, 256),
    center: fc.integer({ min: -5000, max: 9000 }),
    k: fc.integer({ min: 0, max: CLASSES - 1 }),
  });

  it("is partitioned: every symbol has an integer, and each integer its symbol", () => {
    const t = bellTables();
    fc.assert(
      fc.property(query, ({ count, center, k }) => {
        let previous = 0;
        let wrong = 0;
        for (let q = 0; q < count; q++) {
          const low = boundOf(t, count, center, k, q);
          const high = boundOf(t, count, center, k, q + 1);
          if (low !== previous || high <= low) wrong++;
          for (const slot of [low, (low + high) >> 1, high - 1]) {
            if (symbolAt(t, count, center, k, slot) !== q) wrong++;
          }
          previous = high;
        }
        expect([wrong, previous]).toEqual([0, PROBABILITY_ONE]);
      }),
      { seed: PROPERTY_SEED, numRuns: 150 },
    );
  });
});

const DIGESTS = ["99fd4957", "b24f0416", "e33ad3f2", "0b588b30", "f419b6dd"];
