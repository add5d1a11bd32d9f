"""The skin tones of a dataset's faces, in CIELAB.

    python -m benchmarks.experiments.skin --data DATA --dataset people --dataset people-more

Faces are found by scikit-image's cascade of local binary patterns (frontal faces), which sees
no colour. Of each, the middle of the face counts, as the median of its pixels. Photos in coloured
light and toned ones make long tails, so that the range of 95% is told from the quartiles.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

from colorize.color.lab import lab_from_rgb
from colorize.data.datasets import find_datasets, some_of

_SMALLEST, _LARGEST = 36, 160  # sides in pixels of the squares that faces are looked for in
_NEIGHBOURS = 15  # squares that must agree on a face
_ROWS, _COLUMNS = (0.35, 0.8), (0.25, 0.75)  # of a square: cheeks and nose, without hair
_DARKEST, _BRIGHTEST = 15.0, 95.0  # L beyond which there is hardly any colour to measure
_GREY = 3.0  # chroma of a photo that has no colours
_SHARES = (2.5, 5, 25, 50, 75, 95, 97.5)
_NORMAL = 1.349  # standard deviations of a normal distribution between its quartiles


def faces(pixels: np.ndarray, cascade: Cascade) -> Iterator[np.ndarray]:
    """The middles of the faces in a photo, uint8 `(h, w, 3)`."""
    found = cascade.detect_multi_scale(
        img=pixels,
        scale_factor=1.15,
        step_ratio=1,
        min_size=(_SMALLEST, _SMALLEST),
        max_size=(_LARGEST, _LARGEST),
        min_neighbor_number=_NEIGHBOURS,
    )
    for square in found:
        (top, bottom), (left, right) = (
            (int(square[start] + share * square[side]) for share in shares)
            for start, side, shares in (("r", "height", _ROWS), ("c", "width", _COLUMNS))
        )
        if (middle := pixels[top:bottom, left:right]).size:
            yield middle


def tone(face: np.ndarray) -> tuple[float, float, float] | None:
    """L, chroma and hue angle in degrees of skin; None where there is no colour."""
    rgb = torch.from_numpy(face.transpose(2, 0, 1).astype(np.float32) / 255)
    L, a, b = lab_from_rgb(rgb).flatten(1).median(1).values.tolist()
    chroma = float(np.hypot(a, b))
    if not (_DARKEST < L < _BRIGHTEST and chroma > _GREY):
        return None
    return L, chroma, float(np.degrees(np.arctan2(b, a)))


def main(
    data: Annotated[Path, typer.Option(help="The folder of the datasets.")],
    dataset: Annotated[list[str], typer.Option(help="A dataset with people.")],
    photos: Annotated[int, typer.Option(help="Of each dataset, at most.")] = 2500,
) -> None:
    """Prints percentiles over the faces of `train`, and from where to where skin goes."""
    cascade, tones, seen = Cascade(lbp_frontal_face_cascade_filename()), [], 0
    for one in find_datasets(data, dataset):
        for file in some_of(one.photos["train"], photos):
            seen += 1
            tones += filter(None, map(tone, faces(file.pixels(), cascade)))
    table = np.percentile(np.array(tones), _SHARES, axis=0)
    typer.echo(f"{len(tones)} faces in {seen} photos")
    typer.echo("percentile      L  chroma    hue")
    for share, (L, chroma, hue) in zip(_SHARES, table, strict=True):
        typer.echo(f"{share:10g} {L:6.1f} {chroma:7.1f} {hue:6.1f}")
    low, middle, high = np.percentile(np.array(tones), (25, 50, 75), axis=0)
    for name, far in (("from", -2), ("to", 2)):
        L, chroma, hue = middle + far * (high - low) / _NORMAL
        typer.echo(f"{name:>10} {L:6.1f} {chroma:7.1f} {hue:6.1f}")


if __name__ == "__main__":
    typer.run(main)
