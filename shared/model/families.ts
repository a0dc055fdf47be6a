/**
 * Model families as data: what each calls its tensors and how it lays out its linear layers. The computation is one for all
 * (transformer.ts); a new family of the same kind is one more row here.
 *
 * Names are those of the tensors in Hugging Face's files, so that weights load without renaming and adapters
 * carry the paths that PEFT expects.
 */
import { fail } from "../errors.ts";
import type { ModelConfig, ModelFamily } from "./config.ts";

/** How a weight is stored: torch.nn.Linear keeps [out, in], GPT-2's Conv1D keeps [in, out]. */
export type LinearLayout = "out_in" | "in_out";

/** One linear layer: y = x·Wᵀ + b. */
export interface Linear {
  /** Module path, without ".weight". */
  readonly path: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  readonly layout: LinearLayout;
}

export interface Norm {
  readonly path: string;
  /** LayerNorm has a bias; RMSNorm has none. */
  readonly bias: boolean;
}

/** Queries, keys and values come from three layers, or from one whose output is split. */
export type QkvLayers =
  | { readonly kind: "separate"; readonly q: Linear; readonly k: Linear; readonly v: Linear }
  | { readonly kind: "fused"; readonly qkv: Linear };

export interface BlockLayers {
  readonly attentionNorm: Norm;
  readonly qkv: QkvLayers;
  readonly attentionOutput: Linear;
  readonly mlpNorm: Norm;
  /** Present in a gated MLP. */
  readonly gate: Linear | undefined;
  readonly up: Linear;
  readonly down: Linear;
}

interface FamilyNames {
  /** Everything but the head stands below this module. */
  readonly root: string;
  readonly embedding: string;
  readonly positions: string | undefined;
  readonly block: string;
  readonly attentionNorm: string;
  readonly qkv: { readonly q: string; readonly k: string; readonly v: string } | string;
  readonly attentionOutput: string;
  readonly mlpNorm: string;
  readonly gate: string | undefined;
  readonly up: string;
  readonly down: string;
  readonly finalNorm: string;
  readonly head: string;
  readonly layout: LinearLayout;
}

const LLAMA: FamilyNames = {
  root: "model",
  embedding: "embed_tokens",
  positions: undefined,
  block: "layers",
  attentionNorm: "input_layernorm",
  qkv: { q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj" },
  attentionOutput: "self_attn.o_proj",
  mlpNorm: "post_attention_layernorm",
  gate: "mlp.gate_proj",
  up: "mlp.up_proj",
  down: "mlp.down_proj",
  finalNorm: "norm",
  head: "lm_head",
  layout: "out_in",
};

const FAMILIES: Readonly<Record<ModelFamily, FamilyNames>> = {
  llama: LLAMA,
  qwen2: LLAMA,
  gpt2: {
    root: "transformer",
    embedding: "wte",
    positions: "wpe",
    block: "h",
    attentionNorm: "ln_1",
    qkv: "attn.c_attn",
    attentionOutput: "attn.c_proj",
    mlpNorm: "ln_2",
    gate: undefined,
    up: "mlp.c_fc",
    down: "mlp.c_proj",
    finalNorm: "ln_f",
    head: "lm_head",
    layout: "in_out",
  },
};

/** The layers of block `index`. */
export function blockLayers(config: ModelConfig, index: number): BlockLayers {
  if (index < 0 || index >= config.layers) {
    fail("NB_INTERNAL", `block ${index} of a model of ${config.layers} blocks`);
  }
  const names = FAMILIES[config.family];
  const prefix = `${names.root}.${names.block}.${index}`;
  const linear = (name: string, inFeatures: number, outFeatures: number, bias: boolean): Linear => ({
    path: `${prefix}.${name}`,
    inFeatures,
    outFeatures,
    bias,
    layout: names.layout,
  });
  const norm = (name: string): Norm => ({ path: `${prefix}.${name}`, bias: config.norm === "layer" });
  const { hiddenSize: d, intermediateSize: f } = config;
  const queryWidth = config.heads * config.headDim;
  const keyWidth = config.kvHeads * config.headDim;
  const qkv: QkvLayers =
    typeof names.qkv === "string"
      ? { kind: "fused", qkv: linear(names.qkv, d, queryWidth + 2 * keyWidth, config.qkvBias) }
      : {
          kind: "separate",
          q: linear(names.qkv.q, d, queryWidth, config.qkvBias),
          k: linear(names.qkv.k, d, keyWidth, config.qkvBias),
          v: linear(names.qkv.v, d, keyWidth, config.qkvBias),
        };
  return {
    attentionNorm: norm(names.attentionNorm),
    qkv,
    attentionOutput: linear(names.attentionOutput, queryWidth, d, config.attentionOutputBias),
    mlpNorm: norm(names.mlpNorm),
    gate: names.gate === undefined ? undefined : linear(names.gate, d, f, config.mlpBias),
    up: linear(names.up, d, f, config.mlpBias),
    down: linear(names.down, f, d, config.mlpBias),
  };
}

/** The linear layers of a block, in order of computation. */
export function blockLinears(block: BlockLayers): Linear[] {
  const { qkv, gate } = block;
  return [
    ...(qkv.kind === "fused" ? [qkv.qkv] : [qkv.q, qkv.k, qkv.v]),
    block.attentionOutput,
    ...(gate === undefined ? [] : [gate]),
    block.up,
    block.down,
  ];
}

/** Names of the tensors outside the blocks. */
export interface OuterNames {
  /** [vocabSize, hiddenSize]. */
  readonly embedding: string;
  /** [maxPositions, hiddenSize], where positions are learned. */
  readonly positions: string | undefined;
  readonly finalNorm: Norm;
  /** [vocabSize, hiddenSize]; the embedding itself in a model that ties them. */
  readonly head: string;
}

export function outerNames(config: ModelConfig): OuterNames {
  const names = FAMILIES[config.family];
  const embedding = `${names.root}.${names.embedding}.weight`;
  return {
    embedding,
    positions: names.positions === undefined ? undefined : `${names.root}.${names.positions}.weight`,
    finalNorm: { path: `${names.root}.${names.finalNorm}`, bias: config.norm === "layer" },
    head: config.tieEmbeddings ? embedding : `${names.head}.weight`,
  };
}

/**
 * The module that a base model without its head starts names from: files written from such a model (the original GPT-2's,
 * for one) leave "transformer." or "model." out.
 */
export function rootPrefix(config: ModelConfig): string {
  return `${FAMILIES[config.family].root}.`;
}
