"""What transformers' generate makes of logits, and what it generates greedily.

    python test/golden/make_sampling.py

sampling.json   `distributions`: settings, logits, ids seen before, and the probabilities after the processors that generate() itself
                chains for these settings; `greedy`: prompts and continuations of tiny-llama by generate()
"""

import torch
from golden import load_model, output_folder, write_json
from transformers import GenerationConfig, LogitsProcessorList

VOCABULARY = 60

SETTINGS = [
    {},
    {"temperature": 0.5},
    {"temperature": 2.5},
    {"top_k": 1},
    {"top_k": 7},
    {"top_k": 1000},
    {"top_p": 0.3},
    {"top_p": 0.9},
    {"min_p": 0.05},
    {"min_p": 0.5},
    {"repetition_penalty": 1.4},
    {"repetition_penalty": 0.6},
    {"temperature": 1.7, "top_k": 20, "top_p": 0.8},
    {"temperature": 1.7, "top_p": 0.8, "min_p": 0.2},
    {"temperature": 0.8, "top_k": 15, "top_p": 0.95, "min_p": 0.03, "repetition_penalty": 1.2},
]
NOTHING = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0}


def processors(model: torch.nn.Module, settings: dict) -> LogitsProcessorList:
    """The processors of a call to generate() with these settings, in its order."""
    config = GenerationConfig(do_sample=True, **settings)
    return model._get_logits_processor(generation_config=config, input_ids_seq_length=1, device="cpu")


def distribution(model: torch.nn.Module, settings: dict, generator: torch.Generator) -> dict:
    logits = 3 * torch.randn(VOCABULARY, generator=generator)
    previous = torch.randint(0, VOCABULARY, (12,), generator=generator)
    scores = processors(model, NOTHING | settings)(previous[None], logits[None].clone())[0]
    return {
        "settings": NOTHING | settings,
        "logits": logits.tolist(),
        "previous": previous.tolist(),
        "probabilities": torch.softmax(scores.double(), -1).tolist(),
    }


def written(model: torch.nn.Module, prompt: list[int], penalty: float) -> dict:
    ids = model.generate(
        torch.tensor([prompt]), do_sample=False, repetition_penalty=penalty, max_new_tokens=24, eos_token_id=[2, 4], pad_token_id=2
    )
    return {"prompt": prompt, "repetition_penalty": penalty, "ids": ids[0, len(prompt) :].tolist()}


def main() -> None:
    out = output_folder(__doc__)
    model = load_model("tiny-llama")
    generator = torch.Generator().manual_seed(11)
    distributions = [distribution(model, settings, generator) for settings in SETTINGS for _ in range(2)]
    prompts = [[1, *torch.randint(5, 512, (length,), generator=generator).tolist()] for length in (1, 6, 40)]
    greedy = [written(model, prompt, penalty) for prompt in prompts for penalty in (1.0, 1.3)]
    write_json(out / "sampling.json", {"distributions": distributions, "greedy": greedy})


if __name__ == "__main__":
    main()
