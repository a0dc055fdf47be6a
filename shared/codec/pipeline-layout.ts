/**
 * The scales section of a pipeline (pipeline.ts), as both ends of a stream know it: which parts it has, and the mark of
 * dither.
 */

import type { EntropyStage } from "./entropy/coder.ts";
import { MIN_COMPUTED_EXPONENT, MIN_EXPONENT } from "./scales.ts";
import { MIN_SCALED_EXPONENT } from "./token-scale.ts";

/** Which settings change what the receiver must do; the rest of PipelineOptions is the sender's own matter. */
export interface PipelineLayout {
  /** The message carries sink tokens. */
  readonly sinks: boolean;
  /** Channels of a rotation block; 0 for no rotation. */
  readonly block: number;
  /** The message carries scales of tokens. */
  readonly tokenScale: boolean;
  /** The receiver keeps scales. */
  readonly keepsScales: boolean;
  /** How symbols are written. */
  readonly entropy: EntropyStage;
}

/** Bytes of a dither key. */
export const KEY_BYTES = 4;
/** Set in the sign bit of the first channel's step, which is otherwise clear, when a dither key follows. */
export const DITHER_MARK = 0x80;

/** The byte of a scales section that has the mark. */
export function markAt(channels: number): number {
  return 2 + 2 * channels;
}

/** Of scales whose levels are computed with (dither, rotation) or divided (scales of tokens). */
export function leastExponent(computed: boolean, scaled: boolean): number {
  if (scaled) return MIN_SCALED_EXPONENT;
  return computed ? MIN_COMPUTED_EXPONENT : MIN_EXPONENT;
}
