"""Pictures for the tests: what scikit-image ships, and photos made up from a seed."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from PIL import Image

from colorize.checkpoint import build_network, save_checkpoint
from colorize.record import Record

SHIPPED = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "retina.jpg")


@pytest.fixture(scope="session")
def shipped_photos() -> dict[str, np.ndarray]:
    """Colour photos of scikit-image's package: uint8 `(h, w, 3)` by file name."""
    folder = Path(skimage.__file__).parent / "data"
    photos = {}
    for name in SHIPPED:
        with Image.open(folder / name) as image:
            image.thumbnail((384, 384))
            photos[name] = np.asarray(image.convert("RGB"))
    return photos


@pytest.fixture(scope="session")
def make_pixels():
    """A function of (seed, height, width): a smooth colour picture, uint8 `(h, w, 3)`."""

    def make(seed: int, height: int = 64, width: int = 64) -> np.ndarray:
        coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))

    return make


@pytest.fixture(scope="session")
def encode():
    """A function of (pixels, format): the bytes of a picture file."""

    def encode(pixels: np.ndarray, format: str = "PNG") -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format)
        return buffer.getvalue()

    return encode


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def shipped_checkpoints(tmp_path_factory) -> Path:
    """A folder with checkpoints of random weights: "direct", the default, and "bins"."""
    folder = tmp_path_factory.mktemp("checkpoints")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        _save_random("baseline", "direct", folder, {"kind": "direct"}, default=True)
        _save_random("classifier", "bins", folder, {"kind": "annealed-mean", "temperature": 0.38})
    return folder


@pytest.fixture
def checkpoints(shipped_checkpoints, monkeypatch) -> Path:
    """`shipped_checkpoints` as the folder where models are looked for. Not to be written to."""
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(shipped_checkpoints))
    return shipped_checkpoints


def _save_random(network: str, name: str, folder: Path, decoding: dict, default: bool = False):
    module = build_network(network, {}).eval()
    over_bins = decoding["kind"] == "annealed-mean"
    run, head = (module, module.head) if over_bins else (module.layers[:-1], module.layers[-2])
    with torch.no_grad():  # an output that differs from place to place, around nothing
        output = run(torch.rand(1, 1, 64, 64) * 2 - 1)
        scale = (3 if over_bins else 0.3) / output.std((2, 3)).mean()
        head.weight *= scale
        head.bias.copy_((head.bias - output.mean((0, 2, 3))) * scale)
    record = Record(
        name, name.title(), f"{network}, random", network, {}, 96, decoding, default=default
    )
    save_checkpoint(module, record, folder)
