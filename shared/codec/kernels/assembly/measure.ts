/** What ranges are chosen from: extremes and moments of each channel, and the weight of its tails. Reference: ../reference.ts. */

import { loaded, promoteHigh } from "./lib/lanes";

/** Rows whose sums are kept in f32; the sums of bands are added in f64. Also BAND of the reference. */
const BAND: i32 = 16;

/**
 * Updates, for each channel, the least and the greatest value (f32) and Σ d and Σ d² (f64), d = x − origin, by `count`
 * rows. Inside a band of 16 rows, counted from `rows`, sums are f32.
 */
export function moments(
  rows: usize,
  count: i32,
  stride: usize,
  vectors: i32,
  origin: usize,
  least: usize,
  greatest: usize,
  sum: usize,
  squares: usize,
): void {
  const width = <usize>vectors * 16;
  for (let done = 0; done < count; done += BAND) {
    const end = rows + <usize>min(BAND, count - done) * stride;
    for (let c: usize = 0; c < width; c += 16) {
      const about = v128.load(origin + c);
      let low = v128.load(least + c);
      let high = v128.load(greatest + c);
      let total = f32x4.splat(0);
      let square = f32x4.splat(0);
      for (let at = rows + c; at < end; at += stride) {
        const x = v128.load(at);
        low = f32x4.pmin(low, x);
        high = f32x4.pmax(high, x);
        const d = f32x4.sub(x, about);
        total = f32x4.add(total, d);
        square = f32x4.add(square, f32x4.mul(d, d));
      }
      v128.store(least + c, low);
      v128.store(greatest + c, high);
      addTo(sum + 2 * c, total);
      addTo(squares + 2 * c, square);
    }
    rows = end;
  }
}

/** Updates, for each channel, the least and the greatest value (f32) by `count` rows. False when there was a NaN. */
export function extremes(
  rows: usize,
  count: i32,
  stride: usize,
  vectors: i32,
  least: usize,
  greatest: usize,
): bool {
  const width = <usize>vectors * 16;
  let strange = i32x4.splat(0);
  for (let done = 0; done < count; done += BAND) {
    const end = rows + <usize>min(BAND, count - done) * stride;
    for (let c: usize = 0; c < width; c += 16) {
      let low = v128.load(least + c);
      let high = v128.load(greatest + c);
      for (let at = rows + c; at < end; at += stride) {
        const x = v128.load(at);
        low = f32x4.pmin(low, x);
        high = f32x4.pmax(high, x);
        strange = v128.or(strange, f32x4.ne(x, x));
      }
      v128.store(least + c, low);
      v128.store(greatest + c, high);
    }
    rows = end;
  }
  return !v128.any_true(strange);
}

/** √2^k, k = 0 … 7. */
const edges = memory.data<f32>([
  1, 1.41421356237309504880, 2, 2.82842712474619009760, 4, 5.65685424949238019521, 8, 11.3137084989847603904,
]);
const edgesEnd = edges + 32;
const magnitudeBits = memory.data<u32>([0x7fffffff]);
const infinityBits = memory.data<u32>([0x7f800000]);

/** |z| of the rows of a band, of the four channels at hand. */
const distances = memory.data(256, 16);
const distancesEnd = distances + 256;

/**
 * For each channel and each of 8 candidate ranges √2^k, k = 0 … 7, adds Σ max(0, |z| − √2^k)² to overload[k] (f64, `pitch`
 * bytes from one k to the next), where z = x · inverse − center, all in f32, sums inside a band of 16 rows as well. Few
 * values lie beyond the first ranges, so a range is visited only for bands of four channels that have such a value. Extremes as by
 * extremes(). False when there was a NaN, or an infinity in a channel of inverse 0: |z| is NaN then.
 */
export function tails(
  rows: usize,
  count: i32,
  stride: usize,
  vectors: i32,
  inverse: usize,
  center: usize,
  overload: usize,
  pitch: usize,
  least: usize,
  greatest: usize,
): bool {
  const width = <usize>vectors * 16;
  const magnitude = loaded(magnitudeBits);
  const infinity = loaded(infinityBits);
  let strange = i32x4.splat(0);
  for (let done = 0; done < count; done += BAND) {
    const end = rows + <usize>min(BAND, count - done) * stride;
    // Of rows that the last band has not got.
    for (let to = distances; to < distancesEnd; to += 16) v128.store(to, f32x4.splat(0));
    for (let c: usize = 0; c < width; c += 16) {
      const factor = v128.load(inverse + c);
      const middle = v128.load(center + c);
      let low = v128.load(least + c);
      let high = v128.load(greatest + c);
      // Integers order positive numbers as f32 does, and NaN above them.
      let most = i32x4.splat(0);
      let to = distances;
      let at = rows + c;
      for (; at + 3 * stride < end; at += 4 * stride) {
        const x0 = v128.load(at);
        const x1 = v128.load(at + stride);
        const x2 = v128.load(at + 2 * stride);
        const x3 = v128.load(at + 3 * stride);
        low = f32x4.pmin(low, f32x4.pmin(f32x4.pmin(x0, x1), f32x4.pmin(x2, x3)));
        high = f32x4.pmax(high, f32x4.pmax(f32x4.pmax(x0, x1), f32x4.pmax(x2, x3)));
        const z0 = distance(x0, factor, middle, magnitude);
        const z1 = distance(x1, factor, middle, magnitude);
        const z2 = distance(x2, factor, middle, magnitude);
        const z3 = distance(x3, factor, middle, magnitude);
        most = i32x4.max_s(most, i32x4.max_s(i32x4.max_s(z0, z1), i32x4.max_s(z2, z3)));
        v128.store(to, z0);
        v128.store(to, z1, 16);
        v128.store(to, z2, 32);
        v128.store(to, z3, 48);
        to += 64;
      }
      for (; at < end; at += stride) {
        const x = v128.load(at);
        low = f32x4.pmin(low, x);
        high = f32x4.pmax(high, x);
        const z = distance(x, factor, middle, magnitude);
        most = i32x4.max_s(most, z);
        v128.store(to, z);
        to += 16;
      }
      v128.store(least + c, low);
      v128.store(greatest + c, high);
      strange = v128.or(strange, i32x4.gt_s(most, infinity));
      let sums = overload + 2 * c;
      for (let edge = edges; edge < edgesEnd && v128.any_true(i32x4.gt_s(most, loaded(edge))); edge += 4) {
        addTo(sums, sumBeyond(loaded(edge)));
        sums += pitch;
      }
    }
    rows = end;
  }
  return !v128.any_true(strange);
}

/** |z| of four values. */
// @ts-ignore: decorator
@inline
function distance(x: v128, factor: v128, middle: v128, magnitude: v128): v128 {
  return v128.and(f32x4.sub(f32x4.mul(x, factor), middle), magnitude);
}

/** Σ max(0, |z| − edge)² of the band at hand, in the order of its rows; NaN where a |z| is. */
// @ts-ignore: decorator
@inline
function sumBeyond(edge: v128): v128 {
  let sum = f32x4.splat(0);
  for (let at = distances; at < distancesEnd; at += 64) {
    sum = f32x4.add(sum, excess(v128.load(at), edge));
    sum = f32x4.add(sum, excess(v128.load(at, 16), edge));
    sum = f32x4.add(sum, excess(v128.load(at, 32), edge));
    sum = f32x4.add(sum, excess(v128.load(at, 48), edge));
  }
  return sum;
}

/** max(0, z − edge)²; NaN where z is. */
// @ts-ignore: decorator
@inline
function excess(z: v128, edge: v128): v128 {
  const past = f32x4.pmax(f32x4.sub(z, edge), f32x4.splat(0));
  return f32x4.mul(past, past);
}

/** Adds four f32 to four f64. */
// @ts-ignore: decorator
@inline
function addTo(to: usize, values: v128): void {
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(values)));
  v128.store(to, f64x2.add(v128.load(to, 16), promoteHigh(values)), 16);
}
