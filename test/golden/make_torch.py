"""Files of torch.save, models as Meta publishes them, and the logits of the latter.

    python test/golden/make_torch.py

torch/VARIETY/              consolidated.*.pth, params.json and tokenizer.model of a random LLaMA, split as Meta splits it
torch/VARIETY.json          token ids
torch/VARIETY.safetensors   logits [batch, sequence, vocabulary] by transformers, which are also those of Meta's own layout
torch/bin-shards/           pytorch_model.bin.index.json and shards with the weights of linear-rope-biases
torch/bin-tied/             pytorch_model.bin of gqa-tied as a state_dict with its attributes, parameters and a shared head
torch/bin-adapter/          adapter_model.bin with the tensors of adapters/rslora
torch/FILE.pth              tensors.pth: types, views and empty tensors, with tensors.safetensors beside it; the others are refused
"""

import json
import shutil
from collections import OrderedDict
from pathlib import Path

import torch
from golden import MODELS, output_folder, random_ids, write_json, write_tensors
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

BATCH, LENGTH = 2, 20

# params.json, number of shards, whether the head is tied, how the embedding is split, type, the rotary scaling's factor.
VARIETIES = {
    "llama1": dict(params={"multiple_of": 32, "norm_eps": 1e-6, "vocab_size": -1}, shards=1, embedding=1, dtype=torch.float16),
    "llama2": dict(
        params={"n_kv_heads": 2, "multiple_of": 16, "ffn_dim_multiplier": 1.3, "norm_eps": 1e-5, "vocab_size": -1},
        shards=2,
        embedding=1,
        dtype=torch.bfloat16,
    ),
    "llama3": dict(
        params={"n_kv_heads": 2, "multiple_of": 32, "ffn_dim_multiplier": 1.3, "norm_eps": 1e-5, "rope_theta": 500000.0, "use_scaled_rope": True},
        shards=2,
        embedding=0,
        dtype=torch.bfloat16,
        factor=8.0,
    ),
    "llama3-tied": dict(
        params={"n_kv_heads": 1, "multiple_of": 32, "ffn_dim_multiplier": 1.5, "norm_eps": 1e-5, "rope_theta": 500000.0, "use_scaled_rope": True},
        shards=1,
        embedding=0,
        dtype=torch.bfloat16,
        factor=32.0,
    ),
}
VOCABULARY = {"llama1": 400, "llama2": 400, "llama3": 656, "llama3-tied": 656}
DIM, LAYERS, HEADS = 32, 2, 4

# Meta's names for what transformers calls q_proj and so on, and the axis on which shards are joined.
LINEARS = {
    "self_attn.q_proj": ("attention.wq", 0),
    "self_attn.k_proj": ("attention.wk", 0),
    "self_attn.v_proj": ("attention.wv", 0),
    "self_attn.o_proj": ("attention.wo", 1),
    "mlp.gate_proj": ("feed_forward.w1", 0),
    "mlp.down_proj": ("feed_forward.w2", 1),
    "mlp.up_proj": ("feed_forward.w3", 0),
    "input_layernorm": ("attention_norm", None),
    "post_attention_layernorm": ("ffn_norm", None),
}


def feed_forward_width(params: dict) -> int:
    width = int(params.get("ffn_dim_multiplier", 1) * int(2 * 4 * DIM / 3))
    return -(-width // params["multiple_of"]) * params["multiple_of"]


def random_model(name: str, spec: dict) -> LlamaForCausalLM:
    params = spec["params"]
    rope = {"rope_type": "default", "rope_theta": params.get("rope_theta", 10000.0)}
    if "factor" in spec:
        scaling = {"factor": spec["factor"], "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
        rope |= {"rope_type": "llama3"} | scaling
    config = LlamaConfig(
        vocab_size=VOCABULARY[name],
        hidden_size=DIM,
        intermediate_size=feed_forward_width(params),
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=params.get("n_kv_heads", HEADS),
        rms_norm_eps=params["norm_eps"],
        rope_parameters=rope,
        tie_word_embeddings=name.endswith("tied"),
        attn_implementation="eager",
    )
    model = LlamaForCausalLM(config).eval()
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    with torch.no_grad():
        for key, weight in model.named_parameters():
            # Whole numbers, because normal ones differ in their last bits from processor to processor.
            values = torch.randint(-999, 1000, weight.shape, generator=generator).float() / 3000
            weight.copy_((values + ("norm" in key)).to(spec["dtype"]).float())
    return model


def interleaved(weight: torch.Tensor) -> torch.Tensor:
    """Rows of a head from two halves to pairs, which is how Meta rotates."""
    head = DIM // HEADS
    return weight.reshape(-1, 2, head // 2, DIM).transpose(1, 2).reshape(-1, DIM)


def meta_weights(model: LlamaForCausalLM) -> dict[str, tuple[torch.Tensor, int | None]]:
    state = model.state_dict()
    weights = {"norm.weight": (state["model.norm.weight"], None), "output.weight": (state["lm_head.weight"], 0)}
    for layer in range(LAYERS):
        for theirs, (ours, axis) in LINEARS.items():
            weight = state[f"model.layers.{layer}.{theirs}.weight"]
            is_rotated = theirs.endswith(("q_proj", "k_proj"))
            weights[f"layers.{layer}.{ours}.weight"] = (interleaved(weight) if is_rotated else weight, axis)
    return weights


def meta_logits(model: LlamaForCausalLM, ids: torch.Tensor) -> torch.Tensor:
    """LLaMA on Meta's layout: pairs of neighbours are complex numbers, which are turned."""
    weights = {name: weight for name, (weight, _) in meta_weights(model).items()}
    config, head = model.config, DIM // HEADS
    turns = torch.outer(torch.arange(ids.shape[1]).float(), model.model.rotary_emb.inv_freq)
    turns = torch.polar(torch.ones_like(turns), turns)[:, None]  # [sequence, 1, head / 2]

    def norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + config.rms_norm_eps) * weight

    def turned(x: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real(torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2)) * turns).flatten(3)

    x = model.model.embed_tokens.weight[ids]
    for layer in range(LAYERS):
        w = {name.removeprefix(f"layers.{layer}."): value for name, value in weights.items()}
        y = norm(x, w["attention_norm.weight"])
        q, k, v = ((y @ w[f"attention.w{each}.weight"].T).unflatten(-1, (-1, head)) for each in "qkv")
        q, k = turned(q), turned(k)
        k, v = (each.repeat_interleave(HEADS // config.num_key_value_heads, dim=2) for each in (k, v))
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / head**0.5
        scores = scores + torch.full(scores.shape[-2:], float("-inf")).triu(1)
        attended = torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), v).flatten(2)
        x = x + attended @ w["attention.wo.weight"].T
        y = norm(x, w["ffn_norm.weight"])
        gate = torch.nn.functional.silu(y @ w["feed_forward.w1.weight"].T)
        x = x + (gate * (y @ w["feed_forward.w3.weight"].T)) @ w["feed_forward.w2.weight"].T
    return norm(x, weights["norm.weight"]) @ weights["output.weight"].T


def shard(model: LlamaForCausalLM, spec: dict, rank: int) -> dict[str, torch.Tensor]:
    def own(weight: torch.Tensor, axis: int | None) -> torch.Tensor:
        return (weight if axis is None else weight.chunk(spec["shards"], axis)[rank]).to(spec["dtype"]).clone()

    state = {"tok_embeddings.weight": own(model.model.embed_tokens.weight.detach(), spec["embedding"])}
    state |= {name: own(weight, axis) for name, (weight, axis) in meta_weights(model).items()}
    if model.config.tie_word_embeddings:
        state["output.weight"] = state["tok_embeddings.weight"]
    if spec["embedding"] == 1:
        state["rope.freqs"] = model.model.rotary_emb.inv_freq.to(spec["dtype"])
    return state


def make_meta(name: str, spec: dict, out: Path) -> None:
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    model = random_model(name, spec)
    ids = random_ids((BATCH, LENGTH), VOCABULARY[name], torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = model(input_ids=ids).logits
        torch.testing.assert_close(meta_logits(model, ids), logits, rtol=1e-4, atol=1e-4)
    params = {"dim": DIM, "n_heads": HEADS, "n_layers": LAYERS} | {"vocab_size": VOCABULARY[name]} | spec["params"]
    (folder / "params.json").write_text(json.dumps(params) + "\n")
    for rank in range(spec["shards"]):
        torch.save(shard(model, spec, rank), folder / f"consolidated.{rank:02}.pth")
    write_json(out / f"{name}.json", {"input_ids": ids.tolist()})
    write_tensors(out / f"{name}.safetensors", {"logits": logits})


def make_bins(out: Path) -> None:
    shards = out / "bin-shards"
    shards.mkdir(parents=True, exist_ok=True)
    weights = load_file(MODELS / "linear-rope-biases" / "model.safetensors")
    half = len(weights) // 2
    files = {name: f"pytorch_model-0000{1 + (index >= half)}-of-00002.bin" for index, name in enumerate(sorted(weights))}
    for file in sorted(set(files.values())):
        torch.save({name: weights[name].clone() for name in files if files[name] == file}, shards / file)
    (shards / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}, indent=1) + "\n")

    tied = OrderedDict((name, torch.nn.Parameter(weight)) for name, weight in load_file(MODELS / "gqa-tied" / "model.safetensors").items())
    tied["lm_head.weight"] = tied["model.embed_tokens.weight"]
    tied._metadata = OrderedDict([("", {"version": 1})])
    (out / "bin-tied").mkdir(exist_ok=True)
    torch.save(tied, out / "bin-tied" / "pytorch_model.bin")

    adapter = out.parent / "adapters" / "rslora"
    (out / "bin-adapter").mkdir(exist_ok=True)
    committed = Path(__file__).parent / "adapters" / "rslora"
    shutil.copy((adapter if adapter.exists() else committed) / "adapter_config.json", out / "bin-adapter")
    torch.save(load_file(committed / "adapter_model.safetensors"), out / "bin-adapter" / "adapter_model.bin")


def make_files(out: Path) -> None:
    numbers = torch.arange(24, dtype=torch.float32) / 7
    tensors = {
        "whole": numbers.reshape(2, 3, 4),
        "view": numbers[5:17].reshape(3, 4),
        "one": numbers[3],
        "row": numbers.reshape(6, 4)[2:3],
        "column": numbers.reshape(24, 1),
        "empty": torch.zeros(0, 4),
        "half": numbers.half(),
        "bfloat16": numbers.bfloat16(),
        "parameter": torch.nn.Parameter(numbers[:6].clone()),
    }
    torch.save(tensors, out / "tensors.pth")
    torch.save(tensors, out / "tensors-protocol-4.pth", pickle_protocol=4)
    write_tensors(out / "tensors.safetensors", {name: tensor.detach().clone() for name, tensor in tensors.items()})
    torch.save({"transposed": numbers.reshape(4, 6).T}, out / "transposed.pth")
    torch.save({"numbers": torch.arange(3)}, out / "integers.pth")
    torch.save({"model": tensors}, out / "nested.pth")
    torch.save({}, out / "old.pth", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Identity(), out / "module.pth")


def main() -> None:
    out = output_folder(__doc__.splitlines()[0]) / "torch"
    for name, spec in VARIETIES.items():
        make_meta(name, spec, out)
    make_bins(out)
    make_files(out)


if __name__ == "__main__":
    main()
