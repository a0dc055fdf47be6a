/**
 * Learned clipping: each channel's range is the one of least expected error (ranges.ts, `optimal`), stretched about its
 * middle by a factor e^θ_c that the sender learns, as step sizes are learned in LSQ (Esser et al., "Learned step size
 * quantization", ICLR 2020, arXiv:1902.08153) and clipping thresholds in PACT (Choi et al., arXiv:1805.06085).
 *
 * With middle m and half width R, R = R_optimal · e^θ, a value inside is rounded with an error of x̂ − x = ε·s, and s is
 * proportional to R; a value outside becomes m ± R. At fixed ε (straight-through),
 *
 *   dx̂/dθ = x̂ − x inside,  x̂ − m outside,     dL/dθ_c = Σ_tokens g · dx̂/dθ.
 *
 * g is the gradient that comes back with respect to x̂. A stream of gradients has none; it takes g = x̂ − x, which
 * minimizes its own squared error. θ moves at the end of a step by Adam, in units of the learning rate, so that the scale
 * of the loss does not matter, and is drawn back to 0 a little, as the gates are: where the gradient says nothing, the
 * range of least error stays.
 */

import { fail } from "../errors.ts";
import type { CodecState, StreamPosition } from "./codec.ts";
import { MicroBatchSums } from "./micro-batch-sums.ts";
import { f64Of, integerOf } from "./state.ts";

/** θ moves by at most this in one step of steady gradient: 2 %. */
const LEARNING_RATE = 0.02;
const BETA1 = 0.9;
const BETA2 = 0.99;
/** Part of θ that each step takes away. */
const DECAY = 0.005;
/** Ranges stay between a quarter of the optimal one and four times that. */
const MOST = Math.log(4);

export class LearnedRanges {
  private readonly channels: number;
  private theta: Float64Array;
  private m: Float64Array;
  private v: Float64Array;
  private steps = 0;
  private observed: Float64Array;
  private readonly gathered: MicroBatchSums;

  constructor(channels: number) {
    this.channels = channels;
    this.theta = new Float64Array(channels);
    this.m = new Float64Array(channels);
    this.v = new Float64Array(channels);
    this.observed = new Float64Array(channels);
    this.gathered = new MicroBatchSums("clipGradient", channels);
  }

  /** θ [channels], a copy. */
  logFactors(): Float64Array {
    return this.theta.slice();
  }

  /** Stretches the optimal ranges lo, hi [channels] in place. */
  stretch(lo: Float64Array, hi: Float64Array): void {
    for (let c = 0; c < this.channels; c++) {
      const middle = (lo[c]! + hi[c]!) / 2;
      const half = ((hi[c]! - lo[c]!) / 2) * Math.exp(this.theta[c]!);
      lo[c] = middle - half;
      hi[c] = middle + half;
    }
  }

  /**
   * dL/dθ [channels] of a tensor [tokens, channels] that was quantized within these (stretched) ranges; g = gradient, or
   * x̂ − x without one.
   */
  gradientOf(
    x: Float32Array,
    reconstruction: Float32Array,
    gradient: Float32Array | undefined,
    lo: Float64Array,
    hi: Float64Array,
  ): Float64Array {
    const { channels } = this;
    const sums = new Float64Array(channels);
    for (let i = 0; i < x.length; ) {
      for (let c = 0; c < channels; c++, i++) {
        const value = x[i]!;
        const back = reconstruction[i]!;
        const g = gradient === undefined ? back - value : gradient[i]!;
        const inside = value >= lo[c]! && value <= hi[c]!;
        sums[c] = sums[c]! + g * (back - (inside ? value : (lo[c]! + hi[c]!) / 2));
      }
    }
    return sums;
  }

  /** Adds what a gradient that came back says; order does not matter beyond rounding. Throws NB_TENSOR_NOT_FINITE. */
  observe(sums: Float64Array): void {
    if (!sums.every(Number.isFinite)) {
      fail("NB_TENSOR_NOT_FINITE", "a gradient that came back to the codec holds NaN or infinity");
    }
    for (let c = 0; c < this.channels; c++) this.observed[c] = this.observed[c]! + sums[c]!;
  }

  /** Keeps what encoding a tensor of a gradient stream says. */
  gather(at: StreamPosition, sums: Float64Array): void {
    this.gathered.put(at, sums);
  }

  endStep(step: number): void {
    const gathered = this.gathered.take(step);
    if (gathered?.every(Number.isFinite)) this.observe(gathered);
    const { observed, theta, m, v } = this;
    if (observed.some((value) => value !== 0)) {
      this.steps++;
      const rate1 = 1 - BETA1 ** this.steps;
      const rate2 = 1 - BETA2 ** this.steps;
      for (let c = 0; c < this.channels; c++) {
        const g = observed[c]!;
        m[c] = BETA1 * m[c]! + (1 - BETA1) * g;
        v[c] = BETA2 * v[c]! + (1 - BETA2) * g * g;
        const size = Math.sqrt(v[c]! / rate2);
        const moved = size > 0 ? (LEARNING_RATE * (m[c]! / rate1)) / size : 0;
        theta[c] = Math.min(MOST, Math.max(-MOST, (theta[c]! - moved) * (1 - DECAY)));
      }
    }
    observed.fill(0);
  }

  save(arrays: Record<string, CodecState["arrays"][string]>, numbers: Record<string, number>): void {
    arrays.clipTheta = this.theta.slice();
    arrays.clipM = this.m.slice();
    arrays.clipV = this.v.slice();
    arrays.clipObserved = this.observed.slice();
    numbers.clipSteps = this.steps;
    this.gathered.save(arrays, numbers);
  }

  /** See {@link MicroBatchSums.prepare}. */
  prepare(state: CodecState): () => void {
    const [theta, m, v, observed] = ["clipTheta", "clipM", "clipV", "clipObserved"].map((name) =>
      f64Of(state, name, this.channels),
    ) as [Float64Array, Float64Array, Float64Array, Float64Array];
    const steps = integerOf(state, "clipSteps", 0);
    const takeGathered = this.gathered.prepare(state);
    return () => {
      this.theta = theta;
      this.m = m;
      this.v = v;
      this.observed = observed;
      this.steps = steps;
      takeGathered();
    };
  }
}
