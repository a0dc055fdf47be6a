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

const one = memory.data<f32>([1]);
const root = memory.data<f32>([1.41421356237309504880]);
const two = memory.data<f32>([2]);
const magnitudeBits = memory.data<u32>([0x7fffffff]);

/** Sums of the candidates 2 to 7 over one band, of the four channels at hand. */
const far = memory.data(96, 16);

/**
 * For each channel and each of 8 candidate ranges √2^k, k = 0 … 7, adds Σ max(0, |z| − √2^k)² to overload[k] (f64, `pitch`
 * bytes from one k to the next), where z = x · inverse − center, all in f32, sums inside a band of 16 rows as well. Few
 * values lie beyond the first ranges, so the others are visited only for four rows of four channels that have such a
 * value: beyond |z| = 2, or, unless `near`, beyond √2 already. The sums are the same; `near` is faster where many lie between. Extremes as by
 * extremes(). False when there was a NaN, or an infinity in a channel of inverse 0: the first range's sum is NaN then.
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
  near: bool,
  least: usize,
  greatest: usize,
): bool {
  const width = <usize>vectors * 16;
  const edge0 = loaded(one);
  const edge1 = loaded(root);
  const usual = loaded(near ? two : root);
  const magnitude = loaded(magnitudeBits);
  let strange = i32x4.splat(0);
  for (let done = 0; done < count; done += BAND) {
    const end = rows + <usize>min(BAND, count - done) * stride;
    for (let c: usize = 0; c < width; c += 16) {
      const factor = v128.load(inverse + c);
      const middle = v128.load(center + c);
      let first = f32x4.splat(0);
      let second = f32x4.splat(0);
      let any = false;
      let low = v128.load(least + c);
      let high = v128.load(greatest + c);
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
        first = f32x4.add(first, excess(z0, edge0));
        first = f32x4.add(first, excess(z1, edge0));
        first = f32x4.add(first, excess(z2, edge0));
        first = f32x4.add(first, excess(z3, edge0));
        const unusual = isBeyond(f32x4.pmax(f32x4.pmax(z0, z1), f32x4.pmax(z2, z3)), usual);
        if (near || unusual) {
          second = f32x4.add(second, excess(z0, edge1));
          second = f32x4.add(second, excess(z1, edge1));
          second = f32x4.add(second, excess(z2, edge1));
          second = f32x4.add(second, excess(z3, edge1));
        }
        if (unusual) {
          if (!any) memory.fill(far, 0, 96);
          any = true;
          addFar(z0);
          addFar(z1);
          addFar(z2);
          addFar(z3);
        }
      }
      for (; at < end; at += stride) {
        const x = v128.load(at);
        low = f32x4.pmin(low, x);
        high = f32x4.pmax(high, x);
        const z = distance(x, factor, middle, magnitude);
        first = f32x4.add(first, excess(z, edge0));
        second = f32x4.add(second, excess(z, edge1));
        if (isBeyond(z, usual)) {
          if (!any) memory.fill(far, 0, 96);
          any = true;
          addFar(z);
        }
      }
      v128.store(least + c, low);
      v128.store(greatest + c, high);
      strange = v128.or(strange, f32x4.ne(first, first));
      const to = overload + 2 * c;
      addTo(to, first);
      addTo(to + pitch, second);
      if (any) {
        for (let k: usize = 0; k < 6; k++) addTo(to + (2 + k) * pitch, v128.load(far + 16 * k));
      }
    }
    rows = end;
  }
  return !v128.any_true(strange);
}

/** True when one of four lanes is beyond the edge. */
// @ts-ignore: decorator
@inline
function isBeyond(z: v128, edge: v128): bool {
  return v128.any_true(f32x4.gt(z, edge));
}

/** |z| of four values. */
// @ts-ignore: decorator
@inline
function distance(x: v128, factor: v128, middle: v128, magnitude: v128): v128 {
  return v128.and(f32x4.sub(f32x4.mul(x, factor), middle), magnitude);
}

/** max(0, z − edge)²; NaN where z is. */
// @ts-ignore: decorator
@inline
function excess(z: v128, edge: v128): v128 {
  const past = f32x4.pmax(f32x4.sub(z, edge), f32x4.splat(0));
  return f32x4.mul(past, past);
}

/** Adds the squared excess of four |z| over 2, 2√2, 4, … 8√2 to `far`. */
function addFar(z: v128): void {
  let even = f32x4.splat(2);
  let odd = f32x4.splat(2.82842712474619009760);
  for (let at = far; at < far + 96; at += 32) {
    v128.store(at, f32x4.add(v128.load(at), excess(z, even)));
    v128.store(at, f32x4.add(v128.load(at, 16), excess(z, odd)), 16);
    even = f32x4.add(even, even);
    odd = f32x4.add(odd, odd);
  }
}

/** Adds four f32 to four f64. */
// @ts-ignore: decorator
@inline
function addTo(to: usize, values: v128): void {
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(values)));
  v128.store(to, f64x2.add(v128.load(to, 16), promoteHigh(values)), 16);
}
