/**
 * Power-of-two scales of tokens. Gradients differ from token to token by orders of magnitude, where the levels of a channel
 * fit one magnitude alone. So each token (row) is multiplied by a power of two that brings it near the loudest, and divided by
 * it after dequantizing. Scales that are powers of two for groups chosen by magnitude are ShiftQuant's (arXiv:2411.10948); a
 * gain for each vector, and a quantizer for its shape, are older (gain-shape quantization; Sabin and Gray, IEEE Trans. ASSP
 * 32(3), 1984).
 *
 * Bytes, in the scales section behind sink tokens, for T tokens without these:
 *
 *   ⌈T/2⌉ bytes   d_t, 0 to 15, four bits each: of an even token the lower four; unused ones 0
 *
 * What is quantized is x_t · 2^(d_t). Both products are exact: scales keep levels so far from the smallest f32
 * (MIN_SCALED_EXPONENT) that a value divided by 2^15 is not subnormal.
 */

import { fail } from "../errors.ts";

/** Least exponent of scales with token scales: what MIN_COMPUTED_EXPONENT is without, and 16 more. */
export const MIN_SCALED_EXPONENT = -64;

/** The greatest d_t: a token 2^15 times as quiet as the loudest is nothing beside it. */
const MOST = 15;

/** Scaled values stay below this, which f16 scales reach: 65504 · 2^112. */
const LARGEST = 65504 * 2 ** 112;

/**
 * d_t of each token of x [tokens, channels]: the power of two that brings its root mean square nearest to the largest of all.
 * A new array. Throws NB_TENSOR_NOT_FINITE.
 */
export function tokenShifts(x: Float32Array, tokens: number, channels: number): Uint8Array {
  const energies = new Float64Array(tokens);
  const shifts = new Uint8Array(tokens);
  let loudest = 0;
  let largest = 0;
  for (let t = 0, i = 0; t < tokens; t++) {
    let energy = 0;
    for (const end = i + channels; i < end; i++) {
      const value = x[i]!;
      energy += value * value;
      largest = Math.max(largest, Math.abs(value));
    }
    energies[t] = energy;
    loudest = Math.max(loudest, energy);
  }
  if (!energies.every(Number.isFinite)) {
    fail("NB_TENSOR_NOT_FINITE", `a tensor of ${tokens} tokens holds NaN or infinity`);
  }
  for (let t = 0; t < tokens; t++) {
    const energy = energies[t]!;
    if (energy === 0) continue;
    let shift = Math.min(MOST, Math.round(Math.log2(loudest / energy) / 2));
    // No value of a token is above the root of its energy.
    while (shift > 0 && largest > 1 && Math.sqrt(energy) * 2 ** shift > LARGEST) shift--;
    shifts[t] = shift;
  }
  return shifts;
}

/** Multiplies each token of x [tokens, channels] by 2^(d_t), or with `direction` −1 divides it, in place. */
export function shiftTokens(x: Float32Array, shifts: Uint8Array, channels: number, direction: 1 | -1): void {
  for (let t = 0, i = 0; t < shifts.length; t++, i += channels) {
    if (shifts[t] === 0) continue;
    const factor = 2 ** (direction * shifts[t]!);
    for (let k = i, end = i + channels; k < end; k++) x[k] = x[k]! * factor;
  }
}

export function shiftBytes(tokens: number): number {
  return (tokens + 1) >> 1;
}

/** Writes shifts for the section; a new array. */
export function writeShifts(shifts: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(shiftBytes(shifts.length));
  for (let t = 0; t < shifts.length; t++) bytes[t >> 1] = bytes[t >> 1]! | (shifts[t]! << (4 * (t & 1)));
  return bytes;
}

/** Reads the shifts at the start of a section. Throws NB_CODEC_BODY_INVALID; allocates nothing before the length is checked. */
export function readShifts(section: Uint8Array, tokens: number): Uint8Array {
  const length = shiftBytes(tokens);
  if (section.length < length) {
    fail(
      "NB_CODEC_BODY_INVALID",
      `scales of ${section.length} bytes; those of ${tokens} tokens take ${length}`,
    );
  }
  if (tokens % 2 === 1 && section[length - 1]! > MOST) {
    fail("NB_CODEC_BODY_INVALID", "the bits after the last token's scale are not zero");
  }
  return Uint8Array.from({ length: tokens }, (_, t) => (section[t >> 1]! >> (4 * (t & 1))) & 15);
}
