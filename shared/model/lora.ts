/**
 * Low-rank adaptation (Hu et al., 2021): beside a frozen y = x·Wᵀ + b runs (alpha / r) · dropout(x)·Aᵀ·Bᵀ, with
 * A [r, in] and B [out, r] the only trainable tensors. B starts at zero, so a fresh adapter changes nothing.
 */
import { z } from "zod";
import { fail } from "../errors.ts";
import { hashName, random32 } from "../random.ts";
import type { ModelConfig } from "./config.ts";
import { blockLayers, blockLinears, type Linear } from "./families.ts";

export const loraSchema = z.strictObject({
  /** Rank. */
  r: z.int().min(1).max(1024).default(8),
  /** The update is scaled by alpha / r. */
  alpha: z.number().positive().finite().default(16),
  /** Probability of dropping an element of the adapter's input while training. */
  dropout: z.number().min(0).max(0.95).default(0),
  /** Module names as in PEFT ("q_proj", "c_attn", or a longer end of the path), or every linear layer of the blocks. */
  targetModules: z.union([z.literal("all-linear"), z.array(z.string().min(1)).min(1)]).default("all-linear"),
});

export type LoraConfig = z.infer<typeof loraSchema>;

/** Whether `path` ends in one of the target names, cut at a dot, as PEFT matches them. */
export function isTarget(lora: LoraConfig, path: string): boolean {
  if (lora.targetModules === "all-linear") return true;
  return lora.targetModules.some((name) => path === name || path.endsWith(`.${name}`));
}

export function loraScale(lora: LoraConfig): number {
  return lora.alpha / lora.r;
}

/** PEFT's names of the two tensors of the adapter on `path`. */
export function loraNames(path: string): { a: string; b: string } {
  return {
    a: `base_model.model.${path}.lora_A.weight`,
    b: `base_model.model.${path}.lora_B.weight`,
  };
}

/** The adapted linear layers of blocks [from, to). NB_CONFIG_INVALID when a target name matches no layer of the model. */
export function adaptedLinears(config: ModelConfig, lora: LoraConfig, from: number, to: number): Linear[] {
  const first = blockLinears(blockLayers(config, 0));
  if (lora.targetModules !== "all-linear") {
    for (const name of lora.targetModules) {
      if (!first.some((l) => isTarget({ ...lora, targetModules: [name] }, l.path))) {
        const accepted = first.map((l) => l.path.split(".").at(-1)).join(", ");
        fail(
          "NB_CONFIG_INVALID",
          `lora.targetModules: "${name}" names no linear layer; accepted: ${accepted}`,
        );
      }
    }
  }
  const linears: Linear[] = [];
  for (let i = from; i < to; i++) {
    linears.push(...blockLinears(blockLayers(config, i)).filter((l) => isTarget(lora, l.path)));
  }
  return linears;
}

/**
 * The values an adapter starts from: A uniform in ±1/√in (torch.nn.Linear's own initialisation, which PEFT uses), B zero.
 * Drawn by (seed, name), so that every machine that is given the seed starts from the same adapters.
 */
export function initialLora(name: string, shape: readonly number[], seed: number): Float32Array {
  const data = new Float32Array(shape[0] * shape[1]);
  if (!name.endsWith(".lora_A.weight")) return data;
  const bound = 1 / Math.sqrt(shape[1]);
  const stream = hashName(name);
  for (let i = 0; i < data.length; i++) data[i] = (random32(seed, stream, i) * 2 ** -31 - 1) * bound;
  return data;
}
