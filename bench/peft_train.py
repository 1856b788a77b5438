"""LoRA training by PEFT on PyTorch: the figure to beat. Prints one line of JSON.

    python bench/peft_train.py [--device cuda] [--model FOLDER] [--dtype bf16] [--gradient-checkpointing] [--steps N]

tokens_per_second     median of the timed steps
first_step_seconds    from the start of the process to the end of the first step, including imports and loading
peak_rss_bytes        the most memory the process has held
gpu_memory_bytes      the most memory that PyTorch has held on the GPU
step_seconds          time of each timed step, to see whether the machine was busy with something else
processor_seconds     the same in processor time; with one thread, a busy machine affects this figure least
"""

import json
import statistics
import time

import peft
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch_model import load, parser, peak_rss_bytes, seconds_since_process_start

LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def trainable(model: PeftModel) -> list[torch.nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def train_step(model: PeftModel, optimizer: torch.optim.Optimizer, ids: torch.Tensor, prompt_length: int) -> float:
    """One optimizer step; returns the loss."""
    labels = ids.clone()
    labels[:, :prompt_length] = -100
    loss = model(input_ids=ids, labels=labels, use_cache=False).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trainable(model), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def main() -> None:
    options = parser(__doc__, steps=10)
    options.add_argument("--batch-size", type=int, default=2)
    options.add_argument("--sequence-length", type=int, default=256)
    options.add_argument("--rank", type=int, default=8)
    options.add_argument("--label-share", type=float, default=1.0, help="the last part of each row that has labels")
    options.add_argument("--gradient-checkpointing", action="store_true")
    arguments = options.parse_args()

    base = load(arguments)
    if arguments.gradient_checkpointing:
        base.gradient_checkpointing_enable()
        base.enable_input_require_grads()
    lora = LoraConfig(task_type="CAUSAL_LM", r=arguments.rank, lora_alpha=2 * arguments.rank, lora_dropout=0.0, target_modules=LINEARS)
    model = get_peft_model(base, lora).train()
    optimizer = torch.optim.AdamW(trainable(model), lr=3e-4)

    prompt_length = round((1 - arguments.label_share) * arguments.sequence_length)

    def ids() -> torch.Tensor:
        return torch.randint(base.config.vocab_size, (arguments.batch_size, arguments.sequence_length), device=arguments.device)

    loss = train_step(model, optimizer, ids(), prompt_length)
    first_step_seconds = seconds_since_process_start()
    durations, processor_seconds = [], []
    for _ in range(arguments.steps):
        started, processor_started = time.perf_counter(), time.process_time()
        loss = train_step(model, optimizer, ids(), prompt_length)
        durations.append(time.perf_counter() - started)
        processor_seconds.append(time.process_time() - processor_started)

    result = {
        "tokens_per_second": arguments.batch_size * arguments.sequence_length / statistics.median(durations),
        "first_step_seconds": first_step_seconds,
        "peak_rss_bytes": peak_rss_bytes(),
        "gpu_memory_bytes": torch.cuda.max_memory_allocated() if arguments.device == "cuda" else None,
        "step_seconds": durations,
        "processor_seconds": processor_seconds,
        "loss": loss,
        "dtype": arguments.dtype,
        "gradient_checkpointing": arguments.gradient_checkpointing,
        "threads": arguments.threads,
        "versions": {"torch": torch.__version__, "peft": peft.__version__},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
