"""Logits and losses of the tiny models by transformers, and LoRA gradients by PEFT.

    python test/golden/make_models.py

models/VARIETY.json          token ids, labels, mean loss; with the adapter applied: loss
models/VARIETY.safetensors   logits [batch, sequence, vocabulary]; with the adapter: lora_logits, and d(mean loss)/d(parameter)
                             under the parameter's name in PEFT's adapter_model.safetensors
models/VARIETY-adapter/      the adapter, in PEFT's format
"""

from pathlib import Path

import torch
from golden import (
    adapter_name,
    load_model,
    masked_labels,
    output_folder,
    randomize_lora_b,
    random_ids,
    write_adapter,
    write_json,
    write_tensors,
)
from peft import LoraConfig, get_peft_model

BATCH, LENGTH = 2, 24

# variety -> use_rslora, or None if only the base is tested
VARIETIES = {
    "tiny-llama": None,
    "gqa-tied": False,
    "llama3-rope": None,
    "linear-rope-biases": True,
    "mqa-f16": False,
    "yarn-rope": False,
    "qwen2": False,
    "qwen3": False,
    "mistral": False,
    "smollm3": False,
    "gemma3": False,
}


def lora(use_rslora: bool) -> LoraConfig:
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=4,
        lora_alpha=8,
        lora_dropout=0.0,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        use_rslora=use_rslora,
    )


def make(variety: str, use_rslora: bool | None, folder: Path) -> None:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = load_model(variety)
    ids = random_ids((BATCH, LENGTH), model.config.vocab_size, generator)
    labels = masked_labels(ids, generator)
    with torch.no_grad():
        base = model(input_ids=ids, labels=labels)
    facts = {
        "model": variety,
        "input_ids": ids.tolist(),
        "labels": labels.tolist(),
        "label_tokens": int((labels[:, 1:] != -100).sum()),
        "loss": base.loss.item(),
    }
    tensors = {"logits": base.logits}

    if use_rslora is not None:
        adapted = get_peft_model(model, lora(use_rslora))
        randomize_lora_b(adapted, generator)
        result = adapted(input_ids=ids, labels=labels)
        result.loss.backward()
        facts["lora"] = {"adapter": f"{variety}-adapter", "loss": result.loss.item()}
        tensors["lora_logits"] = result.logits
        tensors |= {adapter_name(name): parameter.grad for name, parameter in adapted.named_parameters() if parameter.requires_grad}
        write_adapter(adapted, variety, folder / f"{variety}-adapter")

    write_json(folder / f"{variety}.json", facts)
    write_tensors(folder / f"{variety}.safetensors", tensors)


def main() -> None:
    folder = output_folder(__doc__) / "models"
    for variety, use_rslora in VARIETIES.items():
        make(variety, use_rslora, folder)


if __name__ == "__main__":
    main()
