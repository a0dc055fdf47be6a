/** MurmurHash3's finalizer of four numbers, as shared/random.ts has it; `first` and `second` are its factors. */
// @ts-ignore: decorator
@inline
export function mix(h: v128, first: v128, second: v128): v128 {
  h = v128.xor(h, i32x4.shr_u(h, 16));
  h = i32x4.mul(h, first);
  h = v128.xor(h, i32x4.shr_u(h, 13));
  h = i32x4.mul(h, second);
  return v128.xor(h, i32x4.shr_u(h, 16));
}
