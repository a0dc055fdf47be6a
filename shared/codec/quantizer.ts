/**
 * The uniform quantizer per channel that `fixed` and `amaq` share: x [tokens, channels] to scales and payload, and back.
 * symbols.ts tells its three stages.
 *
 * The encoder quantizes with the lowest level and the step as they stand in the scales section, and makes its
 * reconstruction by the decoder's formula, x̂ = fround(q·step + lo). The product is exact (q has at most 8 bits, step 11),
 * in f32 as in f64, so the sum's rounding is the only one, and both sides hold the same bits. Where nobody wants it, it
 * is not made.
 *
 * The passes over the tensor are done by WebAssembly kernels (kernels/tensor.ts) or by the plain functions that these equal
 * bit for bit (kernels/reference.ts).
 */

import { fail } from "../errors.ts";
import type { EncodeOutputs, SentLevels } from "./codec.ts";
import { channelSums } from "./gain.ts";
import { dequantize, type LevelTables, makeTables, quantize, setTables } from "./kernels/reference.ts";
import { type ByProducts, type KernelTensor, openTensor } from "./kernels/tensor.ts";
import { type Clip, RangeChooser, type Rounding } from "./ranges.ts";
import { subtractDither } from "./rounding.ts";
import { type Grid, type Levels, makeLevels, readScales, scalesBytes, writeScales } from "./scales.ts";
import { packedSymbols, type SymbolCoder } from "./symbols.ts";
import { payloadBytes, type WidthPlan, widenToSteps } from "./widths.ts";

const EMPTY = new Uint8Array(0);

/** Symbols of the message at hand, one byte each; shared by all, as no call keeps it. */
let symbols = new Uint8Array(0);

function symbolsFor(count: number): Uint8Array {
  if (symbols.length < count) symbols = new Uint8Array(count);
  return symbols;
}

const NOTHING = new Float32Array(0);

/** A reconstruction that is only looked at while a call lasts; shared by all. */
let scratch = NOTHING;

function scratchFor(x: Float32Array): Float32Array {
  if (scratch.length < x.length) scratch = new Float32Array(x.length);
  return scratch.subarray(0, x.length);
}

/** A message's body as the quantizer writes it. The encoder's own byte arrays are overwritten by the next encode(). */
export interface QuantizedBody {
  readonly scales: Uint8Array;
  /** A part of the caller's array where one was given, else of the encoder's. */
  readonly payload: Uint8Array;
  /** What the payload takes as packed symbols, bytes. */
  readonly packedBytes: number;
  /** [tokens, channels], or empty where none is wanted; the caller's. */
  readonly reconstruction: Float32Array;
}

export interface QuantizerOutputs extends EncodeOutputs {
  /** For Σ (x̂ − x)² over the tokens of each channel, in its first elements [>= channels]. */
  readonly errors?: Float64Array | undefined;
}

export interface QuantizerOptions {
  readonly clip: Clip;
  readonly rounding: Rounding;
  readonly grid: Grid;
  /** What ranges are chosen for, where the caller takes noise away again: nearest for stochastic rounding with dither. */
  readonly noise?: Rounding;
  /** Whether the receiver takes the key's dither away (rounding.ts); of stochastic rounding. */
  readonly dithered?: boolean;
  /** See writeScales(). */
  readonly minExponent?: number;
}

/** Levels that the caller has chosen in place of stage 1: a scales section and its values, as writeScales() gives them. */
export interface ChosenLevels {
  readonly scales: Uint8Array;
  readonly levels: Levels;
}

export class QuantizerEncoder {
  private readonly channels: number;
  private readonly options: QuantizerOptions;
  private readonly ranges: RangeChooser;
  private readonly levels: Levels;
  private readonly tables: LevelTables;
  private readonly scales: Uint8Array;
  private readonly coder: SymbolCoder;
  private payload = EMPTY;

  /** `coder`: how symbols are written; the decoder must have the same. */
  constructor(channels: number, options: QuantizerOptions, coder: SymbolCoder = packedSymbols) {
    this.channels = channels;
    this.coder = coder;
    this.options = options;
    this.ranges = new RangeChooser(channels);
    this.levels = makeLevels(channels);
    this.tables = makeTables(channels);
    this.scales = new Uint8Array(scalesBytes(channels, 1));
  }

  /**
   * Encodes x [tokens, channels] with the plan's widths. `key` seeds stochastic rounding. With `chosen` levels, x must
   * be finite. Throws NB_TENSOR_NOT_FINITE.
   */
  encode(
    x: Float32Array,
    tokens: number,
    plan: WidthPlan,
    key: number,
    outputs: QuantizerOutputs = {},
    chosen?: ChosenLevels,
  ): QuantizedBody {
    const { reconstruction: wanted } = outputs;
    const made = {
      reconstruction: wanted === false ? undefined : (wanted ?? new Float32Array(x.length)),
      dither: this.options.dithered === true ? this.levels.step : undefined,
      errors: outputs.errors,
    };
    const reconstruction = made.reconstruction ?? NOTHING;
    if (tokens === 0) return { scales: EMPTY, payload: EMPTY, packedBytes: 0, reconstruction };
    const { coder } = this;
    const out = this.payloadFor(coder.maxBytes(plan, tokens), outputs.payload);
    const rounds = this.options.rounding === "nearest" ? undefined : key;
    const tensor = openTensor(tokens, this.channels, coder.workBytes(plan, tokens));
    const packedBytes = payloadBytes(plan, tokens);
    let bytes: number;
    try {
      this.chooseLevels(x, tokens, plan, chosen, tensor);
      const scale = setTables(this.levels, plan.widths, this.tables);
      if (tensor !== undefined && scale === 1) {
        bytes = this.writeByKernel(x, tokens, plan, rounds, made, out, tensor);
        return { scales: this.scales, payload: out.subarray(0, bytes), packedBytes, reconstruction };
      }
      const back = made.errors === undefined ? made.reconstruction : (made.reconstruction ?? scratchFor(x));
      const symbols = tensor?.symbols ?? symbolsFor(x.length);
      quantize(x, tokens, this.tables, scale, plan.slots, rounds, symbols, back, this.levels);
      bytes = coder.write(symbols, plan, tokens, out, this.levels, tensor?.work);
    } finally {
      tensor?.close();
    }
    this.finish(x, key, made);
    return { scales: this.scales, payload: out.subarray(0, bytes), packedBytes, reconstruction };
  }

  /** The levels of the tensor that was encoded last; new arrays. */
  sentLevels(plan: WidthPlan): SentLevels {
    return { widths: plan.widths, lo: this.levels.lo.slice(), step: this.levels.step.slice() };
  }

  /** Stage 1: sets `levels` and the scales section. */
  private chooseLevels(
    x: Float32Array,
    tokens: number,
    plan: WidthPlan,
    chosen: ChosenLevels | undefined,
    tensor: KernelTensor | undefined,
  ): void {
    if (chosen === undefined) {
      const { clip, rounding, grid, noise = rounding, minExponent } = this.options;
      this.ranges.choose(x, tokens, plan.widths, clip, noise, tensor);
      const { lo, hi } = this.ranges;
      widenToSteps(lo, hi, plan);
      writeScales(lo, hi, plan.widths, grid, clip === "none", this.scales, this.levels, minExponent);
    } else {
      this.scales.set(chosen.scales);
      this.levels.lo.set(chosen.levels.lo);
      this.levels.step.set(chosen.levels.step);
    }
  }

  /** Stages 2 and 3: symbols and by-products, and the payload, of which it returns the length. */
  private writeByKernel(
    x: Float32Array,
    tokens: number,
    plan: WidthPlan,
    key: number | undefined,
    made: ByProducts,
    out: Uint8Array,
    tensor: KernelTensor,
  ): number {
    const { levels, tables, coder } = this;
    if (coder === packedSymbols && tensor.packs()) {
      return tensor.quantizePacked(x, tables, plan, key, made, out);
    }
    tensor.quantize(x, tables, plan.slots, key, made);
    return coder.write(tensor.symbols, plan, tokens, out, levels, tensor.work);
  }

  /** Makes, of what the symbols stand for, the by-products that are wanted. */
  private finish(x: Float32Array, key: number, { reconstruction, dither, errors }: ByProducts): void {
    if (reconstruction === undefined && errors === undefined) return;
    const { channels } = this;
    const back = reconstruction ?? scratchFor(x);
    if (dither !== undefined) subtractDither(back, dither, key);
    if (errors !== undefined) errors.set(channelSums(x, back, undefined, channels).subarray(0, channels));
  }

  /** The caller's array where it is large enough, else the encoder's. */
  private payloadFor(bytes: number, given: Uint8Array | undefined): Uint8Array {
    if (given !== undefined && given.length >= bytes) return given;
    if (this.payload.length < bytes) this.payload = new Uint8Array(bytes);
    return this.payload;
  }
}

export class QuantizerDecoder {
  private readonly channels: number;
  private readonly levels: Levels;
  private readonly tables: LevelTables;
  private readonly coder: SymbolCoder;

  constructor(channels: number, coder: SymbolCoder = packedSymbols) {
    this.channels = channels;
    this.coder = coder;
    this.levels = makeLevels(channels);
    this.tables = makeTables(channels);
  }

  /**
   * Checks a body against the plan and decodes it into out [tokens, channels]; takes the dither of `key` away, if
   * there is one. Throws NB_CODEC_BODY_INVALID before anything is written.
   */
  decode(
    scales: Uint8Array,
    payload: Uint8Array,
    tokens: number,
    plan: WidthPlan,
    out: Float32Array,
    key?: number,
  ): void {
    const { channels } = this;
    requireBytes("scales", scales, scalesBytes(channels, tokens), tokens, channels);
    if (tokens === 0) {
      requireBytes("payload", payload, 0, tokens, channels);
      return;
    }
    const { coder, levels, tables } = this;
    readScales(scales, plan.widths, levels);
    const scale = setTables(levels, plan.widths, tables);
    const tensor = scale === 1 ? openTensor(tokens, channels, coder.workBytes(plan, tokens)) : undefined;
    try {
      const symbols = tensor?.symbols ?? symbolsFor(channels * tokens);
      coder.read(payload, plan, tokens, symbols, levels, tensor?.work);
      if (tensor !== undefined) tensor.dequantize(tables, plan.slots, out, key, levels.step);
      else dequantize(symbols, tokens, levels, plan.slots, out);
    } finally {
      tensor?.close();
    }
    if (tensor === undefined && key !== undefined) subtractDither(out, levels.step, key);
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
