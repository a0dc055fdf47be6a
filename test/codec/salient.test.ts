/** Channels that matter far more than the others are found, kept at the greatest width, and paid for in the budget. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorTable } from "../../shared/codec/allocators/error-model.ts";
import { ALLOCATOR_NAMES, createAllocator } from "../../shared/codec/allocators/registry.ts";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianTensor, PROPERTY_SEED } from "./helpers.ts";

const CHANNELS = 64;
const TOKENS = 64;

interface Run {
  readonly settings: string;
  /** Standard deviation of a channel's values in a step. */
  readonly scaleOf: (channel: number, step: number) => number;
  readonly gradientOf?: (channel: number) => number;
  readonly steps?: number;
  readonly tokens?: number;
}

/** The widths after each step, and of the last steps the mean of the payload's bits. */
function run({ settings, scaleOf, gradientOf = () => 1, steps = 24, tokens = TOKENS }: Run) {
  const spec = parseCodecSpec(settings);
  const encoder = createEncoder(spec, { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 });
  const widths: Uint8Array[] = [];
  let bits = 0;
  for (let step = 0; step < steps; step++) {
    const x = gaussianTensor(step, tokens, CHANNELS, (c) => scaleOf(c, step));
    const { payload, reconstruction } = encoder.encode(x, tokens, { step, microBatch: 0 });
    if (step >= steps - 4) bits += (8 * payload.length) / x.length / 4;
    const gradient = gaussianTensor(step + 1000, tokens, CHANNELS, gradientOf);
    encoder.observe(x, reconstruction, gradient, tokens);
    encoder.endStep(step);
    widths.push(encoder.widths());
  }
  return { widths, bits, last: widths.at(-1)!, encoder };
}

/** Weights of channels, which of them are kept, and how much of the room that this leaves is in the budget. */
const problem = fc.record({
  channels: fc.array(
    fc.record({
      weight: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      kept: fc.boolean(),
      width: fc.integer({ min: 2, max: 8 }),
    }),
    { minLength: 2, maxLength: 40 },
  ),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  hysteresis: fc.constantFrom(0, 0.5),
});

const wideOf = (widths: Uint8Array) => [...widths.keys()].filter((c) => widths[c] === 8);

describe("salient channels", () => {
  it.each(ALLOCATOR_NAMES)("leave %s the rest of the total, to the bit, whatever it has learned", (name) => {
    fc.assert(
      fc.property(problem, ({ channels, share, hysteresis }) => {
        const count = channels.length;
        // One channel at least must be free for a mean of the others to exist.
        const kept = Uint8Array.from(channels, (channel, c) => (channel.kept && c > 0 ? 1 : 0));
        const allocator = createAllocator(name, {
          channels: count,
          minBits: 2,
          maxBits: 8,
          hysteresis,
          errorAt: errorTable("optimal"),
          averaging: 0.9,
          alpha: 2.5,
          gateLearningRate: 0.02,
          freeze: 1,
          entropyCoded: false,
          kept,
        });
        const least = kept.reduce((sum, one) => sum + (one === 1 ? 8 : 2), 0);
        const total = least + Math.floor(share * (8 * count - least));
        let widths = Uint8Array.from(channels, ({ width }) => width);
        for (let step = 0; step < 4; step++) {
          const distortion = Float64Array.from(channels, ({ weight }, c) => weight * 4 ** -widths[c]!);
          const sums = { distortion, products: undefined, gradientEnergy: undefined, tokens: 1 };
          allocator.endStep(step === 2 ? undefined : sums, widths, total / count);
          widths = Uint8Array.from(allocator.allocate(total, widths));
          expect(widths.reduce((sum, width) => sum + width, 0)).toBe(total);
          expect(widths.every((width, c) => width >= (kept[c] === 1 ? 8 : 2) && width <= 8)).toBe(true);
        }
      }),
      { seed: PROPERTY_SEED, numRuns: 50 },
    );
  });

  it.each(ALLOCATOR_NAMES)("have the greatest width under %s, and the mean is the budget", (allocator) => {
    const { last, bits } = run({
      settings: `amaq:3-3@0,salient=auto,allocator=${allocator}`,
      scaleOf: (c) => (c === 5 || c === 40 ? 20 : 1),
    });
    expect(wideOf(last)).toEqual([5, 40]);
    expect(bits).toBeCloseTo(3, 10);
  });

  it("keep coded bits on the budget where steps are set", () => {
    const { last, bits } = run({
      settings: "amaq:3-3@0,salient=auto,allocator=gate-rate,entropy=rans",
      scaleOf: (c) => (c === 5 || c === 40 ? 20 : 1),
      steps: 40,
    });
    expect(wideOf(last)).toEqual([5, 40]);
    expect(Math.abs(bits - 3)).toBeLessThan(0.05);
  });

  it("are those whose gradient is large, too", () => {
    const { last } = run({
      settings: "amaq:3-3@0,salient=auto,allocator=uniform",
      scaleOf: () => 1,
      gradientOf: (c) => (c === 9 ? 20 : 1),
    });
    expect(wideOf(last)).toEqual([9]);
  });

  it("are none where channels are alike, nor unless they are asked for", () => {
    const alike = run({ settings: "amaq:3-3@0,salient=auto,allocator=uniform", scaleOf: (c) => 1 + (c % 4) });
    expect(wideOf(alike.last)).toEqual([]);
    const unasked = run({
      settings: "amaq:3-3@0,allocator=uniform",
      scaleOf: (c) => (c === 5 ? 20 : 1),
    });
    expect(wideOf(unasked.last)).toEqual([]);
  });

  it("stay through what would not make them salient, and no longer than down to a third of the size", () => {
    // Eight times the others' size is the threshold, 2.8 times where one is salient already.
    const scaleAfter = (later: number) =>
      run({
        settings: "amaq:3-3@0,salient=auto,allocator=uniform,averaging=0,dwell=1",
        scaleOf: (c, step) => (c === 7 ? (step < 4 ? 16 : later) : 1),
        steps: 16,
        tokens: 512,
      });
    expect(
      scaleAfter(6)
        .widths.slice(4)
        .every((widths) => widths[7] === 8),
    ).toBe(true);
    expect(wideOf(scaleAfter(2).last)).toEqual([]);
    const never = run({
      settings: "amaq:3-3@0,salient=auto,allocator=uniform,averaging=0,dwell=1",
      scaleOf: (c) => (c === 7 ? 6 : 1),
      steps: 16,
      tokens: 512,
    });
    expect(never.widths.every((widths) => wideOf(widths).length === 0)).toBe(true);
  });

  it("are at most one in 16, the weightiest, and take at most half of what the budget leaves above minBits", () => {
    const scaleOf = (c: number) => (c < 6 ? 1000 * 2 ** -c : 1);
    const settings = "salient=auto,allocator=uniform";
    expect(wideOf(run({ settings: `amaq:3-3@0,${settings}`, scaleOf }).last)).toEqual([0, 1, 2, 3]);
    // 64 channels of 2.3 bits: 147 bits, 19 above 2 each; half of them widen one channel from 2 to 8.
    const scarce = run({ settings: `amaq:2.3-2.3@0,${settings}`, scaleOf });
    expect(wideOf(scarce.last).length).toBe(1);
    expect(scarce.last.reduce((sum, width) => sum + width, 0)).toBe(147);
    expect(wideOf(run({ settings: `amaq:2-2@0,${settings}`, scaleOf }).last)).toEqual([]);
  });

  it("are given up as the budget falls", () => {
    const scaleOf = (c: number) => (c < 4 ? 100 : 1);
    const { widths } = run({ settings: "amaq:4-2@20,salient=auto,allocator=uniform", scaleOf, steps: 30 });
    const counts = widths.map((at) => wideOf(at).length);
    expect(Math.max(...counts)).toBe(4);
    expect(counts.at(-1)).toBe(0);
    widths.slice(20).forEach((at) => {
      expect(at.every((width) => width === 2)).toBe(true);
    });
  });

  it("are refused in a state that has other marks, or too many", () => {
    const settings = "amaq:3-3@0,salient=auto";
    const { encoder } = run({ settings, scaleOf: (c) => (c === 5 ? 20 : 1) });
    const state = encoder.save();
    const kept = state.arrays["salient.kept"] as Uint8Array;
    expect(wideOf(kept.map((one) => 8 * one))).toEqual([5]);
    const wrong = { ...state, arrays: { ...state.arrays, "salient.kept": kept.fill(2) } };
    expect(() => encoder.restore(wrong)).toThrow(NarrowbandError);
    kept.fill(1);
    expect(() => encoder.restore(wrong)).toThrow(NarrowbandError);
    expect(wideOf(encoder.save().arrays["salient.kept"]!.map((one) => 8 * one) as Uint8Array)).toEqual([5]);
  });
});
