/** What allocators learn from: sums over tokens of a tensor's errors and of the gradient that came back. Reference: ../../gain.ts. */

import { promoteHigh } from "./lib/lanes";

/**
 * Adds, for each channel, Σ (x̂ − x)² to errors and, unless `gradient` is 0, Σ g·(x̂ − x) to products and Σ g² to energies,
 * over `count` rows in their order. Values are f32, the rest is f64.
 */
export function channelSums(
  x: usize,
  reconstruction: usize,
  gradient: usize,
  count: i32,
  stride: usize,
  vectors: i32,
  errors: usize,
  products: usize,
  energies: usize,
): void {
  const width = <usize>vectors * 16;
  const end = <usize>count * stride;
  for (let c: usize = 0; c < width; c += 16) {
    const at = 2 * c;
    let error0 = v128.load(errors + at);
    let error1 = v128.load(errors + at, 16);
    if (gradient == 0) {
      for (let row = c; row < end; row += stride) {
        const value = v128.load(x + row);
        const back = v128.load(reconstruction + row);
        const e0 = f64x2.sub(f64x2.promote_low_f32x4(back), f64x2.promote_low_f32x4(value));
        const e1 = f64x2.sub(promoteHigh(back), promoteHigh(value));
        error0 = f64x2.add(error0, f64x2.mul(e0, e0));
        error1 = f64x2.add(error1, f64x2.mul(e1, e1));
      }
    } else {
      let product0 = v128.load(products + at);
      let product1 = v128.load(products + at, 16);
      let energy0 = v128.load(energies + at);
      let energy1 = v128.load(energies + at, 16);
      for (let row = c; row < end; row += stride) {
        const value = v128.load(x + row);
        const back = v128.load(reconstruction + row);
        const g = v128.load(gradient + row);
        const e0 = f64x2.sub(f64x2.promote_low_f32x4(back), f64x2.promote_low_f32x4(value));
        const e1 = f64x2.sub(promoteHigh(back), promoteHigh(value));
        const g0 = f64x2.promote_low_f32x4(g);
        const g1 = promoteHigh(g);
        error0 = f64x2.add(error0, f64x2.mul(e0, e0));
        error1 = f64x2.add(error1, f64x2.mul(e1, e1));
        product0 = f64x2.add(product0, f64x2.mul(g0, e0));
        product1 = f64x2.add(product1, f64x2.mul(g1, e1));
        energy0 = f64x2.add(energy0, f64x2.mul(g0, g0));
        energy1 = f64x2.add(energy1, f64x2.mul(g1, g1));
      }
      v128.store(products + at, product0);
      v128.store(products + at, product1, 16);
      v128.store(energies + at, energy0);
      v128.store(energies + at, energy1, 16);
    }
    v128.store(errors + at, error0);
    v128.store(errors + at, error1, 16);
  }
}
