/**
 * The gates of AMAQ: one learned number Q_c per channel that stands for a real-valued width,
 *
 *   b_c = min + (max − min) · σ(α · Q_c).
 *
 * They learn from the gain of a bit, dL/db_c, under the constraint that the mean of b is the budget.
 * Regularizing by the constraint's multiplier λ leaves dL/db_c − λ: channels that gain more than λ by a bit
 * rise, the others fall. λ is the median gain of the channels that are free to move, so one outlier cannot
 * drown what sets the others apart. After each step of Adam (Kingma and Ba, 2015) a common shift of Q, found
 * by bisection, puts the mean of b back on the budget exactly. docs/amaq.md gives the reasons.
 */

import type { AllocatorState } from "./allocators/allocator.ts";
import type { CodecState } from "./codec.ts";
import { f64Of, integerOf } from "./state.ts";

export interface GateOptions {
  readonly minBits: number;
  readonly maxBits: number;
  /** Slope of the sigmoid. */
  readonly alpha: number;
  readonly learningRate: number;
  /** Share of steps in which a gate's gradient may turn its sign before the gate is frozen; 1 for never. */
  readonly freeze: number;
  /** 1 for channels that have maxBits, whatever their gates say [channels]; left out for none. */
  readonly kept?: Uint8Array | undefined;
}

const BETA1 = 0.9;
const BETA2 = 0.99;

/**
 * Adam's ε. Gradients here are fractions of a typical gain, so this one is large on purpose: differences well
 * below a third of it move a gate in proportion, not at full speed, and gates come to rest where gains are
 * equal.
 */
const EPSILON = 0.3;

/** Weight of all earlier steps in the running share of turns of a gate's gradient. */
const TURN_AVERAGING = 0.9;

/** Part of its distance from the mean that a gate loses in each step: one without a steady signal comes back. */
const DECAY = 0.005;

/** Bound on |α · Q|: beyond it σ is flat and a gate could not come back. */
const MAX_LOGIT = 6;

/** The mean of b is kept this part of (max − min) away from min and max, where σ would need infinite Q. */
const MARGIN = 1 / 24;

export class Gates {
  readonly channels: number;
  /** Gates, first and second moment of Adam; all f64 [channels]. Owned here. */
  readonly q: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
  /** Share of late steps in which a gate's gradient turned its sign, and that sign; f64 [channels]. */
  readonly turns: Float64Array;
  readonly signs: Float64Array;
  /** Steps of Adam taken. */
  steps = 0;
  private readonly options: GateOptions;
  private readonly wanted: Float64Array;

  constructor(channels: number, options: GateOptions) {
    this.channels = channels;
    this.options = options;
    this.q = new Float64Array(channels);
    this.m = new Float64Array(channels);
    this.v = new Float64Array(channels);
    this.turns = new Float64Array(channels);
    this.signs = new Float64Array(channels);
    this.wanted = new Float64Array(channels);
  }

  /** The real-valued widths b [channels]. The array is overwritten by the next call. */
  bits(): Float64Array {
    const { minBits, maxBits, alpha, kept } = this.options;
    for (let c = 0; c < this.channels; c++) {
      if (kept?.[c] === 1) this.wanted[c] = maxBits;
      else this.wanted[c] = minBits + (maxBits - minBits) * sigmoid(alpha * this.q[c]!);
    }
    return this.wanted;
  }

  /**
   * One step of Adam on Q. `gain` is dL/db_c [channels], finite. The gradient of a gate is (gain_c − λ) in
   * units of the typical |gain|, held within ±1. Hence only the gains' proportions matter, not the unit of
   * the loss, nor that errors grow fourfold with each bit that the anneal takes. The factor db_c/dQ_c is left
   * out: it is positive, Adam would divide most of it away, and what is left would make gates near a bound
   * sluggish.
   */
  learn(gain: Float64Array): void {
    const { minBits, maxBits, learningRate } = this.options;
    if (minBits === maxBits) return;
    const bits = this.bits();
    const free = gain.filter((_, c) => bits[c]! > minBits + 0.5 && bits[c]! < maxBits - 0.5);
    const sample = free.length > 0 ? free : gain;
    const typical = median(sample.map(Math.abs).filter((size) => size > 0));
    if (typical === 0) return;
    const multiplier = median(sample);
    let mean = 0;
    for (const q of this.q) mean += q / this.channels;
    this.steps++;
    const correction1 = 1 - BETA1 ** this.steps;
    const correction2 = 1 - BETA2 ** this.steps;
    for (let c = 0; c < this.channels; c++) {
      const g = Math.min(1, Math.max(-1, (gain[c]! - multiplier) / typical));
      this.m[c] = BETA1 * this.m[c]! + (1 - BETA1) * g;
      this.v[c] = BETA2 * this.v[c]! + (1 - BETA2) * g * g;
      if (this.fights(c, g)) continue;
      const step = this.m[c]! / correction1 / (Math.sqrt(this.v[c]! / correction2) + EPSILON);
      this.q[c] = this.q[c]! - learningRate * step - DECAY * (this.q[c]! - mean);
    }
  }

  /**
   * Whether gate c is frozen: the task's gradient and the budget's are so near to one another that their
   * difference g, which moves the gate, has turned its sign in more than the share `freeze` of late steps. A
   * frozen gate holds its Q until the turns abate (Nagel et al., "Overcoming Oscillations in Quantization-Aware
   * Training", ICML 2022, freeze weights by the same measure).
   */
  private fights(c: number, g: number): boolean {
    const sign = Math.sign(g);
    const turned = sign !== 0 && sign === -this.signs[c]! ? 1 : 0;
    this.turns[c] = TURN_AVERAGING * this.turns[c]! + (1 - TURN_AVERAGING) * turned;
    if (sign !== 0) this.signs[c] = sign;
    return this.turns[c]! > this.options.freeze;
  }

  save(): AllocatorState {
    const { q, m, v, turns, signs } = this;
    const arrays = {
      q: q.slice(),
      m: m.slice(),
      v: v.slice(),
      turns: turns.slice(),
      signs: signs.slice(),
    };
    return { arrays, numbers: { gateSteps: this.steps } };
  }

  /** Takes copies. Throws NB_CODEC_STATE_INVALID, and stays as it was, when the state is not of these gates. */
  restore(state: CodecState): void {
    const names = ["q", "m", "v", "turns", "signs"] as const;
    const arrays = names.map((name) => f64Of(state, name, this.channels));
    this.steps = integerOf(state, "gateSteps", 0);
    names.forEach((name, i) => {
      this[name].set(arrays[i]!);
    });
  }

  /** Shifts all gates alike, so that the mean of b is meanBits (or as near as MARGIN lets it), and bounds them. */
  project(meanBits: number): void {
    const { minBits, maxBits, alpha, kept } = this.options;
    const range = maxBits - minBits;
    if (range === 0) return;
    const free = this.channels - (kept?.reduce((count, one) => count + one, 0) ?? 0);
    const mean = meanBits - ((maxBits - meanBits) * (this.channels - free)) / free;
    const share = Math.min(1 - MARGIN, Math.max(MARGIN, (mean - minBits) / range));
    let least = Infinity;
    let most = -Infinity;
    for (const q of this.q) {
      least = Math.min(least, alpha * q);
      most = Math.max(most, alpha * q);
    }
    // Between these shifts the mean of σ goes from σ(−MAX_LOGIT) to σ(MAX_LOGIT), which enclose every share.
    let low = -MAX_LOGIT - most;
    let high = MAX_LOGIT - least;
    for (let i = 0; i < 60 && high - low > 1e-10; i++) {
      const middle = (low + high) / 2;
      let sum = 0;
      for (let c = 0; c < this.channels; c++) {
        if (kept?.[c] !== 1) sum += sigmoid(bounded(alpha * this.q[c]! + middle));
      }
      if (sum < share * free) low = middle;
      else high = middle;
    }
    for (let c = 0; c < this.channels; c++) this.q[c] = bounded(alpha * this.q[c]! + high) / alpha;
  }
}

/** The median of some values, the mean of the middle two when their number is even; 0 of none. */
function median(values: Float64Array): number {
  if (values.length === 0) return 0;
  const sorted = values.slice().sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function bounded(logit: number): number {
  return Math.min(MAX_LOGIT, Math.max(-MAX_LOGIT, logit));
}
