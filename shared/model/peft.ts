/**
 * LoRA adapters as PEFT (github.com/huggingface/peft, 0.21) keeps them: `adapter_config.json`,
 * `adapter_model.safetensors` and a model card. Keys are `base_model.model.<module path>.lora_A.weight` [r, in] and
 * `.lora_B.weight` [out, r]. A file whose keys lack the prefix loads in PEFT with a warning and leaves B zero, so
 * names and shapes are checked in both directions, and a test loads the files in PEFT itself.
 */
import { z } from "zod";
import { fail, NarrowbandError } from "../errors.ts";
import type { ModelFiles } from "./byte-source.ts";
import type { ModelConfig } from "./config.ts";
import type { Linear } from "./families.ts";
import { adaptedLinears, type LoraConfig, loraNames } from "./lora.ts";
import { type NamedTensor, readSafetensors, writeSafetensors } from "./safetensors.ts";

export const ADAPTER_CONFIG = "adapter_config.json";
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";
const MODEL_CARD = "README.md";

/** Largest accepted adapter file; rank 64 on every linear layer of a 70 B model takes about 1.6 GB in bf16. */
const MAX_ADAPTER_BYTES = 2 ** 31 - 1;
const MAX_CONFIG_BYTES = 1 << 20;

export interface Adapter {
  readonly lora: LoraConfig;
  /** Blocks that carry adapters, ascending; undefined when all do. One side of a split model has only its own. */
  readonly layers?: readonly number[];
  /** By PEFT key. */
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** What the base model is called: a hub id or a path. */
  readonly baseModel?: string;
}

function invalid(what: string): never {
  fail("NB_ADAPTER_INVALID", what);
}

/** The linear layers that an adapter of these settings has tensors for. */
function adapterLinears(
  config: ModelConfig,
  lora: LoraConfig,
  layers: readonly number[] | undefined,
): Linear[] {
  if (layers === undefined) return adaptedLinears(config, lora, 0, config.layers);
  const outside = layers.find((layer) => layer >= config.layers);
  if (outside !== undefined) invalid(`the adapter names block ${outside}; the model has ${config.layers}`);
  return layers.flatMap((layer) => adaptedLinears(config, lora, layer, layer + 1));
}

/** The blocks that the given tensors belong to; undefined when they are all of the model's. */
export function adaptedLayers(
  config: ModelConfig,
  lora: LoraConfig,
  names: Iterable<string>,
): number[] | undefined {
  const given = new Set(names);
  const layers: number[] = [];
  for (let layer = 0; layer < config.layers; layer++)
    if (adaptedLinears(config, lora, layer, layer + 1).some(({ path }) => given.has(loraNames(path).a)))
      layers.push(layer);
  return layers.length === config.layers ? undefined : layers;
}

/**
 * Checks that an adapter has exactly the tensors that its settings give it on this model, in their shapes.
 *
 * @throws NB_ADAPTER_INVALID naming the first tensor that is missing, foreign or of another shape.
 */
export function checkAdapter(config: ModelConfig, adapter: Adapter): void {
  const { r } = adapter.lora;
  const left = new Set(adapter.tensors.keys());
  const expect = (name: string, shape: readonly number[]) => {
    const tensor = adapter.tensors.get(name);
    if (tensor === undefined) invalid(`the adapter lacks ${JSON.stringify(name)}`);
    if (tensor.shape.length !== 2 || tensor.shape[0] !== shape[0] || tensor.shape[1] !== shape[1])
      invalid(
        `${JSON.stringify(name)} has shape [${tensor.shape.join(", ")}]; this model makes it [${shape.join(", ")}]`,
      );
    left.delete(name);
  };
  for (const { path, inFeatures, outFeatures } of adapterLinears(config, adapter.lora, adapter.layers)) {
    const names = loraNames(path);
    expect(names.a, [r, inFeatures]);
    expect(names.b, [outFeatures, r]);
  }
  const [foreign] = left;
  if (foreign !== undefined)
    invalid(`the adapter has ${JSON.stringify(foreign)}, which is no adapted layer of this model`);
}

/** The content of adapter_config.json. */
export function adapterConfigJson(config: ModelConfig, adapter: Adapter): Record<string, unknown> {
  const { lora, layers } = adapter;
  const linears = adapterLinears(config, lora, layers);
  const targets =
    lora.targetModules === "all-linear"
      ? // PEFT's own "all-linear" looks at the model's classes; the names say the same and need no guess.
        [...new Set(linears.map(({ path }) => path.split(".").at(-1)!))]
      : [...lora.targetModules];
  return {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    auto_mapping: null,
    base_model_name_or_path: adapter.baseModel ?? null,
    revision: null,
    inference_mode: true,
    r: lora.r,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    target_modules: targets.sort(),
    fan_in_fan_out: linears.some(({ layout }) => layout === "in_out"),
    bias: "none",
    use_rslora: false,
    use_dora: false,
    modules_to_save: null,
    init_lora_weights: true,
    layers_to_transform: layers === undefined ? null : [...layers],
    layers_pattern: null,
    rank_pattern: {},
    alpha_pattern: {},
  };
}

function modelCard(adapter: Adapter, config: Record<string, unknown>): string {
  const base = adapter.baseModel ?? "";
  const targets = config.target_modules as string[];
  return `---
base_model: ${JSON.stringify(base)}
library_name: peft
pipeline_tag: text-generation
tags:
- lora
- narrowband
---

# LoRA adapter${base === "" ? "" : ` for ${base}`}

Trained by split learning with [narrowband](https://www.npmjs.com/package/narrowband).

| | |
|---|---|
| rank r | ${adapter.lora.r} |
| alpha | ${adapter.lora.alpha} (the update is scaled by alpha / r = ${adapter.lora.alpha / adapter.lora.r}) |
| dropout in training | ${adapter.lora.dropout} |
| adapted modules | ${targets.map((name) => `\`${name}\``).join(", ")} |
| adapted blocks | ${adapter.layers === undefined ? "all" : adapter.layers.join(", ")} |

## Use with PEFT

\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(${JSON.stringify(base === "" ? "the base model" : base)})
model = PeftModel.from_pretrained(model, "this directory")
\`\`\`
`;
}

/**
 * The files of an adapter directory, in memory: adapter_config.json, adapter_model.safetensors (f32), README.md.
 *
 * @throws NB_ADAPTER_INVALID when the adapter is not of this model.
 */
export function adapterFiles(config: ModelConfig, adapter: Adapter): Map<string, Uint8Array> {
  checkAdapter(config, adapter);
  const json = adapterConfigJson(config, adapter);
  const encoder = new TextEncoder();
  return new Map([
    [ADAPTER_CONFIG, encoder.encode(`${JSON.stringify(json, null, 2)}\n`)],
    [ADAPTER_WEIGHTS, writeSafetensors(adapter.tensors)],
    [MODEL_CARD, encoder.encode(modelCard(adapter, json))],
  ]);
}

const layerList = z.union([z.int().min(0), z.array(z.int().min(0))]);
const configSchema = z.looseObject({
  peft_type: z.literal("LORA"),
  base_model_name_or_path: z.string().nullish(),
  r: z.int().min(1).max(1024),
  lora_alpha: z.number().positive().finite(),
  lora_dropout: z.number().min(0).max(0.95).default(0),
  target_modules: z.union([z.literal("all-linear"), z.array(z.string().min(1)).min(1)]),
  layers_to_transform: layerList.nullish(),
});

/** Settings of PEFT that change what an adapter computes or holds; each must be unset or as given here. */
const MUST_BE_UNSET: Readonly<Record<string, unknown>> = {
  bias: "none",
  use_rslora: false,
  use_dora: false,
  use_qalora: false,
  lora_bias: false,
  modules_to_save: null,
  rank_pattern: {},
  alpha_pattern: {},
  exclude_modules: null,
  layer_replication: null,
  target_parameters: null,
  trainable_token_indices: null,
  alora_invocation_tokens: null,
  arrow_config: null,
  use_bdlora: null,
  velora_config: null,
  kasa_config: null,
  monteclora_config: null,
};

function isUnset(value: unknown, unset: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  return JSON.stringify(value) === JSON.stringify(unset);
}

/** Keys as this project and PEFT write them. */
const KEY = /^base_model\.model\.(.+)\.lora_[AB]\.weight$/;

/**
 * Reads an adapter from its two files' contents. What the model is, is not known here; see {@link checkAdapter}.
 *
 * @throws NB_ADAPTER_INVALID, NB_SAFETENSORS_*
 */
export function parseAdapter(configJson: unknown, weights: Uint8Array): Adapter {
  const parsed = configSchema.safeParse(configJson);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    invalid(`${ADAPTER_CONFIG}: ${issue.path.join(".") || "the document"}: ${issue.message}`);
  }
  for (const [field, unset] of Object.entries(MUST_BE_UNSET)) {
    const value = (parsed.data as Record<string, unknown>)[field];
    if (!isUnset(value, unset))
      invalid(`${ADAPTER_CONFIG}: ${field} is ${JSON.stringify(value)}; supported: ${JSON.stringify(unset)}`);
  }
  const { tensors } = readSafetensors(weights);
  for (const name of tensors.keys())
    if (!KEY.test(name))
      invalid(
        `${ADAPTER_WEIGHTS}: ${JSON.stringify(name)} is not of the form base_model.model.<path>.lora_A.weight`,
      );
  const { data } = parsed;
  const layers = data.layers_to_transform;
  return {
    lora: {
      r: data.r,
      alpha: data.lora_alpha,
      dropout: data.lora_dropout,
      targetModules: data.target_modules,
    },
    ...(layers === null || layers === undefined
      ? {}
      : { layers: [...new Set(typeof layers === "number" ? [layers] : layers)].sort((a, b) => a - b) }),
    tensors,
    ...(data.base_model_name_or_path ? { baseModel: data.base_model_name_or_path } : {}),
  };
}

/**
 * Reads an adapter directory.
 *
 * @throws NB_FILE_UNREADABLE, NB_ADAPTER_INVALID, NB_SAFETENSORS_*
 */
export async function readAdapter(files: ModelFiles): Promise<Adapter> {
  const read = async (file: string, limit: number): Promise<Uint8Array> => {
    const bytes = await files.open(file);
    if (bytes === undefined) fail("NB_FILE_UNREADABLE", `${files.name}: there is no ${file}`);
    try {
      if (bytes.size > limit) invalid(`${bytes.name} has ${bytes.size} bytes; accepted: up to ${limit}`);
      return await bytes.read(0, bytes.size);
    } finally {
      await bytes.close();
    }
  };
  const config = await read(ADAPTER_CONFIG, MAX_CONFIG_BYTES);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(config));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarrowbandError(
      "NB_ADAPTER_INVALID",
      `${files.name}/${ADAPTER_CONFIG} is not JSON: ${reason}`,
      {
        cause,
      },
    );
  }
  return parseAdapter(json, await read(ADAPTER_WEIGHTS, MAX_ADAPTER_BYTES));
}
