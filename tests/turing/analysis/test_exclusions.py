"""Each rule by hand: who is out, and that nobody is out for being wrong."""

import dataclasses

import pandas as pd
import pytest

from tests.turing.support.synthetic import made_up_data, made_up_study
from turing.analysis.analysis import analyse
from turing.analysis.data import StudyData
from turing.analysis.exclusions import exclusions
from turing.analysis.results_json import results_json
from turing.report.people_tables import exclusions_table

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
    participants["screened_out"] = False
    return StudyData(
        made_up_study(analysis=analysis),
        (1,),
        participants,
        pd.DataFrame(rows),
        pd.DataFrame(answers, columns=["participant", "question", "answer"]),
    )


def found(of):
    return {rule.rule: set(rule.participants) for rule in exclusions(of).rules}


def test_who_was_screened_out_is_never_counted():
    of = data([(who, "scored", 1, 900) for who in (1, 2)])
    assert "screened_out" not in found(of)
    of.participants.loc[2, "screened_out"] = True
    assert found(of)["screened_out"] == {2}


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


def with_columns(of, **columns):
    return dataclasses.replace(of, trials=of.trials.assign(**columns))


def test_who_was_elsewhere_or_had_a_slow_screen_is_out_where_the_study_says_so():
    trials = [(who, "scored", 1, 900) for who in (1, 1, 2, 2, 3, 3)]
    lost, refresh = [1, 1, 3, 0, 0, 0], [60, 60, 30, 30, NAN, NAN]
    rules = "max_focus_lost = 2\nmin_refresh_hz = 50"
    of = with_columns(data(trials, rules), focus_lost=lost, refresh_hz=refresh)
    assert found(of)["max_focus_lost"] == {2} and found(of)["min_refresh_hz"] == {2}
    nothing = with_columns(data(trials), focus_lost=lost, refresh_hz=refresh)
    assert {"max_focus_lost", "min_refresh_hz"}.isdisjoint(found(nothing))


def test_single_trials_are_left_out_and_their_participants_stay():
    study = made_up_data(6, analysis="max_rt_ms = 4000\nshown_again = true")
    scored = study.trials.index[study.trials["kind"] == "scored"]
    times, again = study.trials["rt_ms"].clip(upper=3000), study.trials["shown_again"].copy()
    times[scored[:3]], again[scored[2:5]] = 5000.0, 1
    study = with_columns(study, rt_ms=times, shown_again=again)
    out = exclusions(study)
    assert [(rule.rule, rule.trials) for rule in out.of_trials] == [
        ("max_rt_ms", frozenset(scored[:3])),
        ("shown_again", frozenset(scored[2:5])),
    ]
    results = analyse(study)
    assert not set(results.choices.index) & set(scored[:5])
    assert len(results.choices) == len(scored) - 5 and len(results.counted) == 6
    assert sum(c.fraction.n for c in results.cells_of_all if c.dataset is None) == len(scored)
    told = results_json(results)["exclusions_of_trials"]
    assert [rule["trials"] for rule in told] == [3, 3]
    rows = {row[0]: row for row in exclusions_table(results).rows}
    assert rows["max_rt_ms"][2] == "3 trials"
