/**
 * AdamW (Loshchilov and Hutter, 2019, "Decoupled Weight Decay Regularization"), with clipping of the gradient's
 * global norm (Pascanu et al., 2013). Arithmetic in f64 over f32 storage, so results do not depend on an engine.
 */
import { z } from "zod";
import { fail } from "../errors.ts";

export const adamwSchema = z.strictObject({
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  weightDecay: z.number().min(0).max(1).default(0.01),
  /** Largest global norm of the gradient; 0 turns clipping off. */
  clipNorm: z.number().min(0).default(1),
});

export type AdamWConfig = z.infer<typeof adamwSchema>;

interface Moments {
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly decays: boolean;
}

/** Euclidean norm over all arrays. */
export function globalNorm(arrays: Iterable<Float32Array>): number {
  let sum = 0;
  for (const a of arrays) {
    let part = 0;
    for (let i = 0; i < a.length; i++) part += a[i] * a[i];
    sum += part;
  }
  return Math.sqrt(sum);
}

/** Keeps the moments of a fixed set of parameters, whose arrays it updates in place. */
export class AdamW {
  readonly #config: AdamWConfig;
  readonly #parameters: ReadonlyMap<string, Float32Array>;
  readonly #moments = new Map<string, Moments>();

  /** `decays(name)` says which parameters weight decay applies to; all by default. */
  constructor(
    parameters: ReadonlyMap<string, Float32Array>,
    config: AdamWConfig,
    decays: (name: string) => boolean = () => true,
  ) {
    this.#config = config;
    this.#parameters = parameters;
    for (const [name, p] of parameters) {
      const zeros = { m: new Float32Array(p.length), v: new Float32Array(p.length) };
      this.#moments.set(name, { ...zeros, decays: decays(name) });
    }
  }

  /**
   * One step of number `step` (from 0, for the bias correction) with gradients multiplied by `gradientScale` first.
   * Returns the norm of the scaled gradient before clipping; when it is not finite nothing is changed.
   */
  step(
    gradients: ReadonlyMap<string, Float32Array>,
    step: number,
    learningRate: number,
    gradientScale = 1,
  ): number {
    const { beta1, beta2, epsilon, weightDecay, clipNorm } = this.#config;
    const norm = globalNorm(gradients.values()) * gradientScale;
    if (!Number.isFinite(norm)) return norm;
    const factor = clipNorm > 0 && norm > clipNorm ? (gradientScale * clipNorm) / norm : gradientScale;
    const correction1 = 1 - beta1 ** (step + 1);
    const rootCorrection2 = Math.sqrt(1 - beta2 ** (step + 1));
    const rate = learningRate / correction1;
    const keep1 = 1 - beta1;
    const keep2 = 1 - beta2;
    for (const [name, { m, v, decays }] of this.#moments) {
      const p = this.#parameters.get(name) as Float32Array;
      const g = gradients.get(name);
      if (g === undefined || g.length !== p.length) {
        fail(
          "NB_INTERNAL",
          `the gradient of "${name}" has ${g?.length ?? "no"} elements; expected ${p.length}`,
        );
      }
      const shrink = decays ? 1 - learningRate * weightDecay : 1;
      for (let i = 0; i < p.length; i++) {
        const gi = g[i] * factor;
        const mi = beta1 * m[i] + keep1 * gi;
        const vi = beta2 * v[i] + keep2 * gi * gi;
        m[i] = mi;
        v[i] = vi;
        p[i] = p[i] * shrink - (rate * mi) / (Math.sqrt(vi) / rootCorrection2 + epsilon);
      }
    }
    return norm;
  }

  /** The moments, by "m:" or "v:" and the parameter's name. The arrays are the optimizer's own: copy to keep. */
  state(): Map<string, Float32Array> {
    const state = new Map<string, Float32Array>();
    for (const [name, { m, v }] of this.#moments) {
      state.set(`m:${name}`, m);
      state.set(`v:${name}`, v);
    }
    return state;
  }

  /** Replaces the moments. NB_CHECKPOINT_MISMATCH, and no change, when names or sizes are not these parameters'. */
  restore(state: ReadonlyMap<string, Float32Array>): void {
    for (const [name, own] of this.state()) {
      const given = state.get(name);
      if (given === undefined || given.length !== own.length) {
        const found =
          given === undefined ? "is missing" : `has ${given.length} elements instead of ${own.length}`;
        fail("NB_CHECKPOINT_MISMATCH", `optimizer state: "${name}" ${found}`);
      }
    }
    for (const [name, own] of this.state()) own.set(state.get(name) as Float32Array);
  }
}
