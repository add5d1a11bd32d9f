"""What the mean of a cell hides: how much photos, people and datasets differ."""

from dataclasses import dataclass

import pandas as pd

from turing.analysis.cells import Cell, slices
from turing.analysis.data import StudyData
from turing.statistics.fractions import Fraction
from turing.statistics.heterogeneity import (
    Reliable,
    Spread,
    reliable,
    spread,
    spread_of_estimates,
)

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Heterogeneity:
    """Of a model on a dataset (None = all). `single`: of colorized pictures alone, whose share has
    no chance level, so that none is above or below it."""

    dataset: str | None
    model: str
    photos: Spread
    people: Spread
    datasets: Spread | None  # of all of them only, where there are several
    reliable: Reliable | None  # photos above and below 0.5

    @property
    def differs(self) -> str:
        """What is shown to differ: "datasets", "photos" or nothing."""
        if self.datasets and self.datasets.p_value < SIGNIFICANT:
            return "datasets"
        return "photos" if self.photos.p_value < SIGNIFICANT else ""


def heterogeneity(
    choices: pd.DataFrame, cells: tuple[Cell, ...], data: StudyData
) -> tuple[Heterogeneity, ...]:
    """One a cell, in the order of the cells."""
    found = []
    for dataset, of in slices(choices, data):
        for model in data.study.models:
            shown = of[of["model"] == model]
            if not len(shown):
                continue
            single = data.protocol == "single"
            found.append(
                Heterogeneity(
                    dataset,
                    model,
                    spread(shown["correct"], shown["photo_id"]),
                    spread(shown["correct"], shown["participant"]),
                    None if dataset else _of_datasets(model, cells),
                    None if single else reliable(shown["correct"], shown["photo_id"]),
                )
            )
    return tuple(found)


def _of_datasets(model: str, cells: tuple[Cell, ...]) -> Spread | None:
    of = [cell.fraction for cell in cells if cell.model == model and cell.dataset is not None]
    if len(of) < 2:
        return None
    return spread_of_estimates([one.estimate for one in of], [_variance(one) for one in of])


def _variance(fraction: Fraction) -> float:
    """Of all right or all wrong, too, as if half a choice more had been each."""
    n = fraction.n_effective
    inner = (fraction.estimate * n + 0.5) / (n + 1)
    return inner * (1 - inner) / n
