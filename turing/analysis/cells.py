"""The cells of a study's results: each model on each dataset, and on all of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from turing.analysis.data import StudyData
from turing.statistics.detection import (
    Detection,
    detection,
    one_picture_fraction,
    one_picture_naive,
    two_part_d_prime,
)
from turing.statistics.fractions import (
    Fraction,
    Verdict,
    naive_interval,
    turing_fraction,
    verdict_of,
)
from turing.study.trials import ORIGINAL


@dataclass(frozen=True)
class Cell:
    """A model on a dataset (None = all); `naive` is Wilson's interval of independent choices."""

    dataset: str | None
    model: str
    correct: int
    fraction: Fraction
    naive: tuple[float, float]
    verdict: Verdict
    d_prime: float
    d_prime_low: float
    d_prime_high: float
    detection: Detection | None  # `single` only
    note: str


def slices(choices: pd.DataFrame, data: StudyData) -> Iterator[tuple[str | None, pd.DataFrame]]:
    """Each dataset in the order of the study file, then all of them."""
    for dataset in (dataset.name for dataset in data.study.stimuli.datasets):
        of = choices[choices["dataset"] == dataset]
        if len(of):
            yield dataset, of
    if len(choices):
        yield None, choices


def cells_of(
    choices: pd.DataFrame, data: StudyData, levels: tuple[float, float] = (0.90, 0.95)
) -> tuple[Cell, ...]:
    """A cell for every model on each dataset, then on all of them; none where it was not shown.

    levels: confidence of the interval that has to lie within the margin, and of all others.
    """
    cell = _one_picture_cell if data.protocol == "single" else _two_part_cell
    return tuple(
        cell(dataset, model, of, data.study.analysis.delta, levels)
        for dataset, of in slices(choices, data)
        for model in data.study.models
        if (of["model"] == model).any()
    )


def _two_part_cell(
    dataset: str | None, model: str, of: pd.DataFrame, delta: float, levels: tuple[float, float]
) -> Cell:
    of = of[of["model"] == model]
    y, who, photo = of["correct"], of["participant"], of["photo_id"]
    narrow, fraction = (turing_fraction(y, who, photo, level) for level in levels)
    *d, d_note = two_part_d_prime(fraction)
    return Cell(
        dataset,
        model,
        int(y.sum()),
        fraction,
        naive_interval(y, levels[1]),
        verdict_of(narrow, fraction, delta),
        *d,
        None,
        _notes_of(fraction.note, d_note),
    )


def _one_picture_cell(
    dataset: str | None, model: str, of: pd.DataFrame, delta: float, levels: tuple[float, float]
) -> Cell:
    """A model's colorized pictures and the originals of all: these were shown for every model."""
    is_original = of["left"] == ORIGINAL
    of = of[is_original | (of["model"] == model)]
    y, colorized, who, photo = (
        of["correct"],
        of["left"] != ORIGINAL,
        of["participant"],
        of["photo_id"],
    )
    narrow, fraction = (one_picture_fraction(y, colorized, who, photo, level) for level in levels)
    found = detection(of["choice"], colorized, who, photo, levels[1])
    said = verdict_of(narrow, fraction, delta)
    if said.startswith("indistinguishable") and {found.hit_rate, found.false_alarm_rate} & {0, 1}:
        said = "undecided"  # whoever gives one answer always has told nothing apart, nor mixed up
    return Cell(
        dataset,
        model,
        int(y.sum()),
        fraction,
        one_picture_naive(y, colorized, levels[1]),
        said,
        *(found.d_prime, found.low, found.high),
        found,
        _notes_of(fraction.note, found.note and f"of d': {found.note}"),
    )


def _notes_of(*notes: str) -> str:
    return "; ".join(dict.fromkeys(note for note in notes if note))
