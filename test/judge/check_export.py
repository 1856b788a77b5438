"""What transformers and PEFT say with exported models and adapters, for comparison with ours.

    python test/judge/check_export.py REQUEST.json

REQUEST.json is {"models": [[model folder, adapter folder or null], ...], "ids": rows of token ids of equal length, "texts": texts,
"newTokens": number}. Prints for each of the models {"logits": fp32, row-major [row, position, vocabulary]; "tokens": the ids of each
text; "greedy": for each row, the likeliest ids that follow}.
"""

import argparse
import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, logging


def following(model: torch.nn.Module, row: list[int], count: int) -> list[int]:
    ids = list(row)
    for _ in range(count):
        ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(row) :]


def judged(model_folder: str, adapter_folder: str | None, request: dict) -> dict:
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32, attn_implementation="eager")
    if adapter_folder:
        model = PeftModel.from_pretrained(model, adapter_folder)
    model.eval()
    logits = model(input_ids=torch.tensor(request["ids"])).logits
    greedy = [following(model, row, request["newTokens"]) for row in request["ids"]]
    tokens = [tokenizer.encode(text, add_special_tokens=False) for text in request["texts"]]
    return {"logits": logits.flatten().tolist(), "tokens": tokens, "greedy": greedy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("request")
    arguments = parser.parse_args()

    logging.disable_progress_bar()
    with open(arguments.request, encoding="utf-8") as file:
        request = json.load(file)
    with torch.no_grad():
        json.dump([judged(model, adapter, request) for model, adapter in request["models"]], sys.stdout)


if __name__ == "__main__":
    main()
