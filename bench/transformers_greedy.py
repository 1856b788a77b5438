"""What transformers generates greedily from a GGUF file, dequantized to fp32: the reference for bench/qwenCoder.mjs. Reads a JSON
list of prompts from stdin, each {"ids": [...], "text": "..." or null}; prints a list of {"ids": what was generated, "promptIds":
the text's ids by transformers' tokenizer, "margins": by how much each token's logit exceeded the next best}.

    python bench/transformers_greedy.py FILE.gguf NEW_TOKENS < prompts.json
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, logging

logging.disable_progress_bar()
logging.set_verbosity_error()
path, new_tokens = Path(sys.argv[1]), int(sys.argv[2])
model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
answers = []
for prompt in json.load(sys.stdin):
    ids = torch.tensor([prompt["ids"]])
    with torch.inference_mode():
        written = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,
            temperature=None,
            top_p=None,
            top_k=None,
            max_new_tokens=new_tokens,
            eos_token_id=-1,  # never ends early, so that all tokens are compared
            output_logits=True,
            return_dict_in_generate=True,
        )
    best = [logits[0].topk(2).values for logits in written.logits]
    text = prompt["text"]
    answers.append(
        {
            "ids": written.sequences[0, ids.shape[1] :].tolist(),
            "promptIds": None if text is None else tokenizer(text, add_special_tokens=False)["input_ids"],
            "margins": [float(top[0] - top[1]) for top in best],
        }
    )
print(json.dumps(answers))
