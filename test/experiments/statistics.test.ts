/** Intervals and curves give what a textbook gives. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstReach, meanGap, valueAt } from "../../experiments/statistics/curves.ts";
import { estimate, pairedDifference } from "../../experiments/statistics/intervals.ts";

describe("an estimate", () => {
  it("has Student's interval: 2.776 standard errors either side for five values", () => {
    const { mean, sd, ci95, n } = estimate([1, 2, 3, 4, 5]);
    expect([n, mean]).toEqual([5, 3]);
    expect(sd).toBeCloseTo(Math.sqrt(2.5), 12);
    expect(ci95![0]).toBeCloseTo(3 - (2.776445 * sd) / Math.sqrt(5), 5);
    expect(ci95![1]).toBeCloseTo(3 + (2.776445 * sd) / Math.sqrt(5), 5);
  });

  it("says nothing of the scatter of a single value", () => {
    expect(estimate([7])).toEqual({ n: 1, mean: 7, sd: 0, ci95: undefined });
  });
});

describe("a paired difference", () => {
  it("cancels what seeds have in common", () => {
    const a = new Map([
      [0, 10.1],
      [1, 20.1],
      [2, 30.1],
    ]);
    const b = new Map([
      [2, 30],
      [0, 10],
      [1, 20],
      [9, 1_000],
    ]);
    const difference = pairedDifference(a, b)!;
    expect(difference.n).toBe(3);
    expect(difference.mean).toBeCloseTo(0.1, 10);
    expect(difference.ci95![0]).toBeGreaterThan(0.099);
  });

  it("is nothing without a common seed", () => {
    expect(pairedDifference(new Map([[0, 1]]), new Map([[1, 1]]))).toBeUndefined();
  });
});

describe("a curve", () => {
  const curve = [
    [10, 4],
    [20, 2],
    [40, 1],
  ] as const;

  it("is read between its points, and not outside of them", () => {
    expect([valueAt(curve, 10), valueAt(curve, 15), valueAt(curve, 30), valueAt(curve, 40)]).toEqual([
      4, 3, 1.5, 1,
    ]);
    expect([valueAt(curve, 9), valueAt(curve, 41)]).toEqual([undefined, undefined]);
  });

  it("reaches a target where it first crosses it", () => {
    expect(firstReach(curve, 3, false)).toBe(15);
    expect(firstReach(curve, 5, false)).toBe(10);
    expect(firstReach(curve, 0.5, false)).toBeUndefined();
    expect(firstReach(curve, 3, true)).toBe(10);
  });

  it("lies above another by the mean of their distance", () => {
    expect(
      meanGap(
        [
          [0, 1],
          [10, 1],
        ],
        [
          [5, 0],
          [10, 1],
          [20, 9],
        ],
      ),
    ).toBeCloseTo(0.5, 12);
    expect(meanGap(curve, [[50, 1]])).toBeUndefined();
  });

  it("differs from a shifted copy of itself by the shift", () => {
    const points = fc
      .uniqueArray(fc.integer({ min: 0, max: 1_000 }), { minLength: 2, maxLength: 8 })
      .chain((xs) =>
        fc.tuple(
          fc.constant(xs.sort((a, b) => a - b)),
          fc.array(fc.double({ min: -10, max: 10, noNaN: true }), {
            minLength: xs.length,
            maxLength: xs.length,
          }),
        ),
      );
    fc.assert(
      fc.property(points, fc.double({ min: -5, max: 5, noNaN: true }), ([xs, ys], shift) => {
        const a = xs.map((x, i) => [x, ys[i] + shift] as const);
        const b = xs.map((x, i) => [x, ys[i]] as const);
        expect(meanGap(a, b)).toBeCloseTo(shift, 8);
      }),
      { seed: 5, numRuns: 100 },
    );
  });
});
