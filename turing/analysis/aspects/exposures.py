"""How the fraction grows with exposure, and how long it takes a model to be told."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from turing.analysis.cells import slices
from turing.analysis.data import StudyData
from turing.statistics.detection import one_picture_fraction
from turing.statistics.fractions import Fraction, turing_fraction
from turing.statistics.psychometric import Threshold, threshold
from turing.study.trials import ORIGINAL


@dataclass(frozen=True)
class Exposed:
    """A model on a dataset (None = all): its fraction at each exposure in ms, shortest first, and
    the exposure at which it is told."""

    dataset: str | None
    model: str
    fractions: tuple[tuple[int, Fraction], ...]
    threshold: Threshold


def exposures(
    choices: pd.DataFrame, data: StudyData, confidence: float = 0.95
) -> tuple[Exposed, ...]:
    """One a cell, in the order of the cells; none where all were shown alike long, or none is
    right."""
    if data.protocol == "preference" or isinstance(data.study.trials.exposure_ms, int):
        return ()
    return tuple(
        _exposed(dataset, model, of, data.protocol == "single", confidence)
        for dataset, of in slices(choices, data)
        for model in data.study.models
        if (of["model"] == model).any()
    )


def _exposed(
    dataset: str | None, model: str, of: pd.DataFrame, single: bool, confidence: float
) -> Exposed:
    """In `single` with the originals of all models, which count for half of it."""
    is_original = of["left"] == ORIGINAL if single else np.zeros(len(of), dtype=bool)
    of = of[is_original | (of["model"] == model)]
    colorized = (of["left"] != ORIGINAL).to_numpy()
    fractions = []
    for ms, at in of.groupby("exposure_ms"):
        shown = at["correct"], at["participant"], at["photo_id"]
        found = (
            one_picture_fraction(shown[0], at["left"] != ORIGINAL, *shown[1:], confidence)
            if single
            else turing_fraction(*shown, confidence)
        )
        fractions.append((int(ms), found))
    weight = np.ones(len(of))
    if single:
        kinds = np.bincount(colorized, minlength=2)
        weight = len(of) / (2 * np.maximum(kinds, 1))[colorized.astype(int)]
    columns = (of[name] for name in ("correct", "exposure_ms", "participant", "photo_id"))
    return Exposed(dataset, model, tuple(fractions), threshold(*columns, confidence, weight))
