/** `uniform`: all channels alike, within one bit. The control that every other allocator must beat. */

import { allocateWidths } from "../budget.ts";
import type { Allocator, AllocatorOptions, AllocatorState } from "./allocator.ts";

/** Stateless. */
export class UniformAllocator implements Allocator {
  readonly learns = false;
  private readonly options: AllocatorOptions;
  private readonly even: Float64Array;

  constructor(options: AllocatorOptions) {
    this.options = options;
    this.even = new Float64Array(options.channels);
  }

  endStep(): void {}

  allocate(total: number, current: Uint8Array): Uint8Array {
    this.even.fill(total / this.options.channels);
    return allocateWidths(this.even, current, total, this.options);
  }

  save(): AllocatorState {
    return { arrays: {}, numbers: {} };
  }

  restore(): void {}
}
