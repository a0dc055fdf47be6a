/** The receiving end of what pipeline.ts does around the plain quantizer: the way back, in the order that its head tells. */

import { fail } from "../errors.ts";
import type { CodecState } from "./codec.ts";
import { type EntropyDecoder, entropyDecoder } from "./entropy/coder.ts";
import { DITHER_MARK, KEY_BYTES, leastExponent, markAt, type PipelineLayout } from "./pipeline-layout.ts";
import { QuantizerDecoder, requireBytes } from "./quantizer.ts";
import { MAX_ROTATED_LEVEL, Rotation } from "./rotation.ts";
import { type Levels, makeLevels, readExponent, readScales, scalesBytes } from "./scales.ts";
import { putTogether, readSinks } from "./sinks.ts";
import { packedSymbols, type SymbolCoder } from "./symbols.ts";
import { readShifts, shiftBytes, shiftTokens } from "./token-scale.ts";
import type { WidthPlan } from "./widths.ts";

const EMPTY = new Uint8Array(0);

/** Values as the quantizer gives them, while one call lasts; shared by all. */
let scratch = new Float32Array(0);

export class PipelineDecoder {
  private readonly channels: number;
  private readonly layout: PipelineLayout;
  private readonly quantizer: QuantizerDecoder;
  private readonly entropy: EntropyDecoder | undefined;
  private readonly rotation: Rotation | undefined;
  private readonly levels: Levels;
  /** Scales of the message at hand, in the form that the quantizer knows. */
  private readonly scales: Uint8Array;

  constructor(channels: number, layout: PipelineLayout) {
    const { block } = layout;
    this.channels = channels;
    this.layout = layout;
    this.entropy = entropyDecoder(layout.entropy, channels);
    const coder: SymbolCoder = this.entropy ?? packedSymbols;
    this.quantizer = new QuantizerDecoder(channels, coder);
    this.rotation = block === 0 ? undefined : new Rotation(channels, block);
    this.levels = makeLevels(channels);
    this.scales = new Uint8Array(scalesBytes(channels, 1));
  }

  /**
   * Checks a body against the plan and decodes it into out [tokens, channels]. `kept`: the scales that the stream's table
   * brought, or empty. Throws NB_CODEC_BODY_INVALID before anything is written.
   */
  decode(
    section: Uint8Array,
    payload: Uint8Array,
    tokens: number,
    plan: WidthPlan,
    out: Float32Array,
    kept: Uint8Array = EMPTY,
  ): void {
    const { channels, layout } = this;
    const bytes = scalesBytes(channels, 1);
    if (tokens === 0) {
      this.quantizer.decode(section, payload, tokens, plan, out);
      return;
    }
    const sinks = layout.sinks ? readSinks(section, tokens, channels) : undefined;
    const rest = tokens - (sinks?.tokens.length ?? 0);
    const behind = sinks === undefined ? section : section.subarray(sinks.bytes.length);
    const shifts = layout.tokenScale ? readShifts(behind, rest) : undefined;
    const left = shifts === undefined ? behind : behind.subarray(shiftBytes(rest));
    const given = left.length >= bytes;
    const dithered = this.readLevels(given || !layout.keepsScales ? left.subarray(0, bytes) : kept, plan);
    const keyAt = given ? bytes : 0;
    requireBytes("scales", left, keyAt + (dithered ? KEY_BYTES : 0), rest, channels);
    const length = rest * channels;
    const whole = sinks === undefined && this.rotation === undefined;
    if (!whole && scratch.length < length) scratch = new Float32Array(length);
    const values = whole ? out : scratch.subarray(0, length);
    const key = dithered
      ? new DataView(left.buffer, left.byteOffset + keyAt, KEY_BYTES).getUint32(0, true)
      : undefined;
    this.quantizer.decode(this.scales, payload, rest, plan, values, key);
    if (shifts !== undefined) shiftTokens(values, shifts, channels, -1);
    this.rotation?.inverse(values);
    if (sinks !== undefined) putTogether(values, sinks.values, tokens, channels, sinks.tokens, out);
    else if (!whole) out.set(values);
  }

  /**
   * Reads scales into `levels` and, without the mark of dither, `scales`. True when they have that mark. Throws
   * NB_CODEC_BODY_INVALID when they are not what this stream may have.
   */
  private readLevels(section: Uint8Array, plan: WidthPlan): boolean {
    const { channels, layout, levels, scales } = this;
    requireBytes("scales", section, scales.length, 1, channels);
    scales.set(section);
    const mark = markAt(channels);
    const dithered = (scales[mark]! & DITHER_MARK) !== 0;
    scales[mark] = scales[mark]! & ~DITHER_MARK;
    const exponent = readExponent(scales);
    const least = leastExponent(dithered || layout.block > 0, layout.tokenScale);
    if (exponent < least) {
      fail(
        "NB_CODEC_BODY_INVALID",
        `scale exponent ${exponent}; accepted with dither, rotation or scales of tokens are ${least} and more`,
      );
    }
    readScales(scales, plan.widths, levels);
    if (layout.block === 0) return dithered;
    for (let c = 0; c < channels; c++) {
      const low = levels.lo[c]!;
      const high = low + (2 ** plan.widths[c]! - 1) * levels.step[c]!;
      if (Math.max(Math.abs(low), Math.abs(high)) > MAX_ROTATED_LEVEL) {
        fail("NB_CODEC_BODY_INVALID", `channel ${c} has a level beyond 2^119, the bound of rotated channels`);
      }
    }
    return dithered;
  }

  /** What is kept between messages beside the table. */
  save(arrays: Record<string, CodecState["arrays"][string]>): void {
    this.entropy?.save(arrays);
  }

  /** Reads what save() wrote; the function that it returns takes it over. */
  prepare(state: CodecState): () => void {
    return this.entropy?.prepare(state) ?? (() => {});
  }

  /** Throws NB_CODEC_BODY_INVALID when a table's scales are not what this stream may keep. */
  checkKept(scales: Uint8Array, plan: WidthPlan): void {
    this.readLevels(scales, plan);
  }
}
