"""Pictures for the tests: what scikit-image ships, and photos made up from a seed."""

from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from PIL import Image

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


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
