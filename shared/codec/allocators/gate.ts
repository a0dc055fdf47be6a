/**
 * `gate-ste` and `gate-sensitivity`: a learned gate for each channel, as in AMAQ (arXiv:2510.05468), which
 * differ in what tells a gate that its channel should have more bits.
 *
 * - `gate-ste`: the first-order gain of a bit, through the straight-through estimator, from Σ g·(x̂ − x). Where
 *   no gradient comes back, the gain in squared error.
 * - `gate-sensitivity`: the second-order gain, weight_c · 4^(−b_c), from running averages (sensitivity.ts).
 *
 * The gates and their budget are in gates.ts.
 */

import { allocateWidths } from "../budget.ts";
import type { CodecState } from "../codec.ts";
import { type ChannelSums, gainFromDistortion, gainFromProducts } from "../gain.ts";
import { Gates } from "../gates.ts";
import type { Allocator, AllocatorOptions, AllocatorState } from "./allocator.ts";
import { Sensitivity } from "./sensitivity.ts";

abstract class GateAllocator implements Allocator {
  readonly learns = true;
  protected readonly options: AllocatorOptions;
  protected readonly gates: Gates;

  constructor(options: AllocatorOptions) {
    this.options = options;
    const { channels, minBits, maxBits, alpha, gateLearningRate: learningRate, freeze, kept } = options;
    this.gates = new Gates(channels, { minBits, maxBits, alpha, learningRate, freeze, kept });
  }

  /** dL/db_c [channels] at the gates' widths `bits`, in any unit; undefined when it is not known. */
  protected abstract gain(
    sums: ChannelSums,
    widths: Uint8Array,
    bits: Float64Array,
  ): Float64Array | undefined;

  endStep(sums: ChannelSums | undefined, widths: Uint8Array, meanBits: number): void {
    const gain = sums === undefined ? undefined : this.gain(sums, widths, this.gates.bits());
    if (gain?.some((value) => value !== 0) && gain.every(Number.isFinite)) this.gates.learn(gain);
    this.gates.project(meanBits);
  }

  allocate(total: number, current: Uint8Array): Uint8Array {
    return allocateWidths(this.gates.bits(), current, total, this.options);
  }

  save(): AllocatorState {
    return this.gates.save();
  }

  restore(state: CodecState): void {
    this.gates.restore(state);
  }
}

export class SteGateAllocator extends GateAllocator {
  protected gain(sums: ChannelSums, widths: Uint8Array, bits: Float64Array) {
    return sums.products === undefined
      ? gainFromDistortion(sums.distortion, widths, bits)
      : gainFromProducts(sums.products, widths, bits);
  }
}

export class SensitivityGateAllocator extends GateAllocator {
  protected readonly sensitivity: Sensitivity;

  constructor(options: AllocatorOptions) {
    super(options);
    this.sensitivity = new Sensitivity(options);
  }

  protected gain(sums: ChannelSums, widths: Uint8Array, bits: Float64Array) {
    this.learn(sums, widths, bits);
    return this.sensitivity.weights()?.map((weight, c) => -weight * 4 ** -bits[c]!);
  }

  protected learn(sums: ChannelSums, widths: Uint8Array, _bits: Float64Array): void {
    this.sensitivity.learnAt(sums, widths);
  }

  override save(): AllocatorState {
    const gates = super.save();
    const averages = this.sensitivity.save();
    return {
      arrays: { ...gates.arrays, ...averages.arrays },
      numbers: { ...gates.numbers, ...averages.numbers },
    };
  }

  override restore(state: CodecState): void {
    // Whichever refuses the state must do so before the other has taken it.
    const before = this.sensitivity.save();
    this.sensitivity.restore(state);
    try {
      super.restore(state);
    } catch (error) {
      this.sensitivity.restore({ codec: state.codec, bitTableVersion: 0, ...before });
      throw error;
    }
  }
}
