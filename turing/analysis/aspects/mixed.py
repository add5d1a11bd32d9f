"""A mixed model of all scored choices, beside the cells' own intervals."""

import pandas as pd

from turing.analysis.data import StudyData
from turing.statistics.mixed import Mixed, mixed
from turing.study.trials import ORIGINAL

Label = tuple[str, str]  # dataset and model; `single`: originals as those of a model of that name


def mixed_model(choices: pd.DataFrame, data: StudyData) -> Mixed | None:
    """A level for each model on each dataset; None where none is right, or nobody answered."""
    if data.protocol == "preference" or not len(choices):
        return None
    models = choices["model"].fillna(ORIGINAL)
    cells = pd.Series(list(zip(choices["dataset"], models, strict=True)), dtype=object)
    return mixed(choices["correct"], cells, choices["participant"], choices["photo_id"])
