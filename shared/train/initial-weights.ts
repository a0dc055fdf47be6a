/**
 * Fresh weights of a model that is trained from scratch: normal with the config's standard deviation, smaller by
 * √(2·layers) in the layers that write to the residual stream (Radford et al., 2019, GPT-2), norms one, biases zero.
 */

import type { ModelConfig } from "../model/config.ts";
import { blockLayers } from "../model/families.ts";
import { hashName, random32 } from "../random.ts";

/** Two uniforms to one normal deviate (Box and Muller, 1958), by counter. */
function normal(seed: number, stream: number, i: number): number {
  const u = (random32(seed, stream, 2 * i) + 1) * 2 ** -32;
  const v = random32(seed, stream, 2 * i + 1) * 2 ** -32;
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
}

/** The initial values of tensor `name` of this shape; the array is the caller's. */
export function initialWeight(
  config: ModelConfig,
  name: string,
  shape: readonly number[],
  seed: number,
): Float32Array {
  const size = shape.reduce((n, d) => n * d, 1);
  const data = new Float32Array(size);
  if (shape.length < 2) {
    if (!name.endsWith(".bias")) data.fill(1);
    return data;
  }
  const block = blockLayers(config, 0);
  const writers = [block.attentionOutput, block.down].map((l) => l.path.slice(l.path.indexOf(".0.") + 2));
  const writes = writers.some((end) => name.endsWith(`${end}.weight`));
  const deviation = config.initializerRange / (writes ? Math.sqrt(2 * config.layers) : 1);
  const stream = hashName(name);
  for (let i = 0; i < size; i++) data[i] = deviation * normal(seed, stream, i);
  return data;
}
