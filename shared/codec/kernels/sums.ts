/** The sums of gain.ts by kernel: up to three tensors, fed through linear memory some rows at a time. */

import { type Kernels, kernels, room } from "./kernels.ts";
import type { LevelTables } from "./reference.ts";

/** Of one tensor at a time in linear memory. */
const CHUNK_BYTES = 2 ** 17;
/** Smaller tensors are done before a kernel has been called. */
const LEAST_VALUES = 2048;

/**
 * Sets sums to Σ (x̂ − x)² and, with a gradient, Σ g·(x̂ − x) and Σ g² of each channel [3 · channels], as channelSums() of
 * gain.ts does, bit for bit. False, with nothing done, where that is to do it.
 */
export function kernelChannelSums(
  x: Float32Array,
  reconstruction: Float32Array,
  gradient: Float32Array | undefined,
  channels: number,
  sums: Float64Array,
): boolean {
  return sumRows(x, reconstruction, gradient, channels, sums);
}

/** The same for x̂ = x rounded to the nearest level by roundNearest() of the reference, at scale 1. */
export function kernelRoundingSums(
  x: Float32Array,
  levels: LevelTables,
  gradient: Float32Array | undefined,
  sums: Float64Array,
): boolean {
  return sumRows(x, levels, gradient, levels.low.length, sums);
}

function sumRows(
  x: Float32Array,
  back: Float32Array | LevelTables,
  gradient: Float32Array | undefined,
  channels: number,
  sums: Float64Array,
): boolean {
  const work = x.length < LEAST_VALUES ? undefined : kernels();
  if (work === undefined) return false;
  const vectors = Math.ceil(channels / 4);
  const stride = vectors * 16;
  const tokens = x.length / channels;
  const chunkRows = Math.min(tokens, Math.max(16, Math.floor(CHUNK_BYTES / stride)));
  if (!work.begin(3 * room(chunkRows * stride) + 3 * room(2 * stride) + 4 * room(stride))) return false;
  const [own, other, third] = [0, 1, 2].map(() => work.take(chunkRows * stride)) as [number, number, number];
  const outputs = [0, 1, 2].map(() => work.take(2 * stride)) as [number, number, number];
  const tables = "low" in back ? levelTables(back, stride, work) : undefined;
  const { f32, f64, run } = work;
  for (const at of outputs) f64.fill(0, at >> 3, (at + 2 * stride) >> 3);
  const pitch = stride >> 2;
  for (let row = 0; row < tokens; row += chunkRows) {
    const rows = Math.min(chunkRows, tokens - row);
    copyRows(x, row, rows, channels, f32, own >> 2, pitch);
    if (back instanceof Float32Array) copyRows(back, row, rows, channels, f32, other >> 2, pitch);
    else run.roundNearest(own, rows, stride, other, vectors, ...tables!);
    if (gradient !== undefined) copyRows(gradient, row, rows, channels, f32, third >> 2, pitch);
    run.channelSums(own, other, gradient === undefined ? 0 : third, rows, stride, vectors, ...outputs);
  }
  outputs.forEach((at, i) => {
    sums.set(f64.subarray(at >> 3, (at >> 3) + channels), i * channels);
  });
  work.finish();
  return true;
}

/** Copies tables of levels to linear memory; returns where they are. */
function levelTables({ low, inverse, top, step }: LevelTables, bytes: number, work: Kernels) {
  return [low, inverse, top, step].map((table) => {
    const at = work.take(bytes);
    work.f32.set(table, at >> 2);
    return at;
  }) as [number, number, number, number];
}

/** Copies rows of a tensor to memory[to …], `pitch` elements apart. */
export function copyRows(
  tensor: Float32Array,
  row: number,
  rows: number,
  channels: number,
  memory: Float32Array,
  to: number,
  pitch: number,
): void {
  const from = row * channels;
  if (pitch === channels) {
    memory.set(
      rows * channels === tensor.length ? tensor : tensor.subarray(from, from + rows * channels),
      to,
    );
    return;
  }
  for (let r = 0; r < rows; r++) {
    memory.set(tensor.subarray(from + r * channels, from + (r + 1) * channels), to + r * pitch);
  }
}
