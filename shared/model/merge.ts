/**
 * Folds an adapter into its base model: W + (alpha / r) · B·A, so that the result is a plain model which needs no
 * knowledge of LoRA to run.
 */
import { fail } from "../errors.ts";
import type { ModelConfig } from "./config.ts";
import { isWeightType } from "./dtype.ts";
import { type Linear, rootPrefix } from "./families.ts";
import { adaptedLinears, loraNames, loraScale } from "./lora.ts";
import { type Adapter, checkAdapter } from "./peft.ts";
import { type LazyTensor, readTensor, type TensorSource } from "./tensor-source.ts";

/**
 * Adds scale · B·A to a weight in place, sums in f64.
 *
 * @param weight [out, in], or [in, out] for the layout of GPT-2's Conv1D
 * @param a [r, in]
 * @param b [out, r]
 */
export function addLowRank(
  weight: Float32Array,
  a: Float32Array,
  b: Float32Array,
  r: number,
  scale: number,
  layer: Pick<Linear, "inFeatures" | "outFeatures" | "layout">,
): void {
  const { inFeatures, outFeatures, layout } = layer;
  const update = new Float64Array(inFeatures);
  for (let o = 0; o < outFeatures; o++) {
    update.fill(0);
    for (let k = 0; k < r; k++) {
      const factor = scale * b[o * r + k];
      for (let i = 0; i < inFeatures; i++) update[i] += factor * a[k * inFeatures + i];
    }
    const stride = layout === "out_in" ? 1 : outFeatures;
    const start = layout === "out_in" ? o * inFeatures : o;
    for (let i = 0; i < inFeatures; i++) weight[start + i * stride] += update[i];
  }
}

/**
 * The tensors of the merged model under the base model's own names, each computed when it is loaded. Tensors that are
 * not stored as floating-point numbers or quantized blocks of them are masks that old GPT-2 files carry, and are left out.
 *
 * @throws NB_ADAPTER_INVALID when the adapter is not of this model.
 */
export async function mergedTensors(
  source: TensorSource,
  config: ModelConfig,
  adapter: Adapter,
): Promise<Map<string, LazyTensor>> {
  checkAdapter(config, adapter);
  const adapted = new Map<string, Linear>();
  const root = rootPrefix(config);
  for (const linear of adaptedLinears(config, adapter.lora, 0, config.layers)) {
    if (!adapter.tensors.has(loraNames(linear.path).a)) continue;
    const full = `${linear.path}.weight`;
    // Files written from a model without its head leave the root module out of the names.
    const name = source.has(full) ? full : full.slice(root.length);
    if (!source.has(name)) fail("NB_TENSOR_MISSING", `the base model has no ${JSON.stringify(full)}`);
    adapted.set(name, linear);
  }
  const out = new Map<string, LazyTensor>();
  for (const name of [...source.names()].sort()) {
    if (!isWeightType(await source.dtype(name))) continue;
    const linear = adapted.get(name);
    out.set(name, {
      shape: await source.shape(name),
      load: () => (linear === undefined ? source.read(name) : mergedWeight(source, name, linear, adapter)),
    });
  }
  return out;
}

async function mergedWeight(
  source: TensorSource,
  name: string,
  linear: Linear,
  adapter: Adapter,
): Promise<Float32Array> {
  const { inFeatures, outFeatures, layout } = linear;
  const shape = layout === "out_in" ? [outFeatures, inFeatures] : [inFeatures, outFeatures];
  const weight = await readTensor(source, name, shape);
  const names = loraNames(linear.path);
  const a = adapter.tensors.get(names.a)!.data;
  const b = adapter.tensors.get(names.b)!.data;
  addLowRank(weight, a, b, adapter.lora.r, loraScale(adapter.lora), linear);
  return weight;
}
