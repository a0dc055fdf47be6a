/** Ranges are min/max, or clipped where that lowers the squared error. */

import { describe, expect, it } from "vitest";
import { QuantizerEncoder } from "../../shared/codec/quantizer.ts";
import { type Clip, GAUSSIAN_RANGE, percentileRanges, RangeChooser } from "../../shared/codec/ranges.ts";
import { planWidths } from "../../shared/codec/widths.ts";
import { gaussianSource, gaussianTensor, heavyTailedSource, relativeError } from "./helpers.ts";

function choose(x: Float32Array, tokens: number, width: number, clip: Clip) {
  const channels = x.length / tokens;
  const chooser = new RangeChooser(channels);
  chooser.choose(x, tokens, new Uint8Array(channels).fill(width), clip, "nearest");
  return { lo: [...chooser.lo], hi: [...chooser.hi] };
}

function errorAt(x: Float32Array, tokens: number, width: number, clip: Clip): number {
  const channels = x.length / tokens;
  const encoder = new QuantizerEncoder(channels, { clip, rounding: "nearest", grid: "span" });
  const plan = planWidths(new Uint8Array(channels).fill(width));
  return relativeError(x, encoder.encode(x, tokens, plan, 0).reconstruction);
}

/** Mean squared error on a standard normal of the uniform quantizer whose outermost levels are ±k. */
function gaussianError(k: number, width: number): number {
  const top = 2 ** width - 1;
  const step = (2 * k) / top;
  const h = 1e-3;
  let error = 0;
  for (let x = h / 2; x < 8; x += h) {
    const level = Math.min(top, Math.max(0, Math.floor((x + k) / step + 0.5)));
    error += (x - (level * step - k)) ** 2 * Math.exp((-x * x) / 2) * h;
  }
  return (2 * error) / Math.sqrt(2 * Math.PI);
}

describe("ranges", () => {
  it("are the extremes without clipping", () => {
    expect(choose(Float32Array.of(1, -5, 2, 7, -3, 6), 3, 3, "none")).toEqual({ lo: [-3, -5], hi: [2, 7] });
  });

  it("start from the Gaussian optimum: no other range of Max's quantizer has less error", () => {
    for (let width = 2; width <= 8; width++) {
      const k = GAUSSIAN_RANGE[width]!;
      const best = gaussianError(k, width);
      expect(best).toBeLessThan(gaussianError(k * 1.02, width));
      expect(best).toBeLessThan(gaussianError(k * 0.98, width));
    }
    // Max's table II lists the error of the optimum: 0.1188, 0.03744, 0.01154 for 4, 8 and 16 levels.
    expect(gaussianError(GAUSSIAN_RANGE[2]!, 2)).toBeCloseTo(0.1188, 3);
    expect(gaussianError(GAUSSIAN_RANGE[3]!, 3)).toBeCloseTo(0.03744, 4);
    expect(gaussianError(GAUSSIAN_RANGE[4]!, 4)).toBeCloseTo(0.01154, 4);
  });

  it("reach Max's error on Gaussian data, where min/max has twice that at 3 bits", () => {
    const x = gaussianTensor(1, 1024, 16);
    expect(errorAt(x, 1024, 3, "optimal")).toBeLessThan(0.0395);
    expect(errorAt(x, 1024, 3, "none")).toBeGreaterThan(0.065);
    expect(errorAt(x, 1024, 2, "optimal")).toBeLessThan(0.125);
    expect(errorAt(x, 1024, 2, "none")).toBeGreaterThan(0.35);
  });

  it("widen for heavy tails: clipping never costs more than min/max does, at any width", () => {
    const heavy = heavyTailedSource(2);
    const x = Float32Array.from({ length: 1024 * 16 }, heavy);
    for (let width = 2; width <= 8; width++) {
      expect(errorAt(x, 1024, width, "optimal")).toBeLessThanOrEqual(errorAt(x, 1024, width, "none") * 1.01);
    }
    expect(errorAt(x, 1024, 3, "optimal")).toBeLessThan(errorAt(x, 1024, 3, "none") / 2);
  });

  it("stay within the extremes, and hold a constant exactly", () => {
    const gaussian = gaussianSource(5);
    const x = Float32Array.from({ length: 64 * 3 }, (_, i) =>
      i % 3 === 1 ? 0.1 : i % 3 === 2 ? 1e6 + gaussian() : gaussian(),
    );
    const wide = choose(x, 64, 2, "none");
    const clipped = choose(x, 64, 2, "optimal");
    for (let c = 0; c < 3; c++) {
      expect(clipped.lo[c]).toBeGreaterThanOrEqual(wide.lo[c]!);
      expect(clipped.hi[c]).toBeLessThanOrEqual(wide.hi[c]!);
      expect(clipped.lo[c]).toBeLessThanOrEqual(clipped.hi[c]!);
    }
    expect(clipped.lo[1]).toBe(Math.fround(0.1));
    expect(clipped.hi[1]).toBe(Math.fround(0.1));
    expect(clipped.hi[0]! - clipped.lo[0]!).toBeLessThan(wide.hi[0]! - wide.lo[0]!);
  });

  it("leave out as many values at each end as the percentile says", () => {
    const x = Float32Array.from({ length: 200 * 2 }, (_, i) => (i % 2 === 0 ? i / 2 : -i));
    const lo = new Float64Array(2);
    const hi = new Float64Array(2);
    percentileRanges(x, 200, 99, lo, hi);
    expect([...lo]).toEqual([1, -397]);
    expect([...hi]).toEqual([198, -3]);
    percentileRanges(x, 200, 100, lo, hi);
    expect([...lo, ...hi]).toEqual([0, -399, 199, -1]);
  });
});
