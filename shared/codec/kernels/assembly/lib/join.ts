/**
 * 16 symbols of one byte to `width` < 8 bits each, joined in halves: two to 2n bits in 16-bit lanes, four to 4n bits in
 * 32-bit lanes, eight to 8n bits, that is n bytes, in each of the two 64-bit lanes.
 */
// @ts-ignore: decorator
@inline
export function join(symbols: v128, width: i32): v128 {
  let v = v128.or(v128.and(symbols, i16x8.splat(0xff)), i16x8.shl(i16x8.shr_u(symbols, 8), width));
  v = v128.or(v128.and(v, i32x4.splat(0xffff)), i32x4.shl(i32x4.shr_u(v, 16), 2 * width));
  return v128.or(v128.and(v, i64x2.splat(0xffffffff)), i64x2.shl(i64x2.shr_u(v, 32), 4 * width));
}
