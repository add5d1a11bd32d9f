"""What the error of a model is made of, and whether photos it was trained on have less of it.

    python -m benchmarks.experiments.limits --data DATA --model unet

A table in Markdown: MSE on photos of `train`, shown as those of `val` are, and on `val`; and of the
latter how much lies in a photo's mean colour, how much in vivid pixels, and how they come out.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from colorize.color.lab import lab_from_rgb
from colorize.data.datasets import Dataset, find_datasets
from colorize.errors import ColorizeError
from colorize.evaluation.scores import (
    SIZE,
    Contestant,
    contestants,
    read_photos,
    square,
    with_split,
)
from colorize.inference.predict import resize
from colorize.models.checkpoint import load_checkpoint

_VIVID = 45.0  # chroma of the truth in CIELAB units
_COLOURED = 16.0  # from which on a pixel has a hue to speak of
_HEAD = (
    "dataset",
    "MSE on `train`",
    "MSE on `val`",
    "of it the photo's mean colour",
    "pixels that are vivid",
    "their share of the error",
    "their chroma, of the truth's",
    "hue error (median)",
)


def table(model: str, data: Path, photos: int) -> list[str]:
    """The lines of the table: a dataset each, by the decoding of the lowest MSE.

    Of each split at most `photos`, evenly spread. Raises ColorizeError where there is no `val`.
    """
    network, record = load_checkpoint(model)
    entry = contestants(network, record, torch.device("cpu"))[-1]
    lines = [f"| {' | '.join(_HEAD)} |", f"| --- |{' ---: |' * (len(_HEAD) - 1)}"]
    for dataset in with_split(find_datasets(data), "val")[0]:
        train, val = (
            _all(entry, _some(dataset, split, photos), split) for split in ("train", "val")
        )
        cells = [f"{_mse(*train):.5f}" if train else "–", *_parts(*val)]
        lines.append(f"| {dataset.name} | {' | '.join(cells)} |")
    return lines


def _some(dataset: Dataset, split: str, photos: int) -> Dataset:
    every = max(1, len(dataset.photos[split]) // photos)
    return replace(dataset, photos={split: dataset.photos[split][::every][:photos]})


def _all(entry: Contestant, dataset: Dataset, split: str) -> tuple[Tensor, Tensor] | None:
    """Predicted and true ab `(N, 2, 96, 96)` in CIELAB units; None without photos."""
    pairs = list(_pairs(entry, dataset, split))
    return tuple(torch.cat(each) for each in zip(*pairs, strict=True)) if pairs else None


def _pairs(entry: Contestant, dataset: Dataset, split: str) -> Iterator[tuple[Tensor, Tensor]]:
    for pixels in read_photos(dataset, split, []):
        L = lab_from_rgb(square(pixels, entry.size))[:, :1]
        truth = lab_from_rgb(square(pixels, SIZE))[:, 1:]
        yield resize(entry.colorize(L), (SIZE, SIZE)), truth


def _mse(ab: Tensor, truth: Tensor) -> float:
    return ((ab - truth) / 128).square().mean().item()


def _parts(ab: Tensor, truth: Tensor) -> list[str]:
    error = (ab - truth).square().sum(1)
    means = (ab.mean((2, 3)) - truth.mean((2, 3))).square().sum(1)
    chroma, chroma_out = truth.norm(dim=1), ab.norm(dim=1)
    vivid, coloured = chroma > _VIVID, (chroma > _COLOURED) & (chroma_out > _COLOURED / 2)
    a, b = (ab * truth).sum(1), ab[:, 0] * truth[:, 1] - ab[:, 1] * truth[:, 0]
    hue = torch.atan2(b.abs(), a)[coloured] * (180 / math.pi)
    return [
        f"{_mse(ab, truth):.5f}",
        f"{means.mean() / error.mean():.0%}",
        f"{vivid.float().mean():.0%}",
        f"{error[vivid].sum() / error.sum():.0%}",
        f"{chroma_out[vivid].mean() / chroma[vivid].mean():.0%}" if vivid.any() else "–",
        f"{hue.median():.0f}°" if len(hue) else "–",
    ]


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Datasets.")],
    model: Annotated[str, typer.Option(metavar="NAME", help="A model.")] = "unet",
    photos: Annotated[int, typer.Option(min=1, help="Of each split, evenly spread.")] = 100,
) -> None:
    """Say what a model's error is made of."""
    try:
        typer.echo("\n".join(table(model, data, photos)))
    except ColorizeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
