"""Looks before the end: published bounds, and error rates by simulation of crossed studies."""

import numpy as np
import pytest
from scipy.stats import norm

from tests.turing.support.simulated import simulate_study
from turing.statistics.fractions import turing_fraction
from turing.statistics.sequential import looks

# Five equally spaced looks at 5%, two-sided: tables of Reboussin, DeMets, Kim and Lan 2000, and of
# gsDesign's sfLDOF and sfLDPocock.
PUBLISHED = {
    "obrien-fleming": [4.8769, 3.3569, 2.6803, 2.2898, 2.0310],
    "pocock": [2.4380, 2.4268, 2.4101, 2.3966, 2.3859],
}


@pytest.mark.parametrize("spending", PUBLISHED)
def test_bounds_are_the_published_ones(spending):
    found = looks([10, 20, 30, 40, 50], spending)
    assert [look.z for look in found] == pytest.approx(PUBLISHED[spending], abs=3e-4)
    assert [look.level for look in found] == pytest.approx(
        2 * norm.sf(PUBLISHED[spending]), rel=2e-3
    )
    assert found[-1].spent == pytest.approx(0.05)
    assert [look.information for look in found] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])


def test_one_look_is_the_usual_test():
    (whole,) = looks([40])
    assert whole.level == pytest.approx(0.05) and whole.z == pytest.approx(1.95996, abs=1e-4)
    (one_sided,) = looks([40], two_sided=False)
    assert one_sided.z == pytest.approx(1.64485, abs=1e-4)


def test_errors_of_walks_are_those_spent():
    """A million random walks without drift, looked at three times, unequally spaced."""
    rng = np.random.default_rng(0)
    planned = [15, 40, 60]
    steps = rng.normal(0, np.sqrt(np.diff(planned, prepend=0)), (1_000_000, 3))
    z = np.cumsum(steps, axis=1) / np.sqrt(planned)
    for two_sided in (True, False):
        found = looks(planned, "pocock", 0.1, two_sided)
        bound = [look.z for look in found]
        crossed = (np.abs(z) if two_sided else z) > bound
        for k, look in enumerate(found, 1):
            assert crossed[:, :k].any(axis=1).mean() == pytest.approx(look.spent, abs=1e-3)


@pytest.mark.parametrize(
    ("planned", "said"),
    [([], "1 or more"), ([0, 5], "1 or more"), ([20, 20], "rising"), ([30, 20], "rising")],
)
def test_looks_that_are_none_are_refused(planned, said):
    with pytest.raises(ValueError, match=said):
        looks(planned)


@pytest.mark.slow
@pytest.mark.parametrize("spending", PUBLISHED)
def test_a_study_that_is_looked_at_often_errs_as_rarely_as_one_that_is_not(spending):
    """1,000 studies at chance, looked at after 20, 40 and 60 people: an interval that leaves out
    0.5 at any look, at the level of the look, against 95% each time."""
    rng = np.random.default_rng(3)
    planned = looks([20, 40, 60], spending)
    adjusted = naive = 0
    for _ in range(1000):
        study = simulate_study(rng, 0.5, participants=60, trials=12, photos=200)
        wrong = {0.05: False, "look": False}
        for look in planned:
            seen = study.participant < look.participants
            for name, level in ((0.05, 0.05), ("look", look.level)):
                found = turing_fraction(*(part[seen] for part in study), confidence=1 - level)
                wrong[name] |= not found.low <= 0.5 <= found.high
        adjusted += wrong["look"]
        naive += wrong[0.05]
    assert 0.02 <= adjusted / 1000 <= 0.065
    assert naive / 1000 > 0.08
