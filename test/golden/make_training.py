"""Twenty fp32 optimizer steps of LoRA by PEFT and torch.optim.AdamW, from a committed adapter and committed batches.

    python test/golden/make_training.py

training/CASE.json        the settings, and for each step: loss, gradient norm before clipping, learning rate
training/CASE.jsonl       the examples, one per line, in the order they are used: input_ids and labels (not shifted)
training/CASE-initial/    the adapter before the first step, in PEFT's format
training/CASE-final/      the adapter after the last

One optimizer step takes gradient_accumulation_steps micro-batches of batch_size lines. Shorter lines are padded on the right. The
loss recorded and differentiated is the mean over the label tokens of the whole optimizer step. The learning rate is that of
transformers' get_cosine_schedule_with_warmup, zero at the first step.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from golden import load_model, output_folder, randomize_lora_b, write_adapter, write_json
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import get_cosine_schedule_with_warmup

STEPS, BATCH_SIZE, ACCUMULATION = 20, 2, 2
LONGEST, SHORTEST = 16, 9

TRAIN = {
    "max_steps": STEPS,
    "batch_size": BATCH_SIZE,
    "gradient_accumulation_steps": ACCUMULATION,
    "max_seq_length": LONGEST,
    "learning_rate": 5e-3,
    "lr_scheduler": "cosine",
    "warmup_steps": 4,
    "weight_decay": 0.01,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
}
CASES = {
    # As at the start of a run: A is Kaiming-uniform, B is zero. Every step is clipped.
    "gqa-tied": {
        "lora": {
            "r": 8,
            "lora_alpha": 16,
            "use_rslora": False,
            "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        },
        "random_b": False,
        "max_grad_norm": 1.0,
    },
    # As when continuing from an adapter: B is not zero. Some steps are clipped, others are not.
    "linear-rope-biases": {
        "lora": {"r": 4, "lora_alpha": 8, "use_rslora": True, "target_modules": ["q_proj", "v_proj", "down_proj"]},
        "random_b": True,
        "max_grad_norm": 2.5,
    },
    # The default linears, on a model that has learned something.
    "tiny-llama": {
        "lora": {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]},
        "random_b": False,
        "max_grad_norm": 1.0,
    },
    # Two of three layers; gradients only pass through the layer between them.
    "llama3-rope": {
        "lora": {
            "r": 4,
            "lora_alpha": 4,
            "target_modules": ["k_proj", "o_proj", "gate_proj", "up_proj"],
            "layers_to_transform": [0, 2],
        },
        "random_b": False,
        "max_grad_norm": 1.0,
    },
    # Only the upper layer: no gradient flows below it.
    "mqa-f16": {
        "lora": {"r": 2, "lora_alpha": 8, "target_modules": ["q_proj", "down_proj"], "layers_to_transform": [1]},
        "random_b": False,
        "max_grad_norm": 1.0,
    },
} | {
    # The other families and optional LLaMA features, on all linears.
    variety: {
        "lora": {
            "r": 4,
            "lora_alpha": 8,
            "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        },
        "random_b": True,
        "max_grad_norm": 1.0,
    }
    for variety in ["yarn-rope", "qwen2", "qwen3", "mistral", "smollm3", "gemma3"]
}


def make_examples(vocabulary: int, generator: torch.Generator) -> list[dict[str, list[int]]]:
    """Sequences in which each id determines the next (so there is something to learn), with occasional noise; prompts masked."""
    follower = torch.randperm(vocabulary, generator=generator)
    examples = []
    for _ in range(STEPS * BATCH_SIZE * ACCUMULATION):
        length = int(torch.randint(SHORTEST, LONGEST + 1, (1,), generator=generator))
        prompt = int(torch.randint(1, length // 2, (1,), generator=generator))
        ids = [int(torch.randint(vocabulary, (1,), generator=generator))]
        while len(ids) < length:
            disturbed = torch.rand(1, generator=generator) < 0.1
            ids.append(int(torch.randint(vocabulary, (1,), generator=generator)) if disturbed else int(follower[ids[-1]]))
        examples.append({"input_ids": ids, "labels": [-100] * prompt + ids[prompt:]})
    return examples


def collate(examples: list[dict[str, list[int]]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Input ids, attention mask and labels, each [batch, longest], padded on the right."""
    longest = max(len(example["input_ids"]) for example in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for row, example in enumerate(examples):
        length = len(example["input_ids"])
        ids[row, :length] = torch.tensor(example["input_ids"])
        mask[row, :length] = 1
        labels[row, :length] = torch.tensor(example["labels"])
    return ids, mask, labels


def loss_sum(model: PeftModel, examples: list[dict[str, list[int]]]) -> tuple[torch.Tensor, int]:
    """The sum of the cross-entropies over the label tokens of a micro-batch, and the number of these tokens."""
    ids, mask, labels = collate(examples)
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    targets = labels[:, 1:]
    total = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100, reduction="sum")
    return total, int((targets != -100).sum())


def train(model: PeftModel, examples: list[dict[str, list[int]]], max_grad_norm: float) -> list[dict[str, float]]:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters,
        lr=TRAIN["learning_rate"],
        betas=(TRAIN["adam_beta1"], TRAIN["adam_beta2"]),
        eps=TRAIN["adam_epsilon"],
        weight_decay=TRAIN["weight_decay"],
    )
    schedule = get_cosine_schedule_with_warmup(optimizer, TRAIN["warmup_steps"], STEPS)
    steps = []
    for step in range(STEPS):
        loss, label_tokens = 0.0, 0
        for micro_batch in range(ACCUMULATION):
            first = (step * ACCUMULATION + micro_batch) * BATCH_SIZE
            total, tokens = loss_sum(model, examples[first : first + BATCH_SIZE])
            total.backward()
            loss, label_tokens = loss + total.item(), label_tokens + tokens
        for parameter in parameters:
            parameter.grad /= label_tokens
        norm = torch.nn.utils.clip_grad_norm_(parameters, max_grad_norm)
        learning_rate = schedule.get_last_lr()[0]
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        steps.append(
            {
                "step": step + 1,
                "loss": loss / label_tokens,
                "label_tokens": label_tokens,
                "grad_norm": norm.item(),
                "learning_rate": learning_rate,
            }
        )
    return steps


def make(case: str, settings: dict, folder: Path) -> None:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = get_peft_model(load_model(case), LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **settings["lora"]))
    if settings["random_b"]:
        randomize_lora_b(model, generator)
    examples = make_examples(model.config.vocab_size, generator)

    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{case}.jsonl").write_text("".join(json.dumps(example) + "\n" for example in examples))
    write_adapter(model, case, folder / f"{case}-initial")
    steps = train(model, examples, settings["max_grad_norm"])
    write_adapter(model, case, folder / f"{case}-final")
    train_settings = TRAIN | {"max_grad_norm": settings["max_grad_norm"]}
    write_json(folder / f"{case}.json", {"model": case, "lora": settings["lora"], "train": train_settings, "steps": steps})


def main() -> None:
    folder = output_folder(__doc__) / "training"
    for case, settings in CASES.items():
        make(case, settings, folder)


if __name__ == "__main__":
    main()
