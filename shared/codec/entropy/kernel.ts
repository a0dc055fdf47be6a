/** Coding a message by the kernels of ../kernels/assembly/entropy*.ts; equals reference.ts byte for byte. */

import { type Kernels, room } from "../kernels/kernels.ts";
import { MAX_WIDTH } from "../widths.ts";
import {
  type ChannelPlace,
  centerMap,
  type DecoderBackend,
  type EncoderBackend,
  type FitSums,
  middleOf,
  OVERSHOOT,
  PARAMETERS,
  rateOf,
  unitMap,
} from "./backend.ts";
import {
  ARGUMENTS,
  bellTables,
  CENTER_ONE,
  CLASSES,
  deviationTables,
  INVERSE_BITS,
  leveling,
  PROBABILITY_ONE,
  REACH,
  SCALE_ONE,
  SCALE_REACH,
  SCALE_SHIFT,
  scaleClasses,
  shiftOf,
} from "./distribution.ts";
import { BLOCK, type Predictor } from "./predictor.ts";
import { LANES, LOWEST, refuse, STATE_BYTES } from "./rans.ts";

/** Tokens that a kernel works on at once; buffers are rounded up to it. */
const TILE = 32;
/** Bytes of a class in the table of classes. */
const CLASS_BYTES = 16;
/** Bytes that kernels may read behind the last word. */
const OVERREAD = 64;

/** Channels whose predictions from the channels before them are made together. */
const GROUP = 4;

/** Bytes of the part that a pair of channels has in a tile of units. */
const PAIR_BYTES = 4 * TILE;

function paddedTokens(tokens: number): number {
  return Math.ceil(tokens / TILE) * TILE;
}

/** Bytes of a tile of units: those of TILE tokens and a block of channels. */
function tileBytesOf(channels: number): number {
  return Math.ceil(Math.min(channels, BLOCK) / 2) * PAIR_BYTES;
}

/** Entries of the table of classes: those beyond its ends are repeated, so that a token's context needs no check. */
const CLASS_ENTRIES = CLASSES + 2 * SCALE_REACH;
/** Numbers of an alphabet in the table of ends, and alphabets: the spread classes, and 2 to 256 symbols. */
const END_COUNT = 260;
const ALPHABETS = [CLASSES, 2, 4, 8, 16, 32, 64, 128, 256];
/** Moves any argument beyond REACH. */
const FAR = 2 ** 20;

/** Entries of the inverse beyond both of its ends, and of a class with them: targets of guesses lie up to 800 outside. */
const INVERSE_PADDING = 32;
const PADDED_INVERSE = (1 << INVERSE_BITS) + 2 * INVERSE_PADDING;

/** Bytes of the guesses for all classes, for alphabets of up to 16 symbols and for each larger one. */
const INVERSE_BYTES = 2 * CLASSES * PADDED_INVERSE;
/** Up to this width alphabets have the same guesses. */
const NARROW = 4;

function tableBytes(): number[] {
  const { values } = bellTables();
  const ends = 4 * END_COUNT * ALPHABETS.length;
  const classes = CLASS_ENTRIES * CLASS_BYTES;
  return [
    values.byteLength,
    INVERSE_BYTES * (1 + MAX_WIDTH - NARROW),
    contextTable().byteLength,
    ends,
    classes,
    4 * CLASSES,
    4 * CLASSES,
  ];
}

const guesses: Int16Array[] = [];

/** What kernels look up to guess symbols of this width, from NARROW on: see assembly/lib/entropy.ts. */
function guessTable(width: number): Int16Array {
  guesses[width] ??= width === NARROW ? narrowGuesses() : wideGuesses(1 << width);
  return guesses[width];
}

function narrowGuesses(): Int16Array {
  const table = new Int16Array(CLASSES * PADDED_INVERSE);
  const { inverse } = bellTables();
  const last = (1 << INVERSE_BITS) - 1;
  for (let k = 0; k < CLASSES; k++) {
    for (let i = 0; i < PADDED_INVERSE; i++) {
      const step = inverse[(k << INVERSE_BITS) + Math.min(last, Math.max(0, i - INVERSE_PADDING))]!;
      table[k * PADDED_INVERSE + i] = (step + 1) << shiftOf(k);
    }
  }
  return table;
}

/**
 * A symbol of an alphabet of `count` whose first bound has argument a begins, counted from that at the centre, about a / 16 + F(a) ·
 * (1 − count / 32768). That is inverted, in sixteenths, within the arguments that F has.
 */
function wideGuesses(count: number): Int16Array {
  const table = new Int16Array(CLASSES * PADDED_INVERSE);
  const { values } = bellTables();
  const weight = (CENTER_ONE * (PROBABILITY_ONE - count)) / PROBABILITY_ONE;
  for (let k = 0; k < CLASSES; k++) {
    const shift = shiftOf(k);
    const weighted = (step: number) => values[k * ARGUMENTS + REACH + step]! * weight;
    for (let i = 0, step = 1 - REACH; i < PADDED_INVERSE; i++) {
      const start = (i - INVERSE_PADDING) * (PROBABILITY_ONE >> INVERSE_BITS) * CENTER_ONE;
      while (step < REACH - 1 && ((step + 1) << shift) + weighted(step + 1) <= start) step++;
      const argument = Math.floor(start - weighted(step)) + 1;
      table[k * PADDED_INVERSE + i] = Math.min((step + 1) << shift, Math.max(step << shift, argument));
    }
  }
  return table;
}

let contexts: Int32Array | undefined;

/** What kernels know of a token, by its scale >> SCALE_SHIFT: see assembly/lib/entropy.ts. */
function contextTable(): Int32Array {
  const weights = leveling();
  contexts ??= Int32Array.from(scaleClasses(), (d) => (weights[d + SCALE_REACH]! << 16) | (d & 0xffff));
  return contexts;
}

/** Kernel memory that a message takes, bytes, both for coding and decoding it. */
export function kernelBytes(channels: number, tokens: number, predicted: boolean): number {
  const padded = paddedTokens(tokens);
  const symbols = channels * (tokens + PARAMETERS);
  const units = predicted
    ? room((padded / TILE) * tileBytesOf(channels)) +
      room((channels + GROUP - 1) * BLOCK * 2) +
      room(GROUP * 4 * padded)
    : 0;
  const tables = tableBytes().reduce((sum, bytes) => sum + room(bytes), 0);
  return (
    tables +
    units +
    3 * room(4 * padded) +
    2 * room(64) +
    // Of an encoder its intervals, of a decoder the stream.
    room(Math.max(4 * symbols, 2 * symbols + STATE_BYTES + OVERREAD))
  );
}

class KernelModel {
  protected readonly work: Kernels;
  protected readonly tokens: number;
  protected readonly symbols: number;
  protected readonly centers: number;
  protected readonly scales: number;
  protected readonly contexts: number;
  protected readonly states: number;
  protected readonly scratch: number;
  /** Guesses of all widths, of which a decoder copies those that it needs. */
  protected inverse = 0;
  /** Where there is no predictor: the centre of all tokens in the channel at hand, before its shift. */
  protected center: number | undefined;
  private readonly tile: number;
  private readonly units: number;
  private readonly weights: number;
  /** What the channels before a group add to each of its predictions, `padded` tokens each. */
  private readonly sums: number;
  private readonly padded: number;
  private readonly predictor: Predictor | undefined;
  private seen = 0;

  /** `symbols`: their address in linear memory. */
  constructor(
    work: Kernels,
    symbols: number,
    channels: number,
    tokens: number,
    predictor: Predictor | undefined,
  ) {
    this.work = work;
    this.symbols = symbols;
    this.tokens = tokens;
    this.predictor = predictor;
    this.tile = tileBytesOf(channels);
    const padded = paddedTokens(tokens);
    this.padded = padded;
    this.centers = work.take(4 * padded);
    this.scales = work.take(4 * padded);
    this.contexts = work.take(4 * padded);
    this.states = work.take(64);
    this.scratch = work.take(64);
    work.i32.fill(SCALE_ONE, this.scales / 4, this.scales / 4 + padded);
    const context = contextTable()[SCALE_ONE >> SCALE_SHIFT]!;
    work.i32.fill(context, this.contexts / 4, this.contexts / 4 + padded);
    this.units = 0;
    this.weights = 0;
    this.sums = 0;
    if (predictor !== undefined) {
      this.units = work.take((padded / TILE) * this.tile);
      // A last group may have fewer channels; what stands in the place of weights there is not used.
      this.weights = work.take((channels + GROUP - 1) * BLOCK * 2);
      this.sums = work.take(GROUP * 4 * padded);
      new Int16Array(work.u8.buffer, this.weights, channels * BLOCK).set(predictor.weights);
    }
  }

  /** Copies the tables and tells kernels where everything stands. */
  protected begin(): void {
    const { work } = this;
    const [values, inverse, contexts, ends, classes, caps, factors] = tableBytes().map((bytes) =>
      work.take(bytes),
    );
    const bell = bellTables();
    const { buffer } = work.u8;
    new Uint16Array(buffer, values).set(bell.values);
    this.inverse = inverse!;
    work.i32.set(contextTable(), contexts! / 4);
    ALPHABETS.forEach((count, i) => {
      const at = ends! / 4 + i * END_COUNT;
      work.i32.fill(0, at, at + count);
      work.i32.fill(FAR, at + count, at + END_COUNT);
      work.i32[at] = -FAR;
    });
    for (let i = 0; i < CLASS_ENTRIES; i++) {
      const k = Math.min(CLASSES - 1, Math.max(0, i - SCALE_REACH));
      const entry = (classes! + i * CLASS_BYTES) / 4;
      work.i32[entry] = values! + 2 * (k * ARGUMENTS + REACH);
      work.i32[entry + 1] = shiftOf(k);
      work.i32[entry + 2] = inverse! + 2 * (k * PADDED_INVERSE + INVERSE_PADDING);
      work.i32[entry + 3] = 16 >> shiftOf(k);
    }
    const deviation = deviationTables();
    work.i32.set(deviation.cap, caps! / 4);
    work.i32.set(deviation.factor, factors! / 4);
    work.run.entropyBegin(classes!, contexts!, ends!, caps!, factors!, this.states);
  }

  predict(place: ChannelPlace): void {
    const { channel, width } = place;
    const { work, predictor, centers, tile, tokens, units, weights, padded } = this;
    const top = (1 << width) - 1;
    if (predictor === undefined) {
      this.center = middleOf(place);
      work.run.entropyFill(centers, this.center, tokens);
      return;
    }
    const { gain, offset } = centerMap(predictor, place);
    const highest = (top + OVERSHOOT) * CENTER_ONE;
    const row = weights + channel * BLOCK * 2;
    const n = channel % BLOCK;
    const member = n % GROUP;
    const from = n - member;
    if (member === 0) work.run.entropyForetell(row, units, tile, from, this.sums, 4 * padded, tokens);
    // The group's own two pairs; weights of channels that are not before this one are 0.
    const sums = this.sums + member * 4 * padded;
    const own = units + (from >> 1) * PAIR_BYTES;
    work.run.entropyPredict(row + from * 2, own, tile, gain, offset, highest, sums, centers, tokens);
  }

  follow(place: ChannelPlace, k: number): void {
    const { work, predictor, tile, tokens } = this;
    const own = this.symbols + place.from;
    const rate = rateOf(this.seen++);
    work.run.entropyFollow(own, this.centers, this.scales, this.contexts, k, rate, tokens);
    if (predictor === undefined) return;
    const { slope, origin } = unitMap(predictor, place);
    const j = place.channel % BLOCK;
    const pair = this.units + (j >> 1) * PAIR_BYTES;
    work.run.entropyUnits(own, slope, origin, pair, j & 1, tile, tokens);
  }
}

export class KernelEncoder extends KernelModel implements EncoderBackend {
  private readonly items: number;
  private readonly channels: number;

  constructor(
    work: Kernels,
    symbols: number,
    channels: number,
    tokens: number,
    predictor: Predictor | undefined,
  ) {
    super(work, symbols, channels, tokens, predictor);
    this.channels = channels;
    this.items = work.take(4 * channels * (tokens + PARAMETERS));
    this.begin();
  }

  fit({ from }: ChannelPlace): FitSums {
    const { work, scratch } = this;
    work.run.entropyFit(this.symbols + from, this.centers, this.contexts, this.tokens, scratch);
    const at = scratch / 8;
    return { weightSquares: work.f64[at]!, sum: work.f64[at + 1]!, squares: work.f64[at + 2]! };
  }

  code({ channel, from, width }: ChannelPlace, k: number, distance: number): void {
    const row = this.items + 4 * (channel * (this.tokens + PARAMETERS) + PARAMETERS);
    const { center, centers, contexts, tokens, symbols } = this;
    const { run } = this.work;
    const own = symbols + from;
    if (center === undefined)
      run.entropyIntervals(own, centers, contexts, k, distance, 1 << width, tokens, row);
    else run.entropyEvenIntervals(own, centers, contexts, k, center + distance, 1 << width, tokens, row);
  }

  parameter(channel: number, j: number, count: number, center: number, k: number, value: number): void {
    const at = this.items / 4 + channel * (this.tokens + PARAMETERS) + j;
    this.work.i32[at] = this.work.run.entropyInterval(k, center, count, value);
  }

  write(out: Uint8Array, at: number): number {
    const { work, states, items, channels, tokens } = this;
    const length = tokens + PARAMETERS;
    const wordEnd = items + 4 * channels * length;
    const first = work.run.entropyWrite(items, channels, length);
    out.set(work.u8.subarray(states, states + STATE_BYTES), at);
    out.set(work.u8.subarray(first, wordEnd), at + STATE_BYTES);
    return at + STATE_BYTES + wordEnd - first;
  }
}

export class KernelDecoder extends KernelModel implements DecoderBackend {
  /** By width: whether its guesses have been copied. */
  private readonly guesses = new Uint8Array(MAX_WIDTH + 1);

  constructor(
    work: Kernels,
    body: Uint8Array,
    at: number,
    symbols: number,
    channels: number,
    tokens: number,
    predictor: Predictor | undefined,
  ) {
    super(work, symbols, channels, tokens, predictor);
    const bytes = body.length - at;
    if (bytes < STATE_BYTES) refuse("is shorter than its states");
    if (bytes > 2 * channels * (tokens + PARAMETERS) + STATE_BYTES)
      refuse("is longer than its symbols can make it");
    const stream = work.take(bytes + OVERREAD);
    work.u8.set(body.subarray(at), stream);
    for (let lane = 0; lane < LANES; lane++) {
      const x = work.i32[stream / 4 + lane]! >>> 0;
      if (x < LOWEST) refuse("begins with a state below 2^16");
      work.i32[this.states / 4 + lane] = x;
    }
    this.begin();
    work.run.entropyOpen(stream + STATE_BYTES, stream + bytes);
    this.giveGuesses(NARROW);
  }

  /** Copies what symbols of this width are guessed from, unless it is there. */
  private giveGuesses(width: number): void {
    if (width < NARROW || this.guesses[width] === 1) return;
    this.guesses[width] = 1;
    const table = guessTable(width);
    new Int16Array(this.work.u8.buffer, this.inverse + (width - NARROW) * INVERSE_BYTES, table.length).set(
      table,
    );
  }

  parameter(j: number, count: number, center: number, k: number): number {
    const { work, scratch } = this;
    if (!work.run.entropyTake(j & (LANES - 1), k, center, count, scratch)) refuse("ends too early");
    return work.u8[scratch]!;
  }

  decode({ from, width }: ChannelPlace, k: number, distance: number): void {
    const { work, center, centers, contexts, tokens } = this;
    const { run } = work;
    const own = this.symbols + from;
    const count = 1 << width;
    this.giveGuesses(width);
    const done =
      center === undefined
        ? run.entropySymbols(own, centers, contexts, k, distance, count, tokens)
        : run.entropyEvenSymbols(own, centers, contexts, k, center + distance, count, tokens);
    if (!done) refuse("ends too early");
  }

  finish(): void {
    if (!this.work.run.entropyFinished()) refuse("goes on after its last symbol");
  }
}

/** Samples of a channel, rounded up to a vector; and so many channels apart that rows share few sets of a cache. */
function sampleStride(tokens: number): number {
  const rounded = Math.ceil(tokens / 8) * 8;
  return rounded % 512 === 0 ? rounded + 8 : rounded;
}

/** Kernel memory that {@link KernelSamples} take, bytes, for a message of so many tokens. */
export function measureBytes(channels: number, tokens: number): number {
  return room((channels + 3) * sampleStride(tokens) * 2) + room(2 * BLOCK * 4) + room(2 * 256);
}

/** The samples of a message [channels, tokens], in linear memory, and what is measured of them. */
export class KernelSamples {
  private readonly work: Kernels;
  private readonly channels: number;
  private readonly tokens: number;
  private readonly stride: number;
  private readonly at: number;
  private readonly sums: number;
  private readonly table: number;

  constructor(work: Kernels, channels: number, tokens: number) {
    this.work = work;
    this.channels = channels;
    this.tokens = tokens;
    this.stride = sampleStride(tokens);
    // Products are made of two channels with four others, of which some may be none.
    this.at = work.take((channels + 3) * this.stride * 2);
    this.sums = work.take(2 * BLOCK * 4);
    this.table = work.take(2 * 256);
  }

  /** Sum of the symbols at this address and of their squares. */
  sumsOf(symbols: number): { sum: number; squares: number } {
    const { work, sums } = this;
    work.run.entropySums(symbols, this.tokens, sums);
    return { sum: work.i32[sums / 4]!, squares: work.i32[sums / 4 + 1]! };
  }

  /** Takes a channel's samples to be table[symbol]. */
  set(channel: number, symbols: number, table: Int16Array): void {
    const { work, tokens, stride } = this;
    new Int16Array(work.u8.buffer, this.table, table.length).set(table);
    work.run.entropySamples(symbols, this.table, tokens, stride, this.at + channel * stride * 2);
  }

  /**
   * correlation[c·BLOCK + j − first] = unit · Σ_t samples[c, t] · samples[j, t] for each channel c and those before it in
   * its block, which starts at `first`.
   */
  products(unit: number, correlation: Float32Array): void {
    const { work, channels, stride, at, sums } = this;
    for (let c = 0; c < channels; c += 2) {
      const first = c - (c % BLOCK);
      const own = at + c * stride * 2;
      work.run.entropyCorrelate(own, at + first * stride * 2, c + 1 - first, stride, sums);
      for (let j = 0; j < c - first; j++) correlation[c * BLOCK + j] = work.i32[sums / 4 + j]! * unit;
      if (c + 1 === channels) break;
      const next = sums / 4 + BLOCK;
      for (let j = 0; j <= c - first; j++) correlation[(c + 1) * BLOCK + j] = work.i32[next + j]! * unit;
    }
  }
}
