"""The plan's figures: those printed in the design, and simulation."""

import numpy as np
import pytest

from tests.turing.support.simulated import simulate_study
from turing.statistics import power
from turing.statistics.fractions import turing_fraction, verdict


@pytest.mark.parametrize(
    ("fraction", "rho_participant", "rho_photo"),
    [(0.5, 0.044, 0.114), (0.7, 0.039, 0.102), (0.9, 0.020, 0.056), (0.98, 0.005, 0.016)],
)
def test_correlations(fraction, rho_participant, rho_photo):
    found = power.correlations(fraction)
    assert found == pytest.approx((rho_participant, rho_photo), abs=0.0005)
    assert power.correlations(1 - fraction) == pytest.approx(found)


def test_half_width_follows_the_printed_formula():
    rho_p, rho_i = power.correlations(0.7)
    expected = 2.02 * np.sqrt(0.21 / 1200 * (1 + 29 * rho_p + (1200 / 80 - 1) * rho_i))
    assert power.half_width(40, 30, 80, 0.7) == pytest.approx(expected)


def test_known_designs():
    assert power.half_width(40, 40, 200) == pytest.approx(0.0474, abs=0.00005)
    assert power.half_width_limit(50) == pytest.approx(0.048, abs=0.0005)
    assert power.half_width(50_000, 40, 50) == pytest.approx(0.048, abs=0.0005)


def test_photos_that_are_seen_once_at_most_share_nothing():
    assert power.half_width(10, 10, 1000) == power.half_width(10, 10, 100)


def test_fewest_people():
    for fewest, chance in (
        (
            power.participants_for_margin(0.1, 40, 200),
            lambda n: power.power_of_margin(0.1, n, 40, 200),
        ),
        (
            power.participants_for_effect(0.6, 40, 200),
            lambda n: power.power_of_effect(0.6, n, 40, 200),
        ),
    ):
        assert chance(fewest) >= 0.8 > chance(fewest - 1)
    assert power.participants_for_margin(0.02, 40, 50) is None


@pytest.mark.parametrize(("trials", "photos"), [(20, 40), (40, 200), (1000, 1000)])
def test_four_participants_cannot_show_indistinguishable(trials, photos):
    plan = power.plan(4, trials, photos)
    assert plan.margin > 0.1
    assert plan.note.startswith("4 participants cannot be expected to show 'indistinguishable'")
    assert power.power_of_margin(0.1, 4, trials, photos) == 0


@pytest.mark.parametrize("participants", [2, 3, 4])
@pytest.mark.parametrize(("trials", "photos"), [(1, 2), (3, 9), (40, 200)])
def test_few_people_have_wide_intervals_that_stay_within_0_and_1(participants, trials, photos):
    """As wide as those that so few would get: Student's t, not that of 40 people."""
    plan = power.plan(participants, trials, photos)
    assert plan.margin < 0.5 and f"0.5 ± {plan.margin:.3f}" in plan.note
    for fraction in (0.5, 0.9, 0.98):
        low, high = power.expected_interval(participants, trials, photos, fraction)
        assert 0 <= low < fraction < high <= 1
    low, high = power.expected_interval(participants, trials, photos)
    assert (high - low) / 2 > plan.margin  # 95% against 90%


def test_one_person_has_no_interval():
    assert power.plan(1, 6, 9).note.endswith("of one participant or one photo there is no interval")
    assert power.participants_for_effect(0.999999, 1, 1) is None  # nor has one photo
    assert power.participants_for_effect(1 - 1e-9, 1000, 1000) == 2
    assert power.power_of_margin(0.49, 1, 1000, 1000) == 0


def test_plan_of_an_ordinary_study():
    plan = power.plan(40, 40, 200, delta=0.1)
    assert plan.note == "" and plan.margin < 0.05
    assert plan.half_width == power.half_width(40, 40, 200)
    assert plan.limit == power.half_width_limit(200)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power.half_width(0, 10, 10), "participants: expected 1 or more, found 0"),
        (lambda: power.half_width(4, 30, 20), r"at most one a photo \(20\).* found 30"),
        (lambda: power.half_width(4, 10, 20, 1.0), "fraction: .* found 1.0"),
        (lambda: power.power_of_margin(0.6, 4, 10, 20), "delta: .* found 0.6"),
        (lambda: power.participants_for_effect(0.9, 4, 1), r"at most one a photo \(1\).* found 4"),
        (lambda: power.power_of_effect(0.5, 4, 10, 20), "no effect"),
        (lambda: power.participants_for_margin(0.1, 10, 20, power=80), "power: .* found 80"),
    ],
)
def test_wrong_input_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.slow
def test_planned_figures_are_those_of_simulated_studies():
    rng = np.random.default_rng(6)
    design = {"participants": 30, "trials": 20, "photos": 60}
    at_chance = [simulate_study(rng, 0.5, **design) for _ in range(500)]
    fractions = [turing_fraction(*study) for study in at_chance]
    width = np.mean([(f.high - f.low) / 2 for f in fractions])
    assert width == pytest.approx(power.half_width(**design), rel=0.06)
    shown = np.mean([verdict(*study).startswith("indistinguishable") for study in at_chance])
    assert shown == pytest.approx(power.power_of_margin(0.1, **design), abs=0.08)
    found = [turing_fraction(*simulate_study(rng, 0.6, **design)).low > 0.5 for _ in range(500)]
    assert np.mean(found) == pytest.approx(power.power_of_effect(0.6, **design), abs=0.08)
