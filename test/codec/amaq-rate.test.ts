/** With `gate-rate` behind the entropy stage, the bits that are really sent meet the budget, and buy less error. */

import { describe, expect, it } from "vitest";
import { budgetAt } from "../../shared/codec/budget.ts";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import {
  CHANNEL_KINDS,
  gaussianSource,
  gaussianTensor,
  relativeError,
  sameBits,
  tensorOf,
} from "./helpers.ts";

const CHANNELS = 32;
const TOKENS = 192;

/** Runs `steps` steps and returns each step's payload bits per element, and the mean error of the last ten. */
function run(text: string, steps: number) {
  const spec = parseCodecSpec(text);
  const encoder = createEncoder(spec, { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 });
  const decoder = createDecoder(spec, { channels: CHANNELS });
  const gaussian = gaussianSource(1);
  const scales = Array.from({ length: CHANNELS }, () => Math.exp(0.5 * gaussian()));
  const bits: number[] = [];
  let error = 0;
  for (let step = 0; step < steps; step++) {
    const x = gaussianTensor(step, TOKENS, CHANNELS, (c) => scales[c]!);
    const body = encoder.encode(x, TOKENS, { step, microBatch: 0 });
    const out = new Float32Array(x.length);
    decoder.decode(body, TOKENS, out);
    expect(sameBits(out, body.reconstruction)).toBe(true);
    bits.push((8 * body.payload.length) / x.length);
    if (step >= steps - 10) error += relativeError(x, out) / 10;
    encoder.observe(x, body.reconstruction, gaussianTensor(1000 + step, TOKENS, CHANNELS), TOKENS);
    encoder.endStep(step);
  }
  return { bits, error, encoder };
}

describe("gate-rate", () => {
  it("keeps payload bits within 0.05 bit of the budget, through an anneal and after it", () => {
    const text = "amaq:5-2.5@20,allocator=gate-rate,entropy=rans";
    const spec = parseCodecSpec(text);
    if (spec.codec !== "amaq") throw new Error("unreachable");
    const { bits, encoder } = run(text, 40);
    bits.slice(24).forEach((coded) => {
      expect(Math.abs(coded - 2.5)).toBeLessThan(0.05);
    });
    // While the budget falls, the controller trails it by what it falls in two steps, at most.
    bits.slice(6, 20).forEach((coded, i) => {
      expect(Math.abs(coded - budgetAt(spec, i + 6))).toBeLessThan(0.25);
    });
    expect(encoder.widths().every((width) => width >= 2)).toBe(true);
  });

  it("errs less than integer widths do at the same coded bits", () => {
    const integer = run("amaq:3-3@0,allocator=greedy,entropy=rans", 40);
    const coded = integer.bits.slice(-10).reduce((a, b) => a + b, 0) / 10;
    const rate = run(`amaq:${coded.toFixed(3)}-${coded.toFixed(3)}@0,allocator=gate-rate,entropy=rans`, 40);
    expect(Math.abs(rate.bits.slice(-10).reduce((a, b) => a + b, 0) / 10 - coded)).toBeLessThan(0.05);
    expect(rate.error).toBeLessThan(integer.error * 0.97);
  });

  it("may be given fewer coded bits than the narrowest width, which packed symbols may not", () => {
    const { bits } = run("amaq:1.6-1.6@0,allocator=gate-rate,entropy=rans", 30);
    for (const coded of bits.slice(20)) expect(Math.abs(coded - 1.6)).toBeLessThan(0.05);
    expect(() => parseCodecSpec("amaq:1.6-1.6@0,allocator=gate-rate")).toThrow("minBits");
    expect(() => parseCodecSpec("amaq:1.6-1.6@0,entropy=rans")).toThrow("minBits");
  });

  it.each(["activation", "gradient"] as const)("copes with channels of every kind, role: %s", (role) => {
    const channels = CHANNEL_KINDS.length;
    const spec = parseCodecSpec("amaq:4-2@4,allocator=gate-rate,entropy=rans");
    const encoder = createEncoder(spec, { channels, role, seed: 1, streamId: 1 });
    const decoder = createDecoder(spec, { channels });
    for (let step = 0; step < 12; step++) {
      const x = tensorOf(CHANNEL_KINDS, 40, step);
      const body = encoder.encode(x, 40, { step, microBatch: 0 });
      const out = new Float32Array(x.length);
      decoder.decode(body, 40, out);
      expect(sameBits(out, body.reconstruction)).toBe(true);
      encoder.observe(x, body.reconstruction, gaussianTensor(step, 40, channels), 40);
      encoder.endStep(step);
    }
  });

  it("without the entropy stage is a budget of widths, met to the bit", () => {
    const { encoder } = run("amaq:3-3@0,allocator=gate-rate", 40);
    expect(encoder.meanBits).toBe(3);
    expect(new Set(encoder.widths()).size).toBeGreaterThan(1);
  });
});
