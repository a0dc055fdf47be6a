import { describe, expect, it } from "vitest";
import { learningRateAt, scheduleSchema } from "../../shared/train/schedule.ts";

describe("the learning rate", () => {
  it("climbs in equal steps to its peak over the warm-up, never being zero", () => {
    const schedule = scheduleSchema.parse({ learningRate: 0.4, warmupSteps: 4 });
    const rates = [0, 1, 2, 3, 4].map((step) => learningRateAt(schedule, step, 100));
    [0.1, 0.2, 0.3, 0.4, 0.4].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 12);
    });
  });

  it("falls along half a cosine to its final fraction at the last step", () => {
    const schedule = scheduleSchema.parse({ learningRate: 1, decay: "cosine", finalFraction: 0.2 });
    const at = (step: number): number => learningRateAt(schedule, step, 101);
    expect(at(0)).toBe(1);
    expect(at(25)).toBeCloseTo(0.2 + 0.8 * (0.5 + Math.SQRT1_2 / 2), 12);
    expect(at(50)).toBeCloseTo(0.6, 12);
    expect(at(100)).toBeCloseTo(0.2, 12);
  });

  it("falls along a line to its final fraction", () => {
    const schedule = scheduleSchema.parse({ learningRate: 2, decay: "linear", finalFraction: 0 });
    expect([0, 1, 2, 3, 4].map((step) => learningRateAt(schedule, step, 5))).toEqual([2, 1.5, 1, 0.5, 0]);
  });

  it("stays at its peak when it is constant", () => {
    const schedule = scheduleSchema.parse({ learningRate: 0.3, decay: "constant", warmupSteps: 1 });
    expect([0, 1, 50, 500].map((step) => learningRateAt(schedule, step, 100))).toEqual([0.3, 0.3, 0.3, 0.3]);
  });

  it("stays at the final rate beyond the end", () => {
    const schedule = scheduleSchema.parse({ learningRate: 1, finalFraction: 0.1 });
    expect(learningRateAt(schedule, 1000, 10)).toBeCloseTo(0.1, 12);
  });

  it("never rises after the warm-up and never leaves its bounds", () => {
    for (const decay of ["linear", "cosine"] as const) {
      const schedule = scheduleSchema.parse({ learningRate: 1, decay, warmupSteps: 7, finalFraction: 0.05 });
      let last = 1;
      for (let step = 7; step < 60; step++) {
        const rate = learningRateAt(schedule, step, 50);
        expect(rate).toBeLessThanOrEqual(last);
        expect(rate).toBeGreaterThanOrEqual(0.05);
        last = rate;
      }
    }
  });

  it("is finite in a run of a single step, or one that is all warm-up", () => {
    const schedule = scheduleSchema.parse({ learningRate: 1, warmupSteps: 0 });
    expect(learningRateAt(schedule, 0, 1)).toBe(1);
    expect(learningRateAt({ ...schedule, warmupSteps: 5 }, 4, 5)).toBe(1);
    expect(learningRateAt({ ...schedule, warmupSteps: 5 }, 5, 5)).toBe(1);
  });
});
