"""Decodings of a model side by side: error against colour, and which one ships."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import torch
from torch import nn

from colorize.data.datasets import Dataset
from colorize.evaluation.report import DecodingRow, Report, figures_of
from colorize.evaluation.scores import decoded_by, mean_of, read_photos, score_photos, with_split
from colorize.models.record import Decoding, Record

TEMPERATURES = (0.0, 0.2, 0.38, 0.6, 1.0)
GAINS = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6)
CHROMAS = (1.0,)
LEAST, MOST = 0.85, 1.1  # colorfulness, as a share of the truth's
WORSE = 1.15  # MSE, as a share of the mean's
_FIGURES = figures_of(DecodingRow)
_MARGIN = 0.05  # of colorfulness, from the ends: it is not quite the same on other photos


def sweep(
    models: Sequence[tuple[nn.Module, Record]],
    datasets: Sequence[Dataset],
    split: str,
    device: torch.device,
    temperatures: Sequence[float] = TEMPERATURES,
    gains: Sequence[float] = GAINS,
    chromas: Sequence[float] = CHROMAS,
) -> Report[DecodingRow]:
    """Each model's figures at each decoding, by dataset.

    The mean (T = 1, as it is) is always among them. Networks that give ab have gains alone.
    """
    asked, notes = with_split(datasets, split)
    entries = {}
    for network, record in models:
        own = (temperatures, chromas) if record.over_bins else ((), ())
        grid = _grid(*own, gains, over_bins=record.over_bins)
        for decoding, entry in zip(grid, decoded_by(network, record, device, grid), strict=True):
            entries[entry] = decoding
    scores = {
        dataset.name: score_photos(
            list(entries), read_photos(dataset, split, notes), figures=_FIGURES
        )
        for dataset in asked
    }
    scores["all"] = {
        entry: [row for by_entry in scores.values() for row in by_entry[entry]] for entry in entries
    }
    rows = [
        DecodingRow(
            entry.model,
            dataset,
            *decoding,
            entry.decoding,
            entry.shipped,
            len(by_entry[entry]),
            **{figure: mean_of([row[figure] for row in by_entry[entry]]) for figure in _FIGURES},
        )
        for dataset, by_entry in scores.items()
        for entry, decoding in entries.items()
    ]
    return Report({"split": split, "notes": notes}, rows)


def choose(rows: Sequence[DecodingRow], model: str) -> tuple[DecodingRow, bool]:
    """The row of a model's best decoding over all photos, and whether it is what was asked for.

    Asked for is colorfulness between 0.85 and 1.1 of the truth's at an MSE at most 15% above the
    mean's; of those (well inside, where some are) the lowest MSE. Where there is none: the
    nearest colorfulness at such an MSE. ValueError where the model has no row over all.
    """
    own = [row for row in rows if row.model == model and row.dataset == "all"]
    plain = [row for row in own if row.how in (Decoding(1.0), Decoding(None))]
    if not plain:
        raise ValueError(f"expected rows of {model} with its mean over all photos, found none")
    cheap = [row for row in own if row.mse <= WORSE * plain[0].mse]

    def within(low: float, high: float) -> list[DecodingRow]:
        shares = [(row.colorfulness / row.colorfulness_truth, row) for row in cheap]
        return [row for share, row in shares if low <= share <= high]

    good = within(LEAST + _MARGIN, MOST - _MARGIN) or within(LEAST, MOST)
    if good:
        return min(good, key=lambda row: row.mse), True
    return min(cheap, key=_lack), False


def _lack(row: DecodingRow) -> float:
    """How far colorfulness is from what was asked for."""
    share = row.colorfulness / row.colorfulness_truth
    return max(LEAST - share, share - MOST)


def decoding_of(row: DecodingRow) -> dict[str, Any]:
    """A row's decoding as a record has it."""
    decoding = row.how
    own = {"kind": "direct"}
    if decoding.temperature is not None:
        own = {"kind": "annealed-mean", "temperature": decoding.temperature}
    more = {"chroma": decoding.chroma, "gain": decoding.gain}
    return own | {key: value for key, value in more.items() if value != 1}


def _grid(
    temperatures: Sequence[float],
    chromas: Sequence[float],
    gains: Sequence[float],
    *,
    over_bins: bool,
) -> list[Decoding]:
    own = sorted({*temperatures, 1.0}) if over_bins else [None]
    sizes = (sorted({*values, 1.0}) for values in (chromas, gains))
    return [Decoding(t, gain, chroma) for t, chroma, gain in product(own, *sizes)]
