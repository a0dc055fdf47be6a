/**
 * `tied`: a stream of gradients takes over who gets the bits from the activations of its cut, and only the mean
 * is its own: n_c = widths of the activation + (own budget − the activation's mean), rounded to the budget.
 *
 * No traffic is needed: whoever sends the gradient of a cut has received the activation there, and its bit table
 * with it. Widths follow one step behind. As long as there is no activation with a table, all channels are alike.
 */

import { allocateWidths } from "../budget.ts";
import type { CodecState } from "../codec.ts";
import { widthsOf } from "../state.ts";
import type { Allocator, AllocatorOptions, AllocatorState } from "./allocator.ts";

/** Widths that an activation can have. */
const LEAST = 1;
const MOST = 8;

export class TiedAllocator implements Allocator {
  readonly learns = false;
  private readonly options: AllocatorOptions;
  private leader: Uint8Array;

  constructor(options: AllocatorOptions) {
    this.options = options;
    this.leader = new Uint8Array(options.channels).fill(LEAST);
  }

  follow(widths: Uint8Array): void {
    this.leader.set(widths);
  }

  endStep(): void {}

  allocate(total: number, current: Uint8Array): Uint8Array {
    const { channels } = this.options;
    const mean = this.leader.reduce((sum, width) => sum + width, 0) / channels;
    const wanted = Float64Array.from(this.leader, (width) => width - mean + total / channels);
    return allocateWidths(wanted, current, total, this.options);
  }

  save(): AllocatorState {
    return { arrays: { leader: this.leader.slice() }, numbers: {} };
  }

  restore(state: CodecState): void {
    this.leader = widthsOf(state, "leader", this.options.channels, LEAST, MOST);
  }
}
