/** Sums of gradients with and without measures against clients that mean harm. */
import { describe, expect, it } from "vitest";
import { GradientSum } from "../../shared/protocol/gradient-sum.ts";
import {
  addMembers,
  DEFAULT_MAX_CLIENT_NORM,
  type MemberGradients,
  PLAIN_AGGREGATION,
  refuseAbsurdNorm,
} from "../../shared/protocol/robust-sum.ts";
import { TinyTrunk } from "../server/tiny-segments.ts";

/** A member whose summed gradient is `values`. */
function member(values: readonly number[], supervisedTokens: number): MemberGradients {
  const sum = new GradientSum();
  const trunk = new TinyTrunk(values.length);
  trunk.gradient.set(values);
  sum.take(trunk, supervisedTokens);
  return { sum, supervisedTokens };
}

function total(members: readonly MemberGradients[], robust = {}): number[] {
  const trunk = new TinyTrunk(2);
  addMembers(members, trunk, { ...PLAIN_AGGREGATION, ...robust });
  return [...trunk.gradient];
}

describe("a sum of clients' gradients", () => {
  it("is the plain one, in their order, when nothing is asked for", () => {
    const values = [0.1, 0.2, 0.3, 1e-9];
    const plain = values.reduce((sum, value) => Math.fround(sum + Math.fround(value)), 0);
    expect(total(values.map((value) => member([value, 0], 1)))).toEqual([plain, 0]);
  });

  it("scales a client's mean gradient down to a norm, and leaves smaller ones as they are", () => {
    // Means (3, 4) of norm 5, and (0.5, 0) of norm 0.5.
    const members = [member([30, 40], 10), member([2, 0], 4)];
    const [x, y] = total(members, { clientClipNorm: 1 });
    expect(x).toBeCloseTo(0.6 * 10 + 2, 5);
    expect(y).toBeCloseTo(0.8 * 10, 5);
  });

  it("gives no weight to a gradient of no tokens when it clips", () => {
    expect(total([member([5, 5], 0), member([1, 0], 2)], { clientClipNorm: 10 })).toEqual([1, 0]);
  });

  it("leaves out the extremes of every coordinate, and counts as if all were like the rest", () => {
    const members = [
      member([1, 9], 1),
      member([2, 8], 1),
      member([3, 7], 1),
      member([1e6, 6], 1),
      member([-1e6, 5], 1),
    ];
    // (1 + 2 + 3) / 3 and (8 + 7 + 6) / 3, times 5 tokens.
    expect(total(members, { trim: 0.2 })).toEqual([10, 35]);
  });

  it("weighs what is left by its tokens", () => {
    const members = [member([0, 0], 1), member([2, 0], 2), member([12, 0], 3), member([100, 0], 1)];
    // Means 0, 1, 4, 100; the middle two weigh 2 and 3: (2 + 12) / 5, times 7 tokens.
    expect(total(members, { trim: 0.25 })[0]).toBeCloseTo((14 / 5) * 7, 5);
  });

  it("trims nothing while there are too few clients for the share", () => {
    expect(total([member([1, 0], 1), member([5, 0], 1)], { trim: 0.3 })).toEqual([6, 0]);
  });

  it("withstands as many bad clients as are trimmed", () => {
    const honest = Array.from({ length: 8 }, (_, i) => member([1 + i / 100, -1], 10));
    const bad = [member([1e9, 1e9], 10), member([-1e9, 1e9], 10)];
    const [x, y] = total([...honest, ...bad], { trim: 0.2 });
    // 100 tokens of means between 0.1 and 0.107.
    expect(x).toBeGreaterThanOrEqual(10);
    expect(x).toBeLessThanOrEqual(10.7);
    expect(y).toBeCloseTo(-10, 5);
  });
});

describe("a gradient's norm", () => {
  const limit = { ...PLAIN_AGGREGATION };

  it("is refused above the limit per token, and not below", () => {
    const at = (norm: number, tokens: number) => () => refuseAbsurdNorm(member([norm, 0], tokens).sum, limit);
    expect(at(DEFAULT_MAX_CLIENT_NORM * 3.9, 4)).not.toThrow();
    expect(at(DEFAULT_MAX_CLIENT_NORM * 4.1, 4)).toThrowError(
      expect.objectContaining({ code: "NB_GRADIENT_REFUSED" }),
    );
    expect(() => refuseAbsurdNorm(member([1e30, 0], 1).sum, { ...limit, maxClientNorm: 0 })).not.toThrow();
  });

  it("is refused when adding up made it infinite, whatever the limit", () => {
    const { sum } = member([3e38, 0], 1);
    const trunk = new TinyTrunk(2);
    trunk.gradient.set([3e38, 0]);
    sum.take(trunk, 1);
    expect(() => refuseAbsurdNorm(sum, { ...limit, maxClientNorm: 0 })).toThrowError(
      expect.objectContaining({ code: "NB_GRADIENT_REFUSED" }),
    );
  });
});
