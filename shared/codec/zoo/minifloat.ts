/**
 * Floats of 4 and 8 bits: OCP 8-bit Floating Point Specification (2023) and OCP Microscaling Formats (MX) v1.0
 * (2023). A code is sign, exponent, mantissa; its magnitude grows with it, so nearest codes are found by search.
 */

/** The finite magnitudes of a format, by code without the sign. */
export interface Minifloat {
  /** Bits of a code, sign included. */
  readonly bits: number;
  /** magnitudes[code] for every finite code without the sign, rising. */
  readonly magnitudes: Float64Array;
  /** The largest of them. */
  readonly max: number;
  /** Exponent of the largest power of two. */
  readonly maxExponent: number;
}

function minifloat(exponentBits: number, mantissaBits: number, finiteCodes: number): Minifloat {
  const bias = 2 ** (exponentBits - 1) - 1;
  const magnitudes = Float64Array.from({ length: finiteCodes }, (_, code) => {
    const exponent = code >> mantissaBits;
    const fraction = (code & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
    return exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  });
  const max = magnitudes[finiteCodes - 1]!;
  return { bits: 1 + exponentBits + mantissaBits, magnitudes, max, maxExponent: Math.floor(Math.log2(max)) };
}

/** No infinities, and one NaN: code 0x7f. Largest 448. */
export const E4M3 = minifloat(4, 3, 0x7f);
/** Infinity is code 0x7c, NaN lies above. Largest 57344. */
export const E5M2 = minifloat(5, 2, 0x7c);
/** 0, 0.5, 1, 1.5, 2, 3, 4, 6; every code is finite. */
export const E2M1 = minifloat(2, 1, 8);

/** The code of the format's value nearest to a finite one, ties to even codes; beyond the largest, the largest. */
export function toMinifloat(value: number, format: Minifloat): number {
  const { magnitudes, bits } = format;
  const sign = value < 0 || Object.is(value, -0) ? 1 << (bits - 1) : 0;
  return sign | nearestIndex(magnitudes, Math.abs(value));
}

/** The value of a code; NaN for infinities and NaN. */
export function fromMinifloat(code: number, format: Minifloat): number {
  const signBit = 1 << (format.bits - 1);
  const magnitude = format.magnitudes[code & (signBit - 1)] ?? NaN;
  return code & signBit ? -magnitude : magnitude;
}

/** Index of the entry of a rising table that lies nearest to `value`, ties to the even index. */
export function nearestIndex(table: Float64Array, value: number): number {
  let low = 0;
  let high = table.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (table[middle]! <= value) low = middle;
    else high = middle;
  }
  const below = value - table[low]!;
  const above = table[high]! - value;
  if (below === above) return low & 1 ? high : low;
  return below < above ? low : high;
}
