"""The facts of a study as data frames: what the analysis reads, wherever it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from turing.errors import TuringError
from turing.study.study import Study
from turing.study.trials import Protocol

# Of `turing.store.records.Records.trials`, one row a trial. `photo_id` is the photo's own number or
# name, `photo_file` what the researcher calls it; `model` is the cell that a scored trial counts
# in, None for catch trials and preference, and for an original alone, which counts in all;
# `choice` is the part picked (NaN = unanswered), `correct` 1 or 0 (NaN = unanswered, or none is).
# `focus_lost` and `shown_again` count what happened while it was open, `refresh_hz` was measured.
TRIAL_COLUMNS = (
    "participant",
    "position",
    "kind",
    "dataset",
    "photo_id",
    "photo_file",
    "left",
    "right",
    "model",
    "choice",
    "correct",
    "rt_ms",
    "stimulus",
    "focus_lost",
    "shown_again",
    "refresh_hz",
)


@dataclass(frozen=True)
class StudyData:
    """One version of a study, or several of one protocol; previews are left out."""

    study: Study
    versions: tuple[int, ...]
    # index: participant; started, finished (times), withdrawn, screened_out (bool)
    participants: pd.DataFrame
    trials: pd.DataFrame  # TRIAL_COLUMNS
    answers: pd.DataFrame  # participant, question, answer
    program: str = ""  # that built it
    built_from: Mapping[str, Any] = field(default_factory=dict)  # what `build` reported
    simulated: bool = False  # some of the participants are synthetic
    was_over: bool = False  # it had all participants of its last look
    elsewhere: Mapping[int, int] = field(default_factory=dict)  # people of other versions

    @property
    def protocol(self) -> Protocol:
        return self.study.protocol


def one_protocol(protocols: Sequence[str]) -> str:
    """The protocol of all; TuringError where there are several: their choices mean other things."""
    found = list(dict.fromkeys(protocols))
    if len(found) != 1:
        raise TuringError(
            f"expected versions of one protocol, found {' and '.join(found) or 'none'}: "
            "analyse them apart, with --version"
        )
    return found[0]
