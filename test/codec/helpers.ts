/** Random tensors and small tools that the codec's tests share. Everything is drawn from a seed. */

import { mix32 } from "../../shared/random.ts";

/** Seed of every property test here, so that a failure repeats. */
export const PROPERTY_SEED = 20261121;

/** A generator of numbers uniform on (0, 1). */
export function randomSource(seed: number): () => number {
  let counter = mix32(seed ^ 0x5bd1e995);
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    return ((mix32(counter) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** A generator of standard normal numbers (Box and Muller). */
export function gaussianSource(seed: number): () => number {
  const random = randomSource(seed);
  return () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

/** A generator of Student's t with 3 degrees of freedom: heavy tails, finite variance. */
export function heavyTailedSource(seed: number): () => number {
  const gaussian = gaussianSource(seed);
  return () => {
    const chi = gaussian() ** 2 + gaussian() ** 2 + gaussian() ** 2;
    return gaussian() / Math.sqrt(chi / 3);
  };
}

/** A tensor [tokens, channels] of standard normal numbers, channel c multiplied by scaleOf(c). */
export function gaussianTensor(
  seed: number,
  tokens: number,
  channels: number,
  scaleOf: (channel: number) => number = () => 1,
): Float32Array {
  const gaussian = gaussianSource(seed);
  return Float32Array.from({ length: tokens * channels }, (_, i) => gaussian() * scaleOf(i % channels));
}

/** How the values of a channel are drawn; each is a corner that a quantizer must survive. */
export const CHANNEL_KINDS = [
  "gaussian",
  "tiny",
  "subnormal",
  "huge",
  "constant",
  "zero",
  "offset",
  "outlier",
  "positive",
] as const;

/** A tensor whose channels are of the kinds given. */
export function tensorOf(kinds: readonly (typeof CHANNEL_KINDS)[number][], tokens: number, seed: number) {
  const gaussian = gaussianSource(seed);
  const x = new Float32Array(tokens * kinds.length);
  kinds.forEach((kind, c) => {
    const constant = gaussian();
    for (let t = 0; t < tokens; t++) {
      const g = gaussian();
      x[t * kinds.length + c] = {
        gaussian: g,
        tiny: g * 1e-9,
        subnormal: g * 1e-42,
        huge: g * 1e37,
        constant,
        zero: 0,
        offset: 1000 + g,
        outlier: t === 3 ? 1e4 : g,
        positive: Math.abs(g) + 0.5,
      }[kind];
    }
  });
  return x;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Σ (x̂ − x)² / Σ x². */
export function relativeError(x: Float32Array, reconstruction: Float32Array): number {
  let error = 0;
  let energy = 0;
  for (let i = 0; i < x.length; i++) {
    error += (reconstruction[i]! - x[i]!) ** 2;
    energy += x[i]! ** 2;
  }
  return error / energy;
}

/** True when two arrays hold the same bits, signs of zero included. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  const left = new Uint32Array(a.buffer, a.byteOffset, a.length);
  const right = new Uint32Array(b.buffer, b.byteOffset, b.length);
  return left.length === right.length && left.every((bits, i) => bits === right[i]);
}
