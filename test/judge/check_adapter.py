"""The logits that PEFT gets from a model and an adapter, for comparison with ours.

    python test/judge/check_adapter.py MODEL ADAPTER IDS.json     use - as ADAPTER for the base alone

IDS.json contains rows of token ids of equal length: [[1, 2, 3], [4, 5, 6]]. Prints {"shape", "data"}: fp32 logits, row-major
[batch, sequence, vocabulary].
"""

import argparse
import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, logging


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("adapter")
    parser.add_argument("ids")
    arguments = parser.parse_args()

    logging.disable_progress_bar()
    with open(arguments.ids, encoding="utf-8") as file:
        ids = torch.tensor(json.load(file))
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32, attn_implementation="eager")
    if arguments.adapter != "-":
        model = PeftModel.from_pretrained(model, arguments.adapter)
    with torch.no_grad():
        logits = model.eval()(input_ids=ids).logits
    json.dump({"shape": list(logits.shape), "data": logits.flatten().tolist()}, sys.stdout)


if __name__ == "__main__":
    main()
