"""Differences between groups: by hand, and by simulation of studies with and without them."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from statsmodels.stats.meta_analysis import combine_effects

from tests.turing.support.simulated import simulate_study
from turing.statistics.heterogeneity import reliable, spread, spread_of_estimates


def test_a_table_by_hand():
    """Three groups of four: 4, 2 and 0 right."""
    group = np.repeat(np.arange(3), 4)
    correct = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    found = spread(correct, group)
    between = (4 * 0.25 + 0 + 4 * 0.25) / 2
    within = (0 + 4 * 0.25 + 0) / 9
    correlation = (between - within) / (between + 3 * within)
    assert found.sd == pytest.approx(np.sqrt(correlation * 0.25))
    statistic = ((4 - 2) ** 2 + 0 + (0 - 2) ** 2) / 0.25
    assert found.p_value == pytest.approx(norm.sf((statistic - 12) / np.sqrt(2 * 3 * 12)))
    assert found.groups == 3 and found.note == ""


def test_alike_as_dealt_out_there_is_none():
    """As evenly as can be: less spread than chance would make."""
    found = spread([1, 0] * 20, np.repeat(np.arange(10), 4))
    assert found.sd == 0 and found.p_value > 0.9
    assert spread([1] * 8, [0, 1] * 4)[:2] == (0, 1)


@pytest.mark.parametrize(
    ("group", "note"), [([], "no choices"), ([1, 1], "one group"), ([1, 2], "one choice a group")]
)
def test_what_cannot_be_told_is_said(group, note):
    found = spread([1] * len(group), group)
    assert np.isnan(found.sd) and np.isnan(found.p_value) and found.note == note


def test_photos_that_differ_are_found_and_those_that_do_not_are_not(monkeypatch):
    """A logit SD of 0.8 at 0.5 is an SD of about 0.17 of fractions; people differ in both."""
    from tests.turing.support import simulated

    rng = np.random.default_rng(4)
    found = [spread(s.correct, s.photo) for s in studies(rng, 100)]
    assert np.mean([one.sd for one in found]) == pytest.approx(0.17, abs=0.02)
    assert np.mean([one.p_value < 0.05 for one in found]) > 0.95
    monkeypatch.setattr(simulated, "SD_PHOTO", 0.0)
    alarms = [spread(s.correct, s.photo).p_value < 0.05 for s in studies(rng, 300)]
    assert 0.02 <= np.mean(alarms) <= 0.09


def studies(rng, count):
    for _ in range(count):
        yield simulate_study(rng, 0.5, participants=40, trials=30, photos=60)


def test_estimates_are_compared_as_in_a_meta_analysis():
    estimates, variances = [0.75, 0.54, 0.33, 0.5], [0.002, 0.003, 0.001, 0.004]
    found = spread_of_estimates([*estimates, np.nan], [*variances, 1])
    theirs = combine_effects(np.array(estimates), np.array(variances), method_re="chi2")
    assert found.sd == pytest.approx(np.sqrt(theirs.tau2))
    assert found.p_value == pytest.approx(theirs.test_homogeneity().pvalue)
    assert found.groups == 4
    assert np.isnan(spread_of_estimates([0.5], [0.1]).sd)


def test_sure_photos_are_those_of_exact_tests_at_a_false_discovery_rate():
    right, shown = [20, 19, 15, 10, 9, 3, 0], 20
    group = np.repeat(np.arange(len(right)), shown)
    correct = np.concatenate([np.arange(shown) < k for k in right])
    p = sorted(binomtest(k, shown).pvalue for k in right)
    passed = max(i for i, value in enumerate(p, 1) if value <= 0.05 * i / len(p))
    found = reliable(correct, group)
    assert (found.above, found.below, found.groups) == (2, 2, 7) and passed == 4
    assert reliable([], []) == (0, 0, 0)


def test_shares_differ_by_half_at_most():
    """Two that are 0 and 1 have a standard deviation of 0.5, however few they are."""
    assert spread_of_estimates([0.01, 0.99], [0.0001, 0.0001]).sd == 0.5
