"""d' by the normal distribution, and its intervals by simulation."""

import math

import numpy as np
import pytest
from scipy.stats import norm, t

from tests.turing.support.by_hand import by_loops
from turing.statistics.detection import detection, two_part_d_prime
from turing.statistics.fractions import turing_fraction


def crossed(n_people, n_photos):
    return np.repeat(np.arange(n_people), n_photos), np.tile(np.arange(n_photos), n_people)


def test_two_part_d_prime_maps_estimate_and_ends():
    people, photos = crossed(10, 20)
    y = np.random.default_rng(0).random(200) < 0.76
    fraction = turing_fraction(y, people, photos)
    found = two_part_d_prime(fraction)
    expected = [math.sqrt(2) * norm.ppf(p) for p in (fraction.estimate, *fraction[1:3])]
    assert found[:3] == pytest.approx(expected)
    assert found.low < found.estimate < found.high and found.note == ""


def test_all_right_gives_a_lower_bound():
    people, photos = crossed(5, 8)
    found = two_part_d_prime(turing_fraction(np.ones(40), people, photos))
    assert found.estimate == found.high == math.inf
    assert 1 < found.low < 4 and found.note == "all right: a lower bound"
    turned = two_part_d_prime(turing_fraction(np.zeros(40), people, photos))
    assert (turned.estimate, turned.high) == (-math.inf, pytest.approx(-found.low))
    assert turned.note == "all wrong: an upper bound"


def test_detection_of_a_table():
    """30 of 40 colorized called colorized, 12 of 40 originals called so."""
    people, photos = crossed(8, 10)
    colorized = np.tile([1, 0], 40)
    said = np.zeros(80)
    said[np.flatnonzero(colorized)[:30]] = 1
    said[np.flatnonzero(1 - colorized)[-12:]] = 1
    found = detection(said, colorized, people, photos)
    z_h, z_f = norm.ppf(0.75), norm.ppf(0.3)
    assert found.d_prime == pytest.approx(z_h - z_f)
    assert found.criterion == pytest.approx(-(z_h + z_f) / 2)
    assert found.unbiased_fraction == pytest.approx(norm.cdf((z_h - z_f) / 2))
    assert (found.hit_rate, found.false_alarm_rate, found.n) == (0.75, 0.3, 80)
    assert found.low < found.d_prime < found.high
    assert found.unbiased_low == pytest.approx(norm.cdf(found.low / 2))


def test_interval_follows_the_delta_method():
    """Some people see the colorized at once, others hardly: their sums weigh most."""
    rng = np.random.default_rng(8)
    people, photos = crossed(12, 10)
    colorized = (people + photos) % 2
    seen = rng.normal(1, 1.5, 12)[people] * (colorized - 0.5)
    said = (seen + rng.normal(0, 1, 120) > 0).astype(int)
    rate = {k: said[colorized == k].mean() for k in (0, 1)}
    shares = [
        (1 if k else -1) * (s - rate[k]) / (60 * norm.pdf(norm.ppf(rate[k])))
        for s, k in zip(said, colorized, strict=True)
    ]
    found = by_loops(people.tolist(), photos.tolist(), shares)
    (a, n_people), (b, n_photos), (c, _) = found["A"], found["B"], found["C"]
    v = max(a + b - c, c)
    assert v > 1.2 * c
    nu = min(119, max(9, v**2 / (a**2 / (n_people - 1) + b**2 / (n_photos - 1))))
    half = t.ppf(0.975, nu) * math.sqrt(v)
    result = detection(said, colorized, people, photos)
    assert (result.d_prime - result.low, result.high - result.d_prime) == pytest.approx(
        (half, half)
    )


def test_who_swaps_the_answers_has_the_opposite_d_prime():
    rng = np.random.default_rng(1)
    people, photos = crossed(12, 10)
    colorized, said = rng.integers(0, 2, 120), rng.integers(0, 2, 120)
    one, other = (detection(s, colorized, people, photos) for s in (said, 1 - said))
    assert other.d_prime == pytest.approx(-one.d_prime)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    assert other.criterion == pytest.approx(-one.criterion)


def test_a_rate_at_the_end_is_corrected_and_said():
    people, photos = crossed(4, 10)
    colorized = np.tile([1, 0], 20)
    found = detection(colorized, colorized, people, photos)
    assert found.d_prime == pytest.approx(norm.ppf(20.5 / 21) - norm.ppf(0.5 / 21))
    assert math.isnan(found.low) and "log-linear" in found.note
    assert (found.hit_rate, found.false_alarm_rate) == (1, 0)


@pytest.mark.parametrize(
    ("said", "colorized", "note"),
    [([], [], "no choices"), ([1, 0], [1, 1], "no originals"), ([1], [0], "no colorized pictures")],
)
def test_what_is_missing_is_said(said, colorized, note):
    found = detection(said, colorized, range(len(said)), range(len(said)))
    assert found.note == note and math.isnan(found.d_prime) and found.n == len(said)


def test_one_participant_is_described():
    found = detection([1, 0, 1, 0], [1, 1, 0, 0], [1] * 4, range(4))
    assert found.d_prime == 0 and math.isnan(found.high) and "described" in found.note


def test_unequal_lengths_are_said():
    with pytest.raises(ValueError, match="one length, found said 2, colorized 1"):
        detection([1, 0], [1], [1, 2], [1, 2])


def test_interval_of_d_prime_holds():
    """A d' that participants and photos share: equal variances, 1.2 apart, people differ by 0.4.

    Truth is the d' of the population's rates, z(E H) - z(E F), which pooled rates estimate.
    """
    rng = np.random.default_rng(5)
    people, photos = crossed(40, 40)
    colorized = (people + photos) % 2
    person_sd, photo_sd, apart = 0.4, 0.3, 1.2
    truth = apart / math.sqrt(1 + person_sd**2 + photo_sd**2)
    held = 0
    for _ in range(1000):
        shift = rng.normal(0, person_sd, 40)[people] + rng.normal(0, photo_sd, 40)[photos]
        said = shift + rng.normal(0, 1, 1600) + apart * (colorized - 0.5) > 0
        found = detection(said, colorized, people, photos)
        held += found.low <= truth <= found.high
    assert 920 <= held <= 980
