"""What is known of published networks: names and shapes of their tensors, and what the authors'
own code gives with made-up weights, which everybody makes alike from names and shapes.

Files in `published/`: NAME.txt has a tensor a line, NAME.npz every second row and column of what
comes out for `photo`, in float32.
"""

import zlib
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

FOLDER = Path(__file__).with_name("published")
NETWORK = {
    "eccv16": "zhang",
    "siggraph17": "siggraph17",
    "ddcolor-tiny": "ddcolor",
    "ddcolor-large": "ddcolor",
    "deoldify-artistic": "deoldify",
    "deoldify-stable": "deoldify",
}
# The keys under which the files hold their state dicts; None: plain, as others may be.
WRAPPED = {"ddcolor": "params", "deoldify": "model", "zhang": None, "siggraph17": None}


@cache
def shapes(name: str) -> dict[str, tuple[int, ...]]:
    lines = (line.split() for line in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines())
    return {key: tuple(map(int, shape)) for key, *shape in lines}


def facts(name: str) -> dict[str, Tensor]:
    with np.load(FOLDER / f"{name}.npz") as found:
        return {key: torch.from_numpy(value) for key, value in found.items()}


def state(name: str) -> dict[str, Tensor]:
    """Made-up weights: norms stay near 1, layers keep the size of what passes through them, and
    the u and v of a spectral norm belong to their weight.
    """
    names = shapes(name)
    made = {key: _one(key, shape) for key, shape in names.items()}
    for key in names:
        if key.endswith("weight_u"):
            stem = key[:-1]
            matrix = made[stem + "orig"].reshape(made[stem + "orig"].shape[0], -1)
            matrix = matrix.astype(np.float64)
            u = _normal(key, matrix.shape[0])
            for _ in range(30):
                v = matrix.T @ u
                v /= np.linalg.norm(v)
                u = matrix @ v
                u /= np.linalg.norm(u)
            made[key], made[stem + "v"] = u.astype(np.float32), v.astype(np.float32)
    return {key: torch.from_numpy(value) for key, value in made.items()}


def photo(height: int, width: int) -> Tensor:
    """A smooth grey picture in [0, 1], `(1, 1, height, width)`."""
    y, x = np.mgrid[:height, :width] / 16.0
    grey = 0.5 + 0.2 * np.sin(x) + 0.15 * np.cos(1.7 * y) + 0.1 * np.sin(0.6 * x * y / 4)
    return torch.from_numpy(grey.clip(0, 1).astype(np.float32))[None, None]


def _normal(name, shape):
    return np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)


def _one(name, shape):
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    z, last = _normal(name, shape), name.rsplit(".", 1)[-1]
    if last == "running_var":
        value = 1 + 0.2 * np.abs(z)
    elif last in ("running_mean", "bias", "in_proj_bias"):
        value = 0.1 * z
    elif last == "gamma" or len(shape) <= 1:
        value = 0.7 + 0.1 * z
    else:
        value = z * np.sqrt(2 / np.prod(shape[1:]))
    return value.astype(np.float32)
