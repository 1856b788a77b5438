"""Values and gradients of the LLaMA's composite operations, by PyTorch in double precision.

    python test/golden/make_ops.py

ops/NAME.json   attributes; inputs; output; upstream, the gradient of some loss with respect to the output; gradients, the result
                for each input that has one. A tensor is {"shape", "data"}, row-major.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from golden import output_folder, write_json
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

Tensors = dict[str, torch.Tensor]


def rms_norm(generator: torch.Generator) -> tuple[Tensors, Callable, dict]:
    inputs = {"x": normal(generator, 2, 3, 8), "weight": normal(generator, 8)}
    return inputs, lambda x, weight: F.rms_norm(x, (8,), weight, eps=1e-5), {"epsilon": 1e-5}


def rope(generator: torch.Generator) -> tuple[Tensors, Callable, dict]:
    """Positions restart within the row, as in a packed batch."""
    theta, dimension = 10000.0, 8
    positions = torch.tensor([[0, 1, 2, 0, 1]])
    frequencies = theta ** (-torch.arange(0, dimension, 2, dtype=torch.float64) / dimension)
    angles = (positions[..., None] * frequencies).repeat(1, 1, 2)

    def rotate(x: torch.Tensor) -> torch.Tensor:
        return apply_rotary_pos_emb(x, x, angles.cos(), angles.sin())[0]

    return {"x": normal(generator, 1, 2, 5, dimension)}, rotate, {"ropeTheta": theta, "positionIds": positions.tolist()}


def swiglu(generator: torch.Generator) -> tuple[Tensors, Callable, dict]:
    inputs = {"gate": 3 * normal(generator, 2, 3, 5), "up": normal(generator, 2, 3, 5)}
    return inputs, lambda gate, up: F.silu(gate) * up, {}


def attention(generator: torch.Generator) -> tuple[Tensors, Callable, dict]:
    """Causal and grouped-query; each token sees only its own segment. -1 marks padding, whose outputs get no upstream."""
    segments = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, -1, -1]])
    seen = torch.ones(6, 6, dtype=torch.bool).tril() & (segments[:, :, None] == segments[:, None, :])
    inputs = {"query": normal(generator, 2, 4, 6, 4), "key": normal(generator, 2, 2, 6, 4), "value": normal(generator, 2, 2, 6, 4)}

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        output = F.scaled_dot_product_attention(query, key, value, attn_mask=seen[:, None], enable_gqa=True)
        return output * (segments >= 0)[:, None, :, None]

    return inputs, attend, {"segmentIds": segments.tolist()}


def cross_entropy(generator: torch.Generator) -> tuple[Tensors, Callable, dict]:
    """The sum over the labels that are not -100."""
    labels = torch.tensor([3, -100, 0, 6, -100])
    inputs = {"logits": 4 * normal(generator, 5, 7)}
    return inputs, lambda logits: F.cross_entropy(logits, labels, ignore_index=-100, reduction="sum"), {"labels": labels.tolist()}


def lora_linear(generator: torch.Generator) -> tuple[Tensors, Callable, dict]:
    """The frozen weight and bias take no gradient."""
    scale = 2.0
    weight, bias = normal(generator, 6, 5), normal(generator, 6)
    inputs = {"x": normal(generator, 2, 3, 5), "loraA": normal(generator, 2, 5), "loraB": normal(generator, 6, 2)}

    def linear(x: torch.Tensor, lora_a: torch.Tensor, lora_b: torch.Tensor) -> torch.Tensor:
        return F.linear(x, weight, bias) + scale * F.linear(F.linear(x, lora_a), lora_b)

    return inputs, linear, {"scale": scale, "weight": described(weight), "bias": described(bias)}


def normal(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def described(tensor: torch.Tensor) -> dict:
    return {"shape": list(tensor.shape), "data": tensor.detach().flatten().tolist()}


def make(operation: Callable, folder: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, function, attributes = operation(generator)
    leaves = {name: tensor.requires_grad_() for name, tensor in inputs.items()}
    output = function(*leaves.values())
    upstream = normal(generator, *output.shape)
    gradients = torch.autograd.grad(output, list(leaves.values()), upstream)
    write_json(
        folder / f"{operation.__name__}.json",
        {
            "attributes": attributes,
            "inputs": {name: described(tensor) for name, tensor in leaves.items()},
            "output": described(output),
            "upstream": described(upstream),
            "gradients": {name: described(gradient) for name, gradient in zip(leaves, gradients)},
        },
    )


def main() -> None:
    folder = output_folder(__doc__) / "ops"
    for operation in (rms_norm, rope, swiglu, attention, cross_entropy, lora_linear):
        make(operation, folder)


if __name__ == "__main__":
    main()
