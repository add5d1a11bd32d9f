"""What a model makes of aged photos, and of the same photo at several working sizes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn

from colorize.color.lab import lab_from_rgb, rgb_from_lab
from colorize.data.ageing import degrade
from colorize.data.datasets import Dataset
from colorize.evaluation.metrics import ciede2000
from colorize.evaluation.report import Report, RobustnessRow
from colorize.evaluation.scores import (
    Contestant,
    batches,
    contestants,
    mean_of,
    read_photos,
    score_photos,
    square,
    with_split,
)
from colorize.inference.predict import resize
from colorize.models.record import Record

SIZES = (192, 256, 320, 384)  # working sizes, in pixels
_SIDE = 192  # of the squares on which their results are compared


def measure(
    models: Sequence[tuple[nn.Module, Record]],
    datasets: Sequence[Dataset],
    split: str,
    device: torch.device,
    seed: int = 0,
) -> Report[RobustnessRow]:
    """A row a model, decoding and dataset.

    `mse` and `mse_aged` are the contract's, the latter with L as `degrade` ages it, the same way
    for every model of one working size; `ratio` is aged over new. `between_sizes` is the mean
    CIEDE2000 between the results of a photo at each two of the working sizes, of the shipped
    decoding. Dataset `all` is over all photos.
    """
    asked, notes = with_split(datasets, split)
    entries = [entry for model in models for entry in contestants(*model, device)]
    figures: dict[tuple[Contestant, str], dict[str, list]] = {}
    for dataset in asked:
        aged_entries = _aged(entries, seed)
        for photos in batches(read_photos(dataset, split, notes)):
            new = score_photos(entries, photos, figures=("mse",))
            aged = score_photos(aged_entries, photos, figures=("mse",))
            for entry, other in zip(entries, aged_entries, strict=True):
                between = differences_between_sizes(entry.colorize, photos) if entry.shipped else []
                own = {
                    "mse": [row["mse"] for row in new[entry]],
                    "mse_aged": [row["mse"] for row in aged[other]],
                    "between_sizes": between,
                }
                for name in (dataset.name, "all"):
                    lists = figures.setdefault((entry, name), {figure: [] for figure in own})
                    for figure, values in own.items():
                        lists[figure] += values
            del photos  # before the next ones are read
    order = [dataset.name for dataset in asked] + ["all"]
    rows = [_row(entry, name, figures[entry, name]) for name in order for entry in entries]
    settings = {"split": split, "sizes": list(SIZES), "seed": seed, "notes": notes}
    return Report(settings, rows)


def _row(entry: Contestant, dataset: str, figures: dict[str, list]) -> RobustnessRow:
    new, aged = mean_of(figures["mse"]), mean_of(figures["mse_aged"])
    return RobustnessRow(
        entry.model,
        dataset,
        entry.decoding,
        entry.shipped,
        photos=len(figures["mse"]),
        mse=new,
        mse_aged=aged,
        ratio=aged / new if new else None,
        between_sizes=mean_of(figures["between_sizes"]),
    )


def _aged(entries: Sequence[Contestant], seed: int) -> list[Contestant]:
    """The same, but they see L aged: batch by batch, the same each time."""
    by_size = {entry.size: _Ageing(seed) for entry in entries}

    def seeing(colorize: Callable[[Tensor], Tensor], ageing: "_Ageing") -> Callable:
        return lambda L: colorize(ageing(L))

    return [replace(e, colorize=seeing(e.colorize, by_size[e.size])) for e in entries]


class _Ageing:
    """Ages each batch of L it is given, once."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._last: tuple[Tensor, Tensor] | None = None

    def __call__(self, L: Tensor) -> Tensor:
        if self._last is None or self._last[0] is not L:
            self._last = L, degrade(L, 1.0, self._generator)
        return self._last[1]


def differences_between_sizes(
    colorize: Callable[[Tensor], Tensor], photos: Iterable[np.ndarray]
) -> list[float]:
    """For each photo the mean CIEDE2000 between its results at each two of `SIZES`."""
    found = []
    for photo in photos:  # one by one: logits of a batch at the largest size fill gigabytes
        L = lab_from_rgb(square(photo, _SIDE))[:, :1]
        results = []
        for size in SIZES:
            ab = resize(colorize(lab_from_rgb(square(photo, size))[:, :1]), (_SIDE, _SIDE))
            picture = rgb_from_lab(torch.cat((L, ab), 1))
            results.append(lab_from_rgb(picture)[0].double().numpy())
        found.append(float(np.mean([ciede2000(*pair) for pair in combinations(results, 2)])))
    return found
