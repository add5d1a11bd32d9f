"""Photos to measure with, made from scikit-image's pictures: any size, no two alike."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

KINDS = ("grey", "colour")  # a scan saved in grey, and one saved in colour
_PICTURES = (data.astronaut, data.coffee, data.chelsea, data.rocket)
_TILE = 1024
_GRAIN = 6.0  # standard deviation in levels, as of a scan: JPEG files get a realistic size
_QUALITY = 92


def shape_of(megapixels: float) -> tuple[int, int]:
    """(width, height) at 4:3."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    return round(height * 4 / 3), height


def make_photo(megapixels: float, kind: str = "grey", seed: int = 0) -> Image.Image:
    """A photo of mode L ("grey") or RGB ("colour"), with grain."""
    width, height = shape_of(megapixels)
    picture = Image.fromarray(_PICTURES[seed % len(_PICTURES)]())
    if seed // len(_PICTURES) % 2:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    large = np.array(picture.resize((width, height), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(seed).normal(0, _GRAIN, (_TILE, _TILE, 1)).astype(np.int16)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            part = large[top : top + _TILE, left : left + _TILE]
            part[:] = np.clip(part + grain[: part.shape[0], : part.shape[1]], 0, 255)
    photo = Image.fromarray(large)
    return photo.convert("L") if kind == "grey" else photo


def write_photo(folder: Path, megapixels: float, kind: str = "grey", seed: int = 0) -> Path:
    """A JPEG file of such a photo."""
    path = folder / f"{kind}-{megapixels:g}-{seed}.jpg"
    make_photo(megapixels, kind, seed).save(path, quality=_QUALITY)
    return path
