/** Checks that a saved codec state fits the codec it is restored into, so that a wrong checkpoint is refused whole. */

import { fail } from "../errors.ts";
import type { CodecState } from "./codec.ts";
import { scalesBytes } from "./scales.ts";

/** Of an encoder's state whose receiver is not there any more. */
const NO_SESSION = -1;

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

/** Largest bit table version that a frame header can carry. */
export const MAX_TABLE_VERSION = 0xffffffff;

/** The version of a saved state, checked for bounds. */
export function requireVersion(state: CodecState, least: number): number {
  const version = state.bitTableVersion;
  if (!Number.isInteger(version) || version < least || version > MAX_TABLE_VERSION) {
    fail(
      "NB_CODEC_STATE_INVALID",
      `bit table version ${version} of the saved state is not at least ${least}`,
    );
  }
  return version;
}

/** Throws NB_CODEC_BODY_INVALID unless a bit table may have this version. */
export function requireTableVersion(version: number): void {
  if (!Number.isInteger(version) || version < 1 || version > MAX_TABLE_VERSION) {
    fail("NB_CODEC_BODY_INVALID", `a bit table came with version ${version}; versions start at 1`);
  }
}

/** Saved scales that a receiver keeps, a copy; empty when there are none. */
export function keptOf(state: CodecState, channels: number): Uint8Array {
  const array = state.arrays.kept;
  if (array === undefined) return new Uint8Array(0);
  const bytes = scalesBytes(channels, 1);
  if (!(array instanceof Uint8Array) || array.length !== bytes) {
    fail("NB_CODEC_STATE_INVALID", `array kept of the saved state must hold ${bytes} bytes`);
  }
  return Uint8Array.from(array);
}

/** A saved finite number, checked for bounds. */
export function numberOf(state: CodecState, name: string, min: number, max = Number.MAX_VALUE): number {
  const value = state.numbers[name];
  if (value === undefined || !(value >= min && value <= max)) {
    fail(
      "NB_CODEC_STATE_INVALID",
      `number ${name} of the saved state is ${value}; it must lie within ${min} and ${max}`,
    );
  }
  return value;
}

/**
 * The same encoder state for a receiver that has no bit table and remembers nothing, because it is new or came back
 * without its state: the next step sends the table again, and what was kept for the receiver of a `session` is dropped. States of codecs whose
 * receivers keep nothing are returned as they are.
 */
export function forNewPeer(state: CodecState): CodecState {
  if (state.numbers.session !== undefined) {
    return { ...state, arrays: {}, numbers: { ...state.numbers, session: NO_SESSION } };
  }
  const numbers = { ...state.numbers };
  if (numbers.announced !== undefined) Object.assign(numbers, { announced: 0, sentInStep: -1 });
  if (numbers.predictorAnnounced !== undefined) numbers.predictorAnnounced = 0;
  return { ...state, numbers };
}
