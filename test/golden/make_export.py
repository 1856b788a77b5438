"""fp32 values as the gguf library quantizes them, for test/unit/formats/encodeTensor.test.ts.

    python test/golden/make_export.py

export/values.safetensors   values [blocks, 32]: of many sizes, with ties, blocks of one value, zeros and negative extremes; and the
                            bytes of the same in F16, BF16, Q8_0, Q4_0 and Q4_1
"""

from importlib.metadata import version

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from golden import VERSIONS, output_folder, write_tensors

VERSIONS |= {"gguf": version("gguf"), "numpy": np.__version__}
OUT = output_folder(__doc__.splitlines()[0]) / "export"


def values() -> np.ndarray:
    rng = np.random.default_rng(11)
    random = rng.standard_normal((200, 32)) * 10.0 ** rng.integers(-5, 3, (200, 1))
    # Halves of a step: ties in each of the formats.
    ties = (rng.integers(-127, 127, (20, 32)) + 0.5) * 2.0 ** rng.integers(-8, 4, (20, 1))
    ties[:, 0] = 127 * 2.0 ** rng.integers(-8, 4, 20)
    # Two values of the largest magnitude and of either sign: the first decides.
    opposite = rng.standard_normal((10, 32)).clip(-1, 1)
    opposite[:, 3], opposite[:, 20] = 2, -2
    same = np.full((4, 32), 0.1) * np.array([[0], [1], [-1], [1000]])
    return np.concatenate([random, ties, opposite, same]).astype(np.float32)


def main() -> None:
    blocks = values()
    tensors = {"values": torch.from_numpy(blocks)}
    for kind in [Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.F16, Type.BF16]:
        tensors[kind.name] = torch.from_numpy(np.ascontiguousarray(gguf.quantize(blocks, kind)).view(np.uint8).copy())
    write_tensors(OUT / "values.safetensors", tensors)


if __name__ == "__main__":
    main()
