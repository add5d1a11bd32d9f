"""The exposure at which pictures are told: against a library's fit, by simulation, at the ends."""

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit, logit

from turing.statistics.psychometric import LAPSE, TARGET, threshold, told

AIM = logit((TARGET - 0.5) / (0.5 - LAPSE))


def simulate(rng, at=200.0, slope=1.2, people=40, trials=40, photos=100, sds=(0.0, 0.0)):
    """Balanced exposures; P(right) as the module has it, with people and photos that differ."""
    participant = np.repeat(np.arange(people), trials)
    photo = rng.permuted(np.tile(np.arange(photos), (people, 1)), axis=1)[:, :trials].ravel()
    ms = np.tile([60, 120, 250, 500, 1000], people * trials // 5)
    eta = AIM + slope * np.log2(ms / at)
    eta = eta + rng.normal(0, sds[0], people)[participant] + rng.normal(0, sds[1], photos)[photo]
    right = rng.random(len(ms)) < 0.5 + (0.5 - LAPSE) * expit(eta)
    return right.astype(int), ms, participant, photo


def test_the_fit_is_the_maximum_of_the_likelihood():
    """By another optimiser, choice by choice, in other parameters."""
    correct, ms, participant, photo = simulate(np.random.default_rng(0))

    def loss(theta):
        p = 0.5 + (0.5 - LAPSE) * expit(AIM + theta[1] * (np.log2(ms) - theta[0]))
        return -np.sum(np.where(correct, np.log(p), np.log(1 - p)))

    fit = optimize.minimize(loss, [7.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-7})
    found = threshold(correct, ms, participant, photo)
    assert found.estimate == pytest.approx(2 ** fit.x[0], rel=1e-3)
    assert found.slope == pytest.approx(fit.x[1], rel=1e-3)
    assert (found.n, found.participants, found.photos, found.note) == (1600, 40, 100, "")
    assert told(found.estimate, found) == pytest.approx(TARGET)
    assert told(1e9, found) == pytest.approx(1 - LAPSE) and told(1e-6, found) == pytest.approx(0.5)


def shown(ms, right, of):
    """`right` of `of` choices at each exposure, by one person."""
    correct = np.concatenate([np.arange(n) < k for k, n in zip(right, of, strict=True)]).astype(int)
    return threshold(correct, np.repeat(ms, of), 0 * correct, 0 * correct)


def test_of_two_maxima_the_higher_one_is_the_fit():
    """A flat curve over all exposures is a maximum as well, and a lower one."""
    found = shown([1, 1000, 2000], [9, 8, 18], [13, 15, 21])
    assert 1000 < found.estimate < 2000 and found.slope > 3
    steps = shown([31, 62, 125, 250, 500, 1000, 2000], [11, 5, 9, 7, 6, 8, 12], [12] * 7)
    assert steps.note == "no finite fit: nothing between chance and always right"


def test_a_model_that_takes_longer_has_the_higher_threshold():
    rng = np.random.default_rng(1)
    quick, slow = (threshold(*simulate(rng, at)) for at in (100, 400))
    assert quick.high < slow.low


@pytest.mark.slow
def test_intervals_hold_the_truth():
    """Of crossed people and photos; the truth is where new ones are right three times in four."""
    rng = np.random.default_rng(2)
    effects = rng.normal(0, 1, 200_000) * np.hypot(0.5, 0.8)

    def share(octaves):
        return 0.5 + (0.5 - LAPSE) * expit(AIM + 1.2 * octaves + effects).mean() - TARGET

    truth = 200 * 2 ** optimize.brentq(share, -2, 2)
    found = [threshold(*simulate(rng, sds=(0.5, 0.8))) for _ in range(200)]
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.91 <= held <= 0.99


def test_what_nobody_told_by_the_longest_is_bounded_below_alone():
    found = threshold(*simulate(np.random.default_rng(3), at=3000, slope=1.5))
    assert found.estimate > 1000 and "beyond the exposures that were shown" in found.note
    assert 500 < found.low < found.estimate < found.high


def test_a_slope_of_almost_nothing_has_no_end():
    """Told a little, the same at every exposure."""
    at, n = [100, 200, 400, 800], 100
    right = [62, 62, 62, 63]
    correct = np.concatenate([np.arange(n) < k for k in right])
    found = threshold(correct, np.repeat(at, n), np.arange(4 * n) % 20, np.arange(4 * n) % 25)
    assert found.estimate == np.inf == found.high and "beyond the exposures" in found.note


def test_chance_at_every_exposure_has_no_threshold_that_is_bounded():
    rng = np.random.default_rng(4)
    correct, ms, participant, photo = simulate(rng)
    guessed = rng.integers(0, 2, len(correct))
    found = threshold(guessed, ms, participant, photo)
    assert np.isnan(found.estimate) or found.high == np.inf


@pytest.mark.parametrize(
    ("correct", "ms", "note"),
    [
        ([], [], "no choices"),
        ([1, 0, 1], [100] * 3, "one exposure: no threshold"),
        ([1, 1, 1, 0, 0, 0], [100, 100, 100, 500, 500, 500], "accuracy does not rise"),
        ([1] * 6, [100, 100, 100, 500, 500, 500], "no finite fit: all were right"),
    ],
)
def test_where_there_is_no_threshold(correct, ms, note):
    found = threshold(correct, ms, range(len(ms)), range(len(ms)))
    assert np.isnan(found.estimate) and note in found.note
    assert np.isnan(found.slope)  # of a threshold that is not there


def test_last_digits_tell_nothing():
    """Of few choices, where the likelihood is flat and processors differ in the last digit."""
    rng = np.random.default_rng(1)
    ms = np.repeat([100.0, 250.0, 1000.0], 9)
    correct = rng.random(27) < np.repeat([0.5, 0.75, 0.9], 9)
    columns = np.arange(27) % 7, np.arange(27) % 5
    found = threshold(correct, ms, *columns)
    other = threshold(correct, ms * (1 + 1e-14), *columns)
    assert other.estimate == pytest.approx(found.estimate, rel=1e-11)
    assert other.slope == pytest.approx(found.slope, rel=1e-11)


def test_where_the_likelihood_rises_without_end_a_fit_is_the_same_everywhere(monkeypatch):
    """Fewer are right than by chance, then nearly all: the steeper the likelier, if by hairs."""
    ms = np.repeat([100.0, 250.0, 1000.0], [17, 15, 16])
    correct = np.concatenate([np.arange(17) < 6, np.arange(15) < 14, np.arange(16) < 15])
    columns = correct, ms, np.arange(48) % 12, np.arange(48) % 9
    found, search = threshold(*columns), optimize.minimize

    def elsewhere(*given, **options):
        ended = search(*given, **options)
        ended.x = ended.x * [1 - 1e-2, 1 + 1e-2]
        return ended

    monkeypatch.setattr("turing.statistics.psychometric.optimize.minimize", elsewhere)
    assert 100 < found.estimate < 250 and 5 < found.slope < 20
    assert tuple(threshold(*columns))[:4] == pytest.approx(tuple(found)[:4], rel=1e-9, nan_ok=True)


def test_the_order_of_choices_tells_nothing():
    """Of a fit that is almost too steep, too, where the likelihood is flat."""
    rng = np.random.default_rng(5)
    ms = rng.choice([100, 250, 500, 1000], 20)
    correct = (ms > 400) | (rng.random(20) < 0.5)
    weight = np.where(np.arange(20) % 3, 0.7, 1.6)
    columns = correct, ms, np.arange(20) % 7, np.arange(20) % 5, weight

    def estimate(correct, ms, participant, photo, weight):
        return threshold(correct, ms, participant, photo, 0.95, weight).estimate

    found = estimate(*columns)
    assert np.isfinite(found)
    for _ in range(10):
        order = rng.permutation(20)
        assert estimate(*(column[order] for column in columns)) == found


def test_one_person_is_described():
    correct, ms, _, photo = simulate(np.random.default_rng(5))
    found = threshold(correct, ms, np.zeros(len(ms)), photo)
    assert found.estimate > 0 and np.isnan(found.low) and "no interval" in found.note


def test_weights_count_as_often():
    correct, ms, participant, photo = simulate(np.random.default_rng(6))
    twice = [np.concatenate([values, values[:400]]) for values in (correct, ms, participant, photo)]
    weight = np.where(np.arange(len(ms)) < 400, 2.0, 1.0)
    found = threshold(correct, ms, participant, photo, weight=weight)
    assert found.estimate == pytest.approx(threshold(*twice).estimate, rel=1e-4)


def test_wrong_input_is_said():
    with pytest.raises(ValueError, match="exposure_ms: expected more than 0, found 0"):
        threshold([1, 0], [0, 100], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="one length"):
        threshold([1, 0], [100], [1, 2], [1, 2])
