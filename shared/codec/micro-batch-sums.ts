/**
 * Sums that encoding gathers for the end of the step: one array for each micro-batch, replaced when that is encoded
 * again, so that a repeat counts once and an abandoned step leaves nothing behind.
 */

import { fail } from "../errors.ts";
import type { CodecState, StreamPosition } from "./codec.ts";
import { f64Of, integerOf } from "./state.ts";

export class MicroBatchSums {
  private readonly name: string;
  private readonly length: number;
  private sums = new Map<number, Float64Array>();
  private step = -1;

  /** `name`: of the saved arrays; `length`: of each. */
  constructor(name: string, length: number) {
    this.name = name;
    this.length = length;
  }

  /** Keeps `sums`, which becomes this object's, as those of the tensor at `at`. */
  put(at: StreamPosition, sums: Float64Array): void {
    if (at.step !== this.step) this.sums.clear();
    this.step = at.step;
    this.sums.set(at.microBatch, sums);
  }

  /** The arrays of `step` in order of micro-batch, which become the caller's; forgets all. */
  takeParts(step: number): Float64Array[] {
    const { sums } = this;
    this.sums = new Map();
    if (step !== this.step) return [];
    return [...sums.keys()].sort((a, b) => a - b).map((microBatch) => sums.get(microBatch)!);
  }

  /** The sum of the arrays of `step`, added in order of micro-batch, or undefined when there is none; forgets all. */
  take(step: number): Float64Array | undefined {
    const parts = this.takeParts(step);
    if (parts.length === 0) return undefined;
    const total = new Float64Array(this.length);
    for (const part of parts) {
      for (let i = 0; i < total.length; i++) total[i] = total[i]! + part[i]!;
    }
    return total;
  }

  save(arrays: Record<string, CodecState["arrays"][string]>, numbers: Record<string, number>): void {
    for (const [microBatch, sums] of this.sums) arrays[`${this.name}.${microBatch}`] = sums.slice();
    numbers[`${this.name}Step`] = this.step;
  }

  /** Reads what save() wrote; the function that it returns takes it over, so that a wrong state changes nothing. */
  prepare(state: CodecState): () => void {
    const step = integerOf(state, `${this.name}Step`, -1);
    const sums = new Map<number, Float64Array>();
    const prefix = `${this.name}.`;
    for (const key of Object.keys(state.arrays)) {
      if (!key.startsWith(prefix)) continue;
      const microBatch = Number(key.slice(prefix.length));
      if (!Number.isInteger(microBatch)) {
        fail("NB_CODEC_STATE_INVALID", `array ${key} of the saved state names no micro-batch`);
      }
      sums.set(microBatch, f64Of(state, key, this.length));
    }
    return () => {
      this.step = step;
      this.sums = sums;
    };
  }
}
