import dataclasses
import math

import pytest

from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.cells import Cell
from turing.analysis.results_json import results_json
from turing.analysis.simulation.crowd import Skills
from turing.report import words
from turing.statistics.fractions import Fraction


def cell(dataset="landscapes", low=0.88, high=0.96, people=40, photos=200, verdict="told apart"):
    fraction = Fraction(0.93, low, high, 1600, people, photos, 900.0, 38.0)
    return Cell(dataset, "fusion", 1488, fraction, (0.9, 0.95), verdict, 2.1, 1.6, 2.5, None, "")


def test_the_answer_as_a_sentence():
    found = words.cell_sentence(cell())
    assert found == "landscapes, fusion: told apart, 0.93 [0.88, 0.96], 40 people, 200 photos"


def test_one_person_and_no_interval():
    found = words.cell_sentence(cell(None, math.nan, math.nan, 1, 1, "undecided"))
    assert found == "all datasets, fusion: undecided, 0.93 (no interval), 1 person, 1 photo"


def test_one_dataset_is_said_once():
    one = analyse(made_up_data(6, datasets=("fruits",)))
    assert len(one.cells) == 4 and len(words.answer(one)) == 2
    assert all(line.startswith("fruits, ") for line in words.answer(one))
    two = analyse(made_up_data(6))
    assert len(words.answer(two)) == 6 and words.answer(two)[-1].startswith("all datasets, fusion:")


def test_preference_says_who_looks_more_real():
    skills = Skills({(None, "baseline"): 0.95, (None, "fusion"): 0.6, (None, "third"): 0.6})
    models = ("baseline", "fusion", "third")
    data = made_up_data(20, skills, protocol="preference", models=models, datasets=("fruits",))
    lines = words.answer(analyse(data))
    assert len(lines) == 3
    assert sum("looks more real than baseline, would be picked in" in line for line in lines) == 2
    assert sum("not shown to look more real" in line for line in lines) == 1


def test_preference_that_cannot_be_ranked_says_why():
    data = made_up_data(1, protocol="preference", trials=1, datasets=("fruits",))
    (line,) = words.answer(analyse(data))
    assert line.startswith("fruits: no ranking, ")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (-0.0, "0.000"), (math.nan, "–"), (math.inf, "∞"), (-math.inf, "-∞")],
)
def test_numbers(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0002, "< 0.001"), (0.04, "0.040"), (1.0, "1.000"), (math.nan, "–")]
)
def test_p_values(p, text):
    assert words.p_value(p) == text


def test_a_mean_at_chance_of_photos_that_differ_is_said_to_be_one():
    """Half of the photos are always told apart, half always mistaken: 0.5 for no photo."""
    data = made_up_data(60, Skills(default=0.5, sd_photo=0), models=("a",), photos=40, trials=40)
    trials = data.trials.copy()
    scored = trials["kind"] == "scored"
    known = trials["photo_id"].map({p: i % 2 for i, p in enumerate(trials["photo_id"].unique())})
    trials.loc[scored, "correct"] = known[scored].astype(float)
    differing = analyse(dataclasses.replace(data, trials=trials))
    alike = analyse(data)
    (of,) = (one for one in differing.heterogeneity if one.dataset is None)
    assert of.photos.sd > 0.4 and of.reliable == (40, 40, 80)
    assert of.people.sd == 0
    assert "indistinguishable" in alike.cells[-1].verdict
    assert not any("differ" in sentence for sentence in words.answer(alike))
    # 0.5 of 40 photos that are 0 or 1 is not known well enough: the verdict is what it is
    of_all = dataclasses.replace(differing.cells[-1], verdict="indistinguishable")
    assert words.remark(differing, of_all) == "at chance on average, photos differ"
    assert words.cell_sentence(of_all, words.remark(differing, of_all)).startswith(
        "all datasets, a: indistinguishable (at chance on average, photos differ), 0.5"
    )
    assert results_json(differing)["heterogeneity"][-1]["photos_above"] == 40
