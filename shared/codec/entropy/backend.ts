/**
 * What coding a message takes, channel by channel: done by plain TypeScript (reference.ts) or by kernels (kernel.ts), which
 * agree byte for byte. message.ts says in which order.
 */

import { CENTER_ONE } from "./distribution.ts";
import { type Predictor, UNIT, WEIGHT_ONE } from "./predictor.ts";

/** Sums over a channel's tokens, exact: w is 256 / the token's scale, d the distance from the centre. */
export interface FitSums {
  /** Σ w² */
  readonly weightSquares: number;
  /** Σ d·w² */
  readonly sum: number;
  /** Σ d²·w² */
  readonly squares: number;
}

/** Where a channel's symbols stand, and what is known of it. */
export interface ChannelPlace {
  readonly channel: number;
  /** Index of the first symbol. */
  readonly from: number;
  readonly width: number;
  readonly lo: number;
  readonly step: number;
}

interface Backend {
  /** Sets the channel's centres, as they are before its shift. */
  predict(place: ChannelPlace): void;
  /** Lets token scales follow, and keeps what predictions need of the channel. `k`: its spread class. */
  follow(place: ChannelPlace, k: number): void;
}

export interface EncoderBackend extends Backend {
  fit(place: ChannelPlace): FitSums;
  /** Moves centres by `distance` and keeps the intervals of the channel's symbols. */
  code(place: ChannelPlace, k: number, distance: number): void;
  /** Keeps the interval of parameter j of a channel. */
  parameter(channel: number, j: number, count: number, center: number, k: number, value: number): void;
  /** Writes the stream of all that was kept; returns its end. */
  write(out: Uint8Array, at: number): number;
}

export interface DecoderBackend extends Backend {
  /** The next parameter, the j-th symbol of its row. Throws NB_CODEC_BODY_INVALID, like the others. */
  parameter(j: number, count: number, center: number, k: number): number;
  /** Moves centres by `distance` and decodes the channel's symbols. */
  decode(place: ChannelPlace, k: number, distance: number): void;
  finish(): void;
}

/** Parameters before each channel's symbols: spread class and shift. */
export const PARAMETERS = 2;

/** How far outside of the levels a prediction may lie, levels. */
export const OVERSHOOT = 4;

/** How sums of weight · unit become centres: trunc(f32(f32(sum · gain) + offset)), held within the levels ± OVERSHOOT. */
export interface CenterMap {
  /** f32; from units of WEIGHT_ONE · UNIT standard scales to sixteenths of a level. */
  readonly gain: number;
  /** f32; sixteenths of a level. */
  readonly offset: number;
}

const GAIN_LIMIT = 2 ** 20;
const OFFSET_LIMIT = 2 ** 24;

/** Without a predictor: the centre of a channel before its shift, the middle of its levels; 0 where it is constant. */
export function middleOf({ width, step }: ChannelPlace): number {
  return step === 0 ? 0 : ((1 << width) - 1) * (CENTER_ONE / 2);
}

/** From predicted value to level: (m + s·p − lo) / step. */
export function centerMap(predictor: Predictor, { channel, lo, step }: ChannelPlace): CenterMap {
  if (step === 0) return { gain: 0, offset: 0 };
  const gain = ((predictor.scale[channel]! / step) * CENTER_ONE) / (WEIGHT_ONE * UNIT);
  const offset = ((predictor.mean[channel]! - lo) / step) * CENTER_ONE;
  return {
    gain: Math.fround(Math.min(GAIN_LIMIT, gain)),
    offset: Math.fround(Math.min(OFFSET_LIMIT, Math.max(-OFFSET_LIMIT, offset))),
  };
}

/** How a channel's symbols become standardized values: (q·slope + origin) >> 8, held within ±UNIT_LIMIT. */
export interface UnitMap {
  readonly slope: number;
  readonly origin: number;
}

const SLOPE_LIMIT = 2 ** 22;
const ORIGIN_LIMIT = 2 ** 29;

/** From level to standardized value: (lo + q·step − m) / s, in 1/65536. */
export function unitMap(predictor: Predictor, { channel, lo, step }: ChannelPlace): UnitMap {
  const scale = predictor.scale[channel]!;
  if (scale === 0) return { slope: 0, origin: 0 };
  const one = UNIT * 256;
  const slope = Math.floor((step / scale) * one + 0.5);
  const origin = Math.floor(((lo - predictor.mean[channel]!) / scale) * one + 0.5);
  return {
    slope: Math.min(SLOPE_LIMIT, slope),
    origin: Math.min(ORIGIN_LIMIT, Math.max(-ORIGIN_LIMIT, origin)),
  };
}

/** How fast a token's scale follows, by the number of channels already seen: 1/2, 1/4 ... down to 1/32. */
export function rateOf(seen: number): number {
  return seen < 2 ? 1 : seen < 4 ? 2 : seen < 8 ? 3 : seen < 16 ? 4 : 5;
}
