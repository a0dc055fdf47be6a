/**
 * Dropout masks (Srivastava et al., 2014) drawn by counter: a pure function of seed, position and name, so that a
 * replayed step, on any engine, drops the same elements.
 */
import { hashName, random32 } from "../random.ts";
import type { PassPosition } from "./segments.ts";

/** Fills `mask` with 0 (probability `dropout`) or 1 / (1 − dropout). */
export function fillDropoutMask(
  mask: Float32Array,
  dropout: number,
  seed: number,
  at: PassPosition,
  name: string,
): void {
  const threshold = dropout * 2 ** 32;
  const kept = 1 / (1 - dropout);
  const stream = random32(hashName(name), at.step, at.microBatch);
  for (let i = 0; i < mask.length; i++) mask[i] = random32(seed, stream, i) < threshold ? 0 : kept;
}
