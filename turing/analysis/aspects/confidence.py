"""Whether people knew when they were right, where a study asks how sure they are."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from turing.analysis.cells import slices
from turing.analysis.data import StudyData
from turing.statistics.metacognition import Metacognition, metacognition
from turing.study.trials import CONFIDENCE_LEVELS, ORIGINAL


@dataclass(frozen=True)
class Sureness:
    """Of a model on a dataset (None = all). d' and meta-d' are on the scale of the cell's d'."""

    dataset: str | None
    model: str
    found: Metacognition
    scale: float  # of d' of one-picture observers, as `found` has it, to that of the cell

    @property
    def d_prime(self) -> float:
        return self.found.d_prime * self.scale

    @property
    def meta_d_prime(self) -> float:
        return self.found.meta_d_prime * self.scale


def sureness(
    choices: pd.DataFrame, data: StudyData, confidence: float = 0.95
) -> tuple[Sureness, ...]:
    """One a cell, in the order of the cells; none where nobody was asked, or none is right."""
    rated = choices[choices["confidence"].notna()]
    if data.protocol == "preference" or not len(rated):
        return ()
    single = data.protocol == "single"
    found = []
    for dataset, of in slices(rated, data):
        for model in data.study.models:
            if not (of["model"] == model).any():
                continue
            shown = of[(of["model"] == model) | (single & (of["left"] == ORIGINAL))]
            truth = np.where(shown["correct"] == 1, shown["choice"], 1 - shown["choice"])
            columns = (shown[name] for name in ("choice", "confidence", "participant", "photo_id"))
            of_cell = metacognition(truth, *columns, CONFIDENCE_LEVELS, confidence)
            found.append(Sureness(dataset, model, of_cell, 1.0 if single else 2**-0.5))
    return tuple(found)
