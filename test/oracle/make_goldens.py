#!/usr/bin/env python3
"""Writes the golden files that our engine is held to: tiny random models and what PyTorch computes with them.

PyTorch, transformers and PEFT are the oracle. Each golden is a real Hugging Face model directory with a PEFT adapter
beside it, a batch of two rows of different length, and the numbers that `transformers` gives for that batch: logits,
loss, hidden states at two cuts, and gradients. The test suite reads only the committed files; this script is run by
hand when a golden is added or changed. README.md beside it describes every file and tensor.

All arithmetic is float64, also where `transformers` would drop to float32 (norms, softmax, rotary tables), and is
stored as float32, so that the oracle's own rounding stays below one part in ten million. Before anything is
written the script checks the oracle against itself: padding must not change a real position, float32 must agree with
float64, the sum loss must agree with transformers' own loss, and every tensor must matter.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import shutil
import sys
import tempfile
import zlib
from pathlib import Path

import peft
import safetensors.torch
import torch
import transformers
from torch.nn import functional
from torch.overrides import TorchFunctionMode

ROWS = 2
WIDTH = 12
LENGTHS = (12, 9)
IGNORE = -100
VOCABULARY = 64
LORA = {"r": 4, "lora_alpha": 8}
ADAMW = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}
MAX_GRADIENT_NORM = 1.0
ADAMW_STEPS = 10

LLAMA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
GPT2_TARGETS = ["c_attn", "c_proj", "c_fc"]


@dataclasses.dataclass(frozen=True)
class Golden:
    """One model to write, and which of the optional expectations it carries."""

    name: str
    about: str
    family: str
    settings: dict
    targets: list
    seed: int
    full_gradients: bool = False
    adamw: bool = False
    # Shards of at most this size; None is one file.
    shard_size: str | None = None
    # Rotary settings as published models carry them (rope_theta, rope_scaling), not as transformers 5 writes them.
    classic_rotary_keys: bool = False


ATTENTION = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
}

GOLDENS = [
    Golden(
        name="llama",
        about="LLaMA-style, grouped-query attention, untied head",
        family="llama",
        settings={**ATTENTION, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False},
        targets=LLAMA_TARGETS,
        seed=11,
        full_gradients=True,
        adamw=True,
    ),
    Golden(
        name="llama-tied",
        about="LLaMA-style, head tied to the embedding, rotary settings as in published configs",
        family="llama",
        settings={**ATTENTION, "rms_norm_eps": 1e-5, "rope_theta": 100000.0, "tie_word_embeddings": True},
        targets=LLAMA_TARGETS,
        seed=12,
        classic_rotary_keys=True,
    ),
    Golden(
        name="llama-rope3",
        about="LLaMA-style with llama3 rotary scaling, untied head, weights in shards",
        family="llama",
        settings={
            **ATTENTION,
            "rms_norm_eps": 1e-5,
            # The four rotary frequencies of an 8-wide head have wavelengths of about 6, 20, 63 and 199 positions:
            # below 32/4 kept, between 32/4 and 32/1 blended, above 32/1 divided by the factor. All three branches run.
            "rope_theta": 100.0,
            "rope_scaling": {
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 32,
            },
            "max_position_embeddings": 256,
            "tie_word_embeddings": False,
        },
        targets=LLAMA_TARGETS,
        seed=13,
        shard_size="48KB",
        classic_rotary_keys=True,
    ),
    Golden(
        name="qwen2",
        about="Qwen2-style: biases on query, key and value, tied head",
        family="qwen2",
        settings={**ATTENTION, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "tie_word_embeddings": True},
        targets=LLAMA_TARGETS,
        seed=14,
    ),
    Golden(
        name="gpt2",
        about="GPT-2-style: learned positions, LayerNorm, Conv1D weights [in, out], tied head",
        family="gpt2",
        settings={
            "vocab_size": VOCABULARY,
            "n_embd": 32,
            "n_layer": 3,
            "n_head": 4,
            "n_inner": 64,
            "n_positions": 24,
            "layer_norm_epsilon": 1e-5,
            "embd_pdrop": 0.0,
            "attn_pdrop": 0.0,
            "resid_pdrop": 0.0,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        targets=GPT2_TARGETS,
        seed=15,
        full_gradients=True,
    ),
]

FAMILIES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "gpt2": (transformers.GPT2Config, transformers.GPT2LMHeadModel),
}


class Float64Throughout(TorchFunctionMode):
    """Turns every cast to float32 into a cast to float64.

    transformers upcasts half-precision activations to float32 in norms, softmax and rotary tables by naming float32;
    in a float64 model the same lines would throw digits away.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function is torch.Tensor.float:
            return args[0].double()
        if kwargs.get("dtype") is torch.float32:
            kwargs["dtype"] = torch.float64
        args = tuple(torch.float64 if argument is torch.float32 else argument for argument in args)
        return function(*args, **kwargs)


def generator(golden, purpose):
    """A random stream of its own for each use, so that adding one draw does not shift the others."""
    return torch.Generator().manual_seed(golden.seed * 1_000_003 + zlib.crc32(purpose.encode()) % 1_000_003)


def draw_weights(golden, model):
    """Fills the model with weights whose every part is visible in the output.

    Projections keep activations at about unit scale and give attention scores a spread of a few nats, norm weights
    spread around one, biases are far from zero.
    """
    random = generator(golden, "weights")
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=random)
        if "norm" in name or ".ln_" in name:
            value = 0.3 * noise + (0.0 if name.endswith("bias") else 1.0)
        elif name.endswith("bias"):
            value = 0.4 * noise
        elif "embed_tokens" in name or "wte" in name:
            value = 0.7 * noise
        elif "wpe" in name:
            value = 0.5 * noise
        else:
            fan_in = parameter.shape[0] if golden.family == "gpt2" else parameter.shape[1]
            value = 1.2 / math.sqrt(fan_in) * noise
        parameter.data.copy_(value)


def draw_adapter(golden, model):
    """Fills lora_A and lora_B so that adapters change the output about as much as the base weights do."""
    random = generator(golden, "adapter")
    for name, parameter in sorted(lora_parameters(model).items()):
        noise = torch.randn(parameter.shape, generator=random)
        scale = 0.8 / math.sqrt(parameter.shape[1]) if "lora_A" in name else 0.25
        parameter.data.copy_(scale * noise)


def draw_batch(golden):
    """Returns (ids, labels), each [rows, width], right-padded; labels[t] is the id to predict at position t.

    The last position of a row, a prompt of three positions in row 0, and one lone position in row 1 are not
    supervised.
    """
    random = generator(golden, "batch")
    # Id 0 is the padding, so no real position has it; ids 5 and 7 repeat, so that embedding gradients must add up.
    ids = torch.randint(1, VOCABULARY, (ROWS, WIDTH), generator=random)
    ids[:, 2] = 5
    ids[:, 6] = 5
    ids[0, 8:10] = 7
    labels = torch.full((ROWS, WIDTH), IGNORE)
    labels[:, :-1] = ids[:, 1:]
    labels[0, :3] = IGNORE
    labels[1, 4] = IGNORE
    for row, length in enumerate(LENGTHS):
        ids[row, length:] = 0
        labels[row, length - 1 :] = IGNORE
    return ids, labels


def real_positions():
    """Mask [rows, width] of the positions that are not padding."""
    return torch.arange(WIDTH)[None, :] < torch.tensor(LENGTHS)[:, None]


def packed(tensor):
    """[rows, width, n] to [tokens, n]: the real positions, row after row."""
    return tensor[real_positions()]


def causal_model(model):
    """The transformers model itself, without the PEFT wrapper."""
    return model.get_base_model() if isinstance(model, peft.PeftModel) else model


def blocks(model):
    inner = causal_model(model)
    return inner.transformer.h if hasattr(inner, "transformer") else inner.model.layers


def lora_parameters(model):
    """The adapter's parameters under the names that PEFT gives them in adapter_model.safetensors."""
    return {
        name.replace(".default.", "."): parameter
        for name, parameter in model.named_parameters()
        if ".lora_" in name
    }


@contextlib.contextmanager
def cuts(model):
    """Collects the outputs of the first block and of the last but one, keeping their gradients."""
    kept = {}

    def keeper(name):
        def keep(_module, _inputs, output):
            hidden = output[0] if isinstance(output, tuple) else output
            if hidden.requires_grad:
                hidden.retain_grad()
            kept[name] = hidden

        return keep

    layers = blocks(model)
    handles = [
        layers[0].register_forward_hook(keeper("first")),
        layers[-2].register_forward_hook(keeper("last")),
    ]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


def call(model, **inputs):
    """Runs the model without a key-value cache; a float64 model runs in float64 to the last operator."""
    wide = next(model.parameters()).dtype is torch.float64
    with Float64Throughout() if wide else contextlib.nullcontext():
        return model(**inputs, use_cache=False)


def forward(model, ids, labels):
    """Returns (logits [rows, width, vocabulary], sum of the loss over supervised positions in nats)."""
    logits = call(model, input_ids=ids, attention_mask=real_positions().long()).logits
    loss = functional.cross_entropy(
        logits.reshape(-1, VOCABULARY), labels.reshape(-1), ignore_index=IGNORE, reduction="sum"
    )
    return logits, loss


def check(condition, message):
    if not condition:
        sys.exit(f"the oracle disagrees with itself: {message}")


def close(left, right, tolerance):
    """Largest difference relative to the largest magnitude."""
    return (left.double() - right.double()).abs().max() <= tolerance * right.double().abs().max()


def check_oracle(golden, model, ids, labels, logits, loss):
    """What must hold for the numbers to be worth comparing with."""
    for row, length in enumerate(LENGTHS):
        alone = call(model, input_ids=ids[row : row + 1, :length]).logits[0]
        check(close(alone, logits[row, :length], 1e-12), f"{golden.name}: padding reaches row {row}")
    # transformers wants labels at the position of the token itself and gives the mean.
    unshifted = torch.full_like(labels, IGNORE)
    unshifted[:, 1:] = labels[:, :-1]
    mean = call(model, input_ids=ids, attention_mask=real_positions().long(), labels=unshifted).loss
    supervised = int((labels != IGNORE).sum())
    check(abs(mean * supervised - loss) < 1e-9 * loss, f"{golden.name}: loss differs from transformers' own")


def check_gradients(golden, named):
    for name, gradient in named.items():
        check(bool(torch.isfinite(gradient).all()), f"{golden.name}: {name} is not finite")
        check(float(gradient.abs().max()) > 1e-3, f"{golden.name}: {name} has no gradient to speak of")


def write_model(golden, folder):
    """Writes the Hugging Face directory."""
    config_class, model_class = FAMILIES[golden.family]
    model = model_class(config_class(**golden.settings))
    draw_weights(golden, model)
    shards = {} if golden.shard_size is None else {"max_shard_size": golden.shard_size}
    model.save_pretrained(folder, **shards)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if golden.classic_rotary_keys:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        rotary = config.pop("rope_parameters")
        config["rope_theta"] = rotary.pop("rope_theta")
        config["rope_scaling"] = None if rotary["rope_type"] == "default" else rotary
        config["torch_dtype"] = config.pop("dtype")
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        read = load_model(golden, folder, torch.float32)
        check(
            torch.equal(read.model.rotary_emb.inv_freq, model.model.rotary_emb.inv_freq),
            f"{golden.name}: the rotary settings did not survive being rewritten",
        )


def load_model(golden, folder, dtype):
    """Reads the directory back, so that what is measured is what was written."""
    model = FAMILIES[golden.family][1].from_pretrained(folder, dtype=dtype, attn_implementation="eager")
    return model.eval()


def write_adapter(golden, folder):
    """Writes a PEFT adapter directory for the model in `folder`."""
    config = peft.LoraConfig(
        **LORA,
        target_modules=golden.targets,
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
        fan_in_fan_out=golden.family == "gpt2",
    )
    model = peft.get_peft_model(load_model(golden, folder, torch.float32), config)
    draw_adapter(golden, model)
    model.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    path = folder / "adapter" / "adapter_config.json"
    stored = json.loads(path.read_text())
    # The base model is the directory above; PEFT would name it by its path on this machine.
    stored["base_model_name_or_path"] = None
    # PEFT keeps the targets as a set, whose order changes from run to run.
    stored["target_modules"] = sorted(stored["target_modules"])
    path.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")


def load_adapted(golden, folder, dtype):
    # PEFT may read adapters as float32 whatever the model is; the values are float32, so widening is exact.
    model = peft.PeftModel.from_pretrained(
        load_model(golden, folder, dtype), folder / "adapter", is_trainable=True
    )
    return model.to(dtype).eval()


def expect_base(golden, folder, ids, labels, tensors):
    """The plain model: logits, loss and, where kept, the gradient of the sum loss for every parameter."""
    model = load_model(golden, folder, torch.float64)
    logits, loss = forward(model, ids, labels)
    check_oracle(golden, model, ids, labels, logits, loss)
    tensors["base.logits"] = packed(logits)
    loss.backward()
    gradients = {f"full.gradient.{name}": value.grad for name, value in model.named_parameters()}
    check_gradients(golden, gradients)
    if golden.full_gradients:
        tensors.update(gradients)
    return float(loss)


def expect_adapted(golden, folder, ids, labels, tensors):
    """The model with its adapter: logits, loss, hidden states at the cuts, and the gradients of the sum loss."""
    model = load_adapted(golden, folder, torch.float64)
    with cuts(model) as kept:
        logits, loss = forward(model, ids, labels)
        loss.backward()
    check_oracle(golden, model, ids, labels, logits, loss)
    check(not close(packed(logits), tensors["base.logits"], 0.2), f"{golden.name}: the adapter hardly matters")
    tensors["lora.logits"] = packed(logits)
    for cut, hidden in kept.items():
        check(float(hidden.grad[~real_positions()].abs().max()) == 0, f"{golden.name}: padding got a gradient")
        tensors[f"lora.hidden.{cut}"] = packed(hidden)
        tensors[f"lora.hidden_gradient.{cut}"] = packed(hidden.grad)
    gradients = {f"lora.gradient.{name}": value.grad for name, value in lora_parameters(model).items()}
    check_gradients(golden, gradients)
    tensors.update(gradients)
    return float(loss)


def check_float32(golden, folder, ids, labels, tensors):
    """The same in float32: PyTorch's everyday answer must agree with what is stored."""
    model = load_adapted(golden, folder, torch.float32)
    logits, loss = forward(model, ids, labels)
    loss.backward()
    check(close(packed(logits), tensors["lora.logits"], 1e-5), f"{golden.name}: float32 logits")
    for name, value in lora_parameters(model).items():
        check(close(value.grad, tensors[f"lora.gradient.{name}"], 1e-4), f"{golden.name}: float32 gradient of {name}")


def expect_adamw(golden, folder, ids, labels, tensors):
    """A fixed run on one batch: mean loss before each step and gradient norm before clipping, then the adapters."""
    model = load_adapted(golden, folder, torch.float64)
    parameters = lora_parameters(model)
    optimizer = torch.optim.AdamW(parameters.values(), **ADAMW)
    supervised = int((labels != IGNORE).sum())
    losses, norms = [], []
    for _ in range(ADAMW_STEPS):
        loss = forward(model, ids, labels)[1] / supervised
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(parameters.values(), MAX_GRADIENT_NORM)))
        losses.append(float(loss))
        optimizer.step()
    losses.append(float(forward(model, ids, labels)[1] / supervised))
    check(losses[-1] < losses[0], f"{golden.name}: AdamW did not lower the loss")
    check(max(norms) > MAX_GRADIENT_NORM, f"{golden.name}: the clip never acted")
    for name, value in parameters.items():
        tensors[f"adamw.adapter.{name}"] = value
    return losses, norms


def rows_of(tensor):
    """Rows without their padding, as JSON lists."""
    return [tensor[row, :length].tolist() for row, length in enumerate(LENGTHS)]


def as_json(value, indent=0):
    """JSON with objects spread over lines and arrays of plain values kept on one."""
    pad = "  " * (indent + 1)
    if isinstance(value, dict):
        inner = [f"{pad}{json.dumps(key)}: {as_json(item, indent + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner) + "\n" + "  " * indent + "}"
    if isinstance(value, list) and any(isinstance(item, list) for item in value):
        return "[\n" + ",\n".join(f"{pad}{json.dumps(item)}" for item in value) + "\n" + "  " * indent + "]"
    return json.dumps(value)


def write_golden(golden, folder):
    folder.mkdir(parents=True)
    write_model(golden, folder)
    write_adapter(golden, folder)
    ids, labels = draw_batch(golden)
    tensors = {}
    base_loss = expect_base(golden, folder, ids, labels, tensors)
    lora_loss = expect_adapted(golden, folder, ids, labels, tensors)
    run = expect_adamw(golden, folder, ids, labels, tensors) if golden.adamw else None
    for name, tensor in tensors.items():
        check(tensor.dtype is torch.float64, f"{golden.name}: {name} was not computed in float64")
    check_float32(golden, folder, ids, labels, tensors)
    case = {
        "about": golden.about,
        "ids": rows_of(ids),
        "labels": rows_of(labels),
        "supervisedTokens": int((labels != IGNORE).sum()),
        "base": {"lossSum": base_loss},
        "lora": {**LORA, "lossSum": lora_loss},
    }
    if run is not None:
        case["adamw"] = {
            "learningRate": ADAMW["lr"],
            "betas": list(ADAMW["betas"]),
            "eps": ADAMW["eps"],
            "weightDecay": ADAMW["weight_decay"],
            "maxGradientNorm": MAX_GRADIENT_NORM,
            "meanLosses": run[0],
            "gradientNorms": run[1],
        }
    case["madeWith"] = {
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
        "peft": peft.__version__,
    }
    (folder / "case.json").write_text(as_json(case) + "\n")
    stored = {name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}
    safetensors.torch.save_file(stored, folder / "expected.safetensors")


def compare(fresh, committed):
    """Lists how a fresh golden differs from the committed one; tensors may differ by float32 rounding."""
    differences = []
    names = {str(path.relative_to(root)) for root in (fresh, committed) for path in root.rglob("*") if path.is_file()}
    for name in sorted(names):
        left, right = fresh / name, committed / name
        if not left.exists() or not right.exists():
            differences.append(f"{name} is {'not committed' if left.exists() else 'no longer made'}")
        elif name.endswith(".safetensors"):
            a, b = safetensors.torch.load_file(left), safetensors.torch.load_file(right)
            if {key: value.shape for key, value in a.items()} != {key: value.shape for key, value in b.items()}:
                differences.append(f"{name}: tensors differ in name or shape")
            else:
                differences += [f"{name}: {key}" for key in a if not close(a[key], b[key], 1e-6)]
    for key in ("ids", "labels", "base", "lora", "adamw"):
        a, b = (json.loads((root / "case.json").read_text()).get(key) for root in (fresh, committed))
        same = a == b if key in ("ids", "labels") else numbers_agree(a, b)
        if not same:
            differences.append(f"case.json: {key}")
    return differences


def numbers_agree(left, right):
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(numbers_agree(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(numbers_agree, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9)
    return left == right


def main():
    names = [golden.name for golden in GOLDENS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).resolve().parent.parent / "golden",
        help="where the goldens are kept (default: test/golden)",
    )
    parser.add_argument("--only", action="append", choices=names, help="make this one only; may be repeated")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; compare fresh goldens with those that are there"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.utils.logging.disable_progress_bar()

    failed = False
    for golden in (golden for golden in GOLDENS if options.only is None or golden.name in options.only):
        kept = options.out / golden.name
        with tempfile.TemporaryDirectory() as scratch:
            fresh = Path(scratch) / golden.name
            write_golden(golden, fresh)
            if options.check:
                differences = compare(fresh, kept) if kept.exists() else ["there is no committed golden"]
                failed = failed or bool(differences)
                print(f"{golden.name}: {'as committed' if not differences else '; '.join(differences)}")
                continue
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(fresh, kept)
            for path in kept.rglob("*.safetensors"):
                path.chmod(0o644)
            size = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
            print(f"{golden.name}: {size / 1000:.0f} kB")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
