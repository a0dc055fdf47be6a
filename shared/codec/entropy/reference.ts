/** Coding a message in plain TypeScript: what the kernels of ../kernels/assembly/entropy*.ts are held to. */

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
  bellTables,
  boundOf,
  CENTER_ONE,
  CLASSES,
  deviationTables,
  leveling,
  SCALE_LIMIT,
  SCALE_ONE,
  SCALE_REACH,
  SCALE_SHIFT,
  scaleClasses,
  symbolAt,
} from "./distribution.ts";
import { BLOCK, type Predictor, UNIT_LIMIT } from "./predictor.ts";
import { RansReader, writeStream } from "./rans.ts";

/** What both ends know of a message before each channel's symbols. */
class MessageModel {
  protected readonly tables = bellTables();
  protected readonly symbols: Uint8Array;
  protected readonly tokens: number;
  /** Centre of each token's symbol in the channel at hand, sixteenths of a level [tokens]. */
  protected readonly centers: Int32Array;
  /** Token scales [tokens]. */
  private readonly scales: Int32Array;
  /** Standardized values of the channels so far, by place in the block [BLOCK, tokens]. */
  private readonly units: Int16Array;
  private readonly predictor: Predictor | undefined;
  private readonly classes = scaleClasses();
  private readonly deviation = deviationTables();
  private seen = 0;

  constructor(symbols: Uint8Array, channels: number, tokens: number, predictor: Predictor | undefined) {
    this.symbols = symbols;
    this.tokens = tokens;
    this.predictor = predictor;
    this.centers = new Int32Array(tokens);
    this.scales = new Int32Array(tokens).fill(SCALE_ONE);
    this.units = new Int16Array(predictor === undefined ? 0 : Math.min(channels, BLOCK) * tokens);
  }

  predict(place: ChannelPlace): void {
    const { centers, predictor, tokens, units } = this;
    const { channel, width } = place;
    const top = (1 << width) - 1;
    if (predictor === undefined) {
      centers.fill(middleOf(place));
      return;
    }
    centers.fill(0);
    const before = channel % BLOCK;
    for (let j = 0; j < before; j++) {
      const weight = predictor.weights[channel * BLOCK + j]!;
      if (weight === 0) continue;
      for (let t = 0; t < tokens; t++) centers[t] = centers[t]! + weight * units[j * tokens + t]!;
    }
    const { gain, offset } = centerMap(predictor, place);
    const lowest = -OVERSHOOT * CENTER_ONE;
    const highest = (top + OVERSHOOT) * CENTER_ONE;
    for (let t = 0; t < tokens; t++) {
      const center = Math.fround(Math.fround(Math.fround(centers[t]!) * gain) + offset);
      centers[t] = Math.min(highest, Math.max(lowest, center)) | 0;
    }
  }

  follow(place: ChannelPlace, k: number): void {
    const { centers, scales, symbols, tokens, predictor, units } = this;
    const cap = this.deviation.cap[k]!;
    const factor = this.deviation.factor[k]!;
    const rate = rateOf(this.seen++);
    for (let t = 0; t < tokens; t++) {
      const deviation = Math.min(cap, Math.abs(symbols[place.from + t]! * CENTER_ONE - centers[t]!));
      const scale = scales[t]! + ((((deviation * factor) >> 8) - scales[t]!) >> rate);
      scales[t] = Math.min(SCALE_LIMIT - 1, scale);
    }
    if (predictor === undefined) return;
    const { slope, origin } = unitMap(predictor, place);
    const at = (place.channel % BLOCK) * tokens;
    for (let t = 0; t < tokens; t++) {
      const unit = (symbols[place.from + t]! * slope + origin) >> 8;
      units[at + t] = Math.min(UNIT_LIMIT, Math.max(-UNIT_LIMIT, unit));
    }
  }

  protected move(distance: number): void {
    const { centers, tokens } = this;
    for (let t = 0; t < tokens; t++) centers[t] = centers[t]! + distance;
  }

  /** Classes that token t's scale adds. */
  protected scaleClass(t: number): number {
    return this.classes[this.scales[t]! >> SCALE_SHIFT]!;
  }

  /** Spread class of token t's symbol in a channel of class k. */
  protected classAt(t: number, k: number): number {
    return Math.min(CLASSES - 1, Math.max(0, k + this.scaleClass(t)));
  }
}

export class ReferenceEncoder extends MessageModel implements EncoderBackend {
  private readonly items: Uint32Array;
  private readonly channels: number;

  constructor(symbols: Uint8Array, channels: number, tokens: number, predictor: Predictor | undefined) {
    super(symbols, channels, tokens, predictor);
    this.channels = channels;
    this.items = new Uint32Array(channels * (tokens + PARAMETERS));
  }

  fit({ from }: ChannelPlace): FitSums {
    const weights = leveling();
    let weightSquares = 0;
    let sum = 0;
    let squares = 0;
    for (let t = 0; t < this.tokens; t++) {
      const weight = weights[this.scaleClass(t) + SCALE_REACH]!;
      const leveled = (this.symbols[from + t]! * CENTER_ONE - this.centers[t]!) * weight;
      weightSquares += weight * weight;
      sum += leveled * weight;
      squares += leveled * leveled;
    }
    return { weightSquares, sum, squares };
  }

  code({ channel, from, width }: ChannelPlace, k: number, distance: number): void {
    this.move(distance);
    const at = channel * (this.tokens + PARAMETERS) + PARAMETERS;
    for (let t = 0; t < this.tokens; t++) {
      this.items[at + t] = this.interval(
        1 << width,
        this.centers[t]!,
        this.classAt(t, k),
        this.symbols[from + t]!,
      );
    }
  }

  parameter(channel: number, j: number, count: number, center: number, k: number, value: number): void {
    this.items[channel * (this.tokens + PARAMETERS) + j] = this.interval(count, center, k, value);
  }

  write(out: Uint8Array, at: number): number {
    const length = this.tokens + PARAMETERS;
    const ends = Uint32Array.from({ length: this.channels }, (_, row) => (row + 1) * length);
    return writeStream(this.items, ends, out, at);
  }

  private interval(count: number, center: number, k: number, q: number): number {
    const low = boundOf(this.tables, count, center, k, q);
    return low * 65536 + boundOf(this.tables, count, center, k, q + 1) - low;
  }
}

export class ReferenceDecoder extends MessageModel implements DecoderBackend {
  private readonly reader: RansReader;

  constructor(
    body: Uint8Array,
    at: number,
    symbols: Uint8Array,
    channels: number,
    tokens: number,
    predictor: Predictor | undefined,
  ) {
    super(symbols, channels, tokens, predictor);
    this.reader = new RansReader(body, at, body.length);
  }

  parameter(j: number, count: number, center: number, k: number): number {
    const { reader, tables } = this;
    const q = symbolAt(tables, count, center, k, reader.slot(j));
    const low = boundOf(tables, count, center, k, q);
    reader.take(j, low, boundOf(tables, count, center, k, q + 1) - low);
    return q;
  }

  decode({ from, width }: ChannelPlace, k: number, distance: number): void {
    this.move(distance);
    for (let t = 0; t < this.tokens; t++) {
      this.symbols[from + t] = this.parameter(
        t + PARAMETERS,
        1 << width,
        this.centers[t]!,
        this.classAt(t, k),
      );
    }
  }

  finish(): void {
    this.reader.finish();
  }
}
