/**
 * The distributions that symbols are coded by: one bell in many widths, as tables of integers.
 *
 * A symbol q of an alphabet of N is coded given where its bell lies, `center` (in 1/16 of a level), and how wide it is, a
 * *spread class* k, whose standard deviation is σ_k = 2^(k/4 − 3) levels. It owns the integers from bound(q) up to
 * bound(q + 1) of 0 .. 32767, where
 *
 *     bound(0) = 0,  bound(N) = 32768,
 *     bound(q) = q + floor(F_k(16·q − 8 − center) · (32768 − N) / 32768)
 *
 * and F_k(a) is the distribution function at a/16 levels, times 32768. The term q gives every symbol at least one
 * integer. The outermost symbols own the tails, as they do in a quantizer that clips. So no table of frequencies is
 * ever sent: a message's metadata is two small numbers a channel.
 *
 * The bell is Student's t with 8 degrees of freedom, scaled to unit variance: what prediction leaves over has somewhat
 * heavier tails than a Gaussian's. Its distribution function is algebraic, so IEEE arithmetic (+, ·, /, √, each rounded
 * once) gives every implementation the same table; no library's exp or erf could.
 */

/** Bits of probability: intervals partition 0 .. 2^15 − 1. */
export const PROBABILITY_BITS = 15;
export const PROBABILITY_ONE = 1 << PROBABILITY_BITS;
/** Parts of a level in which centres are counted. */
export const CENTER_BITS = 4;
export const CENTER_ONE = 1 << CENTER_BITS;
/** Spread classes; σ from 1/8 of a level to 64 levels, four to an octave. */
export const CLASSES = 37;
/** F is tabulated at arguments of so many steps to either side; what lies farther has no probability but its least. */
export const REACH = 272;

const QUARTERS = [1, Math.sqrt(Math.SQRT2), Math.SQRT2, Math.SQRT2 * Math.sqrt(Math.SQRT2)];
/** As far as the boundaries between classes, and between those of token scales, are looked up. */
const SPREADS = Float64Array.from({ length: 76 }, (_, k) => QUARTERS[k & 3]! * 2 ** (k >> 2) * 0.125);

/** σ of a class, levels. Exact but for the rounding of √2 and √√2. k from 0 to 75. */
export function spreadOf(k: number): number {
  return SPREADS[k]!;
}

/** Distribution function of Student's t with 8 degrees of freedom and unit variance. */
export function bell(z: number): number {
  // t = z·√(8/6) (the variance of t is 8/6); with s = t/√(8 + t²), c² = 8/(8 + t²):
  // F = 1/2 + s/2 · (1 + c²/2 + 3/8·c⁴ + 5/16·c⁶).
  const t2 = (z * z * 4) / 3;
  const total = 8 + t2;
  const c2 = 8 / total;
  const s = Math.sqrt(t2 / total);
  const half = s * 0.5 * (1 + c2 * (0.5 + c2 * (0.375 + c2 * 0.3125)));
  return z < 0 ? 0.5 - half : 0.5 + half;
}

/** A step of class k's arguments is 2^shift sixteenths of a level: finer than σ/8, and at most a level. */
export function shiftOf(k: number): number {
  return Math.min(4, Math.max(0, (k - 12) >> 2));
}

/** Arguments of a class. */
export const ARGUMENTS = 2 * REACH + 1;

export interface BellTables {
  /** F_k at i steps stands at k·ARGUMENTS + REACH + i; u16. It begins with 0 and ends with 32768. */
  readonly values: Uint16Array;
  /** For each class, at 1024 probabilities p: the last argument, in steps, at which F is not above p; i16. A guess. */
  readonly inverse: Int16Array;
}

export const INVERSE_BITS = 10;

function makeTables(): BellTables {
  const values = new Uint16Array(CLASSES * ARGUMENTS);
  const inverse = new Int16Array(CLASSES << INVERSE_BITS);
  for (let k = 0; k < CLASSES; k++) {
    const unit = 2 ** shiftOf(k) / CENTER_ONE / spreadOf(k);
    const row = values.subarray(k * ARGUMENTS, (k + 1) * ARGUMENTS);
    for (let i = -REACH; i < REACH; i++) {
      row[REACH + i] = i === -REACH ? 0 : Math.floor(bell(i * unit) * PROBABILITY_ONE + 0.5);
    }
    row[2 * REACH] = PROBABILITY_ONE;
    let i = 0;
    for (let p = 0; p < 1 << INVERSE_BITS; p++) {
      const wanted = p << (PROBABILITY_BITS - INVERSE_BITS);
      while (row[i + 1]! <= wanted) i++;
      inverse[(k << INVERSE_BITS) + p] = i - REACH;
    }
  }
  return { values, inverse };
}

let tables: BellTables | undefined;

/** Made at the first use. */
export function bellTables(): BellTables {
  tables ??= makeTables();
  return tables;
}

/** F_k at `argument` sixteenths of a level. */
export function bellAt({ values }: BellTables, k: number, argument: number): number {
  const i = Math.min(REACH, Math.max(-REACH, argument >> shiftOf(k)));
  return values[k * ARGUMENTS + REACH + i]!;
}

/** Where symbol q of an alphabet of `count` (2 to 256) begins; see the head of this file. */
export function boundOf(t: BellTables, count: number, center: number, k: number, q: number): number {
  if (q <= 0) return 0;
  if (q >= count) return PROBABILITY_ONE;
  const argument = q * CENTER_ONE - CENTER_ONE / 2 - center;
  return q + ((bellAt(t, k, argument) * (PROBABILITY_ONE - count)) >>> PROBABILITY_BITS);
}

/** The symbol that owns integer `slot`: the only q with bound(q) <= slot < bound(q + 1). */
export function symbolAt(t: BellTables, count: number, center: number, k: number, slot: number): number {
  const step = t.inverse[(k << INVERSE_BITS) + (slot >> (PROBABILITY_BITS - INVERSE_BITS))]!;
  let q = ((step << shiftOf(k)) + center + CENTER_ONE / 2) >> CENTER_BITS;
  if (q < 0) q = 0;
  if (q > count - 1) q = count - 1;
  while (boundOf(t, count, center, k, q) > slot) q--;
  while (boundOf(t, count, center, k, q + 1) <= slot) q++;
  return q;
}

/** Spread classes by which a token's scale moves that of its channel. */
export const SCALE_REACH = 12;
/** A token scale of 1. */
export const SCALE_ONE = 4096;
export const SCALE_SHIFT = 4;
/** Scales lie below 8. */
export const SCALE_LIMIT = 8 * SCALE_ONE;

function makeScaleClasses(): Int8Array {
  const classes = new Int8Array(SCALE_LIMIT >> SCALE_SHIFT);
  for (let i = 0; i < classes.length; i++) {
    const scale = ((i + 0.5) * 2 ** SCALE_SHIFT) / SCALE_ONE;
    // Rounded in squares: the boundary between d and d + 1 is 2^((2d + 1)/4) = spreadOf(2d + 49) / 512.
    let d = -SCALE_REACH;
    while (d < SCALE_REACH && scale * scale > spreadOf(2 * d + 49) * 2 ** -9) d++;
    classes[i] = d;
  }
  return classes;
}

let scales: Int8Array | undefined;

/** Classes to add, by token scale >> SCALE_SHIFT: 4·log2(scale), rounded, within ±12. */
export function scaleClasses(): Int8Array {
  scales ??= makeScaleClasses();
  return scales;
}

export interface DeviationTables {
  /** Deviations above this (sixteenths of a level) count as this: 4σ. */
  readonly cap: Int32Array;
  /** A deviation times this, shifted right by 8, is its token scale: SCALE_ONE at the mean deviation of the class. */
  readonly factor: Int32Array;
}

let deviations: DeviationTables | undefined;

/** For each class, how a symbol's distance from its centre becomes an observation of its token's scale. */
export function deviationTables(): DeviationTables {
  deviations ??= makeDeviationTables();
  return deviations;
}

function makeDeviationTables(): DeviationTables {
  const cap = new Int32Array(CLASSES);
  const factor = new Int32Array(CLASSES);
  for (let k = 0; k < CLASSES; k++) {
    // Rounding to whole levels adds 1/12 to the variance; a bell's mean deviation is about 0.78 of its standard deviation.
    const spread = CENTER_ONE * Math.sqrt(spreadOf(k) * spreadOf(k) + 1 / 12);
    cap[k] = Math.floor(4 * spread);
    factor[k] = Math.floor((SCALE_ONE * 256) / (0.78125 * spread) + 0.5);
  }
  return { cap, factor };
}

let levelingWeights: Int32Array | undefined;

/** 2^(−d/4) · 256 for d = −12 .. 12, rounded: makes deviations of tokens of different scale classes comparable. */
export function leveling(): Int32Array {
  levelingWeights ??= Int32Array.from({ length: 2 * SCALE_REACH + 1 }, (_, i) =>
    Math.floor(256 / spreadOf(i) + 0.5),
  );
  return levelingWeights;
}
