"""Shared by the PyTorch benchmarks: a model by folder or by shape, threads, and peak memory."""

import argparse
import platform
import time
import warnings
from pathlib import Path

import psutil
import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, logging

warnings.filterwarnings("ignore", category=FutureWarning)

SMOLLM2_135M = LlamaConfig(
    vocab_size=49152,
    hidden_size=576,
    intermediate_size=1536,
    num_hidden_layers=30,
    num_attention_heads=9,
    num_key_value_heads=3,
    max_position_embeddings=8192,
    rms_norm_eps=1e-5,
    rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
    tie_word_embeddings=True,
)


def parser(description: str, steps: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder with config.json; random weights where it has none (default: SmolLM2-135M's shape)")
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32", help="of the base weights (default: fp32)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=psutil.cpu_count(logical=False), help="default: one a core")
    parser.add_argument("--steps", type=int, default=steps, help=f"timed steps, after one that is not (default: {steps})")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def load(arguments: argparse.Namespace) -> LlamaForCausalLM:
    logging.disable_progress_bar()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[arguments.dtype]
    if arguments.model and any(arguments.model.glob("*.safetensors")):
        return AutoModelForCausalLM.from_pretrained(arguments.model, dtype=dtype).to(arguments.device)
    config = AutoConfig.from_pretrained(arguments.model) if arguments.model else SMOLLM2_135M
    return AutoModelForCausalLM.from_config(config, dtype=dtype).to(arguments.device)


def seconds_since_process_start() -> float:
    return time.time() - psutil.Process().create_time()


def peak_rss_bytes() -> int:
    """The most memory this process has held."""
    if platform.system() == "Windows":
        return psutil.Process().memory_info().peak_wset
    import resource  # not on Windows

    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
