/** Entropy stage: what both directions do with a message and with its channels. ../../entropy/message.ts is the reference. */

import { capTable, contextTable, factorTable, setPlaces } from "./lib/entropy";

const SCALE_LIMIT: i32 = 32767;

/** Where the tables of a message and the four states stand: see lib/entropy.ts. */
export function entropyBegin(
  classes: usize,
  contexts: usize,
  ends: usize,
  caps: usize,
  factors: usize,
  lanes: usize,
): void {
  setPlaces(classes, contexts, ends, caps, factors, lanes);
}

/** Sets all centres, for a channel without prediction. */
export function entropyFill(centers: usize, value: i32, tokens: usize): void {
  const values = i32x4.splat(value);
  for (let t: usize = 0; t < tokens; t += 4) v128.store(centers + (t << 2), values);
}

/** Lets token scales, and their contexts, follow a channel's symbols. */
export function entropyFollow(
  symbols: usize,
  centers: usize,
  scales: usize,
  contexts: usize,
  k: i32,
  rate: i32,
  tokens: usize,
): void {
  const caps = i32x4.splat(load<i32>(capTable + (<usize>k << 2)));
  const factors = i32x4.splat(load<i32>(factorTable + (<usize>k << 2)));
  const limit = i32x4.splat(SCALE_LIMIT);
  for (let t: usize = 0; t < tokens; t += 4) {
    const q = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(symbols + t)));
    const distance = i32x4.sub(i32x4.shl(q, 4), v128.load(centers + (t << 2)));
    const deviation = i32x4.min_s(caps, i32x4.abs(distance));
    const scale = v128.load(scales + (t << 2));
    const observed = i32x4.shr_s(i32x4.mul(deviation, factors), 8);
    const next = i32x4.add(scale, i32x4.shr_s(i32x4.sub(observed, scale), rate));
    const held = i32x4.min_s(limit, next);
    v128.store(scales + (t << 2), held);
    const place = v128.and(i32x4.shr_u(held, 2), i32x4.splat(~3));
    const to = contexts + (t << 2);
    store<i32>(to, load<i32>(contextTable + i32x4.extract_lane(place, 0)));
    store<i32>(to, load<i32>(contextTable + i32x4.extract_lane(place, 1)), 4);
    store<i32>(to, load<i32>(contextTable + i32x4.extract_lane(place, 2)), 8);
    store<i32>(to, load<i32>(contextTable + i32x4.extract_lane(place, 3)), 12);
  }
}
