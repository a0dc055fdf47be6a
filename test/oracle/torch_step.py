#!/usr/bin/env python3
"""Times in PyTorch the training steps that `npm run bench:step` times in our engine.

Two shapes, both LLaMA-style, float32, on the CPU:

  small   6 blocks, d 256, 8 heads, ffn 704, vocabulary 4096, untied; batch 8 x 128; all parameters trained
  smollm  30 blocks, d 576, 9 heads over 3 key-value heads, ffn 1536, vocabulary 49152, tied (SmolLM2-135M);
          batch 2 x 128; LoRA r 8 on all linear layers over a frozen base

A step is forward, mean cross-entropy over every position, backward and one AdamW update. The model is the one that
`transformers` and PEFT give, run as their users run it: fused scaled-dot-product attention, no key-value cache, no
rematerialisation, fused AdamW. Every position is real and no mask is passed, so that attention takes its fastest way. `--compile`
adds torch.compile, for whoever wants PyTorch's best rather than its usual.

The first steps warm the allocator and the kernels up and are not counted. With `--json` the last line of the output is
one JSON object; times are milliseconds, memory is bytes.
"""

import argparse
import json
import resource
import statistics
import time

import torch
import transformers

SHAPES = {
    "small": {
        "config": {
            "num_hidden_layers": 6,
            "hidden_size": 256,
            "num_attention_heads": 8,
            "num_key_value_heads": 8,
            "intermediate_size": 704,
            "vocab_size": 4096,
            "tie_word_embeddings": False,
        },
        "batch": 8,
        "train": "full",
    },
    "smollm": {
        "config": {
            "num_hidden_layers": 30,
            "hidden_size": 576,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "intermediate_size": 1536,
            "vocab_size": 49152,
            "tie_word_embeddings": True,
        },
        "batch": 2,
        "train": "lora",
    },
}
LORA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def build(options):
    """Returns the model with the parameters to train, and the vocabulary's size."""
    config = transformers.LlamaConfig(
        **SHAPES[options.shape]["config"], max_position_embeddings=max(2048, options.length), use_cache=False
    )
    config._attn_implementation = "sdpa"
    model = transformers.LlamaForCausalLM(config)
    if options.train == "lora":
        import peft

        model = peft.get_peft_model(
            model,
            peft.LoraConfig(
                r=options.rank,
                lora_alpha=2 * options.rank,
                target_modules=LORA_TARGETS,
                lora_dropout=0.0,
                task_type="CAUSAL_LM",
            ),
        )
    return model.train(), config.vocab_size


def make_step(model, vocabulary, options):
    """Returns a function that takes one training step on a fixed batch and returns the loss."""
    random = torch.Generator().manual_seed(options.seed)
    ids = torch.randint(0, vocabulary, (options.batch, options.length), generator=random)
    targets = torch.randint(0, vocabulary, (options.batch * options.length,), generator=random)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.01, fused=True)
    run = torch.compile(model) if options.compile else model

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits = run(input_ids=ids).logits
        loss = torch.nn.functional.cross_entropy(logits.view(-1, vocabulary), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def measure(options):
    torch.manual_seed(options.seed)
    model, vocabulary = build(options)
    step = make_step(model, vocabulary, options)
    for _ in range(options.warmup):
        loss = step()
    times = []
    for _ in range(options.runs):
        start = time.perf_counter()
        loss = step()
        times.append((time.perf_counter() - start) * 1000)
    median = statistics.median(times)
    parameters = list(model.parameters())
    return {
        "shape": options.shape,
        "train": options.train,
        "rank": options.rank if options.train == "lora" else None,
        "batch": options.batch,
        "length": options.length,
        "threads": torch.get_num_threads(),
        "compiled": options.compile,
        "parameters": sum(parameter.numel() for parameter in parameters),
        "trainedParameters": sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
        "runs": options.runs,
        "medianMs": median,
        "minMs": min(times),
        "maxMs": max(times),
        "tokensPerSecond": options.batch * options.length / median * 1000,
        "loss": loss,
        # Linux gives kilobytes.
        "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--train", choices=["full", "lora"], help="default: what the shape names")
    parser.add_argument("--rank", type=int, default=8, help="LoRA rank; alpha is twice that")
    parser.add_argument("--batch", type=int, help="rows; default: what the shape names")
    parser.add_argument("--length", type=int, default=128, help="tokens in a row")
    parser.add_argument("--threads", type=int, help="default: PyTorch's own choice")
    parser.add_argument("--warmup", type=int, default=3, help="steps that are not counted")
    parser.add_argument("--runs", type=int, default=10, help="steps that are")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="use torch.compile")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if min(options.warmup, options.runs, options.length, options.rank) < 1:
        parser.error("--warmup, --runs, --length and --rank are at least 1")
    options.train = options.train or SHAPES[options.shape]["train"]
    options.batch = options.batch or SHAPES[options.shape]["batch"]
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    result = measure(options)
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"{result['shape']} ({result['train']}), batch {result['batch']} x {result['length']}, "
            f"{result['threads']} threads: {result['medianMs']:.0f} ms per step "
            f"({result['minMs']:.0f} to {result['maxMs']:.0f} over {result['runs']}), "
            f"{result['tokensPerSecond']:.0f} tokens/s, peak {result['peakRssBytes'] / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    main()
