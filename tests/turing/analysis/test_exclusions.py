"""Each rule by hand: who is out, and that nobody is out for being wrong."""

import pandas as pd
import pytest

from tests.turing.support.synthetic import made_up_study
from turing.analysis.data import StudyData
from turing.analysis.exclusions import exclusions

NAN = float("nan")


def data(trials, analysis="", withdrawn=(), answers=()):
    """`trials` are (participant, kind, correct or None = unanswered, rt_ms)."""
    rows = [
        {
            "participant": who,
            "kind": kind,
            "choice": NAN if correct is None else 0.0,
            "correct": NAN if correct is None else float(correct),
            "rt_ms": NAN if correct is None else rt_ms,
        }
        for who, kind, correct, rt_ms in trials
    ]
    people = sorted({row["participant"] for row in rows})
    participants = pd.DataFrame({"withdrawn": [who in withdrawn for who in people]}, index=people)
    return StudyData(
        made_up_study(analysis=analysis),
        (1,),
        participants,
        pd.DataFrame(rows),
        pd.DataFrame(answers, columns=["participant", "question", "answer"]),
    )


def found(of):
    return {rule.rule: set(rule.participants) for rule in exclusions(of).rules}


def test_catch_trials_that_were_answered_decide():
    of = data(
        [
            *[(1, "catch", 1, 900), (1, "catch", 0, 900)],  # a half is enough
            *[(2, "catch", 0, 900), (2, "catch", 0, 900), (2, "catch", 1, 900)],
            *[(3, "catch", None, 0), (3, "scored", 0, 900)],  # nothing to go by
            *[(4, "catch", 0, 900), (4, "catch", None, 0)],
        ]
    )
    assert found(of)["min_catch_correct"] == {2, 4}


def test_the_median_of_scored_trials_decides_on_speed():
    of = data(
        [
            *[(1, "scored", 1, 100), (1, "scored", 1, 250), (1, "scored", 1, 5000)],
            *[(2, "scored", 1, 100), (2, "scored", 1, 249), (2, "scored", 1, 5000)],
            *[(3, "scored", 1, 3000), (3, "catch", 1, 10), (3, "practice", 1, 10)],
            (4, "practice", 1, 10),
        ]
    )
    assert found(of)["min_median_rt_ms"] == {2}


def test_who_left_half_way_is_out_only_where_the_study_says_so():
    trials = [(1, "scored", 1, 900), (1, "scored", None, 0), (2, "scored", 1, 900)]
    assert "only_complete" not in found(data(trials))
    assert found(data(trials, "only_complete = true"))["only_complete"] == {1}


def test_answers_leave_people_out():
    of = data(
        [(who, "scored", 1, 900) for who in (1, 2, 3)],
        'exclude_answers = { colour_vision = ["yes", "not sure"] }',
        answers=[
            (1, "colour_vision", "yes"),
            (2, "colour_vision", "no"),
            (3, "colour_vision", "not sure"),
            (2, "hints", "yes"),
        ],
    )
    assert found(of)["exclude_answers.colour_vision"] == {1, 3}


def test_rules_overlap_and_are_counted_each():
    of = data(
        [
            *[(1, "catch", 0, 50), (1, "scored", 1, 50)],
            *[(2, "catch", 0, 900), (2, "scored", 1, 900)],
            *[(3, "catch", 1, 900), (3, "scored", 1, 900)],
        ],
        withdrawn=[1],
    )
    result = exclusions(of)
    assert result.participants == {1, 2}
    counts = {rule.rule: (len(rule.participants), result.alone(rule)) for rule in result.rules}
    assert counts == {
        "withdrawn": (1, 0),
        "min_catch_correct": (2, 1),
        "min_median_rt_ms": (1, 0),
    }
    assert result.reasons(1) == ("withdrawn", "min_catch_correct", "min_median_rt_ms")
    assert result.reasons(3) == ()


def test_rules_of_zero_are_no_rules():
    of = data(
        [(1, "catch", 0, 1), (1, "scored", 0, 1)], "min_catch_correct = 0\nmin_median_rt_ms = 0"
    )
    assert list(found(of)) == ["withdrawn"]
    assert exclusions(of).participants == set()


@pytest.mark.parametrize("correct", [0, 1])
def test_nobody_is_left_out_for_scored_answers(correct):
    trials = [(1, "scored", correct, 900)] * 20 + [(1, "catch", 1, 900)]
    assert exclusions(data(trials)).participants == set()
