/** Spikes and divergence of training losses, on courses made by hand. */
import { describe, expect, it } from "vitest";
import { hasDiverged, median, spikesOf } from "../../experiments/statistics/spikes.ts";

/** Falls slowly and trembles by 0.01: 40 steps. */
const calm = Array.from({ length: 40 }, (_, i) => 3 - 0.001 * i + (i % 2 === 0 ? 0.01 : -0.01));

const withAt = (place: number, loss: number) => calm.map((value, i) => (i === place ? loss : value));

describe("spikes of a loss", () => {
  it("are none in a course that only trembles, falls or jumps down", () => {
    expect(spikesOf(calm)).toEqual([]);
    expect(spikesOf(withAt(30, 1))).toEqual([]);
  });

  it("are steps far above those just before, and do not hide the next one", () => {
    expect(spikesOf(withAt(20, 3.2))).toEqual([20]);
    expect(spikesOf(withAt(20, 3.2).map((loss, i) => (i === 21 ? 3.3 : loss)))).toEqual([20, 21]);
  });

  it("begin at more than four deviations, by the median's measure", () => {
    // Of 1 to 8: the median is 4.5 and the median absolute deviation 2, so 2.9652 a deviation.
    const before = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(spikesOf([...before, 4.5 + 4 * 2.9652 - 0.001])).toEqual([]);
    expect(spikesOf([...before, 4.5 + 4 * 2.9652 + 0.001])).toEqual([8]);
  });

  it("are not looked for before there are eight steps to compare with", () => {
    expect(spikesOf(withAt(7, 9))).toEqual([]);
    expect(spikesOf(withAt(8, 9))).toEqual([8]);
  });

  it("do not count what is no number", () => {
    expect(spikesOf(withAt(20, Number.NaN))).toEqual([]);
  });
});

describe("a run has diverged", () => {
  it("when a loss is no number, or when it ends worse than it began", () => {
    expect(hasDiverged(calm)).toBe(false);
    expect(hasDiverged(withAt(20, Number.NaN))).toBe(true);
    expect(hasDiverged(withAt(20, 99))).toBe(false);
    expect(hasDiverged(calm.toReversed())).toBe(true);
    expect(hasDiverged([1])).toBe(false);
  });
});

describe("the median", () => {
  it("is the middle, or the mean of the two in the middle", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
  });
});
