"""What a working size costs: error and blobs of colour, by size.

    python -m benchmarks.experiments.sizes --data DATA --photos 5

MSE is that of `python -m colorize evaluate` (ab / 128 at 96 x 96, a square from the middle). A
pixel there counts as a blob's where its ab lies more than 30 units from the true one and has 15
more of chroma.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image

from colorize.color.lab import lab_from_rgb
from colorize.color.resample import resize_picture
from colorize.color.toned import unit
from colorize.data.datasets import find_datasets, some_of
from colorize.evaluation.metrics import mse
from colorize.inference.colorizer import Colorizer
from colorize.inference.predict import resize
from colorize.photo.opening import Photo

SIZES = (160, 192, 256, 320, 384)
_SIDE = 96
_WRONG, _VIVID = 30.0, 15.0  # ab units


def blobs(ab: np.ndarray, truth: np.ndarray) -> float:
    """The share of pixels of ab `(2, h, w)` that are far from the truth, and more vivid."""
    away, chroma, true = (np.linalg.norm(one, axis=0) for one in (ab - truth, ab, truth))
    return float(((away > _WRONG) & (chroma > true + _VIVID)).mean())


def row(colorizer: Colorizer, pixels: np.ndarray) -> list[tuple[float, float]]:
    """Of a photo `(h, w, 3)` uint8: MSE and share of blobs at each of `SIZES`."""
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    square = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    small = resize_picture(square, (_SIDE, _SIDE), Image.Resampling.BILINEAR)
    truth = lab_from_rgb(torch.from_numpy(unit(small)))[1:].numpy()
    found = []
    for size in SIZES:
        ab = torch.from_numpy(colorizer(Photo.open(square), size=size).ab)
        ab = resize(ab[None], (_SIDE, _SIDE))[0].numpy()
        found.append((mse(ab, truth), blobs(ab, truth)))
    return found


def main(
    data: Annotated[Path, typer.Option(help="The folder of the datasets.")],
    split: Annotated[str, typer.Option()] = "val",
    photos: Annotated[int, typer.Option(help="Of each dataset, at most.")] = 5,
    model: Annotated[str, typer.Option(help="A checkpoint.")] = "default",
) -> None:
    """Prints a table, means over the photos."""
    colorizer, rows = Colorizer(model, device="cpu"), []
    for dataset in find_datasets(data):
        some = some_of(dataset.photos[split], photos, dataset.name)
        rows += [row(colorizer, file.pixels()) for file in some]
    typer.echo(f"{len(rows)} photos")
    typer.echo("| working size | MSE | blobs |\n| --- | ---: | ---: |")
    for size, (error, share) in zip(SIZES, np.mean(rows, axis=0), strict=True):
        typer.echo(f"| {size} | {error:.5f} | {share:.2%} |")


if __name__ == "__main__":
    typer.run(main)
