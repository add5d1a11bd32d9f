"""Fractions of one-picture trials, whose originals several models share."""

import numpy as np
import pytest
from scipy.special import expit

from tests.turing.support.by_hand import by_loops
from turing.statistics.detection import (
    one_picture_difference,
    one_picture_fraction,
    one_picture_naive,
)
from turing.statistics.fractions import difference, naive_interval, turing_fraction

MODELS = ("a", "b")


def a_study(rng, people=30, photos=60, told=(0.7, 0.7), spared=0.7):
    """Everybody sees each photo once: half of them as originals, a quarter by either model."""
    participant = np.repeat(np.arange(people), photos)
    photo = np.tile(np.arange(photos), people)
    shown = rng.permuted(np.tile(np.arange(photos) % 4, (people, 1)), axis=1).ravel()  # 2, 3: none
    level = np.log(np.array([*told, spared, spared]) / (1 - np.array([*told, spared, spared])))
    person, picture = rng.normal(0, 0.5, people), rng.normal(0, 0.8, photos)
    correct = rng.random(len(shown)) < expit(level[shown] + person[participant] + picture[photo])
    model = np.array([*MODELS, "original", "original"])[shown]
    return correct, model, participant, photo


def of_model(study, model):
    correct, models, participant, photo = study
    used = (models == model) | (models == "original")
    return correct[used], models[used] != "original", participant[used], photo[used]


def test_kinds_weigh_the_same_however_many_there_are():
    correct = [1, 1, 1, 0] + [1, 0] * 8
    colorized = [1] * 4 + [0] * 16
    people, photos = np.arange(20) % 5, np.arange(20) % 4
    found = one_picture_fraction(correct, colorized, people, photos)
    assert found.estimate == pytest.approx((0.75 + 0.5) / 2) and found.n == 20
    assert found.low < found.estimate < found.high and found.note == ""


def test_the_interval_is_made_of_sums_by_person_photo_and_pair():
    study = a_study(np.random.default_rng(3), people=12, photos=24)
    correct, colorized, people, photos = of_model(study, "a")
    found = one_picture_fraction(correct, colorized, people, photos)
    share = np.where(colorized, correct[colorized].mean(), correct[~colorized].mean())
    weight = np.where(colorized, 0.5 / colorized.sum(), 0.5 / (~colorized).sum())
    (a, _), (b, _), (c, _) = by_loops(people, photos, weight * (correct - share)).values()
    p = found.estimate
    assert found.n_effective == pytest.approx(p * (1 - p) / max(a + b - c, a, b))


def test_where_nothing_varies_the_planned_design_effect_takes_its_place():
    """As in `turing_fraction`, to which it comes down with as many of each kind."""
    people, photos = np.repeat(np.arange(6), 10), np.tile(np.arange(10), 6)
    colorized = photos % 2
    found = one_picture_fraction(np.ones(60), colorized, people, photos)
    assert found == turing_fraction(np.ones(60), people, photos)
    assert one_picture_naive(np.ones(60), colorized) == naive_interval(np.ones(60))


@pytest.mark.parametrize(
    ("colorized", "note"), [([1, 1], "no originals"), ([0, 0], "no colorized pictures")]
)
def test_without_one_of_the_kinds_there_is_no_fraction(colorized, note):
    found = one_picture_fraction([1, 0], colorized, [1, 2], [1, 2])
    assert np.isnan(found.estimate) and found.note == note
    assert np.isnan(one_picture_naive([1, 0], colorized)).all()
    assert one_picture_fraction([], [], [], []).note == "no choices"


def test_one_participant_is_described():
    found = one_picture_fraction([1, 0, 1], [1, 0, 0], [1, 1, 1], [1, 2, 3])
    assert found.estimate == pytest.approx(0.75) and np.isnan(found.low)
    assert "described" in found.note


def test_intervals_hold_and_shared_originals_halve_the_variance_of_differences():
    """2 models of one truth. `difference` with each its own half of the originals is what was."""
    rng = np.random.default_rng(5)
    held, alarms, shared, apart = 0, 0, [], []
    for _ in range(300):
        study = a_study(rng)
        correct, model, participant, photo = study
        fraction = one_picture_fraction(*of_model(study, "a"))
        truth = np.mean(expit(np.log(0.7 / 0.3) + rng.normal(0, np.hypot(0.5, 0.8), 20_000)))
        held += fraction.low <= truth <= fraction.high
        found = one_picture_difference(correct, model, participant, photo, *MODELS)
        alarms += found.p_value < 0.05
        shared.append(found.estimate)
        halved = np.where(
            model == "original", np.array(MODELS)[rng.integers(2, size=len(model))], model
        )
        apart.append(difference(correct, halved, participant, photo, *MODELS).estimate)
    assert 0.92 <= held / 300 <= 0.985
    assert alarms / 300 <= 0.08
    assert np.var(shared) / np.var(apart) == pytest.approx(0.5, abs=0.12)
