#!/usr/bin/env python3
"""Writes test/golden/gguf/: a small model as ggml's own Python package writes it, for our reader to be held to.

  model.gguf             a LLaMA-style model of one block, with tensors of every type that is read
  expected.safetensors   its tensors as `gguf` dequantizes them, under Hugging Face's names and in Hugging Face's order of rows
  tokens.json            ids that the `tokenizers` library gives some strings with the model's vocabulary, split up as SmolLM's is

Needs `pip install gguf==0.19.0` beside what README.md names. Values are drawn from a fixed seed.

  python test/oracle/make_gguf_golden.py
"""

import json
from pathlib import Path

import gguf
import numpy as np
import safetensors.numpy
import tokenizers
from gguf import GGMLQuantizationType as T
from tokenizers import decoders, models, pre_tokenizers, trainers

OUT = Path(__file__).resolve().parents[1] / "golden" / "gguf"
HIDDEN, HEADS, KV_HEADS, FFN, VOCAB = 32, 2, 1, 64, 300
TEXT = "the whale and the 42 sailors; they said that there was nothing there, other than the sea. " * 40
STRINGS = ["", "the whale", "  then\n\n1997 and 2.5%", "na\u00efve \u9be8", "a<|end|>b", "it's they'll"]


def permuted(weight, heads):
    """The order in which ggml's converter writes the rows of query and key: pairs of rotated channels side by side."""
    rows = weight.shape[0]
    return weight.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def tokenizer():
    bpe = tokenizers.Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        [TEXT],
        trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False),
    )
    return bpe


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    bpe = tokenizer()
    described = json.loads(bpe.to_str())["model"]
    tokens = [token for token, _ in sorted(described["vocab"].items(), key=lambda item: item[1])]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in described["merges"]]

    writer = gguf.GGUFWriter(OUT / "model.gguf", "llama")
    writer.add_block_count(1)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(100000.0)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token == "<|end|>" else 1 for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)

    random = np.random.default_rng(20260105)
    expected = {}

    def add(name, ours, shape, kind, heads=0):
        values = random.standard_normal(shape, dtype=np.float32)
        stored = permuted(values, heads) if heads else values
        packed = gguf.quants.quantize(stored, kind)
        writer.add_tensor(name, packed, raw_dtype=kind)
        read = gguf.quants.dequantize(packed, kind).reshape(shape).astype(np.float32)
        if heads:
            rows = shape[0]
            read = read.reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(shape)
        expected[ours] = np.ascontiguousarray(read)

    layer = "model.layers.0."
    kv = HIDDEN // HEADS * KV_HEADS
    add("token_embd.weight", "model.embed_tokens.weight", (VOCAB, HIDDEN), T.Q8_0)
    add("output_norm.weight", "model.norm.weight", (HIDDEN,), T.F32)
    add("blk.0.attn_norm.weight", layer + "input_layernorm.weight", (HIDDEN,), T.F32)
    add("blk.0.ffn_norm.weight", layer + "post_attention_layernorm.weight", (HIDDEN,), T.F32)
    add("blk.0.attn_q.weight", layer + "self_attn.q_proj.weight", (HIDDEN, HIDDEN), T.Q4_1, HEADS)
    add("blk.0.attn_k.weight", layer + "self_attn.k_proj.weight", (kv, HIDDEN), T.Q4_0, KV_HEADS)
    add("blk.0.attn_v.weight", layer + "self_attn.v_proj.weight", (kv, HIDDEN), T.F16)
    add("blk.0.attn_output.weight", layer + "self_attn.o_proj.weight", (HIDDEN, HIDDEN), T.BF16)
    add("blk.0.ffn_gate.weight", layer + "mlp.gate_proj.weight", (FFN, HIDDEN), T.Q4_0)
    add("blk.0.ffn_up.weight", layer + "mlp.up_proj.weight", (FFN, HIDDEN), T.Q4_1)
    add("blk.0.ffn_down.weight", layer + "mlp.down_proj.weight", (HIDDEN, FFN), T.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    safetensors.numpy.save_file(expected, OUT / "expected.safetensors")
    ids = [{"text": text, "ids": bpe.encode(text).ids} for text in STRINGS]
    (OUT / "tokens.json").write_text(json.dumps(ids, indent=1) + "\n")


main()
