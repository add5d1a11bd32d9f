"""How well colour hints are followed: hints taken from true photos, and what they do for the rest.

After Zhang et al. 2017, "Real-Time User-Guided Image Colorization", 4.1: PSNR by the number of
hints that are shown from the truth. And of one hint in the middle of a thing: whether the thing
takes its colour, and all else stays.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import distance_transform_edt
from skimage.color import deltaE_ciede2000
from skimage.segmentation import slic
from torch import Tensor
from tqdm import tqdm

from colorize.color.lab import into_gamut, lab_from_rgb
from colorize.color.resample import resize_picture
from colorize.color.toned import unit
from colorize.data.datasets import Dataset, PhotoFile, some_of
from colorize.errors import ColorizeError
from colorize.evaluation.metrics import psnr
from colorize.evaluation.report import HintsRow, Report
from colorize.inference.colorizer import Colorizer
from colorize.inference.hints.spots import hint_ab, pixel_at
from colorize.inference.options import Hint
from colorize.inference.swatches import in_srgb
from colorize.photo.opening import Photo

FOLLOWED = 10.0  # CIEDE2000 from the wish up to which a hint counts as followed
_SUPERPIXELS = 20  # a photo is cut into about so many
_STEP_AB = 10.0  # ab units that weigh as much as the way from superpixel to superpixel
_SHARE = (0.02, 0.15)  # of the photo, of superpixels that count as things
_WRONG = 15.0  # ab units at least between a thing's true and its predicted mean
_THINGS = 3  # of a photo at most: the largest
_OTHER = 10.0  # ab units from a thing's true mean from which on a pixel is another thing's
_APART = 0.05  # of the photo's width from a thing, from where on it is outside


@dataclass
class Score:
    """Of some photos with a number of hints each: PSNR a photo, CIEDE2000 from the wish a hint.

    Of one hint also what each thing does, and what all else does.
    """

    psnr: list[float] = field(default_factory=list)
    missed: list[float] = field(default_factory=list)
    follows: list[float] = field(default_factory=list)
    moves: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float | None]:
        """Mean PSNR in dB (None: infinite), share of followed hints, their median CIEDE2000, and
        the means over things."""
        missed, mean = np.array(self.missed), float(np.mean(self.psnr))
        return {
            "psnr": mean if np.isfinite(mean) else None,
            "followed": float((missed <= FOLLOWED).mean()) if len(missed) else None,
            "ciede2000": float(np.median(missed)) if len(missed) else None,
            "thing_follows": float(np.mean(self.follows)) if self.follows else None,
            "outside_moves": float(np.mean(self.moves)) if self.moves else None,
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
        files = some_of(dataset.photos[split], most, seed)
        pixels = _read(files, f"{dataset.name} {split}", say)
        scores = score_photos(colorizer, pixels, counts, seed, size)
        if all(score.psnr for score in scores.values()):
            by_dataset[dataset.name] = scores
    if not by_dataset:
        raise ColorizeError(f"No dataset has photos in {split!r} that can be read")
    by_dataset["all"] = {
        count: Score(
            *(
                [x for scores in by_dataset.values() for x in getattr(scores[count], kind.name)]
                for kind in fields(Score)
            )
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
            picture = colorizer(photo, size=size, hints=hints[:count], borders=False).pixels
            score.psnr.append(psnr(picture / 255, pixels / 255))
            score.missed += missed_by(picture, hints[:count])
        if 1 in scores:
            for follows, moves in score_things(colorizer, pixels, size):
                scores[1].follows.append(follows)
                scores[1].moves += [] if moves is None else [moves]
    return scores


def score_things(
    colorizer: Colorizer, pixels: np.ndarray, size: int | None = None
) -> Iterator[tuple[float, float | None]]:
    """What one hint in a thing's middle does, a pair for each thing of a photo `(h, w, 3)`.

    The first: how far, from 0 to 1, the thing's pixels go from the prediction without hints
    towards the hint's colour, in the mean. The second: the mean |delta ab| of what lies farther
    from the thing than 5% of the photo's width and is of another true colour; None where there
    is none. Both of ab at working size.
    """
    photo = Photo.open(pixels)
    (plain,) = colorizer.predict([photo], size)
    before, (height, width) = colorizer.finish(photo, plain, borders=False).ab, plain.shape
    true = true_ab(pixels, (height, width))
    for thing in find_things(true.numpy(), before):
        hint, outside = in_the_middle(thing, true, plain.L, photo.size)
        (hinted,) = colorizer.predict([photo], size, [[hint]], before=[plain])
        moved = colorizer.finish(photo, hinted, borders=False).ab - before
        way = hinted.spots[0].ab.numpy()[:, None] - before[:, thing]
        gone = (moved[:, thing] * way).sum(0) / np.maximum(np.square(way).sum(0), 1e-3)
        far = np.linalg.norm(moved[:, outside], axis=0)
        yield float(gone.clip(0, 1).mean()), float(far.mean()) if len(far) else None


def true_ab(pixels: np.ndarray, shape: tuple[int, int]) -> Tensor:
    """ab `(2, *shape)` of a photo uint8 sRGB `(h, w, 3)`, made that small."""
    small = resize_picture(pixels, shape[::-1], Image.Resampling.BILINEAR)
    return lab_from_rgb(torch.from_numpy(unit(small)))[1:]


def in_the_middle(
    thing: np.ndarray, true: Tensor, L: Tensor, size: tuple[int, int]
) -> tuple[Hint, np.ndarray]:
    """A hint of a thing's mean colour in its middle, on a photo of `size` (width, height); and
    what is neither near the thing nor of its true colour, a mask `(h, w)` as the thing is.

    true: ab `(2, h, w)`; L `(1, h, w)`.
    """
    (row, column), (height, width) = middle(thing), thing.shape
    mean = true[:, torch.from_numpy(thing)].mean(1)
    at = ((column + 0.5) * size[0] / width, (row + 0.5) * size[1] / height)
    _, colour = in_srgb(mean, float(L[0, row, column]))
    other = (true - mean[:, None, None]).norm(dim=0).numpy() > _OTHER
    outside = other & (distance_transform_edt(~thing) > _APART * width)
    return (*(int(x) for x in at), colour), outside


def find_things(true: np.ndarray, predicted: np.ndarray) -> list[np.ndarray]:
    """Masks `(h, w)` of things whose predicted colour is far off, the largest first.

    Superpixels (SLIC; Achanta et al. 2012) of the true ab `(2, h, w)`.
    """
    pixels, span = np.moveaxis(true, 0, -1).astype(float), max(float(np.ptp(true)), 1.0)
    labels = slic(  # which scales its input to [0, 1]
        pixels, _SUPERPIXELS, _STEP_AB / span, sigma=1, convert2lab=False, start_label=0
    )
    return far_off(labels, true - predicted, _SHARE, _WRONG)[:_THINGS]


def far_off(
    labels: np.ndarray, error: np.ndarray, share: tuple[float, float], least: float
) -> list[np.ndarray]:
    """Masks of the regions of labels `(h, w)` whose mean error `(2, h, w)` is `least` ab units or
    more, the largest first; of those that are from one to the other share of the photo.
    """
    masks = [labels == label for label in np.unique(labels)]
    sized = [mask for mask in masks if share[0] <= mask.mean() <= share[1]]
    found = [mask for mask in sized if np.linalg.norm(error[:, mask].mean(1)) >= least]
    return sorted(found, key=np.sum, reverse=True)


def middle(mask: np.ndarray) -> tuple[int, int]:
    """Row and column of the pixel of a mask `(h, w)` that is farthest from its rim."""
    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return int(row), int(column)


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
