/**
 * Packs unsigned integers of 1 to 8 bits without gaps.
 *
 * The packed form is a little-endian bit string: element k of width n occupies bits k·n to (k+1)·n − 1, and
 * bit b is bit (b mod 8) of byte floor(b / 8), the least significant being bit 0. Eight elements fill exactly
 * n bytes, so the loops below move eight at a time and have no branch inside. The last byte is filled up with
 * zero bits (at most 7).
 */

/** Bytes that `count` elements of `width` bits take. */
export function packedBytes(count: number, width: number): number {
  return Math.ceil((count * width) / 8);
}

/**
 * Packs values[from .. from+count) of `width` bits (1 to 8) into out[at .. at + packedBytes(count, width)).
 * Each value must be below 2^width. Returns the position after the last byte written.
 */
export function packBits(
  values: Uint8Array,
  from: number,
  count: number,
  width: number,
  out: Uint8Array,
  at: number,
): number {
  if (width === 8) {
    out.set(values.subarray(from, from + count), at);
    return at + count;
  }
  const whole = from + (count & ~7);
  const n = width;
  const n2 = 2 * n;
  const n3 = 3 * n;
  let i = from;
  let o = at;
  if (n <= 4) {
    for (; i < whole; i += 8) {
      // 4n <= 16 bits each; joined, 8n <= 32.
      const low = values[i]! | (values[i + 1]! << n) | (values[i + 2]! << n2) | (values[i + 3]! << n3);
      const high = values[i + 4]! | (values[i + 5]! << n) | (values[i + 6]! << n2) | (values[i + 7]! << n3);
      const word = low | (high << (4 * n));
      out[o++] = word;
      if (n > 1) out[o++] = word >>> 8;
      if (n > 2) out[o++] = word >>> 16;
      if (n > 3) out[o++] = word >>> 24;
    }
  } else {
    for (; i < whole; i += 8) {
      // 4n is 20, 24 or 28 bits each.
      const low = values[i]! | (values[i + 1]! << n) | (values[i + 2]! << n2) | (values[i + 3]! << n3);
      const high = values[i + 4]! | (values[i + 5]! << n) | (values[i + 6]! << n2) | (values[i + 7]! << n3);
      out[o++] = low;
      out[o++] = low >>> 8;
      if (n === 6) {
        out[o++] = low >>> 16;
        out[o++] = high;
        out[o++] = high >>> 8;
        out[o++] = high >>> 16;
      } else if (n === 5) {
        out[o++] = (low >>> 16) | (high << 4);
        out[o++] = high >>> 4;
        out[o++] = high >>> 12;
      } else {
        out[o++] = low >>> 16;
        out[o++] = (low >>> 24) | (high << 4);
        out[o++] = high >>> 4;
        out[o++] = high >>> 12;
        out[o++] = high >>> 20;
      }
    }
  }
  let bits = 0;
  let held = 0;
  for (const end = from + count; i < end; i++) {
    bits |= values[i]! << held;
    held += n;
    if (held >= 8) {
      out[o++] = bits;
      bits >>>= 8;
      held -= 8;
    }
  }
  if (held > 0) out[o++] = bits;
  return o;
}

/**
 * Undoes {@link packBits}: reads `count` elements of `width` bits from bytes[from ...] into values[at ..
 * at+count). `bytes` must hold packedBytes(count, width) bytes from `from` on. Returns the position after the
 * last byte read.
 */
export function unpackBits(
  bytes: Uint8Array,
  from: number,
  count: number,
  width: number,
  values: Uint8Array,
  at: number,
): number {
  if (width === 8) {
    values.set(bytes.subarray(from, from + count), at);
    return from + count;
  }
  const whole = at + (count & ~7);
  const n = width;
  const n2 = 2 * n;
  const n3 = 3 * n;
  const mask = (1 << n) - 1;
  let i = from;
  let o = at;
  for (; o < whole; o += 8) {
    let low: number;
    let high: number;
    if (n === 3) {
      low = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16);
      high = low >>> 12;
    } else if (n === 4) {
      low = bytes[i]! | (bytes[i + 1]! << 8);
      high = bytes[i + 2]! | (bytes[i + 3]! << 8);
    } else if (n === 2) {
      low = bytes[i]!;
      high = bytes[i + 1]!;
    } else if (n === 5) {
      low = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16);
      high = (bytes[i + 2]! >>> 4) | (bytes[i + 3]! << 4) | (bytes[i + 4]! << 12);
    } else if (n === 6) {
      low = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16);
      high = bytes[i + 3]! | (bytes[i + 4]! << 8) | (bytes[i + 5]! << 16);
    } else if (n === 7) {
      low = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      high = (bytes[i + 3]! >>> 4) | (bytes[i + 4]! << 4) | (bytes[i + 5]! << 12) | (bytes[i + 6]! << 20);
    } else {
      low = bytes[i]!;
      high = low >>> 4;
    }
    i += n;
    values[o] = low & mask;
    values[o + 1] = (low >>> n) & mask;
    values[o + 2] = (low >>> n2) & mask;
    values[o + 3] = (low >>> n3) & mask;
    values[o + 4] = high & mask;
    values[o + 5] = (high >>> n) & mask;
    values[o + 6] = (high >>> n2) & mask;
    values[o + 7] = (high >>> n3) & mask;
  }
  let bits = 0;
  let held = 0;
  for (const end = at + count; o < end; o++) {
    if (held < n) {
      bits |= bytes[i++]! << held;
      held += 8;
    }
    values[o] = bits & mask;
    bits >>>= n;
    held -= n;
  }
  return i;
}

/** True when the bits that fill up the last byte of `count` packed elements are all zero. */
export function paddingIsZero(bytes: Uint8Array, from: number, count: number, width: number): boolean {
  const used = (count * width) % 8;
  if (used === 0) return true;
  return bytes[from + packedBytes(count, width) - 1]! >>> used === 0;
}
