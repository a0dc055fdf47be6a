/**
 * Draws a token from logits: greedy, or by temperature within the k likeliest and within the nucleus of probability p
 * (Holtzman et al., 2020, "The Curious Case of Neural Text Degeneration").
 */
import { random32 } from "../../shared/random.ts";

export interface SamplingSettings {
  /** 0: always the likeliest token. */
  readonly temperature: number;
  /** 0: all tokens. */
  readonly topK: number;
  /** In (0, 1]. */
  readonly topP: number;
}

/** Stream of random numbers that tokens are drawn from; others of the same seed stay apart. */
const STREAM = 0x5a3b1e;

/** The uniform number in [0, 1) for token `position` of a text. */
export function tokenUniform(seed: number, position: number): number {
  return random32(seed, STREAM, position) / 2 ** 32;
}

/**
 * The id drawn from `logits` [vocabulary] by a uniform number in [0, 1). Among equal logits the lower id comes first. Top-k
 * is applied before top-p, both after the temperature; the likeliest token is always in.
 */
export function sampleToken(logits: Float32Array, settings: SamplingSettings, uniform: number): number {
  const { temperature, topK, topP } = settings;
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  if (temperature === 0) return best;
  const order = Uint32Array.from(logits, (_, i) => i);
  const narrows = topK > 0 || topP < 1;
  if (narrows) order.sort((a, b) => logits[b] - logits[a] || a - b);
  const count = topK > 0 ? Math.min(topK, order.length) : order.length;
  const weights = new Float64Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    weights[i] = Math.exp((logits[order[i]] - logits[best]) / temperature);
    sum += weights[i];
  }
  let kept = count;
  if (topP < 1) {
    let mass = 0;
    kept = 0;
    while (kept < count && mass < topP * sum) mass += weights[kept++];
    sum = mass;
  }
  let left = uniform * sum;
  for (let i = 0; i < kept; i++) {
    left -= weights[i];
    if (left < 0) return order[i];
  }
  return order[kept - 1];
}
