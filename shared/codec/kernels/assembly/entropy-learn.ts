/** Entropy stage: what predictors are learned from. ../../entropy/learn.ts is the reference. */

/** Sum of symbols and of their squares, i32 at `out`; at most 32767 tokens. */
export function entropySums(symbols: usize, tokens: usize, out: usize): void {
  let sums = i32x4.splat(0);
  let squares = sums;
  const whole = tokens & ~15;
  for (let t: usize = 0; t < whole; t += 16) {
    const q = v128.load(symbols + t);
    sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(q)));
    const low = i16x8.extend_low_i8x16_u(q);
    const high = i16x8.extend_high_i8x16_u(q);
    squares = i32x4.add(squares, i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high)));
  }
  let sum = total(sums);
  let square = total(squares);
  for (let t = whole; t < tokens; t++) {
    const q = <i32>load<u8>(symbols + t);
    sum += q;
    square += q * q;
  }
  store<i32>(out, sum);
  store<i32>(out, square, 4);
}

/** Samples of a channel, i16 at `out`: what `table` has for its symbols, then zeros up to `stride` samples. */
export function entropySamples(symbols: usize, table: usize, tokens: usize, stride: usize, out: usize): void {
  for (let t: usize = 0; t < tokens; t++) {
    store<i16>(out + (t << 1), load<i16>(table + (<usize>load<u8>(symbols + t) << 1)));
  }
  memory.fill(out + (tokens << 1), 0, (stride - tokens) << 1);
}

/**
 * Sums of products of the samples of two channels, `stride` samples apart, with those of the n channels from `others` on, i32
 * at `out` and at `out` + 1024. `stride` is a multiple of 8 samples.
 */
export function entropyCorrelate(own: usize, others: usize, n: usize, stride: usize, out: usize): void {
  const row = stride << 1;
  for (let j: usize = 0; j < n; j += 4) {
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let other = others + j * row;
    for (let x = own; x < own + row; x += 16, other += 16) {
      const a = v128.load(x);
      const b = v128.load(x + row);
      const y0 = v128.load(other);
      const y1 = v128.load(other + row);
      const y2 = v128.load(other + 2 * row);
      const y3 = v128.load(other + 3 * row);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, y0));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, y0));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, y1));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, y1));
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(a, y2));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(b, y2));
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(a, y3));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(b, y3));
    }
    const to = out + (j << 2);
    store<i32>(to, total(a0));
    store<i32>(to, total(a1), 4);
    store<i32>(to, total(a2), 8);
    store<i32>(to, total(a3), 12);
    store<i32>(to, total(b0), 1024);
    store<i32>(to, total(b1), 1028);
    store<i32>(to, total(b2), 1032);
    store<i32>(to, total(b3), 1036);
  }
}

// @ts-ignore: decorator
@inline
function total(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}
