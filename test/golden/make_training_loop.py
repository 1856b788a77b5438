"""Learning-rate schedules from transformers and a small training from PyTorch, for test/unit/train.

    python test/golden/make_training_loop.py

training_loop.json   schedules: the rate of each step; training: loss, gradient norm, rate and parameters of each step
"""

import torch
import transformers
from golden import output_folder, write_json

PEAK = 0.05


def schedules():
    make = {
        "constant": lambda o, w, n: transformers.get_constant_schedule_with_warmup(o, w),
        "linear": transformers.get_linear_schedule_with_warmup,
        "cosine": transformers.get_cosine_schedule_with_warmup,
    }
    cases = []
    for name in make:
        for warmup, total in [(0, 7), (3, 10), (10, 10), (20, 8), (1, 40)]:
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
            scheduler = make[name](optimizer, warmup, total)
            rates = []
            for _ in range(total):
                rates.append(scheduler.get_last_lr()[0])
                optimizer.step()
                scheduler.step()
            cases.append({"name": name, "peak": PEAK, "warmupSteps": warmup, "totalSteps": total, "rates": rates})
    return cases


def micro_batch(index):
    """Three rows of two features; every third micro-batch has only one row, so that a mean of means would be wrong."""
    rows = 1 if index % 3 == 2 else 3
    x = [[(index * 7 + row * 3 + column * 5) % 11 - 5 for column in range(2)] for row in range(rows)]
    y = [(index * 5 + row * 2) % 7 - 3 for row in range(rows)]
    return torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)


def training():
    """Five micro-batches per epoch, two per optimizer step: the third step of each epoch has one."""
    options = {"peak": PEAK, "warmupSteps": 2, "totalSteps": 8, "accumulationSteps": 2, "microBatchesPerEpoch": 5,
               "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6, "weightDecay": 0.1, "maxGradNorm": 4.0}
    w = torch.nn.Parameter(torch.tensor([0.5, -0.25], dtype=torch.float64))
    optimizer = torch.optim.AdamW([w], lr=PEAK, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)
    scheduler = transformers.get_cosine_schedule_with_warmup(optimizer, 2, 8)
    steps = []
    groups = [[0, 1], [2, 3], [4]]
    for step in range(8):
        batches = [micro_batch(index) for index in groups[step % 3]]
        rows = sum(len(y) for _, y in batches)
        loss = sum(((x @ w - y) ** 2).sum() for x, y in batches) / rows
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([w], 4.0)
        rate = scheduler.get_last_lr()[0]
        optimizer.step()
        scheduler.step()
        steps.append({"loss": loss.item(), "gradNorm": norm.item(), "learningRate": rate, "w": w.tolist()})
    return {"options": options, "initial": [0.5, -0.25], "steps": steps}


def main() -> None:
    write_json(output_folder(__doc__) / "training_loop.json", {"schedules": schedules(), "training": training()})


if __name__ == "__main__":
    main()
