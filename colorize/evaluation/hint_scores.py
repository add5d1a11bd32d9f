"""How well colour hints are followed: hints taken from true photos, and what they do for the rest.

After Zhang et al. 2017, "Real-Time User-Guided Image Colorization", 4.1: PSNR by the number of
hints that are shown from the truth.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from skimage.color import deltaE_ciede2000
from tqdm import tqdm

from colorize.color.lab import into_gamut, lab_from_rgb
from colorize.color.resample import resize_picture
from colorize.data.datasets import Dataset, PhotoFile
from colorize.errors import ColorizeError
from colorize.evaluation.metrics import psnr
from colorize.evaluation.report import HintsRow, Report
from colorize.inference.colorizer import Colorizer
from colorize.inference.hints import hint_ab, pixel_at
from colorize.inference.options import Hint
from colorize.photo.opening import Photo

FOLLOWED = 10.0  # CIEDE2000 from the wish up to which a hint counts as followed


@dataclass
class Score:
    """Of some photos with a number of hints each: PSNR a photo, CIEDE2000 from the wish a hint."""

    psnr: list[float] = field(default_factory=list)
    missed: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float | None]:
        """Mean PSNR in dB (None: infinite), share of followed hints, their median CIEDE2000."""
        missed, mean = np.array(self.missed), float(np.mean(self.psnr))
        return {
            "psnr": mean if np.isfinite(mean) else None,
            "followed": float((missed <= FOLLOWED).mean()) if len(missed) else None,
            "ciede2000": float(np.median(missed)) if len(missed) else None,
        }


def score_datasets(
    colorizer: Colorizer,
    datasets: Sequence[Dataset],
    split: str,
    counts: Sequence[int],
    *,
    seed: int = 0,
    size: int | None = None,
    most: int | None = None,
    say: Callable[[str], None] = tqdm.write,
) -> Report[HintsRow]:
    """A row a dataset and number of hints, dataset `all` last.

    `most` photos a dataset at random, all where None; those that cannot be read are said.
    Raises ColorizeError where there is none.
    """
    by_dataset: dict[str, dict[int, Score]] = {}
    for dataset in datasets:
        files = dataset.photos[split]
        if most is not None and most < len(files):
            files = random.Random(seed).sample(files, most)
        pixels = _read(files, f"{dataset.name} {split}", say)
        scores = score_photos(colorizer, pixels, counts, seed, size)
        if all(score.psnr for score in scores.values()):
            by_dataset[dataset.name] = scores
    if not by_dataset:
        raise ColorizeError(f"No dataset has photos in {split!r} that can be read")
    by_dataset["all"] = {
        count: Score(
            [x for scores in by_dataset.values() for x in scores[count].psnr],
            [x for scores in by_dataset.values() for x in scores[count].missed],
        )
        for count in counts
    }
    rows = [
        HintsRow(colorizer.record.name, name, count, len(score.psnr), **score.figures())
        for name, scores in by_dataset.items()
        for count, score in scores.items()
    ]
    settings = {"split": split, "size": size or colorizer.record.size, "seed": seed}
    return Report(settings, rows)


def _read(
    files: Sequence[PhotoFile], what: str, say: Callable[[str], None]
) -> Iterator[np.ndarray]:
    for file in tqdm(files, what, unit="photo", leave=False, disable=None):
        try:
            yield file.pixels()
        except ColorizeError as error:
            say(f"left out: {what}/{file.name}: {error}")


def score_photos(
    colorizer: Colorizer,
    photos: Iterable[np.ndarray],
    counts: Sequence[int],
    seed: int = 0,
    size: int | None = None,
) -> dict[int, Score]:
    """A Score for each count of hints, of photos uint8 sRGB `(h, w, 3)`.

    The spots are random, the same for a seed; those of a smaller count are among those of a
    larger one. The PSNR is that of the whole photo at its own size, sRGB in [0, 1].
    """
    scores = {count: Score() for count in counts}
    for number, pixels in enumerate(photos):
        generator = np.random.default_rng([seed, number])
        shape = colorizer.working_shape(pixels.shape[1::-1], size)
        hints = true_hints(pixels, max(counts), shape, generator)
        photo = Photo.open(pixels)
        for count, score in scores.items():
            picture = colorizer(photo, size=size, hints=hints[:count]).pixels
            score.psnr.append(psnr(picture / 255, pixels / 255))
            score.missed += missed_by(picture, hints[:count])
    return scores


def true_hints(
    pixels: np.ndarray, count: int, shape: tuple[int, int], generator: np.random.Generator
) -> list[Hint]:
    """Hints at random pixels of a photo `(h, w, 3)`: its own colours as they are at `shape`."""
    height, width = pixels.shape[:2]
    small = resize_picture(pixels, shape[::-1], Image.Resampling.BILINEAR)
    hints = []
    for x, y in generator.integers((width, height), size=(count, 2)).tolist():
        red, green, blue = small[pixel_at((x, y), shape, (width, height))].tolist()
        hints.append((x, y, f"#{red:02x}{green:02x}{blue:02x}"))
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
        distances.append(deltaE_ciede2000(lab.numpy(), wish.numpy(), channel_axis=0).item())
    return distances
