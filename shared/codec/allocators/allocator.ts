/**
 * Who gets the bits: the interface of all allocators.
 *
 * An allocator belongs to the sender of one stream. When a step has committed it is shown what the step's
 * tensors said about each channel, and the mean width that the budget allows next; asked for widths, it gives
 * integers whose sum is the budget to the bit. So every allocator meets the budget alike, whatever it learned,
 * and the receiver needs nothing but the widths. (gate-rate, behind an entropy coder, meets it in coded bits.)
 */

import type { CodecState } from "../codec.ts";
import type { ChannelSums } from "../gain.ts";

/** What allocators need to know of their stream. */
export interface AllocatorOptions {
  readonly channels: number;
  /** Narrowest and widest that a channel may become. */
  readonly minBits: number;
  readonly maxBits: number;
  /** Bits by which an exchange between two channels must be worth more than nothing. */
  readonly hysteresis: number;
  /** Mean squared error of a channel of unit variance at a width, relative to other widths; index 0 to 8. */
  readonly errorAt: readonly number[];
  /** Weight of all earlier steps in a running average, 0 to below 1. */
  readonly averaging: number;
  /** Slope of the gates' sigmoid, and their learning rate. */
  readonly alpha: number;
  readonly gateLearningRate: number;
  /** Share of steps in which a gate's gradient may turn its sign before the gate is frozen; 1 for never. */
  readonly freeze: number;
  /** Whether symbols are entropy-coded, so that an element's bits are not its channel's width. */
  readonly entropyCoded: boolean;
  /**
   * 1 for channels that are to have maxBits whatever they are worth [channels]; the others share what is left of the budget.
   * Its owner may change it between calls, and then leaves room for minBits in each of the others. Left out for none.
   */
  readonly kept?: Uint8Array | undefined;
}

/** What an allocator keeps, in plain values: part of a codec's state. */
export type AllocatorState = Pick<CodecState, "arrays" | "numbers">;

export interface Allocator {
  /** Whether sums of tensors mean anything to it; where not, nobody needs to take them. */
  readonly learns: boolean;
  /**
   * A step has committed. `sums` is what its tensors said, undefined when there were none, quantized with
   * `widths`; `meanBits` is the budget from now on. `codedBits` are those that an element of the step's payloads took
   * on average, where there were any. Keeps none of the arrays. Called once more, without sums, where `kept` has changed.
   */
  endStep(sums: ChannelSums | undefined, widths: Uint8Array, meanBits: number, codedBits?: number): void;
  /**
   * Widths [channels] within the bounds whose sum is `total`, a new array. They change from `current` only as
   * far as `total` or what was learned demands. Where nothing was learned they are those of `uniform`.
   */
  allocate(total: number, current: Uint8Array): Uint8Array;
  /**
   * Only of allocators that set step sizes: into how many steps each channel's range is divided [channels], real
   * numbers from 1 to 2^width − 1, or undefined while widths say that. Widths then need not have the sum `total`: the
   * allocator keeps coded bits on the budget instead. A new array.
   */
  steps?(): Float64Array | undefined;
  /**
   * Only of allocators that follow another stream: the widths [channels] of the activation at this gradient's cut, in
   * this step. Copied; of effect from the next endStep() on.
   */
  follow?(widths: Uint8Array): void;
  /** A copy. */
  save(): AllocatorState;
  /** Takes copies. Throws NB_CODEC_STATE_INVALID, and stays as it was, when the state is not one of these. */
  restore(state: CodecState): void;
}
