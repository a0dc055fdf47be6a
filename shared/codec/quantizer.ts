/**
 * The uniform quantizer per channel that `fixed` and `amaq` share: x [tokens, channels] to scales and packed
 * payload, and back.
 *
 * The encoder measures ranges in f64, but quantizes with the lowest level and the step as they stand in the
 * scales section, and makes its reconstruction by the decoder's formula, x̂ = fround(q·step + lo). In f64 the
 * product and the sum are exact (q has at most 8 bits, step and lo 11 bits each within 2^40 of one another),
 * so storing into a Float32Array is the only rounding and both sides hold the same bits.
 *
 * Values lie row by row in x but channel by channel in the payload. Quantizing transposes a band of 16 tokens
 * at a time: each channel's 16 values go to consecutive bytes, while the 16 rows being read stay in cache.
 */

import { fail } from "../errors.ts";
import { packBits, packedBytes, paddingIsZero, unpackBits } from "./bitpack.ts";
import { uniform } from "./hash.ts";
import { type Clip, RangeChooser, type Rounding } from "./ranges.ts";
import { type Grid, type Levels, makeLevels, readScales, scalesBytes, writeScales } from "./scales.ts";
import { payloadBytes, type WidthPlan } from "./widths.ts";

const BAND = 16;
const EMPTY = new Uint8Array(0);

/** Symbols of the message at hand, one byte each; shared by all, as no call keeps it. */
let symbols = new Uint8Array(0);

function symbolsFor(count: number): Uint8Array {
  if (symbols.length < count) symbols = new Uint8Array(count);
  return symbols;
}

/**
 * `level` held within 0 and `highest`, without a branch: at 2 bits one value in seven is clipped, too many
 * for branches to be foretold. A value lies at most 2 · sqrt(tokens) standard deviations outside of a range
 * that is at least one wide, so levels before holding are far within 32 bits.
 */
function hold(level: number, highest: number): number {
  const positive = level & ~(level >> 31);
  const above = highest - positive;
  return positive + (above & (above >> 31));
}

/** A message's body as the quantizer writes it. The byte arrays are overwritten by the next encode(). */
export interface QuantizedBody {
  readonly scales: Uint8Array;
  readonly payload: Uint8Array;
  /** [tokens, channels]; new, the caller's. */
  readonly reconstruction: Float32Array;
}

export interface QuantizerOptions {
  readonly clip: Clip;
  readonly rounding: Rounding;
  readonly grid: Grid;
}

export class QuantizerEncoder {
  private readonly channels: number;
  private readonly options: QuantizerOptions;
  private readonly ranges: RangeChooser;
  private readonly levels: Levels;
  private readonly inverse: Float64Array;
  private readonly top: Int32Array;
  private readonly scales: Uint8Array;
  private payload = EMPTY;

  constructor(channels: number, options: QuantizerOptions) {
    this.channels = channels;
    this.options = options;
    this.ranges = new RangeChooser(channels);
    this.levels = makeLevels(channels);
    this.inverse = new Float64Array(channels);
    this.top = new Int32Array(channels);
    this.scales = new Uint8Array(scalesBytes(channels, 1));
  }

  /**
   * Encodes x [tokens, channels] with the plan's widths. `key` seeds stochastic rounding. Throws
   * NB_TENSOR_NOT_FINITE.
   */
  encode(x: Float32Array, tokens: number, plan: WidthPlan, key: number): QuantizedBody {
    if (tokens === 0) return { scales: EMPTY, payload: EMPTY, reconstruction: new Float32Array(0) };
    const { clip, rounding, grid } = this.options;
    this.ranges.choose(x, tokens, plan.widths, clip, rounding);
    const { lo, hi } = this.ranges;
    writeScales(lo, hi, plan.widths, grid, clip === "none", this.scales, this.levels);
    for (let c = 0; c < this.channels; c++) {
      const step = this.levels.step[c]!;
      this.inverse[c] = step === 0 ? 0 : 1 / step;
      this.top[c] = 2 ** plan.widths[c]! - 1;
    }
    const reconstruction = new Float32Array(x.length);
    const q = symbolsFor(x.length);
    if (rounding === "nearest") this.roundNearest(x, tokens, plan.slots, q, reconstruction);
    else this.roundStochastically(x, tokens, plan.slots, q, reconstruction, key);

    const bytes = payloadBytes(plan, tokens);
    if (this.payload.length < bytes) this.payload = new Uint8Array(bytes);
    let at = 0;
    for (const group of plan.groups) {
      at = packBits(q, group.start * tokens, group.channels * tokens, group.width, this.payload, at);
    }
    return { scales: this.scales, payload: this.payload.subarray(0, bytes), reconstruction };
  }

  /** q = floor((x − lo) / step + 1/2), held within 0 and 2^n − 1. */
  private roundNearest(
    x: Float32Array,
    tokens: number,
    slots: Int32Array,
    q: Uint8Array,
    reconstruction: Float32Array,
  ): void {
    const { channels, inverse, top } = this;
    const { lo, step } = this.levels;
    for (let band = 0; band < tokens; band += BAND) {
      const rows = Math.min(BAND, tokens - band);
      for (let c = 0; c < channels; c++) {
        const low = lo[c]!;
        const width = step[c]!;
        const scale = inverse[c]!;
        const highest = top[c]!;
        let i = band * channels + c;
        const out = slots[c]! * tokens + band;
        for (let r = 0; r < rows; r++, i += channels) {
          const level = hold(((x[i]! - low) * scale + 0.5) | 0, highest);
          q[out + r] = level;
          reconstruction[i] = level * width + low;
        }
      }
    }
  }

  /** q = floor((x − lo) / step + u) with u uniform on (0, 1), held within 0 and 2^n − 1. Inside the range E[x̂] = x. */
  private roundStochastically(
    x: Float32Array,
    tokens: number,
    slots: Int32Array,
    q: Uint8Array,
    reconstruction: Float32Array,
    key: number,
  ): void {
    const { channels, inverse, top } = this;
    const { lo, step } = this.levels;
    for (let band = 0; band < tokens; band += BAND) {
      const rows = Math.min(BAND, tokens - band);
      for (let c = 0; c < channels; c++) {
        const low = lo[c]!;
        const width = step[c]!;
        const scale = inverse[c]!;
        const highest = top[c]!;
        let i = band * channels + c;
        const out = slots[c]! * tokens + band;
        for (let r = 0; r < rows; r++, i += channels) {
          const level = hold(((x[i]! - low) * scale + uniform(key, i)) | 0, highest);
          q[out + r] = level;
          reconstruction[i] = level * width + low;
        }
      }
    }
  }
}

export class QuantizerDecoder {
  private readonly channels: number;
  private readonly levels: Levels;

  constructor(channels: number) {
    this.channels = channels;
    this.levels = makeLevels(channels);
  }

  /**
   * Checks a body against the plan and decodes it into out [tokens, channels]. Throws NB_CODEC_BODY_INVALID
   * before anything is written.
   */
  decode(scales: Uint8Array, payload: Uint8Array, tokens: number, plan: WidthPlan, out: Float32Array): void {
    const { channels } = this;
    requireBytes("scales", scales, scalesBytes(channels, tokens), tokens, channels);
    requireBytes("payload", payload, payloadBytes(plan, tokens), tokens, channels);
    if (tokens === 0) return;
    readScales(scales, plan.widths, this.levels);
    let at = 0;
    for (const { channels: members, width } of plan.groups) {
      if (!paddingIsZero(payload, at, members * tokens, width)) {
        fail("NB_CODEC_BODY_INVALID", `the bits after the last ${width}-bit element are not zero`);
      }
      at += packedBytes(members * tokens, width);
    }
    const q = symbolsFor(channels * tokens);
    at = 0;
    for (const group of plan.groups) {
      at = unpackBits(payload, at, group.channels * tokens, group.width, q, group.start * tokens);
    }
    this.reconstruct(q, tokens, plan.slots, out);
  }

  private reconstruct(q: Uint8Array, tokens: number, slots: Int32Array, out: Float32Array): void {
    const { channels } = this;
    const { lo, step } = this.levels;
    for (let band = 0; band < tokens; band += BAND) {
      const rows = Math.min(BAND, tokens - band);
      for (let c = 0; c < channels; c++) {
        const low = lo[c]!;
        const width = step[c]!;
        let i = band * channels + c;
        const from = slots[c]! * tokens + band;
        for (let r = 0; r < rows; r++, i += channels) out[i] = q[from + r]! * width + low;
      }
    }
  }
}

/** Throws NB_CODEC_BODY_INVALID when a section has not the length that tokens and channels make it. */
export function requireBytes(
  section: string,
  bytes: Uint8Array,
  expected: number,
  tokens: number,
  channels: number,
): void {
  if (bytes.length !== expected) {
    fail(
      "NB_CODEC_BODY_INVALID",
      `${section} of ${bytes.length} bytes; ${tokens} tokens of ${channels} channels take ${expected}`,
    );
  }
}
