"""What a reference does for a photo's colours: the truth itself, a photo of its class, a wrong one.

    python -m benchmarks.experiments.reference --data DATA --split test --photos 12

Each photo is colorized four times: without a reference; with the truth mirrored and cropped to 60%
of its sides, at a random place; with another photo of its class from the same source (files whose
names differ in the number alone); and with a photo of another dataset. PSNR in dB on sRGB and
CIEDE2000 are those of whole photos at their own size. The palette's distance is half the sum of
the differences of two histograms of ab, the result's and the reference's, in squares of 10 units:
0 is the same, 1 has nothing in common; "without" is that of the colours without a reference.
With `--json FILE` a dataset that is in the file is not measured again.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, NamedTuple

import numpy as np
import typer
from tqdm import tqdm

from benchmarks.experiments.kept import of_each, of_split
from colorize.color.toned import is_toned, lab, unit
from colorize.data.datasets import Dataset, PhotoFile
from colorize.evaluation.metrics import ciede2000, psnr
from colorize.inference.colorizer import Colorizer
from colorize.inference.reference.given import Reference
from colorize.photo.opening import Photo

SHARE = 0.6  # of the sides that is left of the truth
TRUTH, CLASS, WRONG = "the truth, mirrored, 60%", "the same class", "another dataset"
_STEP, _MOST = 10, 110  # ab units of the histograms


class Case(NamedTuple):
    """A photo `(h, w, 3)` uint8 and its references, by kind."""

    photo: np.ndarray
    references: dict[str, np.ndarray]


def cases(
    dataset: Dataset, all_of_them: Sequence[Dataset], split: str, photos: int, seed: int = 0
) -> Iterator[Case]:
    """`photos` of a dataset at random, of those that have another one of their class."""
    of_class: dict[str, list[PhotoFile]] = defaultdict(list)
    for file in dataset.photos[split]:
        of_class[class_of(file.name)].append(file)
    others = [file for one in all_of_them if one.name != dataset.name for file in one.photos[split]]
    draw = random.Random(f"{seed} {dataset.name}")
    files = [one for one in dataset.photos[split] if len(of_class[class_of(one.name)]) > 1]
    for file in draw.sample(files, min(photos, len(files))):
        truth = file.pixels()
        mates = [one for one in of_class[class_of(file.name)] if one is not file]
        references = {
            TRUTH: mirrored_part(truth, draw),
            CLASS: _in_colour(mates, draw),
            WRONG: _in_colour(others, draw),
        }
        yield Case(truth, {kind: one for kind, one in references.items() if one is not None})


def class_of(name: str) -> str:
    """A file's name without its number."""
    path = PurePosixPath(name)
    return str(path.parent / re.sub(r"[-_ ]*\d*$", "", path.stem))


def mirrored_part(pixels: np.ndarray, draw: random.Random) -> np.ndarray | None:
    """A photo from left to right, cut to `SHARE` of its sides; None where that has no colours."""
    height, width = (round(SHARE * side) for side in pixels.shape[:2])
    top = draw.randint(0, pixels.shape[0] - height)
    left = draw.randint(0, pixels.shape[1] - width)
    part = np.ascontiguousarray(pixels[top : top + height, left : left + width][:, ::-1])
    return None if is_toned(part) else part


def _in_colour(files: Sequence[PhotoFile], draw: random.Random) -> np.ndarray | None:
    for file in draw.sample(list(files), min(5, len(files))):
        if not is_toned(pixels := file.pixels()):
            return pixels
    return None


def palette_distance(one: np.ndarray, other: np.ndarray) -> float:
    """In [0, 1], of two pictures `(h, w, 3)` uint8."""
    first, second = (_histogram(pixels) for pixels in (one, other))
    return float(np.abs(first - second).sum() / 2)


def _histogram(pixels: np.ndarray) -> np.ndarray:
    _, a, b = lab(unit(pixels))
    edges = np.arange(-_MOST, _MOST + _STEP, _STEP)
    counts, _, _ = np.histogram2d(a.ravel(), b.ravel(), bins=(edges, edges))
    return counts / counts.sum()


Rows = dict[str, list[tuple[float, ...]]]


def measure(colorizer: Colorizer, given: Iterator[Case]) -> Rows:
    """By kind of reference, a row a photo: PSNR, CIEDE2000 and palette, each without and with."""
    rows: Rows = defaultdict(list)
    for truth, references in given:
        photo = Photo.open(truth)
        (plain,) = colorizer.predict([photo])
        without = colorizer.finish(photo, plain).pixels
        for kind, pixels in references.items():
            (found,) = colorizer.predict(
                [photo], before=[plain], references=[Reference.open(pixels)]
            )
            both = without, colorizer.finish(photo, found).pixels
            rows[kind].append(
                (
                    *(psnr(unit(one), unit(truth)) for one in both),
                    *(ciede2000(lab(unit(one)), lab(unit(truth))) for one in both),
                    *(palette_distance(one, pixels) for one in both),
                )
            )
    return rows


def table(rows: Rows) -> list[str]:
    """The lines of a table in Markdown."""
    lines = [
        "| reference | photos | PSNR without | with | CIEDE2000 without | with | better on "
        "| palette without | with |",
        "| --- |" + " ---: |" * 8,
    ]
    for kind, of_kind in rows.items():
        found = np.array(of_kind)
        means = found.mean(0)
        better = (found[:, 3] < found[:, 2]).mean()
        lines.append(
            f"| {kind} | {len(found)} | {means[0]:.2f} | {means[1]:.2f} | {means[2]:.2f} "
            f"| {means[3]:.2f} | {better:.0%} | {means[4]:.3f} | {means[5]:.3f} |"
        )
    return lines


def main(
    data: Annotated[Path, typer.Option(help="The folder of the datasets.")],
    dataset: Annotated[list[str] | None, typer.Option(help="Only these.")] = None,
    split: Annotated[str, typer.Option(help="val to choose, test to report.")] = "val",
    photos: Annotated[int, typer.Option(help="Of each dataset, at most.")] = 12,
    model: Annotated[str, typer.Option(help="A checkpoint.")] = "default",
    seed: Annotated[int, typer.Option()] = 0,
    file: Annotated[Path | None, typer.Option("--json", help="Keep the figures.")] = None,
) -> None:
    """Prints a table, means over the photos."""
    all_of_them = of_split(data, split)
    colorizer = Colorizer(model, device="cpu")
    asked = [one for one in all_of_them if not dataset or one.name in dataset]

    def of_one(one: Dataset) -> Rows:
        given = tqdm(cases(one, all_of_them, split, photos, seed), one.name, disable=None)
        return measure(colorizer, given)

    found = of_each(asked, file, of_one)
    rows: Rows = defaultdict(list)
    for of_dataset in found.values():
        for kind, some in of_dataset.items():
            rows[kind] += some
    typer.echo("\n".join(table(rows)))


if __name__ == "__main__":
    typer.run(main)
