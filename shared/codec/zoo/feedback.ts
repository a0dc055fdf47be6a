/**
 * Error feedback (Seide et al., Interspeech 2014; Karimireddy et al., arXiv:1901.09847): what a message lost is added
 * to the next one, so that nothing is lost for good.
 *
 *     y = x + e;  send C(y);  e := y − C(y)
 *
 * Tokens of successive messages are not the same tokens. As in experiments on model-parallel training (Rudakov et al.,
 * arXiv:2401.07788), the error is kept by place: micro-batch, token and channel.
 */

import { fail } from "../../errors.ts";
import { requireShape } from "../checks.ts";
import type { CodecState, EncodedTensor, StreamPosition } from "../codec.ts";
import { integerOf } from "../state.ts";
import { FormatEncoder, requireFiniteTensor } from "./format.ts";
import { settle } from "./sections.ts";

const COMMITTED = "error.";
const STAGED = "staged.";

/** By micro-batch. The arrays are never written to once they are in, so that saved states may share them. */
type Errors = Map<number, Float32Array>;

/** Encoder of a format, with error feedback. What encode() loses counts from the commit of its step on. */
export class FeedbackEncoder extends FormatEncoder {
  private errors: Errors = new Map();
  /** Errors after the open step, which is `stagedStep`. */
  private staged: Errors = new Map();
  private stagedStep = -1;

  override encode(x: Float32Array, tokens: number, at: StreamPosition): EncodedTensor {
    requireShape(x, tokens, this.channels);
    requireFiniteTensor(x);
    const error = this.errors.get(at.microBatch);
    const corrected = x.slice();
    const known = Math.min(x.length, error?.length ?? 0);
    for (let i = 0; i < known; i++) corrected[i] = settle(x[i]! + error![i]!);
    const body = this.write(corrected, tokens, at);
    const next = new Float32Array(Math.max(x.length, error?.length ?? 0));
    if (error !== undefined) next.set(error);
    for (let i = 0; i < x.length; i++) next[i] = settle(corrected[i]! - body.reconstruction[i]!);
    if (at.step !== this.stagedStep) this.staged = new Map();
    this.stagedStep = at.step;
    this.staged.set(at.microBatch, next);
    return body;
  }

  override endStep(step: number): void {
    if (step === this.stagedStep) for (const [key, error] of this.staged) this.errors.set(key, error);
    this.staged = new Map();
    this.stagedStep = -1;
  }

  override save(): CodecState {
    const arrays: Record<string, Float32Array> = {};
    for (const [key, error] of this.errors) arrays[COMMITTED + key] = error;
    for (const [key, error] of this.staged) arrays[STAGED + key] = error;
    return { ...super.save(), arrays, numbers: { stagedStep: this.stagedStep } };
  }

  override restore(state: CodecState): void {
    super.restore(state);
    const stagedStep = integerOf(state, "stagedStep", -1);
    const errors: Errors = new Map();
    const staged: Errors = new Map();
    for (const [name, array] of Object.entries(state.arrays)) {
      const into = name.startsWith(COMMITTED) ? errors : staged;
      into.set(microBatchOf(name), this.errorOf(name, array));
    }
    this.errors = errors;
    this.staged = staged;
    this.stagedStep = stagedStep;
  }

  private errorOf(name: string, array: CodecState["arrays"][string]): Float32Array {
    if (
      !(array instanceof Float32Array) ||
      array.length % this.channels !== 0 ||
      !array.every(Number.isFinite)
    ) {
      fail(
        "NB_CODEC_STATE_INVALID",
        `array ${name} of the saved state must hold finite f32 rows of ${this.channels}`,
      );
    }
    return array.slice();
  }
}

function microBatchOf(name: string): number {
  const match = /^(?:error|staged)\.(\d{1,10})$/.exec(name);
  if (match === null) fail("NB_CODEC_STATE_INVALID", `array ${name} of the saved state names no micro-batch`);
  return Number(match[1]);
}
