import { describe, expect, it } from "vitest";
import { parseHfConfig } from "../../shared/model/config.ts";
import { failure } from "./helpers.ts";

const LLAMA = {
  model_type: "llama",
  vocab_size: 100,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
};
const QWEN2 = { ...LLAMA, model_type: "qwen2" };
const GPT2 = { model_type: "gpt2", vocab_size: 100, n_embd: 64, n_layer: 2, n_head: 4 };

describe("a config that asks for what is not computed is refused by the name of its field", () => {
  it.each([
    ["model_type", { ...LLAMA, model_type: "mamba" }],
    ["hidden_act", { ...LLAMA, hidden_act: "relu" }],
    ["rope_scaling.rope_type", { ...LLAMA, rope_scaling: { type: "yarn", factor: 4 } }],
    ["rope_parameters.rope_type", { ...LLAMA, rope_parameters: { rope_type: "longrope" } }],
    ["partial_rotary_factor", { ...LLAMA, partial_rotary_factor: 0.5 }],
    ["quantization_config", { ...LLAMA, quantization_config: { quant_method: "gptq" } }],
    ["use_sliding_window", { ...QWEN2, use_sliding_window: true, sliding_window: 4096 }],
    ["layer_types", { ...QWEN2, layer_types: ["full_attention", "sliding_attention"] }],
    ["activation_function", { ...GPT2, activation_function: "relu" }],
    ["scale_attn_weights", { ...GPT2, scale_attn_weights: false }],
    ["scale_attn_by_inverse_layer_idx", { ...GPT2, scale_attn_by_inverse_layer_idx: true }],
    ["add_cross_attention", { ...GPT2, add_cross_attention: true }],
  ])("%s", async (field, json) => {
    expect(await failure("NB_MODEL_UNSUPPORTED", () => parseHfConfig(json))).toContain(`${field} is`);
  });
});

describe("a config that cannot be is refused by the name of its field", () => {
  it.each([
    ["hidden_size", { ...LLAMA, hidden_size: undefined }],
    ["vocab_size", { ...LLAMA, vocab_size: 2 ** 40 }],
    ["num_hidden_layers", { ...LLAMA, num_hidden_layers: 0 }],
    ["rms_norm_eps", { ...LLAMA, rms_norm_eps: -1 }],
    ["num_key_value_heads", { ...LLAMA, num_key_value_heads: 3 }],
    ["head_dim", { ...LLAMA, hidden_size: 65 }],
    ["even", { ...LLAMA, head_dim: 15 }],
    ["rope_scaling.factor", { ...LLAMA, rope_scaling: { rope_type: "linear" } }],
    [
      "high_freq_factor",
      {
        ...LLAMA,
        rope_scaling: {
          rope_type: "llama3",
          factor: 8,
          low_freq_factor: 4,
          high_freq_factor: 4,
          original_max_position_embeddings: 8192,
        },
      },
    ],
    ["model_type", { vocab_size: 100 }],
    ["the document", null],
    ["the document", [LLAMA]],
    ["the document", "llama"],
  ])("%s", async (field, json) => {
    expect(await failure("NB_MODEL_INVALID", () => parseHfConfig(json))).toContain(field);
  });
});
