import { describe, expect, it } from "vitest";
import { AdamW, adamwSchema, globalNorm } from "../../shared/train/adamw.ts";

import { relativeDifference } from "../tensors.ts";

const config = adamwSchema.parse({ weightDecay: 0, clipNorm: 0 });
const one = (data: Float32Array) => new Map([["w", data]]);

describe("AdamW", () => {
  it("takes the two steps that the paper's formulas give", () => {
    // Written out for one weight: beta1 0.9, beta2 0.999, epsilon 1e-8, rate 0.1, decay 0.01, gradients 0.5 and −0.25.
    const w = Float32Array.of(2);
    const adamw = new AdamW(one(w), { ...config, weightDecay: 0.01 });
    let expected = 2;
    let [m, v] = [0, 0];
    [0.5, -0.25].forEach((g, step) => {
      adamw.step(one(Float32Array.of(g)), step, 0.1);
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const update = m / (1 - 0.9 ** (step + 1)) / (Math.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-8);
      expected = expected * (1 - 0.1 * 0.01) - 0.1 * update;
      expect(w[0]).toBeCloseTo(expected, 6);
    });
  });

  it.each([1, 3, 4, 5, 8191, 8192, 8193, 20_001])("updates %i weights each by its own numbers", (size) => {
    const draw = (seed: number): Float32Array =>
      Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.7 * i));
    const [w, other] = [draw(1), Float32Array.of(7, 7, 7)];
    const parameters = new Map([
      ["w", w],
      ["other", other],
    ]);
    const adamw = new AdamW(parameters, { ...config, weightDecay: 0.1, clipNorm: 0.5 });
    const expected = { w: Float64Array.from(w), m: new Float64Array(size), v: new Float64Array(size) };
    for (let step = 0; step < 3; step++) {
      const g = draw(step + 2);
      const norm = adamw.step(new Map([...one(g), ["other", new Float32Array(3)]]), step, 0.01, 0.25);
      expect(norm).toBeCloseTo(0.25 * Math.hypot(...g), 5);
      const factor = 0.25 * Math.min(1, 0.5 / norm);
      for (let i = 0; i < size; i++) {
        expected.m[i] = 0.9 * expected.m[i] + 0.1 * factor * g[i];
        expected.v[i] = 0.999 * expected.v[i] + 0.001 * (factor * g[i]) ** 2;
        const mhat = expected.m[i] / (1 - 0.9 ** (step + 1));
        const vhat = expected.v[i] / (1 - 0.999 ** (step + 1));
        expected.w[i] = expected.w[i] * (1 - 0.001) - (0.01 * mhat) / (Math.sqrt(vhat) + 1e-8);
      }
    }
    expect(relativeDifference(w, expected.w)).toBeLessThan(1e-5);
    expect(relativeDifference(adamw.state().get("m:w") ?? [], expected.m)).toBeLessThan(1e-6);
    expect(relativeDifference(adamw.state().get("v:w") ?? [], expected.v)).toBeLessThan(1e-6);
    const decayed = 7 * (1 - 0.001) ** 3;
    for (const x of other) expect(x).toBeCloseTo(decayed, 5);
  });

  it("moves a weight by the learning rate at first, however large the gradient", () => {
    for (const g of [1e-3, 1, 1e3]) {
      const w = Float32Array.of(0);
      new AdamW(one(w), config).step(one(Float32Array.of(g)), 0, 0.01);
      expect(w[0]).toBeCloseTo(-0.01, 6);
    }
  });

  it("scales gradients first, then clips by the norm over all parameters, and returns the norm before clipping", () => {
    const [a, b] = [Float32Array.of(0, 0), Float32Array.of(0)];
    const parameters = new Map([
      ["a", a],
      ["b", b],
    ]);
    const gradients = new Map([
      ["a", Float32Array.of(3, 0)],
      ["b", Float32Array.of(4)],
    ]);
    const clipping = new AdamW(parameters, { ...config, clipNorm: 1 });
    expect(clipping.step(gradients, 0, 0.01, 2)).toBeCloseTo(10, 6);
    // The first moments are (1 − beta1) · gradient · 2 · (1 / 10).
    const state = clipping.state();
    expect(state.get("m:a")?.[0]).toBeCloseTo(0.06, 6);
    expect(state.get("m:b")?.[0]).toBeCloseTo(0.08, 6);
    const free = new AdamW(parameters, { ...config, clipNorm: 20 });
    free.step(gradients, 0, 0.01, 2);
    expect(free.state().get("m:b")?.[0]).toBeCloseTo(0.8, 6);
  });

  it("decays only the parameters that it is told to", () => {
    const parameters = new Map([
      ["weight", Float32Array.of(1)],
      ["norm", Float32Array.of(1)],
    ]);
    const adamw = new AdamW(parameters, { ...config, weightDecay: 0.5 }, (name) => name === "weight");
    const zero = new Map([...parameters.keys()].map((name) => [name, Float32Array.of(0)]));
    adamw.step(zero, 0, 0.1);
    expect(parameters.get("weight")?.[0]).toBeCloseTo(0.95, 6);
    expect(parameters.get("norm")?.[0]).toBe(1);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("changes nothing when a gradient is %s", (bad) => {
    const w = Float32Array.of(1, 2);
    const adamw = new AdamW(one(w), config);
    adamw.step(one(Float32Array.of(1, 1)), 0, 0.1);
    const before = {
      w: w.slice(),
      m: adamw.state().get("m:w")?.slice(),
      v: adamw.state().get("v:w")?.slice(),
    };
    expect(Number.isFinite(adamw.step(one(Float32Array.of(1, bad)), 1, 0.1))).toBe(false);
    expect({ w, m: adamw.state().get("m:w"), v: adamw.state().get("v:w") }).toEqual(before);
  });

  it("goes on bit for bit from a state that was saved and restored", () => {
    const [w1, w2] = [Float32Array.of(1, -1), Float32Array.of(1, -1)];
    const [first, second] = [new AdamW(one(w1), config), new AdamW(one(w2), config)];
    for (let step = 0; step < 3; step++) first.step(one(Float32Array.of(0.3, step)), step, 0.1);
    second.restore(new Map([...first.state()].map(([name, data]) => [name, data.slice()])));
    w2.set(w1);
    for (const adamw of [first, second]) adamw.step(one(Float32Array.of(0.1, 0.2)), 3, 0.1);
    expect(w2).toEqual(w1);
    expect(second.state()).toEqual(first.state());
  });

  it("refuses a state of another parameter or size, and keeps its own", () => {
    const adamw = new AdamW(one(Float32Array.of(1, 2)), config);
    adamw.step(one(Float32Array.of(1, 1)), 0, 0.1);
    const before = new Map([...adamw.state()].map(([name, data]) => [name, data.slice()]));
    const mismatch = expect.objectContaining({ code: "NB_CHECKPOINT_MISMATCH" });
    expect(() => adamw.restore(new Map())).toThrow(mismatch);
    const wrong = new Map([
      ["m:w", Float32Array.of(9, 9)],
      ["v:w", Float32Array.of(9)],
    ]);
    expect(() => adamw.restore(wrong)).toThrow(mismatch);
    expect(adamw.state()).toEqual(before);
  });
});

describe("gradients in arrays of the optimizer's own", () => {
  it.each([1, 5, 8191, 8193, 20_001])("of %i weights give what others give", (size) => {
    const draw = (seed: number): Float32Array =>
      Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.7 * i));
    const [w, v] = [draw(1), draw(1)];
    const clipping = { ...config, clipNorm: 0.5 };
    const [apart, inside] = [new AdamW(one(w), clipping), new AdamW(one(v), clipping)];
    const [own, second] = [inside.gradientArray(size), inside.gradientArray(size)];
    for (let step = 0; step < 2; step++) {
      own.set(draw(step + 2));
      second.fill(9);
      const norm = apart.step(one(draw(step + 2)), step, 0.01);
      expect(inside.step(one(own), step, 0.01) / norm).toBeCloseTo(1, 12);
    }
    expect(relativeDifference(v, w)).toBeLessThan(1e-7);
    expect([...own.subarray(0, 3)]).toEqual([...draw(3).subarray(0, 3)]);
    expect(second.every((x) => x === 9)).toBe(true);
  });
});

describe("an optimizer", () => {
  it("refuses a gradient that is missing or of another size, and changes nothing", () => {
    const w = Float32Array.of(1, 2);
    const adamw = new AdamW(one(w), config);
    const internal = expect.objectContaining({ code: "NB_INTERNAL" });
    expect(() => adamw.step(new Map(), 0, 0.1)).toThrow(internal);
    expect(() => adamw.step(one(Float32Array.of(1)), 0, 0.1)).toThrow(internal);
    expect([...w]).toEqual([1, 2]);
  });

  it("refuses more weights than it can hold", () => {
    const huge = { length: 2 ** 28 } as Float32Array;
    expect(() => new AdamW(one(huge), config)).toThrow(
      expect.objectContaining({ code: "NB_MODEL_UNSUPPORTED" }),
    );
  });
});

describe("globalNorm", () => {
  it("is Euclid's over all arrays", () => {
    expect(globalNorm([Float32Array.of(1, 2), Float32Array.of(2, 4)])).toBe(5);
    expect(globalNorm([])).toBe(0);
  });

  it("does not overflow where the square of an f32 does", () => {
    expect(globalNorm([Float32Array.of(3e30, 4e30)]) / 5e30).toBeCloseTo(1, 6);
  });
});
