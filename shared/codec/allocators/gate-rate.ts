/**
 * `gate-rate`: gates that set step sizes instead of widths, under a budget of the bits that are really sent.
 *
 * Behind an entropy coder a level that is seldom used costs next to nothing, so a channel need not have 2^n of
 * them. Its gate b_c, real-valued, divides the range by 2^b_c − 1; the width n_c ≥ b_c only has to hold the
 * levels, and halving the step costs about one bit whatever n_c is. Learning the step and letting the rate
 * follow does better than learning the width (Uhlich et al., "Mixed Precision DNNs: All you need is a good
 * parametrization", ICLR 2020, arXiv:1905.11452).
 *
 * The mean of b is the controller's: it starts at the budget and from then on moves by GAIN times what the
 * last step's coded bits per element were off it. A step's bits change by one with b, so the error shrinks by
 * 1 − GAIN a step.
 *
 * Without an entropy coder every element takes n_c bits, and levels that are not powers of two would be paid for but
 * not used. Then widths are rounded from the gates like those of `gate-sensitivity`.
 */

import { allocateWidths } from "../budget.ts";
import type { CodecState } from "../codec.ts";
import type { ChannelSums } from "../gain.ts";
import { numberOf } from "../state.ts";
import type { AllocatorOptions, AllocatorState } from "./allocator.ts";
import { SensitivityGateAllocator } from "./gate.ts";

/** Part of a deviation from the budget that the next step takes back. */
const GAIN = 0.5;

/** Two levels: the fewest that a gate asks for behind an entropy coder. */
const LEAST_GATE = 1;

/** Bits by which a width may stand above what its gate needs before it is taken back: each change costs a bit table. */
const SLACK = 1.25;

export class RateGateAllocator extends SensitivityGateAllocator {
  /** Mean of the gates. */
  private level: number | undefined;
  /** The budget of the last step. */
  private budget = 0;
  private readonly leastWidth: number;

  constructor(options: AllocatorOptions) {
    // Coded bits may go below the narrowest width, so gates must be able to.
    super(options.entropyCoded ? { ...options, minBits: LEAST_GATE } : options);
    this.leastWidth = options.minBits;
  }

  override endStep(
    sums: ChannelSums | undefined,
    widths: Uint8Array,
    meanBits: number,
    codedBits?: number,
  ): void {
    const { minBits, maxBits, entropyCoded } = this.options;
    if (!entropyCoded || this.level === undefined) this.level = meanBits;
    else {
      const off = codedBits === undefined ? 0 : this.budget - codedBits;
      this.level = Math.min(maxBits, Math.max(minBits, this.level + (meanBits - this.budget) + GAIN * off));
    }
    this.budget = meanBits;
    super.endStep(sums, widths, this.level);
  }

  /** Behind an entropy coder the steps that were used say what to expect, not the widths. */
  protected override learn(sums: ChannelSums, widths: Uint8Array, bits: Float64Array): void {
    if (!this.options.entropyCoded) super.learn(sums, widths, bits);
    else
      this.sensitivity.learn(
        sums,
        bits.map((b) => (2 ** b - 1) ** -2),
      );
  }

  /** Behind an entropy coder, the least widths that hold the levels; `total` is the controller's matter then. */
  override allocate(total: number, current: Uint8Array): Uint8Array {
    const { maxBits, entropyCoded } = this.options;
    const bits = this.gates.bits();
    if (!entropyCoded) return allocateWidths(bits, current, total, this.options);
    return current.map((width, c) => {
      const least = Math.min(maxBits, Math.max(this.leastWidth, Math.ceil(bits[c]! - 1e-9)));
      return least > width || width - bits[c]! > SLACK ? least : width;
    });
  }

  steps(): Float64Array | undefined {
    return this.options.entropyCoded ? this.gates.bits().map((b) => 2 ** b - 1) : undefined;
  }

  override save(): AllocatorState {
    const { arrays, numbers } = super.save();
    return { arrays, numbers: { ...numbers, level: this.level ?? 0, budget: this.budget } };
  }

  override restore(state: CodecState): void {
    const level = numberOf(state, "level", 0);
    const budget = numberOf(state, "budget", 0);
    super.restore(state);
    this.level = level;
    this.budget = budget;
  }
}
