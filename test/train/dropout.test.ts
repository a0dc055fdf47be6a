import { describe, expect, it } from "vitest";
import { fillDropoutMask } from "../../shared/train/dropout.ts";

const AT = { step: 3, microBatch: 1, training: true };

function mask(
  dropout: number,
  seed = 5,
  at = AT,
  name = "dropout:layers.0.q_proj",
  size = 20_000,
): Float32Array {
  const array = new Float32Array(size).fill(-1);
  fillDropoutMask(array, dropout, seed, at, name);
  return array;
}

describe("a dropout mask", () => {
  it.each([0.1, 0.5, 0.9])("drops a share of %f and scales the rest so that the mean stays 1", (dropout) => {
    const drawn = mask(dropout);
    const kept = Math.fround(1 / (1 - dropout));
    expect(new Set(drawn)).toEqual(new Set([0, kept]));
    const share = drawn.filter((x) => x === 0).length / drawn.length;
    // Five standard deviations of a binomial share.
    const spread = 5 * Math.sqrt((dropout * (1 - dropout)) / drawn.length);
    expect(Math.abs(share - dropout)).toBeLessThan(spread);
    const mean = drawn.reduce((a, b) => a + b, 0) / drawn.length;
    expect(Math.abs(mean - 1)).toBeLessThan(spread / (1 - dropout));
  });

  it("drops nothing at 0", () => {
    expect(mask(0).every((x) => x === 1)).toBe(true);
  });

  it("is the same for the same seed, position and name", () => {
    expect(mask(0.3)).toEqual(mask(0.3));
  });

  it.each([
    ["seed", mask(0.5, 6)],
    ["step", mask(0.5, 5, { ...AT, step: 4 })],
    ["micro-batch", mask(0.5, 5, { ...AT, microBatch: 2 })],
    ["name", mask(0.5, 5, AT, "dropout:layers.0.k_proj")],
  ])("is another, unrelated one for another %s", (_, other) => {
    const own = mask(0.5);
    const agree = own.filter((x, i) => x === other[i]).length / own.length;
    expect(Math.abs(agree - 0.5)).toBeLessThan(0.02);
  });

  it("of a longer tensor begins with that of a shorter one", () => {
    expect(mask(0.3, 5, AT, "x", 100)).toEqual(mask(0.3, 5, AT, "x", 1000).subarray(0, 100));
  });
});
