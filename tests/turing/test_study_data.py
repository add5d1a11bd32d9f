import math

import pandas as pd
import pytest

from turing.errors import TuringError
from turing.study_data import ORIGINAL, correct_of, one_protocol
from turing.trials import WILD

M = "fusion"


@pytest.mark.parametrize(
    ("protocol", "left", "right", "choice", "correct"),
    [
        ("pick-original", ORIGINAL, M, 0, 1),
        ("pick-original", ORIGINAL, M, 1, 0),
        ("pick-original", M, ORIGINAL, 1, 1),
        ("pick-fake-sequential", M, ORIGINAL, 0, 1),
        ("pick-fake-sequential", ORIGINAL, M, 0, 0),
        ("pick-fake-sequential", ORIGINAL, WILD, 1, 1),
        ("single", ORIGINAL, None, 0, 1),
        ("single", M, None, 0, 0),
        ("single", WILD, None, 1, 1),
        ("preference", ORIGINAL, WILD, 0, 1),
    ],
)
def test_correct_is_what_the_protocol_asked_for(protocol, left, right, choice, correct):
    trials = pd.DataFrame({"left": [left], "right": [right], "choice": [choice]})
    assert correct_of(trials, protocol).tolist() == [correct]


def test_nothing_is_correct_where_there_is_no_answer_or_no_right_one():
    trials = pd.DataFrame(
        {"left": [ORIGINAL, M], "right": [M, "other"], "choice": [float("nan"), 0.0]}
    )
    assert all(math.isnan(x) for x in correct_of(trials, "preference"))
    assert correct_of(trials[:0], "preference").empty


def test_protocols_are_not_pooled():
    assert one_protocol(["single", "single"]) == "single"
    with pytest.raises(TuringError, match="one protocol, found single and preference"):
        one_protocol(["single", "preference", "single"])
