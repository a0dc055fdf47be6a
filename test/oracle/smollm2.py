#!/usr/bin/env python3
"""Writes test/golden/smollm2.json: what `transformers` makes of SmolLM2-135M's GGUF file, for test/model/smollm2.test.ts.

Needs the file (`node scripts/fetch-smollm2.mjs`) and `pip install gguf==0.19.0` beside what README.md names.

  python test/oracle/smollm2.py
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = Path(__file__).resolve().parents[2]
TEXT = "The U.S. economy grew 2.5% in 1997; it's na\u00efve, don't you think?\n\n  Whales (Cetacea) \u2014 \u9be8 are\tmammals."


def main():
    place = {"pretrained_model_name_or_path": ROOT / "models" / "smollm2-135m", "gguf_file": "model.gguf"}
    model = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
    ids = AutoTokenizer.from_pretrained(**place)(TEXT)["input_ids"]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].double()
    loss = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="sum").item()
    first = [round(x, 5) for x in logits[-1, :64].tolist()]
    golden = {"text": TEXT, "ids": ids, "lossSum": round(loss, 5), "lastLogits": first}
    (ROOT / "test" / "golden" / "smollm2.json").write_text(json.dumps(golden) + "\n")


main()
