/**
 * The parts of a split model's adapter put together: bottom and top from a client, the trunk from the server, each
 * with the blocks of its own side only.
 */
import { fail } from "../errors.ts";
import type { ModelConfig } from "./config.ts";
import { type Adapter, adaptedLayers, checkAdapter } from "./peft.ts";
import type { NamedTensor } from "./safetensors.ts";

function settingsOf({ lora }: Adapter): string {
  const { r, alpha, targetModules } = lora;
  return JSON.stringify({
    r,
    alpha,
    targetModules: Array.isArray(targetModules) ? targetModules.toSorted() : targetModules,
  });
}

/**
 * One adapter of several whose blocks do not overlap. `names` are what messages call them.
 *
 * @throws NB_ADAPTER_INVALID when one does not fit the model, two have the same tensor, or their settings differ.
 */
export function joinAdapters(
  config: ModelConfig,
  adapters: readonly Adapter[],
  names: readonly string[],
): Adapter {
  const [first] = adapters;
  const tensors = new Map<string, NamedTensor>();
  const owner = new Map<string, string>();
  adapters.forEach((adapter, i) => {
    checkAdapter(config, adapter);
    if (settingsOf(adapter) !== settingsOf(first))
      fail(
        "NB_ADAPTER_INVALID",
        `${names[i]} has the settings ${settingsOf(adapter)}; ${names[0]} has ${settingsOf(first)}, and parts of one adapter share them`,
      );
    for (const [name, tensor] of adapter.tensors) {
      const other = owner.get(name);
      if (other !== undefined)
        fail("NB_ADAPTER_INVALID", `${names[i]} and ${other} both have ${JSON.stringify(name)}`);
      owner.set(name, names[i]);
      tensors.set(name, tensor);
    }
  });
  const layers = adaptedLayers(config, first.lora, tensors.keys());
  const baseModel = adapters.find((adapter) => adapter.baseModel !== undefined)?.baseModel;
  return {
    lora: first.lora,
    tensors,
    ...(layers === undefined ? {} : { layers }),
    ...(baseModel === undefined ? {} : { baseModel }),
  };
}
