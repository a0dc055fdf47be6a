/**
 * What several kernels share.
 *
 * A tensor has `count` rows (tokens), the first at `rows`, `stride` bytes apart. Kernels visit it in bands of 16 rows, from
 * left to right in columns of four channels, one vector register wide, of which there are `vectors`; per-channel tables
 * are arrays of 4·vectors elements. Where the number of channels is not a multiple of four, the last lanes hold
 * whatever stands there, and nothing that comes of it is used.
 */

/** The upper two lanes of four f32 as f64. */
// @ts-ignore: decorator
@inline
export function promoteHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 1));
}

/** a0 b0 a1 b1: with oddPairs(), the first half of a transposition of 4 × 4 values of 32 bits. */
// @ts-ignore: decorator
@inline
export function evenPairs(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 0, 4, 1, 5);
}

/** a2 b2 a3 b3. */
// @ts-ignore: decorator
@inline
export function oddPairs(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 2, 6, 3, 7);
}

/**
 * A number in all lanes, taken from memory. Engines make a v128 constant anew, in several instructions, wherever it is
 * used; a loaded one stays in a register. `constant` points to static data.
 */
// @ts-ignore: decorator
@inline
export function loaded(constant: usize): v128 {
  return v128.load32_splat(constant);
}
