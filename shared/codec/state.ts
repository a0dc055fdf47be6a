/** Checks that a saved codec state fits the codec it is restored into, so that a wrong checkpoint is refused whole. */

import { fail } from "../errors.ts";
import type { CodecState } from "./codec.ts";

/** Throws NB_CODEC_STATE_INVALID unless the state was saved by this codec. */
export function requireCodec(state: CodecState, codec: string): void {
  if (state.codec !== codec) {
    fail("NB_CODEC_STATE_INVALID", `the saved state is of codec ${state.codec}; this stream uses ${codec}`);
  }
}

/** A copy of a saved f64 array, checked for length and finite values. */
export function f64Of(state: CodecState, name: string, length: number): Float64Array {
  const array = state.arrays[name];
  if (!(array instanceof Float64Array) || array.length !== length || !array.every(Number.isFinite)) {
    fail("NB_CODEC_STATE_INVALID", `array ${name} of the saved state must hold ${length} finite f64 values`);
  }
  return array.slice();
}

/** A copy of saved widths, checked for length and bounds. */
export function widthsOf(
  state: CodecState,
  name: string,
  length: number,
  min: number,
  max: number,
): Uint8Array {
  const array = state.arrays[name];
  if (
    !(array instanceof Uint8Array) ||
    array.length !== length ||
    !array.every((width) => width >= min && width <= max)
  ) {
    fail(
      "NB_CODEC_STATE_INVALID",
      `array ${name} of the saved state must hold ${length} widths of ${min} to ${max} bits`,
    );
  }
  return Uint8Array.from(array);
}

/** A saved integer, checked for bounds. */
export function integerOf(
  state: CodecState,
  name: string,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const value = state.numbers[name];
  if (value === undefined || !Number.isInteger(value) || value < min || value > max) {
    fail(
      "NB_CODEC_STATE_INVALID",
      `number ${name} of the saved state is ${value}; it must be an integer of at least ${min}`,
    );
  }
  return value;
}

/**
 * The same encoder state for a receiver that has no bit table, because it is new or came back without its
 * state: the next step sends the table again. States of codecs without a table are returned as they are.
 */
export function forNewPeer(state: CodecState): CodecState {
  if (state.numbers.announced === undefined) return state;
  return { ...state, numbers: { ...state.numbers, announced: 0, sentInStep: -1 } };
}
