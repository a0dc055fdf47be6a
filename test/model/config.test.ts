import { describe, expect, it } from "vitest";
import { type ModelConfig, parseHfConfig, toHfConfig } from "../../shared/model/config.ts";
import { goldenJson } from "./helpers.ts";

/** SmolLM2-135M's own config.json, shortened to what describes the model. */
const SMOLLM2 = {
  architectures: ["LlamaForCausalLM"],
  attention_bias: false,
  bos_token_id: 0,
  eos_token_id: 0,
  hidden_act: "silu",
  hidden_size: 576,
  initializer_range: 0.041666666666666664,
  intermediate_size: 1536,
  is_llama_config: true,
  max_position_embeddings: 8192,
  model_type: "llama",
  num_attention_heads: 9,
  num_hidden_layers: 30,
  num_key_value_heads: 3,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_interleaved: false,
  rope_scaling: null,
  rope_theta: 100000,
  tie_word_embeddings: true,
  torch_dtype: "bfloat16",
  vocab_size: 49152,
};

describe("reading config.json", () => {
  it("reads a published LLaMA-style config, with settings that are not its own ignored", () => {
    expect(parseHfConfig(SMOLLM2)).toEqual({
      family: "llama",
      vocabSize: 49152,
      hiddenSize: 576,
      layers: 30,
      heads: 9,
      kvHeads: 3,
      headDim: 64,
      intermediateSize: 1536,
      norm: "rms",
      normEps: 1e-5,
      activation: "silu",
      mlp: "gated",
      positions: { kind: "rope", theta: 100000, scaling: { kind: "none" } },
      qkvBias: false,
      attentionOutputBias: false,
      mlpBias: false,
      tieEmbeddings: true,
      maxPositions: 8192,
      bosTokenId: 0,
      eosTokenIds: [0],
      initializerRange: 0.041666666666666664,
    } satisfies ModelConfig);
  });

  it("reads rotary settings in the spelling of transformers 5 as in the older one", () => {
    const scaling = {
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    const { rope_theta, rope_scaling, ...rest } = SMOLLM2;
    const older = { ...rest, rope_theta: 500000, rope_scaling: { rope_type: "llama3", ...scaling } };
    const newer = { ...rest, rope_parameters: { rope_type: "llama3", rope_theta: 500000, ...scaling } };
    const oldest = { ...rest, rope_theta: 500000, rope_scaling: { type: "llama3", ...scaling } };
    expect(parseHfConfig(newer)).toEqual(parseHfConfig(older));
    expect(parseHfConfig(oldest)).toEqual(parseHfConfig(older));
    expect(parseHfConfig(older).positions).toEqual({
      kind: "rope",
      theta: 500000,
      scaling: {
        kind: "llama3",
        factor: 32,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositions: 8192,
      },
    });
  });

  it("fills in what old configs leave out, as transformers does", () => {
    const config = parseHfConfig({
      model_type: "llama",
      vocab_size: 32000,
      hidden_size: 64,
      intermediate_size: 128,
      num_hidden_layers: 2,
      num_attention_heads: 4,
    });
    expect(config.kvHeads).toBe(4);
    expect(config.headDim).toBe(16);
    expect(config.maxPositions).toBe(2048);
    expect(config.tieEmbeddings).toBe(false);
    expect(config.positions).toEqual({ kind: "rope", theta: 10000, scaling: { kind: "none" } });
    expect(config.bosTokenId).toBeUndefined();
    expect(config.eosTokenIds).toEqual([]);
  });

  it("reads a head dimension that is not hidden size / heads, and several end tokens", () => {
    const config = parseHfConfig({ ...SMOLLM2, head_dim: 128, eos_token_id: [1, 2, 3] });
    expect(config.headDim).toBe(128);
    expect(config.eosTokenIds).toEqual([1, 2, 3]);
  });

  it("gives Qwen2 biases on query, key and value alone, and lets a window that is not in use be", () => {
    const config = parseHfConfig({
      model_type: "qwen2",
      vocab_size: 151936,
      hidden_size: 896,
      intermediate_size: 4864,
      num_hidden_layers: 24,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      rope_theta: 1000000,
      sliding_window: 32768,
      use_sliding_window: false,
      layer_types: Array(24).fill("full_attention"),
      tie_word_embeddings: true,
    });
    expect(config).toMatchObject({ qkvBias: true, attentionOutputBias: false, mlpBias: false, headDim: 64 });
  });

  it("reads GPT-2, whose inner size may be null and whose head is tied when it is not said", () => {
    const config = parseHfConfig({
      model_type: "gpt2",
      vocab_size: 50257,
      n_embd: 768,
      n_layer: 12,
      n_head: 12,
      n_positions: 1024,
      n_inner: null,
      activation_function: "gelu_new",
    });
    expect(config).toMatchObject({
      intermediateSize: 3072,
      norm: "layer",
      activation: "gelu_tanh",
      mlp: "plain",
      positions: { kind: "learned", max: 1024 },
      tieEmbeddings: true,
      qkvBias: true,
    });
  });
});

describe("writing config.json", () => {
  it.each(["llama", "llama-tied", "llama-rope3", "qwen2", "gpt2"])(
    "%s: what is written reads back the same",
    (name) => {
      const config = parseHfConfig(goldenJson(name, "config.json"));
      expect(parseHfConfig(toHfConfig(config, "bfloat16"))).toEqual(config);
      expect(parseHfConfig(JSON.parse(JSON.stringify(toHfConfig(config))))).toEqual(config);
    },
  );

  it("writes what transformers wrote for the same model", () => {
    for (const name of ["llama", "qwen2", "gpt2"]) {
      const theirs = goldenJson<Record<string, unknown>>(name, "config.json");
      const ours = toHfConfig(parseHfConfig(theirs));
      for (const [field, value] of Object.entries(ours))
        if (field in theirs && field !== "use_cache")
          expect(value, `${name}: ${field}`).toEqual(theirs[field]);
    }
  });
});
