/**
 * One message's passes over a tensor, by kernels: lays out linear memory and feeds rows through it.
 *
 * A tensor visits linear memory in chunks of about CHUNK_BYTES, copied in and, as reconstruction, out: a chunk and what is
 * made of it stay in the second-level cache. Small tensors are copied in once and stay for all passes. Of large ones
 * nothing but the symbols, one byte a value, is kept from chunk to chunk, so that memory is not needed for them.
 */

import type { WidthPlan } from "../widths.ts";
import { type Kernels, kernels, room } from "./kernels.ts";
import {
  CANDIDATES,
  type LevelTables,
  type Moments,
  SAMPLE_ROWS,
  sampledRow,
  sampleSize,
} from "./reference.ts";
import { copyRows } from "./sums.ts";

const CHUNK_BYTES = 2 ** 18;
/** Tensors up to this size are copied in once and stay for all passes; beyond, copying again costs no more than that. */
const RESIDENT_BYTES = 2 ** 23;
/** Rows of a tile: chunks hold a multiple of them. */
const TILE = 16;
/** Smaller tensors are done before a kernel has been called. */
const LEAST_VALUES = 2048;
/** Kernels store up to this many bytes beyond the end of an array. */
export const SLACK = 16;

/** What is made of a tensor beside its symbols. */
export interface ByProducts {
  /** For what the receiver decodes [tokens, channels]; undefined where nobody wants it. */
  readonly reconstruction: Float32Array | undefined;
  /** Step of each channel [channels] if the receiver takes the key's dither away (../rounding.ts). */
  readonly dither: Float64Array | undefined;
  /** For Σ (x̂ − x)² over the tokens of each channel, in its first elements [>= channels]. */
  readonly errors: Float64Array | undefined;
}

/** Bytes from one channel's packed symbols to the next, while they are written: so that few share sets of a cache. */
function packedPitch(tokens: number, width: number): number {
  const bytes = Math.ceil((tokens * width) / 8 + 8);
  const lines = Math.ceil(bytes / 64);
  return 64 * (lines % 2 === 0 ? lines + 1 : lines);
}

/** The passes over one tensor [tokens, channels]. There is one at a time: open() ends the one before. */
export class KernelTensor {
  work: Kernels;
  /** Symbols in slot order [channels · tokens]: a view of linear memory. */
  symbols: Uint8Array;
  private tokens = 0;
  private channels = 0;
  private vectors = 0;
  /** Bytes from one row to the next in linear memory. */
  private stride = 0;
  private chunkRows = 0;
  /** All rows have places of their own. */
  private resident = false;
  /** Rows that are there for good, from the first on, and what they are rows of. */
  private loadedRows = 0;
  private loaded: Float32Array | undefined;
  /** Bytes from one channel's symbols to the next while quantizing and dequantizing. */
  private pitch = 0;
  private input = 0;
  private output = 0;
  private symbolsAt = 0;
  /** Per-channel tables; each has room for 8 bytes a channel. */
  private readonly tables = new Int32Array(7);
  private places = 0;
  /** Of packed symbols of a width: where those of slot 0 would be. */
  private readonly origins = new Int32Array(9);
  private overload = 0;

  constructor(work: Kernels) {
    this.work = work;
    this.symbols = work.u8.subarray(0, 0);
  }

  /** False when there is not so much memory. `extraBytes`: what else will be taken of `work`. */
  open(tokens: number, channels: number, extraBytes: number): boolean {
    const vectors = Math.ceil(channels / 4);
    const rowBytes = vectors * 16;
    // Rows a multiple of 1 kB apart would share few sets of the first-level cache.
    const stride = rowBytes % 1024 === 0 ? rowBytes + 64 : rowBytes;
    const chunkRows = Math.max(TILE, Math.floor(CHUNK_BYTES / stride / TILE) * TILE);
    const rows = Math.min(tokens, chunkRows);
    const resident = tokens * stride <= RESIDENT_BYTES;
    const inputBytes = (resident ? tokens : rows) * stride;
    const pitch = tokens % 512 === 0 ? tokens + 64 : tokens;
    // The lanes beyond the last channel have symbols, too. Packed ones lie at most packedPitch() apart.
    const symbolBytes = (channels + 1) * Math.max(pitch, packedPitch(tokens, 8)) + SLACK;
    const bytes =
      room(inputBytes) +
      room(rows * stride) +
      this.tables.length * room(vectors * 32) +
      room(rowBytes) +
      room(CANDIDATES * vectors * 32) +
      room(symbolBytes) +
      extraBytes;
    const { work } = this;
    if (!work.begin(bytes)) return false;
    this.tokens = tokens;
    this.channels = channels;
    this.vectors = vectors;
    this.stride = stride;
    this.chunkRows = chunkRows;
    this.pitch = pitch;
    this.resident = resident;
    this.loadedRows = 0;
    this.loaded = undefined;
    this.input = work.take(inputBytes);
    // Lanes that are no channel are looked at when a NaN is looked for.
    if (channels % 4 !== 0) work.f32.fill(0, this.input >> 2, (this.input + inputBytes) >> 2);
    this.output = work.take(rows * stride);
    for (let i = 0; i < this.tables.length; i++) this.tables[i] = work.take(vectors * 32);
    this.places = work.take(rowBytes);
    this.overload = work.take(CANDIDATES * vectors * 32);
    this.symbolsAt = work.take(symbolBytes);
    this.symbols = work.u8.subarray(this.symbolsAt, this.symbolsAt + channels * tokens);
    return true;
  }

  close(): void {
    this.loaded = undefined;
    this.work.finish();
  }

  /** addMoments() of the reference. */
  addMoments(x: Float32Array, moments: Moments): void {
    const { work, vectors, stride, tables, tokens, chunkRows } = this;
    const { f32, f64, run } = work;
    const [origin, min, max, sum, squares] = tables as unknown as [number, number, number, number, number];
    f32.set(moments.origin, origin >> 2);
    f32.set(moments.min, min >> 2);
    f32.set(moments.max, max >> 2);
    f64.set(moments.sum, sum >> 3);
    f64.set(moments.squares, squares >> 3);
    const size = sampleSize(tokens);
    for (let row = 0; row < size; row += chunkRows) {
      const rows = Math.min(chunkRows, size - row);
      const at = tokens > SAMPLE_ROWS ? this.loadSample(x, row, rows) : this.load(x, row, rows);
      run.moments(at, rows, stride, vectors, origin, min, max, sum, squares);
    }
    moments.min.set(f32.subarray(min >> 2, (min >> 2) + this.channels));
    moments.max.set(f32.subarray(max >> 2, (max >> 2) + this.channels));
    moments.sum.set(f64.subarray(sum >> 3, (sum >> 3) + this.channels));
    moments.squares.set(f64.subarray(squares >> 3, (squares >> 3) + this.channels));
  }

  /** addExtremes() of the reference. */
  addExtremes(x: Float32Array, moments: Moments): boolean {
    const { work, vectors, stride, tables, tokens, chunkRows } = this;
    const [least, greatest] = tables as unknown as [number, number];
    this.giveExtremes(moments, least, greatest);
    let numbers = true;
    for (let row = 0; row < tokens; row += chunkRows) {
      const rows = Math.min(chunkRows, tokens - row);
      if (work.run.extremes(this.load(x, row, rows), rows, stride, vectors, least, greatest) === 0)
        numbers = false;
    }
    this.takeExtremes(moments, least, greatest);
    return numbers;
  }

  private giveExtremes(moments: Moments, least: number, greatest: number): void {
    this.work.f32.set(moments.min, least >> 2);
    this.work.f32.set(moments.max, greatest >> 2);
  }

  private takeExtremes(moments: Moments, least: number, greatest: number): void {
    const { f32 } = this.work;
    moments.min.set(f32.subarray(least >> 2, (least >> 2) + this.channels));
    moments.max.set(f32.subarray(greatest >> 2, (greatest >> 2) + this.channels));
  }

  /** measureTails() of the reference. */
  measureTails(
    x: Float32Array,
    inverse: Float32Array,
    center: Float32Array,
    overload: Float64Array,
    moments: Moments,
  ): boolean {
    const { work, vectors, stride, tables, channels, tokens, chunkRows } = this;
    const { f32, f64, run } = work;
    const [factor, middle, least, greatest] = tables as unknown as [number, number, number, number];
    this.giveExtremes(moments, least, greatest);
    let numbers = true;
    const pitch = vectors * 32;
    f32.set(inverse, factor >> 2);
    f32.set(center, middle >> 2);
    // Lanes that are no channel must not look like a NaN.
    f32.fill(0, (factor >> 2) + channels, (factor >> 2) + vectors * 4);
    f32.fill(0, (middle >> 2) + channels, (middle >> 2) + vectors * 4);
    const sums = this.overload >> 3;
    f64.fill(0, sums, sums + CANDIDATES * vectors * 4);
    for (let row = 0; row < tokens; row += chunkRows) {
      const rows = Math.min(chunkRows, tokens - row);
      const ordered = run.tails(
        this.load(x, row, rows),
        rows,
        stride,
        vectors,
        factor,
        middle,
        this.overload,
        pitch,
        least,
        greatest,
      );
      if (ordered === 0) numbers = false;
    }
    this.takeExtremes(moments, least, greatest);
    for (let k = 0; k < CANDIDATES; k++) {
      const from = sums + k * vectors * 4;
      overload.set(f64.subarray(from, from + channels), k * channels);
    }
    return numbers;
  }

  /** quantize() of the reference at scale 1; the symbols stay in linear memory. */
  quantize(
    x: Float32Array,
    levels: LevelTables,
    slots: Int32Array,
    key: number | undefined,
    made: ByProducts,
  ): void {
    const { tokens, channels } = this;
    this.setPlaces(slots);
    this.quantizeRows(x, levels, key, made, 0);
    if (this.pitch !== tokens) this.work.run.closeRanks(this.symbolsAt, this.pitch, tokens, channels);
  }

  /** Whether quantizePacked() can do it: a channel's packed symbols begin and end on a byte after each tile. */
  packs(): boolean {
    return this.tokens % TILE === 0;
  }

  /** quantize() and packedSymbols.write() (../symbols.ts) in one pass: the packed symbols go to `out`, from its start. */
  quantizePacked(
    x: Float32Array,
    levels: LevelTables,
    plan: WidthPlan,
    key: number | undefined,
    made: ByProducts,
    out: Uint8Array,
  ): number {
    const { work, tokens, channels, places } = this;
    const { i32, u8, run } = work;
    const { widths, slots, groups } = plan;
    const widthTable = this.tables[4]!;
    let end = this.symbolsAt;
    for (const { width, start, channels: members } of groups) {
      this.origins[width] = end - start * packedPitch(tokens, width);
      end += members * packedPitch(tokens, width);
    }
    for (let c = 0; c < this.vectors * 4; c++) {
      const width = c < channels ? widths[c]! : 8;
      i32[(widthTable >> 2) + c] = width;
      i32[(places >> 2) + c] =
        c < channels ? this.origins[width]! + slots[c]! * packedPitch(tokens, width) : end;
    }
    this.quantizeRows(x, levels, key, made, widthTable);
    let at = 0;
    for (const { width, start, channels: members } of groups) {
      const pitch = packedPitch(tokens, width);
      const from = this.origins[width]! + start * pitch;
      const length = (tokens * width) / 8;
      run.closeRanks(from, pitch, length, members);
      out.set(u8.subarray(from, from + members * length), at);
      at += members * length;
    }
    return at;
  }

  /** `widthTable`: where the widths are if symbols are to be packed, else 0. */
  private quantizeRows(
    x: Float32Array,
    levels: LevelTables,
    key: number | undefined,
    { reconstruction, dither, errors }: ByProducts,
    widthTable: number,
  ): void {
    const { work, vectors, stride, channels, places, tokens, chunkRows } = this;
    const { f32, f64, run } = work;
    const [low, inverse, top, step, , units, sums] = this.tables as unknown as readonly number[];
    f32.set(levels.low, low! >> 2);
    f32.set(levels.inverse, inverse! >> 2);
    f32.set(levels.top, top! >> 2);
    f32.set(levels.step, step! >> 2);
    const dithers = key !== undefined && dither !== undefined;
    if (dithers) this.giveUnits(dither, units!);
    if (errors !== undefined) f64.fill(0, sums! >> 3, (sums! >> 3) + vectors * 4);
    for (let row = 0; row < tokens; row += chunkRows) {
      const rows = Math.min(chunkRows, tokens - row);
      const input = this.load(x, row, rows);
      // What values stand for takes their place, which is in the first-level cache, unless both are wanted.
      const back = errors !== undefined ? this.output : reconstruction !== undefined ? input : 0;
      if (key === undefined) {
        run.quantizeNearest(
          input,
          rows,
          stride,
          back,
          vectors,
          low!,
          inverse!,
          top!,
          step!,
          places,
          row,
          widthTable,
        );
      } else {
        run.quantizeStochastic(
          input,
          rows,
          stride,
          back,
          vectors,
          low!,
          inverse!,
          top!,
          step!,
          places,
          row,
          key,
          channels,
          widthTable,
          dithers ? units! : 0,
        );
      }
      if (errors !== undefined) run.channelSums(input, back, 0, rows, stride, vectors, sums!, 0, 0);
      if (reconstruction !== undefined) this.unload(back, reconstruction, row, rows);
    }
    if (errors !== undefined) errors.set(f64.subarray(sums! >> 3, (sums! >> 3) + channels));
    this.loaded = undefined;
  }

  /**
   * dequantize() of the reference, from the symbols in linear memory; with `key`, followed by subtractDither() of
   * ../rounding.ts for steps `dither`.
   */
  dequantize(
    levels: LevelTables,
    slots: Int32Array,
    out: Float32Array,
    key?: number,
    dither?: Float64Array,
  ): void {
    const { work, vectors, stride, output, channels, tokens, places, chunkRows } = this;
    const { f32, run } = work;
    const [low, step, , , , units] = this.tables as unknown as readonly number[];
    f32.set(levels.low, low! >> 2);
    f32.set(levels.step, step! >> 2);
    const dithers = key !== undefined && dither !== undefined;
    if (dithers) this.giveUnits(dither, units!);
    this.setPlaces(slots);
    if (this.pitch !== tokens) run.openRanks(this.symbolsAt, this.pitch, tokens, channels);
    for (let row = 0; row < tokens; row += chunkRows) {
      const rows = Math.min(chunkRows, tokens - row);
      const unitTable = dithers ? units! : 0;
      run.dequantize(output, rows, stride, vectors, low!, step!, places, row, unitTable, key ?? 0, channels);
      this.unload(output, out, row, rows);
    }
  }

  /** Units of dither: each channel's step / 2^16. */
  private giveUnits(step: Float64Array, units: number): void {
    const { f64 } = this.work;
    const at = units >> 3;
    for (let c = 0; c < step.length; c++) f64[at + c] = step[c]! * 2 ** -16;
  }

  /** Where each channel's symbols begin; lanes that are no channel get the place behind the last. */
  private setPlaces(slots: Int32Array): void {
    const { symbolsAt, pitch, channels } = this;
    const { i32 } = this.work;
    const places = this.places >> 2;
    for (let c = 0; c < channels; c++) i32[places + c] = symbolsAt + slots[c]! * pitch;
    for (let c = channels; c < this.vectors * 4; c++) i32[places + c] = symbolsAt + channels * pitch;
  }

  /** Copies the chunk of `rows` rows that begins at `row` in, unless it is there; returns where it is. */
  private load(x: Float32Array, row: number, rows: number): number {
    const { channels, stride, resident } = this;
    const { f32 } = this.work;
    const at = resident ? this.input + row * stride : this.input;
    if (resident) {
      if (this.loaded !== x) this.loadedRows = 0;
      this.loaded = x;
      if (row < this.loadedRows) return at;
      this.loadedRows = row + rows;
    }
    copyRows(x, row, rows, channels, f32, at >> 2, stride >> 2);
    return at;
  }

  /** Copies `rows` rows of the sample, from its row `first` on, to where the reconstruction will be; returns where. */
  private loadSample(x: Float32Array, first: number, rows: number): number {
    const { channels, stride, output, tokens } = this;
    for (let r = 0; r < rows; r++) {
      const row = sampledRow(first + r, tokens);
      copyRows(x, row, 1, channels, this.work.f32, (output + r * stride) >> 2, stride >> 2);
    }
    return output;
  }

  /** Copies the chunk at `source`, which begins at `row`, out. */
  private unload(source: number, out: Float32Array, row: number, rows: number): void {
    const { channels, stride } = this;
    const { f32 } = this.work;
    const from = source >> 2;
    const to = row * channels;
    if (stride === channels * 4) {
      out.set(f32.subarray(from, from + rows * channels), to);
    } else {
      const pitch = stride >> 2;
      for (let r = 0; r < rows; r++) {
        out.set(f32.subarray(from + r * pitch, from + r * pitch + channels), to + r * channels);
      }
    }
  }
}

let shared: KernelTensor | undefined;

/**
 * Opens a tensor's passes; undefined where the reference is to be used: without kernels, for small tensors, and for those
 * that there is no memory for. The caller closes it before anyone opens another.
 */
export function openTensor(tokens: number, channels: number, extraBytes: number): KernelTensor | undefined {
  if (tokens * channels < LEAST_VALUES) return undefined;
  const work = kernels();
  if (work === undefined) return undefined;
  if (shared?.work !== work) shared = new KernelTensor(work);
  return shared.open(tokens, channels, extraBytes) ? shared : undefined;
}
