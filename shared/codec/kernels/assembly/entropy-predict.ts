/**
 * Entropy stage: centres of symbols from the channels before. ../../entropy/predictor.ts is the reference.
 *
 * Units are pairs of i16 in tiles of 32 tokens, so that a channel's prediction reads memory in order:
 * token t of channel j stands at ⌊t/32⌋·tile + ⌊j/2⌋·128 + (t mod 32)·4 + (j mod 2)·2.
 */

/** Tokens that are worked on at once. */
const TILE: i32 = 32;
/** A tile's part of one pair of channels. */
const TILE_BYTES: usize = 128;
/** Bytes of a row of weights, i16. */
const WEIGHT_BYTES: usize = 512;

/**
 * Σ weight · unit over the first n channels, n a multiple of 2, for each of four channels, whose weights lie WEIGHT_BYTES
 * apart; i32, `pitch` bytes from one channel to the next. So units are read once for four channels.
 */
export function entropyForetell(
  weights: usize,
  units: usize,
  tile: usize,
  n: i32,
  sums: usize,
  pitch: usize,
  tokens: usize,
): void {
  const end = weights + (<usize>(n >> 1) << 2);
  let first = units;
  for (let t: usize = 0; t < tokens; t += TILE) {
    for (let part: usize = 0; part < TILE_BYTES; part += 32) {
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let b0 = a0;
      let b1 = a0;
      let c0 = a0;
      let c1 = a0;
      let d0 = a0;
      let d1 = a0;
      let u = first + part;
      for (let w = weights; w < end; w += 4) {
        const u0 = v128.load(u);
        const u1 = v128.load(u, 16);
        const wa = v128.load32_splat(w);
        const wb = v128.load32_splat(w, WEIGHT_BYTES);
        const wc = v128.load32_splat(w, 2 * WEIGHT_BYTES);
        const wd = v128.load32_splat(w, 3 * WEIGHT_BYTES);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(u0, wa));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(u1, wa));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(u0, wb));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(u1, wb));
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(u0, wc));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(u1, wc));
        d0 = i32x4.add(d0, i32x4.dot_i16x8_s(u0, wd));
        d1 = i32x4.add(d1, i32x4.dot_i16x8_s(u1, wd));
        u += TILE_BYTES;
      }
      let out = sums + (t << 2) + part;
      v128.store(out, a0);
      v128.store(out, a1, 16);
      out += pitch;
      v128.store(out, b0);
      v128.store(out, b1, 16);
      out += pitch;
      v128.store(out, c0);
      v128.store(out, c1, 16);
      out += pitch;
      v128.store(out, d0);
      v128.store(out, d1, 16);
    }
    first += tile;
  }
}

/**
 * Centres of a channel: `sums` plus Σ weight · unit over the two pairs of channels whose weights begin at `weights` and whose
 * units at `units`, mapped to levels.
 */
export function entropyPredict(
  weights: usize,
  units: usize,
  tile: usize,
  gain: f32,
  offset: f32,
  highest: f32,
  sums: usize,
  centers: usize,
  tokens: usize,
): void {
  const gains = f32x4.splat(gain);
  const offsets = f32x4.splat(offset);
  const lowest = f32x4.splat(-64);
  const tops = f32x4.splat(highest);
  const first = v128.load32_splat(weights);
  const second = v128.load32_splat(weights, 4);
  for (let t: usize = 0; t < tokens; t += TILE) {
    for (let part: usize = 0; part < TILE_BYTES; part += 16) {
      const u = units + part;
      const one = i32x4.dot_i16x8_s(v128.load(u), first);
      const other = i32x4.dot_i16x8_s(v128.load(u, TILE_BYTES), second);
      const sum = i32x4.add(v128.load(sums + (t << 2) + part), i32x4.add(one, other));
      v128.store(centers + (t << 2) + part, toCenters(sum, gains, offsets, lowest, tops));
    }
    units += tile;
  }
}

// @ts-ignore: decorator
@inline
function toCenters(sums: v128, gain: v128, offset: v128, lowest: v128, highest: v128): v128 {
  const level = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), gain), offset);
  return i32x4.trunc_sat_f32x4_s(f32x4.pmin(f32x4.pmax(level, lowest), highest));
}

/** Standardized values of a channel, the second of its pair if `second`; `units` is the address of the pair's token 0. */
export function entropyUnits(
  symbols: usize,
  slope: i32,
  origin: i32,
  units: usize,
  second: bool,
  tile: usize,
  tokens: usize,
): void {
  const slopes = i32x4.splat(slope);
  const origins = i32x4.splat(origin);
  const most = i32x4.splat(2047);
  const least = i32x4.splat(-2047);
  const mask = i32x4.splat(second ? 0xffff0000 : 0xffff);
  const shift = second ? 16 : 0;
  let out = units;
  for (let first: usize = 0; first < tokens; first += TILE) {
    let to = out;
    for (let t = first; t < first + TILE; t += 4, to += 16) {
      const q = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(symbols + t)));
      const unit = i32x4.shr_s(i32x4.add(i32x4.mul(q, slopes), origins), 8);
      const held = i32x4.max_s(least, i32x4.min_s(most, unit));
      v128.store(to, v128.bitselect(i32x4.shl(held, shift), v128.load(to), mask));
    }
    out += tile;
  }
}
