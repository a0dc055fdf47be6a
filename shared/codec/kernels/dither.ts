/** subtractDither() of rounding.ts by kernel: a tensor, fed through linear memory some rows at a time. */

import { kernels, room } from "./kernels.ts";
import { copyRows } from "./sums.ts";

const CHUNK_BYTES = 2 ** 18;
/** Smaller tensors are done before a kernel has been called. */
const LEAST_VALUES = 2048;

/** Takes the dither of `key` from levels [tokens, channels], in place. False, with nothing done, where the caller is to do it. */
export function kernelSubtractDither(levels: Float32Array, step: Float64Array, key: number): boolean {
  const work = levels.length < LEAST_VALUES ? undefined : kernels();
  if (work === undefined) return false;
  const channels = step.length;
  const tokens = levels.length / channels;
  const vectors = Math.ceil(channels / 4);
  const stride = vectors * 16;
  // An even number of rows, as two share a hash.
  const chunkRows = Math.min(tokens, Math.max(2, Math.floor(CHUNK_BYTES / stride / 2) * 2));
  if (!work.begin(room(chunkRows * stride) + room(2 * stride))) return false;
  const rowsAt = work.take(chunkRows * stride);
  const units = work.take(2 * stride);
  const { f32, f64, run } = work;
  for (let c = 0; c < channels; c++) f64[(units >> 3) + c] = step[c]! * 2 ** -16;
  const from = rowsAt >> 2;
  const pitch = stride >> 2;
  for (let row = 0; row < tokens; row += chunkRows) {
    const rows = Math.min(chunkRows, tokens - row);
    copyRows(levels, row, rows, channels, f32, from, pitch);
    run.subtractDither(rowsAt, rows, stride, vectors, units, row, key, channels);
    if (pitch === channels) {
      levels.set(f32.subarray(from, from + rows * channels), row * channels);
      continue;
    }
    for (let r = 0; r < rows; r++) {
      levels.set(f32.subarray(from + r * pitch, from + r * pitch + channels), (row + r) * channels);
    }
  }
  work.finish();
  return true;
}
