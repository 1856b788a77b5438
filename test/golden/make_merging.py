"""Adapters merged with each other and into their base, as PEFT does it, and the singular values of what an adapter adds.

    python test/golden/make_merging.py

merging/ADAPTER/               adapters of gqa-tied, in PEFT's format: first, second, dora, and pissa
merging/cat.safetensors        what first and second add to each weight, summed with WEIGHTS (add_weighted_adapter, "cat")
merging/svd.safetensors        the same, truncated to rank SVD_RANK ("svd")
merging/dora.safetensors       the weights of the base with dora merged in (merge_and_unload)
merging/pissa.safetensors      the same for pissa, which is saved without its base (the usual way)
merging/pissa-converted/       pissa as plain LoRA of twice the rank (path_initial_model_for_weight_conversion)
merging/spectrum.json          WEIGHTS, SVD_RANK, and the singular values of what first adds, in double precision
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from golden import load_model, output_folder, randomize_lora_b, write_adapter, write_json, write_tensors
from peft import LoraConfig, PeftModel, get_peft_model

VARIETY = "gqa-tied"
WEIGHTS = [0.75, -1.5]
SVD_RANK = 3

ADAPTERS = {
    "first": {
        "r": 4,
        "lora_alpha": 6,
        "target_modules": ["q_proj", "v_proj", "o_proj", "down_proj"],
        "rank_pattern": {"down_proj": 2},
        "alpha_pattern": {"v_proj": 20},
    },
    "second": {"r": 3, "lora_alpha": 5, "use_rslora": True, "target_modules": ["q_proj", "k_proj"]},
    "dora": {
        "r": 3,
        "lora_alpha": 5,
        "use_dora": True,
        "target_modules": ["q_proj", "o_proj", "up_proj"],
        "rank_pattern": {"up_proj": 2},
    },
}


def make_adapter(name: str, generator: torch.Generator, folder: Path) -> None:
    torch.manual_seed(0)
    model = get_peft_model(load_model(VARIETY), LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **ADAPTERS[name]))
    randomize_lora_b(model, generator)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if "lora_magnitude_vector" in parameter_name:
                parameter.mul_(1 + 0.3 * torch.randn(parameter.shape, generator=generator))
    write_adapter(model, VARIETY, folder / name)


def deltas(model: PeftModel, adapter: str) -> dict[str, torch.Tensor]:
    """What the adapter adds to each weight [out, in], by the name of the weight."""
    layers = [(name, layer) for name, layer in model.base_model.model.named_modules() if adapter in getattr(layer, "lora_A", {})]
    return {f"{name}.weight": layer.get_delta_weight(adapter) for name, layer in layers}


def make_merged_adapters(folder: Path) -> None:
    model = PeftModel.from_pretrained(load_model(VARIETY), folder / "first", adapter_name="first")
    model.load_adapter(folder / "second", adapter_name="second")
    for kind, rank in [("cat", None), ("svd", SVD_RANK)]:
        model.add_weighted_adapter(["first", "second"], WEIGHTS, kind, combination_type=kind, svd_rank=rank)
        write_tensors(folder / f"{kind}.safetensors", deltas(model, kind))
    first = deltas(model.double(), "first")
    spectra = {name: torch.linalg.svdvals(delta)[:4].tolist() for name, delta in first.items()}
    write_json(folder / "spectrum.json", {"weights": WEIGHTS, "svd_rank": SVD_RANK, "singular_values": spectra})


def make_merged(name: str, folder: Path) -> None:
    adapted = PeftModel.from_pretrained(load_model(VARIETY), folder / name)
    names = [f"{path}.weight" for path, layer in adapted.base_model.model.named_modules() if hasattr(layer, "lora_A")]
    merged = adapted.merge_and_unload().state_dict()
    write_tensors(folder / f"{name}.safetensors", {path: merged[path] for path in names})


def make_pissa(generator: torch.Generator, folder: Path) -> None:
    """A PiSSA adapter after some training, saved both ways. Its init_lora_weights must be true when the start is saved."""
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        init_lora_weights="pissa",
        r=4,
        lora_alpha=6,
        target_modules=["q_proj", "v_proj", "down_proj"],
        rank_pattern={"v_proj": 2},
    )
    model = get_peft_model(load_model(VARIETY), lora)
    with TemporaryDirectory() as start:
        model.peft_config["default"].init_lora_weights = True
        model.save_pretrained(start, save_embedding_layers=False)
        model.peft_config["default"].init_lora_weights = "pissa"
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
        write_adapter(model, VARIETY, folder / "pissa")
        write_adapter(model, VARIETY, folder / "pissa-converted", path_initial_model_for_weight_conversion=start)


def main() -> None:
    folder = output_folder(__doc__) / "merging"
    generator = torch.Generator().manual_seed(0)
    for name in ADAPTERS:
        make_adapter(name, generator, folder)
    make_merged_adapters(folder)
    make_merged("dora", folder)
    make_pissa(generator, folder)
    make_merged("pissa", folder)


if __name__ == "__main__":
    main()
