"""The keys that others rely on, and nothing that JSON does not know."""

import json

import pytest

from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.results_json import results_json
from turing.analysis.simulation.crowd import Skills

CELL = [
    "dataset",
    "model",
    "shown",
    "correct",
    "turing_fraction",
    "low",
    "high",
    "naive_low",
    "naive_high",
    "participants",
    "photos",
    "n_effective",
    "verdict",
    "fooling_rate",
    "d_prime",
]
SKILLS = Skills({(None, "baseline"): 0.95, (None, "fusion"): 0.7}, careless=0.1, withdraws=0.1)


def found(**settings):
    results = results_json(analyse(made_up_data(skills=SKILLS, **settings)))
    return json.loads(json.dumps(results, allow_nan=False))


def test_the_keys_of_the_contract():
    results = found(participants=30)
    keys = ["study", "participants", "excluded", "cells", "comparisons", "position", "learning"]
    assert set(keys) <= set(results)
    assert all(list(cell) == CELL for cell in results["cells"])
    assert [(cell["dataset"], cell["model"]) for cell in results["cells"][-2:]] == [
        (None, "baseline"),
        (None, "fusion"),
    ]
    assert results["study"] == "made-up" and results["version"] == 1
    assert results["protocol"] == "pick-original"
    for cell in results["cells"]:
        assert cell["correct"] / cell["shown"] == pytest.approx(cell["turing_fraction"])
        assert cell["fooling_rate"] == pytest.approx(1 - cell["turing_fraction"])
        assert cell["low"] <= cell["turing_fraction"] <= cell["high"]
    assert set(results["comparisons"][0]) == {
        *("dataset", "a", "b", "difference", "low", "high", "p_value", "p_holm", "note"),
    }
    assert set(results["position"]) == {"estimate", "low", "high", "n", "note"}
    assert set(results["learning"]) == {"difference", "low", "high", "p_value", "note"}


def test_people_add_up():
    results = found(participants=30)
    assert results["excluded"] > 0
    assert results["participants"] + results["excluded"] == results["people"]["started"] == 30
    rules = {rule["rule"]: rule for rule in results["exclusions"]}
    assert rules["withdrawn"]["participants"] == results["people"]["withdrawn"] > 0
    largest = max(rule["participants"] for rule in rules.values())
    total = sum(rule["participants"] for rule in rules.values())
    assert largest <= results["excluded"] <= total


def test_preference_has_no_cells():
    results = found(participants=30, protocol="preference")
    assert results["cells"] == [] and results["learning"] is None
    scores = results["preference"][-1]["scores"]
    assert [score["model"] for score in scores] == ["fusion", "baseline"]
    assert sum(score["score"] for score in scores) == pytest.approx(0)
    assert [(s["rank"], s["rank_low"], s["rank_high"]) for s in scores] == [(1, 1, 1), (2, 2, 2)]
    assert results["comparisons"][-1]["a"] == "fusion"


def test_why_there_is_no_ranking_is_said_once():
    one_wins = Skills({(None, "baseline"): 1 - 1e-9, (None, "fusion"): 1e-9})
    made_up = made_up_data(skills=one_wins, participants=2, protocol="preference")
    notes = {of["note"] for of in results_json(analyse(made_up))["preference"]}
    assert notes == {"no finite scores: fusion never lost to another model"}


def test_single_has_detection_and_no_position():
    results = found(participants=30, protocol="single")
    assert results["position"] is None
    assert len(results["detection"]) == len(results["cells"]) == 6
    cell, detection = results["cells"][0], results["detection"][0]
    assert cell["d_prime"] == detection["d_prime"]
    assert 0 < detection["false_alarm_rate"] < detection["hit_rate"] <= 1


@pytest.mark.parametrize("participants", [1, 2])
def test_what_cannot_be_computed_is_null(participants):
    results = found(participants=participants, trials=2)
    assert results["participants"] <= participants
    if participants == 1:
        assert all(cell["low"] is None for cell in results["cells"])


def test_rows_of_no_dataset_are_explained():
    """A study of one dataset has each comparison under its name, and again under null."""
    results = found(participants=12, datasets=["fruits"])
    assert "null: all datasets together" in results["legend"]["dataset"]
    rows = results["comparisons"]
    assert [row["dataset"] for row in rows] == ["fruits", None]
    assert {key: rows[0][key] for key in rows[0] if key != "dataset"} == {
        key: rows[1][key] for key in rows[1] if key != "dataset"
    }
