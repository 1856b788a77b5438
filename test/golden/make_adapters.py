"""Adapters as PEFT saves them, and the logits that PEFT gets from them.

    python test/golden/make_adapters.py

adapters/CASE/              the adapter, in PEFT's format
adapters/CASE.json          the base model and token ids
adapters/CASE.safetensors   logits [batch, sequence, vocabulary]
"""

from pathlib import Path

import torch
from golden import load_model, output_folder, randomize_lora_b, random_ids, write_adapter, write_json, write_tensors
from peft import LoraConfig, PeftModel, get_peft_model

CASES = {
    # Two linears of one layer only.
    "one-layer": (
        "gqa-tied",
        {"r": 2, "lora_alpha": 3, "target_modules": ["q_proj", "v_proj"], "layers_to_transform": [1]},
        torch.float32,
    ),
    # Scaled by alpha divided by the square root of the rank.
    "rslora": (
        "mqa-f16",
        {"r": 4, "lora_alpha": 6, "use_rslora": True, "target_modules": ["o_proj", "gate_proj", "down_proj"]},
        torch.float32,
    ),
    # Different ranks and alphas for some linears.
    "patterns": (
        "llama3-rope",
        {
            "r": 4,
            "lora_alpha": 8,
            "target_modules": ["q_proj", "k_proj", "up_proj"],
            "rank_pattern": {"up_proj": 2, "layers.0.self_attn.k_proj": 3},
            "alpha_pattern": {"up_proj": 10},
        },
        torch.float32,
    ),
    # All linears ("all-linear"), stored in bf16.
    "bf16": ("linear-rope-biases", {"r": 4, "lora_alpha": 4, "target_modules": "all-linear"}, torch.bfloat16),
}


def make(case: str, variety: str, lora: dict, stored: torch.dtype, folder: Path) -> None:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = get_peft_model(load_model(variety), LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **lora))
    randomize_lora_b(model, generator)
    write_adapter(model.to(stored), variety, folder / case)

    ids = random_ids((2, 16), model.config.vocab_size, generator)
    loaded = PeftModel.from_pretrained(load_model(variety), folder / case).eval()
    with torch.no_grad():
        logits = loaded(input_ids=ids).logits
    write_json(folder / f"{case}.json", {"model": variety, "input_ids": ids.tolist()})
    write_tensors(folder / f"{case}.safetensors", {"logits": logits})


def main() -> None:
    folder = output_folder(__doc__) / "adapters"
    for case, (variety, lora, stored) in CASES.items():
        make(case, variety, lora, stored, folder)


if __name__ == "__main__":
    main()
