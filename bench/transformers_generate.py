"""Greedy decoding by transformers' generate with its KV cache on PyTorch's CPU: the figure to beat. Prints one line of JSON.

    python bench/transformers_generate.py [--model FOLDER] [--dtype bf16] [--steps N]

prefill_tokens_per_second   prompt tokens divided by the time to the first new token
decode_tokens_per_second    new tokens after the first, divided by the time they took
first_token_seconds         from the call to generate to the first new token
peak_rss_bytes              the most memory the process has held
All times are medians over the steps; a step is one call to generate.
"""

import json
import statistics
import time

import torch
import transformers
from torch_model import load, parser, peak_rss_bytes
from transformers import LlamaForCausalLM
from transformers.generation.streamers import BaseStreamer


class Clock(BaseStreamer):
    """Records when generate hands over each token; the first thing it hands over is the prompt."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def put(self, value: torch.Tensor) -> None:
        self.times.append(time.perf_counter())

    def end(self) -> None:
        pass


def generate(model: LlamaForCausalLM, prompt: torch.Tensor, new_tokens: int) -> tuple[float, float]:
    """Seconds to the first token, and from the first to the last."""
    clock = Clock()
    started = time.perf_counter()
    with torch.inference_mode():
        model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=new_tokens,
            do_sample=False,
            streamer=clock,
        )
    first, last = clock.times[1], clock.times[-1]
    return first - started, last - first


def main() -> None:
    options = parser(__doc__, steps=3)
    options.add_argument("--prompt-tokens", type=int, default=128)
    options.add_argument("--new-tokens", type=int, default=64)
    arguments = options.parse_args()

    model = load(arguments).eval()
    model.generation_config.eos_token_id = None  # so that every call generates the same number of tokens
    prompt = torch.randint(model.config.vocab_size, (1, arguments.prompt_tokens))
    generate(model, prompt, new_tokens=4)
    times = [generate(model, prompt, arguments.new_tokens) for _ in range(arguments.steps)]
    first = statistics.median(first for first, _ in times)
    rest = statistics.median(rest for _, rest in times)

    result = {
        "prefill_tokens_per_second": arguments.prompt_tokens / first,
        "decode_tokens_per_second": (arguments.new_tokens - 1) / rest,
        "first_token_seconds": first,
        "peak_rss_bytes": peak_rss_bytes(),
        "prompt_tokens": arguments.prompt_tokens,
        "new_tokens": arguments.new_tokens,
        "dtype": arguments.dtype,
        "threads": arguments.threads,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
