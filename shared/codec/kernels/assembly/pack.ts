/**
 * Symbols of one byte to n bits each, and back; the bit string of ../../bitpack.ts, which is the reference.
 *
 * 16 symbols are joined in halves: two to 2n bits in 16-bit lanes, four to 4n bits in 32-bit lanes, eight to 8n bits, that
 * is n bytes, in 64-bit lanes.
 */

/**
 * Packs `count` symbols of `width` bits, each below 2^width, to `to`; the last byte is filled up with zeros. Up to 8 bytes
 * behind the end are overwritten, and up to 15 symbols behind the last are read, but not used.
 */
export function pack(from: usize, count: usize, width: i32, to: usize): void {
  if (width == 8) {
    memory.copy(to, from, count);
    return;
  }
  const bytes = <usize>width;
  const end = from + count;
  for (; from + 16 <= end; from += 16) {
    const joined = join(v128.load(from), width);
    v128.store64_lane(to, joined, 0);
    v128.store64_lane(to + bytes, joined, 1);
    to += 2 * bytes;
  }
  let bits: u32 = 0;
  let held: i32 = 0;
  for (; from < end; from++) {
    bits |= <u32>load<u8>(from) << held;
    held += width;
    if (held >= 8) {
      store<u8>(to++, bits);
      bits >>>= 8;
      held -= 8;
    }
  }
  if (held > 0) store<u8>(to, bits);
}

// @ts-ignore: decorator
@inline
function join(symbols: v128, width: i32): v128 {
  let v = v128.or(v128.and(symbols, i16x8.splat(0xff)), i16x8.shl(i16x8.shr_u(symbols, 8), width));
  v = v128.or(v128.and(v, i32x4.splat(0xffff)), i32x4.shl(i32x4.shr_u(v, 16), 2 * width));
  return v128.or(v128.and(v, i64x2.splat(0xffffffff)), i64x2.shl(i64x2.shr_u(v, 32), 4 * width));
}

/**
 * Undoes pack(): `count` symbols of `width` bits from `from` to `to`. Up to 8 bytes behind the packed string are read, but
 * not used.
 */
export function unpack(from: usize, count: usize, width: i32, to: usize): void {
  if (width == 8) {
    memory.copy(to, from, count);
    return;
  }
  const bytes = <usize>width;
  const end = to + count;
  const mask4 = i64x2.splat(<i64>((<u64>1 << (4 * width)) - 1));
  const mask2 = i32x4.splat((1 << (2 * width)) - 1);
  const mask1 = i16x8.splat(<i16>(<i32>1 << width) - 1);
  for (; to + 16 <= end; to += 16) {
    let v = v128.load64_zero(from);
    v = v128.load64_lane(from + bytes, v, 1);
    v = v128.or(v128.and(v, mask4), i64x2.shl(v128.and(i64x2.shr_u(v, 4 * width), mask4), 32));
    v = v128.or(v128.and(v, mask2), i32x4.shl(i32x4.shr_u(v, 2 * width), 16));
    v = v128.or(v128.and(v, mask1), i16x8.shl(i16x8.shr_u(v, width), 8));
    v128.store(to, v);
    from += 2 * bytes;
  }
  const mask: u32 = (1 << width) - 1;
  let bits: u32 = 0;
  let held: i32 = 0;
  for (; to < end; to++) {
    if (held < width) {
      bits |= <u32>load<u8>(from++) << held;
      held += 8;
    }
    store<u8>(to, bits & mask);
    bits >>>= width;
    held -= width;
  }
}

/** Moves `count` arrays of `length` bytes, which lie `pitch` >= length apart from `at` on, so that each follows the one before. */
export function closeRanks(at: usize, pitch: usize, length: usize, count: i32): void {
  for (let i: usize = 1; i < <usize>count; i++) memory.copy(at + i * length, at + i * pitch, length);
}

/** Undoes closeRanks(). */
export function openRanks(at: usize, pitch: usize, length: usize, count: i32): void {
  for (let i: usize = count - 1; i > 0; i--) memory.copy(at + i * pitch, at + i * length, length);
}
