/** Error feedback: what is lost now is sent later, counted from the commit of a step on, by place. */
import { describe, expect, it } from "vitest";
import { createEncoder, parseCodecSpec } from "../../../shared/codec/registry.ts";
import { gaussianTensor, sameBits } from "../helpers.ts";

const STREAM = { channels: 8, role: "gradient", seed: 1, streamId: 1 } as const;

describe.each(["topk:0.1", "binary"])("%s", (text) => {
  /** Largest distance between the mean of what was sent and x, after `steps` steps of the same x. */
  function bias(spec: string, steps: number): number {
    const encoder = createEncoder(parseCodecSpec(spec), STREAM);
    const x = gaussianTensor(4, 20, 8);
    const sum = new Float64Array(x.length);
    for (let step = 0; step < steps; step++) {
      const { reconstruction } = encoder.encode(x, 20, { step, microBatch: 0 });
      for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + reconstruction[i]! / steps;
      encoder.endStep(step);
    }
    return sum.reduce((worst, value, i) => Math.max(worst, Math.abs(value - x[i]!)), 0);
  }

  it("sends a constant tensor right on average, which it does not without feedback", () => {
    expect(bias(text, 400)).toBeLessThan(0.08);
    expect(bias(`${text},feedback=false`, 400)).toBeGreaterThan(0.5);
  });

  it("keeps the error of each micro-batch by itself, and none of a step that is not committed", () => {
    const encoder = createEncoder(parseCodecSpec(text), STREAM);
    const x = gaussianTensor(4, 20, 8);
    const other = gaussianTensor(9, 20, 8);
    const first = encoder.encode(x, 20, { step: 0, microBatch: 0 });
    encoder.encode(other, 20, { step: 0, microBatch: 1 });
    // The step is abandoned: the next one begins as if it had not been.
    const again = encoder.encode(x, 20, { step: 1, microBatch: 0 });
    expect(sameBits(again.reconstruction, first.reconstruction)).toBe(true);
    encoder.endStep(1);
    const later = encoder.encode(x, 20, { step: 2, microBatch: 0 });
    expect(sameBits(later.reconstruction, first.reconstruction)).toBe(false);
    const untouched = encoder.encode(x, 20, { step: 2, microBatch: 1 });
    expect(sameBits(untouched.reconstruction, first.reconstruction)).toBe(true);
  });

  it("bears messages of changing length", () => {
    const encoder = createEncoder(parseCodecSpec(text), STREAM);
    [20, 3, 0, 40, 20].forEach((tokens, step) => {
      const { reconstruction } = encoder.encode(gaussianTensor(step, tokens, 8), tokens, {
        step,
        microBatch: 0,
      });
      expect(reconstruction.every(Number.isFinite)).toBe(true);
      encoder.endStep(step);
    });
    expect(encoder.save().arrays["error.0"]!.length).toBe(40 * 8);
  });
});
