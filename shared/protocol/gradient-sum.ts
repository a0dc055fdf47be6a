/**
 * Gradient sums kept apart from a segment's own accumulator: the trunk serves many clients in turn, and a client's gradients
 * must be droppable until its step commits.
 */
import { fail } from "../errors.ts";
import type { AdapterTensors } from "./adapters.ts";

/** The part of a trainable segment that this file uses. */
export interface GradientAccumulator {
  gradients(): AdapterTensors;
  addGradients(gradients: AdapterTensors): void;
  zeroGradients(): void;
}

export class GradientSum {
  #sum: AdapterTensors | undefined;
  #tokens = 0;

  /** Real tokens that the sum is of. */
  get tokens(): number {
    return this.#tokens;
  }

  /** The sum so far; it stays this object's. Undefined while nothing was taken. */
  get tensors(): AdapterTensors | undefined {
    return this.#sum;
  }

  /** Euclidean norm of the sum, in f64. */
  norm(): number {
    let squares = 0;
    for (const { data } of this.#sum?.values() ?? []) for (const value of data) squares += value * value;
    return Math.sqrt(squares);
  }

  /** Multiplies the sum. */
  scale(factor: number): void {
    for (const { data } of this.#sum?.values() ?? []) for (let i = 0; i < data.length; i++) data[i] *= factor;
  }

  /**
   * Moves what `segment` has accumulated over `tokens` real tokens into this sum, whose order of additions is the order of calls. NB_TENSOR_NOT_FINITE when it
   * holds NaN or infinity; the accumulator is empty afterwards either way.
   */
  take(segment: GradientAccumulator, tokens: number): void {
    this.#tokens += tokens;
    const taken = segment.gradients();
    segment.zeroGradients();
    for (const [name, { data }] of taken) {
      for (const value of data) {
        if (!Number.isFinite(value)) fail("NB_TENSOR_NOT_FINITE", `the gradient of ${name} holds ${value}`);
      }
    }
    if (this.#sum === undefined) {
      this.#sum = taken;
      return;
    }
    for (const [name, { data }] of taken) {
      const sum = this.#sum.get(name)!.data;
      for (let i = 0; i < sum.length; i++) sum[i] += data[i];
    }
  }

  /** Adds the sum to a segment's accumulator. */
  addTo(segment: GradientAccumulator): void {
    if (this.#sum !== undefined) segment.addGradients(this.#sum);
  }
}
