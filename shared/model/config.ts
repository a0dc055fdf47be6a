/**
 * What a transformer is made of, in one form for all families, and how that form is read from and written to
 * Hugging Face's `config.json`.
 *
 * Everything that builds a model reads {@link ModelConfig} and never the JSON, so the differences of spelling
 * (`n_embd`, `hidden_size`), of age (`rope_theta` + `rope_scaling` before transformers 5, `rope_parameters` since)
 * and of defaults end in this file. A config that asks for something that the graphs do not compute is refused here
 * by the name of the field: a model that runs but answers wrongly is worse than one that does not load.
 */
import { z } from "zod";
import { fail } from "../errors.ts";

export type ModelFamily = "llama" | "qwen2" | "gpt2";

/** How rotary frequencies are stretched for contexts longer than the model was first trained on. */
export type RopeScaling =
  | { readonly kind: "none" }
  /** All positions divided by `factor` (position interpolation, arXiv 2306.15595). */
  | { readonly kind: "linear"; readonly factor: number }
  /**
   * Grows theta for sequences beyond maxPositions only; up to there it is no scaling at all. Sequences beyond
   * maxPositions are refused by this project, so the kind is kept for writing the config back and changes nothing.
   */
  | { readonly kind: "dynamic"; readonly factor: number }
  /** Low frequencies divided by `factor`, high ones kept, a linear blend between (Llama 3.1). */
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    };

export type Positions =
  /** Rotary embedding of queries and keys (arXiv 2104.09864), halves rotated as Hugging Face's LLaMA does. */
  | { readonly kind: "rope"; readonly theta: number; readonly scaling: RopeScaling }
  /** A learned table [max, hiddenSize] added to the token embedding. */
  | { readonly kind: "learned"; readonly max: number };

export interface ModelConfig {
  readonly family: ModelFamily;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Key/value heads: equal to heads, or fewer for grouped-query attention; divides heads. */
  readonly kvHeads: number;
  /** Channels of one head; heads × headDim need not be hiddenSize. */
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly norm: "rms" | "layer";
  readonly normEps: number;
  readonly activation: "silu" | "gelu_tanh" | "gelu";
  /** gated: down(act(gate(x)) · up(x)); plain: down(act(up(x))). */
  readonly mlp: "gated" | "plain";
  readonly positions: Positions;
  /** Whether the query, key and value projections have a bias. */
  readonly qkvBias: boolean;
  readonly attentionOutputBias: boolean;
  readonly mlpBias: boolean;
  /** Whether the head is the embedding table, and the files hold no `lm_head.weight`. */
  readonly tieEmbeddings: boolean;
  /** Longest sequence, tokens. */
  readonly maxPositions: number;
  readonly bosTokenId: number | undefined;
  /** Any of these ends a generation; empty when the config names none. */
  readonly eosTokenIds: readonly number[];
  /** Standard deviation of fresh weights, used by pretraining. */
  readonly initializerRange: number;
}

/** Upper bound of any dimension in a config. The largest in real decoders is a vocabulary of about 2^18. */
const MAX_DIMENSION = 2 ** 24;
/** Upper bound of the number of layers; the largest open models have about 130. */
const MAX_LAYERS = 1024;

const dimension = z.int().min(1).max(MAX_DIMENSION);
const layerCount = z.int().min(1).max(MAX_LAYERS);
const tokenId = z.int().min(0).max(MAX_DIMENSION);
const tokenIds = z
  .union([tokenId, z.array(tokenId).max(64)])
  .nullish()
  .transform((ids) => (ids === null || ids === undefined ? [] : typeof ids === "number" ? [ids] : ids));
const epsilon = z.number().positive().max(1);
const theta = z.number().positive().finite();
const positive = z.number().positive().finite();

const ropeParameters = z.looseObject({
  /** `type` is the spelling before transformers 4.45. */
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: theta.optional(),
  partial_rotary_factor: z.number().nullish(),
  factor: positive.optional(),
  low_freq_factor: positive.optional(),
  high_freq_factor: positive.optional(),
  original_max_position_embeddings: dimension.optional(),
});

const rotaryFields = {
  vocab_size: dimension,
  hidden_size: dimension,
  intermediate_size: dimension,
  num_hidden_layers: layerCount,
  num_attention_heads: dimension,
  num_key_value_heads: dimension.nullish(),
  head_dim: dimension.nullish(),
  hidden_act: z.string().default("silu"),
  max_position_embeddings: dimension.default(2048),
  initializer_range: z.number().min(0).max(10).default(0.02),
  rms_norm_eps: epsilon.default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: tokenIds,
  eos_token_id: tokenIds,
  rope_theta: theta.optional(),
  rope_scaling: ropeParameters.nullish(),
  rope_parameters: ropeParameters.nullish(),
  partial_rotary_factor: z.number().nullish(),
};

const llamaConfig = z.looseObject({
  ...rotaryFields,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

const qwen2Config = z.looseObject({
  ...rotaryFields,
  max_position_embeddings: dimension.default(32768),
  use_sliding_window: z.boolean().default(false),
  layer_types: z.array(z.string()).max(MAX_LAYERS).nullish(),
});

const gpt2Config = z.looseObject({
  vocab_size: dimension,
  n_embd: dimension,
  n_layer: layerCount,
  n_head: dimension,
  n_inner: dimension.nullish(),
  n_positions: dimension.default(1024),
  activation_function: z.string().default("gelu_new"),
  layer_norm_epsilon: epsilon.default(1e-5),
  initializer_range: z.number().min(0).max(10).default(0.02),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  add_cross_attention: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
  bos_token_id: tokenIds,
  eos_token_id: tokenIds,
});

/** Refuses a setting that the graphs do not compute. */
function unsupported(field: string, given: unknown, accepted: string): never {
  fail(
    "NB_MODEL_UNSUPPORTED",
    `config.json: ${field} is ${JSON.stringify(given)}; what is supported: ${accepted}`,
    { field },
  );
}

function check<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue.path.length === 0 ? "the document" : issue.path.join(".");
  fail("NB_MODEL_INVALID", `config.json: ${field}: ${issue.message}`, { field });
}

const ACTIVATIONS: ReadonlyMap<string, ModelConfig["activation"]> = new Map([
  ["silu", "silu"],
  ["swish", "silu"],
  ["gelu", "gelu"],
  ["gelu_new", "gelu_tanh"],
  ["gelu_pytorch_tanh", "gelu_tanh"],
]);

function activation(field: string, name: string): ModelConfig["activation"] {
  return ACTIVATIONS.get(name) ?? unsupported(field, name, [...ACTIVATIONS.keys()].join(", "));
}

type RotaryJson = z.infer<z.ZodObject<typeof rotaryFields>>;

function ropePositions(json: RotaryJson): Extract<Positions, { kind: "rope" }> {
  const field = json.rope_parameters ? "rope_parameters" : "rope_scaling";
  const parameters = json.rope_parameters ?? json.rope_scaling ?? {};
  const partial = json.partial_rotary_factor ?? parameters.partial_rotary_factor ?? 1;
  if (partial !== 1) unsupported("partial_rotary_factor", partial, "1");
  return {
    kind: "rope",
    theta: parameters.rope_theta ?? json.rope_theta ?? 10_000,
    scaling: ropeScaling(field, parameters),
  };
}

function ropeScaling(field: string, json: z.infer<typeof ropeParameters>): RopeScaling {
  const need = <T>(name: string, value: T | undefined): T =>
    value ??
    fail("NB_MODEL_INVALID", `config.json: ${field}.${name} is missing`, { field: `${field}.${name}` });
  const type = json.rope_type ?? json.type ?? "default";
  switch (type) {
    case "default":
      return { kind: "none" };
    case "linear":
    case "dynamic":
      return { kind: type, factor: need("factor", json.factor) };
    case "llama3": {
      const lowFreqFactor = need("low_freq_factor", json.low_freq_factor);
      const highFreqFactor = need("high_freq_factor", json.high_freq_factor);
      if (highFreqFactor <= lowFreqFactor)
        fail(
          "NB_MODEL_INVALID",
          `config.json: ${field}.high_freq_factor is ${highFreqFactor}; it must be above low_freq_factor, ${lowFreqFactor}`,
        );
      return {
        kind: "llama3",
        factor: need("factor", json.factor),
        lowFreqFactor,
        highFreqFactor,
        originalMaxPositions: need("original_max_position_embeddings", json.original_max_position_embeddings),
      };
    }
    default:
      unsupported(`${field}.rope_type`, type, "default, linear, dynamic, llama3");
  }
}

function attentionShape(hidden: number, heads: number, kvHeads: number, headDim: number | null | undefined) {
  if (heads % kvHeads !== 0)
    fail(
      "NB_MODEL_INVALID",
      `config.json: num_key_value_heads is ${kvHeads}; it must divide num_attention_heads, ${heads}`,
    );
  if (!headDim && hidden % heads !== 0)
    fail(
      "NB_MODEL_INVALID",
      `config.json: there is no head_dim, and ${heads} heads do not divide the hidden size, ${hidden}`,
    );
  return { heads, kvHeads, headDim: headDim ?? hidden / heads };
}

function rotaryModel(family: "llama" | "qwen2", json: RotaryJson) {
  const { num_attention_heads: heads, hidden_size: hiddenSize } = json;
  const shape = attentionShape(hiddenSize, heads, json.num_key_value_heads ?? heads, json.head_dim);
  if (shape.headDim % 2 !== 0)
    fail(
      "NB_MODEL_INVALID",
      `config.json: a head has ${shape.headDim} channels; rotary positions need an even number`,
    );
  return {
    family,
    vocabSize: json.vocab_size,
    hiddenSize,
    layers: json.num_hidden_layers,
    ...shape,
    intermediateSize: json.intermediate_size,
    norm: "rms",
    normEps: json.rms_norm_eps,
    activation: activation("hidden_act", json.hidden_act),
    mlp: "gated",
    positions: ropePositions(json),
    tieEmbeddings: json.tie_word_embeddings,
    maxPositions: json.max_position_embeddings,
    bosTokenId: json.bos_token_id[0],
    eosTokenIds: json.eos_token_id,
    initializerRange: json.initializer_range,
  } as const;
}

function llama(input: unknown): ModelConfig {
  const json = check(llamaConfig, input);
  return {
    ...rotaryModel("llama", json),
    qkvBias: json.attention_bias,
    attentionOutputBias: json.attention_bias,
    mlpBias: json.mlp_bias,
  };
}

function qwen2(input: unknown): ModelConfig {
  const json = check(qwen2Config, input);
  // `sliding_window` alone is only a size: it is in use when this flag, or a layer's type, says so.
  if (json.use_sliding_window) unsupported("use_sliding_window", true, "false");
  const other = json.layer_types?.find((type) => type !== "full_attention");
  if (other !== undefined) unsupported("layer_types", other, "full_attention in every layer");
  return { ...rotaryModel("qwen2", json), qkvBias: true, attentionOutputBias: false, mlpBias: false };
}

function gpt2(input: unknown): ModelConfig {
  const json = check(gpt2Config, input);
  if (!json.scale_attn_weights) unsupported("scale_attn_weights", false, "true");
  if (json.scale_attn_by_inverse_layer_idx) unsupported("scale_attn_by_inverse_layer_idx", true, "false");
  if (json.add_cross_attention) unsupported("add_cross_attention", true, "false");
  return {
    family: "gpt2",
    vocabSize: json.vocab_size,
    hiddenSize: json.n_embd,
    layers: json.n_layer,
    ...attentionShape(json.n_embd, json.n_head, json.n_head, undefined),
    intermediateSize: json.n_inner ?? 4 * json.n_embd,
    norm: "layer",
    normEps: json.layer_norm_epsilon,
    activation: activation("activation_function", json.activation_function),
    mlp: "plain",
    positions: { kind: "learned", max: json.n_positions },
    qkvBias: true,
    attentionOutputBias: true,
    mlpBias: true,
    tieEmbeddings: json.tie_word_embeddings,
    maxPositions: json.n_positions,
    bosTokenId: json.bos_token_id[0],
    eosTokenIds: json.eos_token_id,
    initializerRange: json.initializer_range,
  };
}

const PARSERS: ReadonlyMap<string, (json: unknown) => ModelConfig> = new Map([
  ["llama", llama],
  ["qwen2", qwen2],
  ["gpt2", gpt2],
]);

/**
 * Reads a parsed `config.json`.
 *
 * @throws NB_MODEL_INVALID when a field is missing or malformed, NB_MODEL_UNSUPPORTED when the model needs something
 * that is not computed here; both name the field.
 */
export function parseHfConfig(json: unknown): ModelConfig {
  const head = check(
    z.looseObject({ model_type: z.string(), quantization_config: z.unknown().optional() }),
    json,
  );
  const parse = PARSERS.get(head.model_type);
  if (parse === undefined) unsupported("model_type", head.model_type, [...PARSERS.keys()].join(", "));
  if (head.quantization_config !== undefined && head.quantization_config !== null)
    unsupported("quantization_config", head.quantization_config, "weights in float32, float16 or bfloat16");
  return parse(json);
}

/** Element type of a model directory's weights, in the names of `config.json`. */
export type TorchDtype = "float32" | "float16" | "bfloat16";

const ARCHITECTURES: Record<ModelFamily, string> = {
  llama: "LlamaForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  gpt2: "GPT2LMHeadModel",
};

function eosField(ids: readonly number[]): number | number[] | null {
  return ids.length === 0 ? null : ids.length === 1 ? ids[0] : [...ids];
}

/**
 * The `config.json` of a model directory. Rotary settings and the element type are written in both spellings, so
 * that transformers 4 and 5 read the same model.
 */
export function toHfConfig(config: ModelConfig, dtype: TorchDtype = "float32"): Record<string, unknown> {
  const common = {
    architectures: [ARCHITECTURES[config.family]],
    model_type: config.family,
    vocab_size: config.vocabSize,
    tie_word_embeddings: config.tieEmbeddings,
    bos_token_id: config.bosTokenId ?? null,
    eos_token_id: eosField(config.eosTokenIds),
    initializer_range: config.initializerRange,
    use_cache: true,
    dtype,
    torch_dtype: dtype,
  };
  if (config.positions.kind === "learned") {
    return {
      ...common,
      n_embd: config.hiddenSize,
      n_layer: config.layers,
      n_head: config.heads,
      n_inner: config.intermediateSize,
      n_positions: config.positions.max,
      activation_function: config.activation === "gelu_tanh" ? "gelu_new" : config.activation,
      layer_norm_epsilon: config.normEps,
      attn_pdrop: 0,
      embd_pdrop: 0,
      resid_pdrop: 0,
    };
  }
  const { theta: ropeTheta, scaling } = config.positions;
  const rope = scaling.kind === "none" ? undefined : ropeScalingJson(scaling);
  return {
    ...common,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    intermediate_size: config.intermediateSize,
    hidden_act: config.activation === "gelu_tanh" ? "gelu_pytorch_tanh" : config.activation,
    rms_norm_eps: config.normEps,
    max_position_embeddings: config.maxPositions,
    rope_theta: ropeTheta,
    rope_scaling: rope ?? null,
    rope_parameters: { rope_theta: ropeTheta, ...(rope ?? { rope_type: "default" }) },
    ...(config.family === "llama"
      ? { attention_bias: config.qkvBias, mlp_bias: config.mlpBias }
      : { use_sliding_window: false }),
  };
}

function ropeScalingJson(scaling: Exclude<RopeScaling, { kind: "none" }>): Record<string, unknown> {
  if (scaling.kind !== "llama3") return { rope_type: scaling.kind, factor: scaling.factor };
  return {
    rope_type: "llama3",
    factor: scaling.factor,
    low_freq_factor: scaling.lowFreqFactor,
    high_freq_factor: scaling.highFreqFactor,
    original_max_position_embeddings: scaling.originalMaxPositions,
  };
}

/**
 * Angle per position of each rotated pair of channels, radians [headDim / 2]; pair i is channels (i, i + headDim/2).
 * The angle of position p is p × the result. Llama 3's blend as in its release and in transformers:
 * frequencies of a wavelength above originalMax/lowFreqFactor are divided by factor, those below
 * originalMax/highFreqFactor kept, those between interpolated.
 */
export function ropeInverseFrequencies(config: ModelConfig): Float64Array {
  if (config.positions.kind !== "rope")
    fail("NB_INTERNAL", `a ${config.family} model has no rotary positions`);
  const { theta: base, scaling } = config.positions;
  const out = new Float64Array(config.headDim / 2);
  for (let i = 0; i < out.length; i++) {
    const frequency = base ** ((-2 * i) / config.headDim);
    out[i] = scaledFrequency(frequency, scaling);
  }
  return out;
}

function scaledFrequency(frequency: number, scaling: RopeScaling): number {
  switch (scaling.kind) {
    case "none":
    case "dynamic":
      return frequency;
    case "linear":
      return frequency / scaling.factor;
    case "llama3": {
      const turns = (scaling.originalMaxPositions * frequency) / (2 * Math.PI);
      if (turns < scaling.lowFreqFactor) return frequency / scaling.factor;
      if (turns > scaling.highFreqFactor) return frequency;
      const keep = (turns - scaling.lowFreqFactor) / (scaling.highFreqFactor - scaling.lowFreqFactor);
      return (1 - keep) * (frequency / scaling.factor) + keep * frequency;
    }
  }
}
