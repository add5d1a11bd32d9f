"""What studies may ask beside the choice, from made-up studies: exposures, confidence, marks."""

import numpy as np
import pytest

from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.aspects.mixed import mixed_model
from turing.analysis.results_json import results_json
from turing.analysis.simulation.crowd import Skills
from turing.study.trials import ORIGINAL

SKILLS = Skills({(None, "baseline"): 0.95, (None, "fusion"): 0.8})


@pytest.fixture(scope="module", params=["pick-original", "single"])
def timed(request):
    asks = "confidence = true\nmarks = true"
    data = made_up_data(
        30, SKILLS, protocol=request.param, exposure_ms=[60, 125, 250, 500, 1000], asks=asks
    )
    return analyse(data)


def test_every_cell_has_fractions_by_exposure(timed):
    assert [(of.dataset, of.model) for of in timed.exposures] == [
        (cell.dataset, cell.model) for cell in timed.cells
    ]
    for of, cell in zip(timed.exposures, timed.cells, strict=True):
        assert [ms for ms, _ in of.fractions] == [60, 125, 250, 500, 1000]
        assert sum(fraction.n for _, fraction in of.fractions) == cell.fraction.n
        shown = [fraction.n for _, fraction in of.fractions]
        if of.dataset is None:
            assert max(shown) - min(shown) <= 0.15 * max(shown)


def test_fractions_rise_and_the_better_model_takes_longer(timed):
    whole = {of.model: of for of in timed.exposures if of.dataset is None}
    for of in whole.values():
        assert of.fractions[-1][1].estimate > of.fractions[0][1].estimate
        assert of.threshold.slope > 0
    thresholds = {model: of.threshold.estimate for model, of in whole.items()}
    assert thresholds["baseline"] < thresholds["fusion"]


def test_people_who_know_all_have_meta_d_of_d(timed):
    for of in timed.sureness:
        if of.dataset is None:
            assert of.found.low < 1.2 and of.found.high > 0.8
            assert of.found.right[-1] > of.found.right[0]
            (cell,) = [c for c in timed.cells if (c.dataset, c.model) == (None, of.model)]
            assert of.d_prime == pytest.approx(cell.d_prime, abs=0.25)


def test_marks_lie_in_the_pictures_that_were_accused(timed):
    scored = timed.choices
    asked = scored["marks"].notna().sum()
    assert asked == len(scored)
    found = timed.marked
    assert sum(len(of.points) for of in found) == sum(text.count('"x"') for text in scored["marks"])
    assert list(found) == sorted(
        found, key=lambda of: (-len(of.points), of.dataset, of.file, of.colours)
    )
    for of in found:
        assert of.people <= of.asked and of.points.min() >= 0 and of.points.max() <= 1
    on_original = sum(len(of.points) for of in found if of.colours == ORIGINAL)
    wrong = scored[scored["correct"] == 0]["marks"].str.count('"x"').sum()
    if timed.data.protocol == "single":
        wrong = scored[(scored["left"] == ORIGINAL) & (scored["choice"] == 1)]
        wrong = wrong["marks"].str.count('"x"').sum()
    assert on_original == wrong  # the original was accused
    best = next(of for of in found if len(of.points) > 5)
    assert np.all(best.points.std(axis=0) < 0.1)  # made-up people see one spot


def test_the_json_has_it_all(timed):
    found = results_json(timed)
    assert len(found["exposures"]) == len(found["confidence"]) == len(found["cells"])
    one = found["exposures"][-1]
    assert one["dataset"] is None and len(one["fractions"]) == 5 and one["threshold_ms"] > 0
    assert found["confidence"][-1]["roc"][-1] == [1.0, 1.0]


def test_a_study_that_asks_for_nothing_has_nothing():
    plain = analyse(made_up_data(6))
    assert plain.exposures == () and plain.sureness == () and plain.marked == ()
    found = results_json(plain)
    assert found["exposures"] == [] and found["confidence"] == []


def test_preference_with_ties():
    data = made_up_data(30, Skills({(None, "fusion"): 0.6}, alike=0.8), protocol="preference",
                        models=("baseline", "fusion", "unet"), asks="ties = true")  # fmt: skip
    results = analyse(data)
    whole = results.preferences[-1].scores
    assert whole.ties == (results.choices["choice"] == 2).sum() > 0
    assert whole.alike.low < np.log(0.8) < whole.alike.high
    assert next(iter(whole.scores)) == "fusion"
    assert results.position.n == len(results.choices) - whole.ties
    assert results_json(results)["preference"][-1]["ties"] == whole.ties


@pytest.mark.parametrize("protocol", ["pick-original", "single"])
def test_the_mixed_model_is_near_the_fractions(protocol):
    results = analyse(made_up_data(40, SKILLS, protocol=protocol))
    found = mixed_model(results.choices, results.data)
    assert set(found.levels) == {
        (dataset, model)
        for dataset in ("landscapes", "fruits")
        for model in ("baseline", "fusion", *([ORIGINAL] if protocol == "single" else []))
    }
    if protocol == "pick-original":
        for cell in results.cells:
            if cell.dataset:
                level = found.levels[cell.dataset, cell.model]
                assert level.share == pytest.approx(cell.fraction.estimate, abs=0.03)


def test_preference_has_no_mixed_model_of_being_right():
    results = analyse(made_up_data(6, protocol="preference"))
    assert mixed_model(results.choices, results.data) is None
