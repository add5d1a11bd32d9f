"""How well colour hints are followed: hints taken from true photos, and what they do for the rest.

After Zhang et al. 2017, "Real-Time User-Guided Image Colorization", 4.1: PSNR by the number of
hints that are shown from the truth.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage.color import deltaE_ciede2000

from colorize.color import into_gamut, lab_from_rgb
from colorize.colorizer import Colorizer, working_shape
from colorize.hinting import hint_ab
from colorize.metrics import psnr
from colorize.options import Hint
from colorize.photo import Photo
from colorize.resample import resize_picture

COUNTS = (0, 1, 5, 20)
FOLLOWED = 10.0  # CIEDE2000 from the wish up to which a hint counts as followed


def score_hints(
    colorizer: Colorizer,
    photos: Iterable[np.ndarray],
    counts: Sequence[int] = COUNTS,
    seed: int = 0,
    size: int | None = None,
) -> list[dict[str, Any]]:
    """A row for each count of hints: `{"hints", "photos", "psnr", "followed", "ciede2000"}`.

    photos: uint8 sRGB `(h, w, 3)`. The spots of a smaller count are among those of a larger one,
    at random but the same for a seed. `psnr` is the mean over photos in dB, at their own size;
    `followed` the share of hinted pixels within CIEDE2000 10 of the wish at their own lightness,
    `ciede2000` the median distance; both None without hints.
    """
    psnrs: dict[int, list[float]] = {count: [] for count in counts}
    distances: dict[int, list[float]] = {count: [] for count in counts}
    for number, pixels in enumerate(photos):
        random = np.random.default_rng([seed, number])
        hints = true_hints(pixels, max(counts), size or colorizer.record.size, random)
        for count in counts:
            picture = colorizer(Photo.open(pixels), size=size, hints=hints[:count]).pixels
            psnrs[count].append(psnr(picture / 255, pixels / 255))
            distances[count] += missed_by(picture, hints[:count])
    return [_row(count, psnrs[count], distances[count]) for count in counts]


def true_hints(
    pixels: np.ndarray, count: int, size: int, random: np.random.Generator
) -> list[Hint]:
    """Hints at random pixels of a photo `(h, w, 3)`: its own colours as they are at `size`."""
    height, width = pixels.shape[:2]
    rows, columns = working_shape((width, height), size)
    small = resize_picture(pixels, (columns, rows), Image.Resampling.BILINEAR)
    hints = []
    for x, y in random.integers((width, height), size=(count, 2)):
        red, green, blue = small[y * rows // height, x * columns // width]
        hints.append((float(x), float(y), f"#{red:02x}{green:02x}{blue:02x}"))
    return hints


def missed_by(picture: np.ndarray, hints: Sequence[Hint]) -> list[float]:
    """CIEDE2000 between the hinted pixels of a colour photo `(h, w, 3)` uint8 and the wishes.

    A wish has the pixel's own lightness, and the chroma that sRGB has there.
    """
    distances = []
    for x, y, colour in hints:
        pixel = torch.from_numpy(picture[int(y), int(x)] / 255).float().view(3, 1, 1)
        lab = lab_from_rgb(pixel)
        wish = torch.cat((lab[:1], into_gamut(lab[:1], hint_ab(colour).view(2, 1, 1))))
        distances.append(float(deltaE_ciede2000(lab.numpy(), wish.numpy(), channel_axis=0).item()))
    return distances


def _row(count: int, psnrs: list[float], distances: list[float]) -> dict[str, Any]:
    followed = np.array(distances) <= FOLLOWED
    return {
        "hints": count,
        "photos": len(psnrs),
        "psnr": float(np.mean(psnrs)),
        "followed": float(followed.mean()) if count else None,
        "ciede2000": float(np.median(distances)) if count else None,
    }
