/**
 * How much the loss suffers from noise in each channel: running averages of E[g²] and of the quantizer's error.
 *
 * An error e that no gradient foresees raises the loss by ½ Σ H e² to second order, and the squared gradient
 * stands in for the curvature H (the empirical Fisher information; LeCun, Denker and Solla, "Optimal Brain
 * Damage", 1989, use the same second-order form, Dong et al., HAWQ, 2019, for bit widths). So a channel of n
 * bits costs E[g²] · E[e²], and at any other width the same times the ratio of the quantizer's errors:
 *
 *   cost_c(n) = weight_c · errorAt[n],      weight_c = avg(E[g²]) · avg(E[e²] / errorAt[n used]).
 *
 * Unlike Σ g·e, whose sign is a toss when e is independent of g, all its terms are positive, so it can be
 * averaged over few steps. Where no gradient comes back, E[g²] is taken as 1: every error counts alike.
 */

import type { CodecState } from "../codec.ts";
import type { ChannelSums } from "../gain.ts";
import { f64Of, integerOf } from "../state.ts";
import type { Allocator, AllocatorOptions, AllocatorState } from "./allocator.ts";

/** Weights below this part of the largest are taken as this, so that logarithms stay finite. */
const LEAST_WEIGHT = 1e-12;

type SensitivityOptions = Pick<AllocatorOptions, "channels" | "errorAt" | "averaging">;

export class Sensitivity {
  /** Running averages [channels], not yet corrected for their start at 0. */
  private gradient: Float64Array;
  private variance: Float64Array;
  private steps = 0;
  private readonly options: SensitivityOptions;

  constructor(options: SensitivityOptions) {
    this.options = options;
    this.gradient = new Float64Array(options.channels);
    this.variance = new Float64Array(options.channels);
  }

  /** Takes in a step. `errors`: what a channel of variance 1 would have erred as it was quantized [channels]. */
  learn(sums: ChannelSums, errors: ArrayLike<number>): void {
    const { averaging } = this.options;
    const { tokens } = sums;
    if (tokens === 0) return;
    this.steps++;
    for (let c = 0; c < this.gradient.length; c++) {
      const gradient = sums.gradientEnergy === undefined ? 1 : sums.gradientEnergy[c]! / tokens;
      const variance = sums.distortion[c]! / tokens / errors[c]!;
      this.gradient[c] = averaging * this.gradient[c]! + (1 - averaging) * gradient;
      this.variance[c] = averaging * this.variance[c]! + (1 - averaging) * variance;
    }
  }

  /** Takes in a step that was quantized with `widths`. */
  learnAt(sums: ChannelSums, widths: Uint8Array): void {
    this.learn(
      sums,
      Float64Array.from(widths, (width) => this.options.errorAt[width]!),
    );
  }

  /**
   * Weights [channels], positive, the largest 1; undefined when nothing was learned that tells channels apart.
   * A new array.
   */
  weights(): Float64Array | undefined {
    if (this.steps === 0) return undefined;
    // The averages' common start-up factor cancels in the division by the largest; squared it could underflow.
    const gradientPeak = peak(this.gradient);
    const variancePeak = peak(this.variance);
    if (!(gradientPeak > 0 && variancePeak > 0)) return undefined;
    const weights = this.gradient.map((g, c) => (g / gradientPeak) * (this.variance[c]! / variancePeak));
    const largest = peak(weights);
    if (!(largest > 0)) return undefined;
    return weights.map((weight) => Math.max(LEAST_WEIGHT, weight / largest));
  }

  save(): AllocatorState {
    return {
      arrays: { gradient: this.gradient.slice(), variance: this.variance.slice() },
      numbers: { sensitivitySteps: this.steps },
    };
  }

  restore(state: CodecState): void {
    const { channels } = this.options;
    const gradient = f64Of(state, "gradient", channels);
    const variance = f64Of(state, "variance", channels);
    this.steps = integerOf(state, "sensitivitySteps", 0);
    this.gradient = gradient;
    this.variance = variance;
  }
}

/** An allocator that learns these weights and nothing else: how it allocates by them is all that is its own. */
export abstract class WeightAllocator implements Allocator {
  readonly learns = true;
  protected readonly options: AllocatorOptions;
  protected readonly sensitivity: Sensitivity;

  constructor(options: AllocatorOptions) {
    this.options = options;
    this.sensitivity = new Sensitivity(options);
  }

  endStep(sums: ChannelSums | undefined, widths: Uint8Array): void {
    if (sums !== undefined) this.sensitivity.learnAt(sums, widths);
  }

  abstract allocate(total: number, current: Uint8Array): Uint8Array;

  save(): AllocatorState {
    return this.sensitivity.save();
  }

  restore(state: CodecState): void {
    this.sensitivity.restore(state);
  }
}

function peak(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  return most;
}
