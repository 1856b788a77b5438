"""What an adapter has learned: spectra, subspace similarities and intruder dimensions, from full SVDs in double precision.

    python test/golden/make_spectra.py

spectra/spectra.safetensors    a0, b0, a1, b1: the matrices of two adapters of one weight, which share some directions;
                               KIND.base, KIND.tuned: a weight before and after, with one direction planted, for each KIND of shape
spectra/spectra.json           of scaling · b·a: singular values, exp(entropy), ranks for 90 % of the energy, and φ(i, j) of the
                               two (LoRA, section 7.2); of each KIND: the ten leading singular values of the tuned weight, and the
                               largest absolute cosine of each of their left vectors with any of the base's (arXiv 2410.21228, as
                               in PEFT's reduce_intruder_dimension)
"""

import torch
from golden import output_folder, write_json, write_tensors

SCALING = 1.5
COUNT = 10
SHAPES = {"wide": (40, 96), "tall": (96, 40), "square": (64, 64)}
RANK = 6


def adapters(generator: torch.Generator) -> list[tuple[torch.Tensor, torch.Tensor]]:
    normal = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    first = (normal(RANK, 80), normal(48, RANK) * torch.tensor([4.0, 2, 1, 0.5, 0.2, 0.1]))
    second = (torch.cat([first[0][:2] + 0.3 * normal(2, 80), normal(RANK - 2, 80)]), normal(48, RANK))
    return [first, second]


def weights(shape: tuple[int, int], generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Singular values fall by 5 % each. The planted direction is a mixture of all of the base's, larger than any of them."""
    rows, columns = shape
    left, _, right = torch.linalg.svd(torch.randn(rows, columns, generator=generator).double(), full_matrices=False)
    values = 0.95 ** torch.arange(min(shape)).double()
    u, v = torch.randn(rows, generator=generator).double(), torch.randn(columns, generator=generator).double()
    planted = 1.5 * torch.outer(u / u.norm(), v / v.norm())
    return (left * values @ right).float(), (left * values @ right + planted).float()


def directions(delta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    left, values, right = torch.linalg.svd(delta, full_matrices=False)
    return left[:, :RANK], values[:RANK], right[:RANK].T


def phi(first: torch.Tensor, second: torch.Tensor) -> list[list[float]]:
    similarity = lambda i, j: torch.linalg.norm(first[:, :i].T @ second[:, :j]).item() ** 2 / min(i, j)  # noqa: E731
    return [[similarity(i, j) for j in range(1, RANK + 1)] for i in range(1, RANK + 1)]


def effective_ranks(values: torch.Tensor) -> dict:
    shares, energy = values / values.sum(), values.square().cumsum(0) / values.square().sum()
    entropy = torch.distributions.Categorical(probs=shares).entropy()
    return {"values": values.tolist(), "entropy_rank": entropy.exp().item(), "energy_rank": int((energy < 0.9).sum()) + 1}


def intruders(base: torch.Tensor, tuned: torch.Tensor) -> dict:
    of_base, _, _ = torch.linalg.svd(base.double(), full_matrices=False)
    of_tuned, values, _ = torch.linalg.svd(tuned.double(), full_matrices=False)
    cosines = (of_tuned.T @ of_base).abs().max(dim=1).values
    return {"values": values[:COUNT].tolist(), "cosines": cosines[:COUNT].tolist()}


def main() -> None:
    folder = output_folder(__doc__) / "spectra"
    generator = torch.Generator().manual_seed(7)
    pairs = adapters(generator)
    found = [directions(SCALING * b.double() @ a.double()) for a, b in pairs]
    kinds = {kind: weights(shape, generator) for kind, shape in SHAPES.items()}
    tensors = {f"{name}{index}": matrix for index, pair in enumerate(pairs) for name, matrix in zip("ab", pair)}
    for kind, (base, tuned) in kinds.items():
        tensors |= {f"{kind}.base": base, f"{kind}.tuned": tuned}
    write_tensors(folder / "spectra.safetensors", tensors)
    write_json(
        folder / "spectra.json",
        {
            "scaling": SCALING,
            "adapters": [effective_ranks(values) for _, values, _ in found],
            "similarity": {"input": phi(found[0][2], found[1][2]), "output": phi(found[0][0], found[1][0])},
            "intruders": {kind: intruders(*pair) for kind, pair in kinds.items()},
        },
    )


if __name__ == "__main__":
    main()
