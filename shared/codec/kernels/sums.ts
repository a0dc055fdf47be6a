/** The sums of gain.ts by kernel: three tensors, fed through linear memory some rows at a time. */

import { kernels, room } from "./kernels.ts";

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
  const work = x.length < LEAST_VALUES ? undefined : kernels();
  if (work === undefined) return false;
  const tensors = gradient === undefined ? [x, reconstruction] : [x, reconstruction, gradient];
  const vectors = Math.ceil(channels / 4);
  const stride = vectors * 16;
  const tokens = x.length / channels;
  const chunkRows = Math.min(tokens, Math.max(16, Math.floor(CHUNK_BYTES / stride)));
  if (!work.begin(3 * room(chunkRows * stride) + 3 * room(2 * stride))) return false;
  const inputs = [0, 1, 2].map(() => work.take(chunkRows * stride));
  const outputs = [0, 1, 2].map(() => work.take(2 * stride));
  const { f32, f64, run } = work;
  for (const at of outputs) f64.fill(0, at >> 3, (at + 2 * stride) >> 3);
  for (let row = 0; row < tokens; row += chunkRows) {
    const rows = Math.min(chunkRows, tokens - row);
    tensors.forEach((tensor, i) => {
      copyRows(tensor, row, rows, channels, f32, inputs[i]! >> 2, stride >> 2);
    });
    const third = gradient === undefined ? 0 : inputs[2]!;
    run.channelSums(
      inputs[0]!,
      inputs[1]!,
      third,
      rows,
      stride,
      vectors,
      outputs[0]!,
      outputs[1]!,
      outputs[2]!,
    );
  }
  outputs.forEach((at, i) => {
    sums.set(f64.subarray(at >> 3, (at >> 3) + channels), i * channels);
  });
  work.finish();
  return true;
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
