"""Shared by the golden makers: where files are, how they are written, and which versions made them."""

import argparse
import json
import platform
import warnings
from pathlib import Path

import peft
import safetensors
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, PreTrainedModel

warnings.filterwarnings("ignore", category=FutureWarning)
transformers.utils.logging.disable_progress_bar()

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "test" / "fixtures" / "models"

VERSIONS = {
    "python": platform.python_version(),
    "torch": torch.__version__,
    "transformers": transformers.__version__,
    "peft": peft.__version__,
    "safetensors": safetensors.__version__,
}


def output_folder(description: str) -> Path:
    """The folder given with --out; the committed goldens by default."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where to write (default: beside this script)")
    return parser.parse_args().out


def load_model(variety: str) -> PreTrainedModel:
    """A tiny model with its stored weights widened to fp32, and with eager attention."""
    return AutoModelForCausalLM.from_pretrained(MODELS / variety, dtype=torch.float32, attn_implementation="eager").eval()


def random_ids(shape: tuple[int, ...], vocabulary: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(0, vocabulary, shape, generator=generator)


def masked_labels(ids: torch.Tensor, generator: torch.Generator, share: float = 0.4) -> torch.Tensor:
    """The ids as labels, with a random share of them replaced by -100. Not shifted, as in Hugging Face."""
    return ids.masked_fill(torch.rand(ids.shape, generator=generator) < share, -100)


def randomize_lora_b(model: torch.nn.Module, generator: torch.Generator) -> None:
    """Gives B random values: it starts as zero, which leaves A without a gradient and the logits unchanged."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))


def adapter_name(parameter_name: str) -> str:
    """The name of a LoRA parameter in adapter_model.safetensors."""
    return parameter_name.replace(".default.", ".")


def rows(value: object) -> str:
    """A list of objects gets one line per object, everything else a single line."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {json.dumps(item)}" for item in value) + "\n  ]"
    return json.dumps(value)


def write_json(path: Path, content: dict) -> None:
    """Writes one top-level entry per line, so that numbers do not fill the screen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = {"versions": VERSIONS, **content}
    lines = ",\n".join(f"  {json.dumps(name)}: {rows(value)}" for name, value in entries.items())
    path.write_text(f"{{\n{lines}\n}}\n")
    print(path)


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)
    print(path)


def write_adapter(model: peft.PeftModel, variety: str, folder: Path, **options: object) -> None:
    """Saves as PEFT does, but without the model card and this machine's path to the base, and with lists in a fixed order."""
    model.save_pretrained(folder, save_embedding_layers=False, **options)
    (folder / "README.md").unlink(missing_ok=True)
    config_file = folder / "adapter_config.json"
    config = json.loads(config_file.read_text())
    config["base_model_name_or_path"] = variety
    config["target_modules"].sort()
    config_file.write_text(json.dumps(config, indent=2) + "\n")
    print(folder)
