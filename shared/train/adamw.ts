/**
 * AdamW (Loshchilov and Hutter, 2019, "Decoupled Weight Decay Regularization"), with clipping of the gradient's
 * global norm (Pascanu et al., 2013). Runs outside the engines, in f32, and gives the same bits on every machine.
 */
import { z } from "zod";
import { fail } from "../errors.ts";
import { AdamWKernel, MAX_WEIGHTS } from "./adamw-kernel.ts";

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
  readonly #kernel: AdamWKernel;

  /**
   * `decays(name)` says which parameters weight decay applies to; all by default.
   *
   * @throws NB_MODEL_UNSUPPORTED when there are more weights than one optimizer holds.
   */
  constructor(
    parameters: ReadonlyMap<string, Float32Array>,
    config: AdamWConfig,
    decays: (name: string) => boolean = () => true,
  ) {
    this.#config = config;
    this.#parameters = parameters;
    let weights = 0;
    for (const p of parameters.values()) weights += p.length;
    if (weights > MAX_WEIGHTS) {
      fail("NB_MODEL_UNSUPPORTED", `${weights} weights are to be trained; up to ${MAX_WEIGHTS} can be`);
    }
    this.#kernel = new AdamWKernel(weights, parameters.size);
    for (const [name, { length }] of parameters) {
      const zeros = { m: this.#kernel.allocate(length), v: this.#kernel.allocate(length) };
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
    let squares = 0;
    for (const [name, { length }] of this.#parameters) {
      const g = gradients.get(name);
      if (g === undefined || g.length !== length) {
        fail(
          "NB_INTERNAL",
          `the gradient of "${name}" has ${g?.length ?? "no"} elements; expected ${length}`,
        );
      }
      squares += this.#kernel.sumOfSquares(g);
    }
    const norm = Math.sqrt(squares) * gradientScale;
    if (!Number.isFinite(norm)) return norm;
    const numbers = {
      beta1,
      beta2,
      gradientScale: clipNorm > 0 && norm > clipNorm ? (gradientScale * clipNorm) / norm : gradientScale,
      rate: learningRate / (1 - beta1 ** (step + 1)),
      rootCorrection: 1 / Math.sqrt(1 - beta2 ** (step + 1)),
      epsilon,
    };
    for (const [name, { m, v, decays }] of this.#moments) {
      const p = this.#parameters.get(name) as Float32Array;
      const decay = decays ? 1 - learningRate * weightDecay : 1;
      this.#kernel.update(p, gradients.get(name) as Float32Array, m, v, { ...numbers, decay });
    }
    return norm;
  }

  /**
   * A zeroed array for a gradient, two of which may be made for each parameter. The step takes any arrays; it is faster
   * with these.
   */
  gradientArray(length: number): Float32Array {
    return this.#kernel.allocate(length);
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
