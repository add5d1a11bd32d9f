"""meta-d': ideal and noisy observers, the likelihood by hand, the interval, the ROC."""

import numpy as np
import pytest
from scipy import optimize
from scipy.stats import norm

from turing.statistics.metacognition import _log_probabilities, _slopes, metacognition

LIMITS = (0.4, 0.9, 1.5)


def observe(rng, d=1.5, noise=0.0, n=3000, criterion=0.2, people=40, photos=100):
    """Yes-no choices with ratings of the distance from the criterion, seen through noise."""
    truth = rng.integers(0, 2, n)
    evidence = rng.normal((truth - 0.5) * d, 1)
    choice = (evidence > criterion).astype(int)
    sure = np.abs(np.abs(evidence - criterion) + rng.normal(0, noise, n))
    return (
        truth,
        choice,
        1 + np.digitize(sure, LIMITS),
        np.arange(n) % people,
        np.arange(n) % photos,
    )


@pytest.mark.parametrize("d", [0.8, 1.5, 2.5])
def test_an_ideal_observer_has_meta_d_of_d(d):
    found = metacognition(*observe(np.random.default_rng(0), d, n=20_000))
    assert found.d_prime == pytest.approx(d, abs=0.08)
    assert found.ratio == pytest.approx(1, abs=0.08)
    assert found.low < 1 < found.high and found.note == ""


def test_who_does_not_know_what_they_know_has_less():
    found = metacognition(*observe(np.random.default_rng(1), noise=1.2))
    assert found.d_prime == pytest.approx(1.5, abs=0.15)
    assert 0.1 < found.ratio < 0.6 and found.high < 1


def by_hand(truth, choice, rating, levels=4):
    """Maniscalco and Lau's likelihood, in the criteria themselves, by another optimiser."""
    counts = np.zeros((2, 2, levels))
    np.add.at(counts, (truth, choice, rating - 1), 1)
    hit = counts[1, 1].sum() / counts[1].sum()
    alarm = counts[0, 1].sum() / counts[0].sum()
    d, c = norm.ppf(hit) - norm.ppf(alarm), -(norm.ppf(hit) + norm.ppf(alarm)) / 2

    def loss(theta):
        meta, above, below = (
            theta[0],
            np.cumsum(theta[1:levels] ** 2),
            np.cumsum(theta[levels:] ** 2),
        )
        middle, total = meta * c / d, 0.0
        for s, mean in ((0, -meta / 2), (1, meta / 2)):
            up = [middle, *(middle + above), np.inf]
            down = [middle, *(middle - below), -np.inf]
            said_1 = norm.sf(middle, mean)
            for k in range(levels):
                inside = norm.cdf(up[k + 1], mean) - norm.cdf(up[k], mean)
                total += counts[s, 1, k] * np.log(max(inside / said_1, 1e-12))
                inside = norm.cdf(down[k], mean) - norm.cdf(down[k + 1], mean)
                total += counts[s, 0, k] * np.log(max(inside / (1 - said_1), 1e-12))
        return -total

    start = np.concatenate([[d], np.full(2 * (levels - 1), 0.7)])
    return d, optimize.minimize(loss, start, method="BFGS").x[0]


@pytest.mark.parametrize("noise", [0.0, 0.8])
def test_the_fit_is_the_maximum_of_the_likelihood_as_it_is_printed(noise):
    rows = observe(np.random.default_rng(2), noise=noise)
    d, meta = by_hand(*rows[:3])
    found = metacognition(*rows)
    assert found.d_prime == pytest.approx(d)
    assert found.meta_d_prime == pytest.approx(meta, abs=2e-3)


def test_the_interval_is_that_of_the_jackknife():
    """Independent choices: each left out in turn, a hundredth of them at a time."""
    rows = [np.asarray(column) for column in observe(np.random.default_rng(3), n=2000)]
    rows[3] = rows[4] = np.arange(2000)
    found = metacognition(*rows)
    without = []
    for fold in range(100):
        kept = np.arange(2000) % 100 != fold
        without.append(metacognition(*[column[kept] for column in rows]).ratio)
    error = np.sqrt(99 / 100 * np.sum((np.array(without) - np.mean(without)) ** 2))
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.2)


@pytest.mark.slow
def test_intervals_hold_the_truth():
    rng = np.random.default_rng(4)
    found = [metacognition(*observe(rng, n=1200)) for _ in range(200)]
    assert 0.91 <= np.mean([one.low <= 1 <= one.high for one in found]) <= 0.99


def test_the_roc_rises_from_the_surest_answers_to_all():
    found = metacognition(*observe(np.random.default_rng(5), n=20_000))
    assert len(found.roc) == 9 and found.roc[0] == (0, 0) and found.roc[-1] == (1, 1)
    assert all(a <= b for a, b in zip(found.roc, found.roc[1:], strict=False))
    assert found.area == pytest.approx(norm.cdf(1.5 / np.sqrt(2)), abs=0.02)  # of equal variances
    assert sum(found.rated) == found.n == 20_000
    assert list(found.right) == sorted(found.right)  # surer, and more often right


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        (([], [], [], [], []), "no choices"),
        (([1, 1], [1, 0], [1, 4], [1, 2], [1, 2]), "no choices of one kind"),
        (([0, 1] * 8, [0, 0, 1, 1] * 4, [1, 2, 3, 4] * 4, range(16), range(16)), "hardly told"),
    ],
)
def test_where_there_is_nothing_to_compare(columns, note):
    found = metacognition(*columns)
    assert np.isnan(found.ratio) and found.note.startswith(note)


def test_answers_that_nobody_gave_do_no_harm():
    truth = np.repeat([0, 1], 50)
    choice = np.concatenate([np.repeat([0, 1], [45, 5]), np.repeat([0, 1], [5, 45])])
    found = metacognition(truth, choice, np.where(truth == choice, 4, 1), range(100), range(100))
    assert np.isfinite([found.meta_d_prime, found.low, found.high]).all()


def test_wrong_input_is_said():
    with pytest.raises(ValueError, match="rating: expected whole numbers from 1 to 4"):
        metacognition([0], [1], [5], [1], [1])


def test_slopes_are_those_of_the_probabilities():
    theta = np.array([1.3, -0.7, -0.2, 0.1, -1.1, -0.4, 0.3])
    eye = 1e-5 * np.eye(len(theta))
    by_differences = [
        (_log_probabilities(theta + e, 0.15, 4) - _log_probabilities(theta - e, 0.15, 4)) / 2e-5
        for e in eye
    ]
    assert np.allclose(_slopes(theta, 0.15, 4), by_differences, rtol=1e-7, atol=1e-9)


def test_last_digits_tell_nothing(monkeypatch):
    """Wherever the search for the maximum ends, where processors differ in the last digit."""
    rows = observe(np.random.default_rng(3), n=60, people=6, photos=10)
    found, search = metacognition(*rows), optimize.minimize

    def elsewhere(*given, **options):
        ended = search(*given, **options)
        ended.x = ended.x + 1e-5 * np.arange(len(ended.x))
        return ended

    monkeypatch.setattr("turing.statistics.metacognition.optimize.minimize", elsewhere)
    other = metacognition(*rows)
    assert other.meta_d_prime == pytest.approx(found.meta_d_prime, rel=1e-11)
    assert (other.low, other.high) == pytest.approx((found.low, found.high), rel=1e-9)
