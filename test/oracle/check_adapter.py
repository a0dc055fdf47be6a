#!/usr/bin/env python3
"""Loads an adapter that this project wrote in real PEFT, and prints what the model then computes.

  python test/oracle/check_adapter.py MODEL_DIRECTORY ADAPTER_DIRECTORY CASE_JSON [--merged DIRECTORY]

CASE_JSON has "ids", rows of token ids of any length. The output is one JSON object:

  logits          of all real positions, row after row, with the adapter
  mergedLogits    the same of the plain model in --merged, without PEFT
  warnings        what PEFT warned of while loading: keys that it did not find, settings that it changed
  largestB        largest magnitude in any lora_B: 0 would mean that nothing was loaded
"""

import argparse
import json
import warnings

import peft
import torch
import transformers


def logits_of(model, rows):
    model.eval()
    out = []
    with torch.no_grad():
        for row in rows:
            out.extend(model(input_ids=torch.tensor([row])).logits[0].flatten().tolist())
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("adapter")
    parser.add_argument("case")
    parser.add_argument("--merged")
    args = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    with open(args.case, encoding="utf-8") as file:
        rows = json.load(file)["ids"]

    load = transformers.AutoModelForCausalLM.from_pretrained
    base = load(args.model, dtype=torch.float32, attn_implementation="eager")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = peft.PeftModel.from_pretrained(base, args.adapter)
    result = {
        "peft": peft.__version__,
        "warnings": [str(w.message) for w in caught if "peft" in str(w.filename)],
        "largestB": max(p.abs().max().item() for n, p in model.named_parameters() if "lora_B" in n),
        "logits": logits_of(model, rows),
    }
    if args.merged:
        merged = load(args.merged, dtype=torch.float32, attn_implementation="eager")
        result["mergedLogits"] = logits_of(merged, rows)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
