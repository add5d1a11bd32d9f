"""How many people and photos a study needs, planned with the correlations of crossed choices.

People and photos differ as on a logit scale with standard deviations 0.5 and 0.8, which gives
two choices of one person the correlation rho_p and two of one photo rho_i: 0.044 and 0.114 at a
true fraction of 0.5, 0.005 and 0.016 at 0.98. `trials` is a person's trials in the cell (one
dataset and model, or all of them), `photos` the photos that the cell has.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm, t

from turing.statistics.fractions import wilson_interval

SD_PARTICIPANT, SD_PHOTO = 0.5, 0.8  # in logits
MOST_PARTICIPANTS = 100_000
_QUANTILE = 2.02  # Student's t, 95%, for the 40 or so people of a usual study; more for fewer


class Plan(NamedTuple):
    """What a design can be expected to show; half-widths are fractions, not per cent."""

    participants: int
    trials: int
    photos: int
    fraction: float
    half_width: float  # of the 95% interval
    limit: float  # of that half-width, however many people take part
    margin: float  # the smallest delta that a fraction of exactly 0.5 could be shown to keep; < 0.5
    note: str = ""


@lru_cache(maxsize=256)
def correlations(
    fraction: float, sd_participant: float = SD_PARTICIPANT, sd_photo: float = SD_PHOTO
) -> tuple[float, float]:
    """(rho_p, rho_i) at a true fraction, by Gauss-Hermite quadrature over both random effects."""
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: expected a number between 0 and 1, found {fraction}")
    nodes, weights = hermegauss(60)
    weights = weights / weights.sum()
    effects = sd_participant * nodes[:, None] + sd_photo * nodes

    def table(level: float) -> np.ndarray:
        return expit(level + effects)

    level = brentq(lambda x: weights @ table(x) @ weights - fraction, -50, 50)
    p, q = table(level), fraction * (1 - fraction)
    by_participant = weights @ (p @ weights) ** 2 - fraction**2
    by_photo = weights @ (weights @ p) ** 2 - fraction**2
    return float(by_participant / q), float(by_photo / q)


def half_width(participants: int, trials: int, photos: int, fraction: float = 0.5) -> float:
    """Half of the 95% interval: 2.02 sqrt(p(1-p)/N (1 + (T-1) rho_p + (N/J - 1) rho_i)).

    Of fewer than 40 people or so the quantile is larger, and where the interval would leave [0, 1]
    it is no figure of use: `expected_interval` has one that does not.
    """
    error = _standard_error(participants, trials, photos, fraction)
    return _quantile(participants, trials, photos, fraction) * error


def expected_interval(
    participants: int, trials: int, photos: int, fraction: float = 0.5
) -> tuple[float, float]:
    """The 95% interval within [0, 1], as `turing_fraction` would give it: Wilson's (1927)."""
    error = _standard_error(participants, trials, photos, fraction)
    quantile = _quantile(participants, trials, photos, fraction)
    return wilson_interval(fraction, fraction * (1 - fraction) / error**2, quantile)


def half_width_limit(photos: int, fraction: float = 0.5) -> float:
    """What no number of people gets below: the photos are as few as they are."""
    rho_photo = correlations(fraction)[1]
    return float(_QUANTILE * np.sqrt(fraction * (1 - fraction) * rho_photo / photos))


def power_of_margin(delta: float, participants: int, trials: int, photos: int) -> float:
    """Chance of the verdict `indistinguishable` where the true fraction is 0.5.

    Two one-sided tests at 5% (Schuirmann 1987).
    """
    if not 0 < delta < 0.5:
        raise ValueError(f"delta: expected a number between 0 and 0.5, found {delta}")
    error = _standard_error(participants, trials, photos, 0.5)
    if min(participants, photos) < 2:  # of which there is no interval
        return 0.0
    quantile = t.ppf(0.95, _degrees_of_freedom(participants, trials, photos, 0.5))
    return float(max(0.0, 2 * norm.cdf(delta / error - quantile) - 1))


def power_of_effect(fraction: float, participants: int, trials: int, photos: int) -> float:
    """Chance that the 95% interval lies on the true fraction's side of 0.5."""
    if fraction == 0.5:
        raise ValueError("fraction: expected one other than 0.5, which is no effect")
    error = _standard_error(participants, trials, photos, fraction)
    if min(participants, photos) < 2:  # of which there is no interval
        return 0.0
    at_chance = error * 0.5 / np.sqrt(fraction * (1 - fraction))  # Wilson's, as the interval
    quantile = t.ppf(0.975, _degrees_of_freedom(participants, trials, photos, fraction))
    return float(norm.cdf((abs(fraction - 0.5) - quantile * at_chance) / error))


def participants_for_margin(
    delta: float, trials: int, photos: int, power: float = 0.8
) -> int | None:
    """Fewest people to show that a fraction of 0.5 is within `delta` of it.

    None where the photos are too few for any number.
    """
    _check_power(power)
    return _fewest(lambda n: power_of_margin(delta, n, trials, photos) >= power)


def participants_for_effect(
    fraction: float, trials: int, photos: int, power: float = 0.8
) -> int | None:
    """Fewest people to find that a true fraction is not 0.5; None as above."""
    _check_power(power)
    return _fewest(lambda n: power_of_effect(fraction, n, trials, photos) >= power)


def plan(
    participants: int, trials: int, photos: int, fraction: float = 0.5, delta: float = 0.1
) -> Plan:
    """What a design can show, with a note where it cannot show `indistinguishable`."""
    quantile = t.ppf(0.95, _degrees_of_freedom(participants, trials, photos, 0.5))
    error = _standard_error(participants, trials, photos, 0.5)
    margin = 0.5 - wilson_interval(0.5, 0.25 / error**2, float(quantile))[0]
    note = ""
    if margin >= delta or min(participants, photos) < 2:
        people = "1 participant" if participants == 1 else f"{participants} participants"
        why = f"the 90% interval would be 0.5 ± {margin:.3f}, wider than delta {delta:g}"
        if min(participants, photos) < 2:
            why = "of one participant or one photo there is no interval"
        note = f"{people} cannot be expected to show 'indistinguishable': {why}"
    width = half_width(participants, trials, photos, fraction)
    limit = half_width_limit(photos, fraction)
    return Plan(participants, trials, photos, fraction, width, limit, margin, note)


def _components(
    participants: int, trials: int, photos: int, fraction: float
) -> tuple[float, float, float]:
    """Expected A, B and V."""
    for name, count in (("participants", participants), ("trials", trials), ("photos", photos)):
        if count < 1:
            raise ValueError(f"{name}: expected 1 or more, found {count}")
    if trials > photos:
        raise ValueError(
            f"trials: expected at most one a photo ({photos}) for each person, found {trials}"
        )
    n = participants * trials
    rho_participant, rho_photo = correlations(fraction)
    single = fraction * (1 - fraction) / n
    of_participant = (trials - 1) * rho_participant
    of_photo = (max(n / photos, 1) - 1) * rho_photo  # fewer choices than photos share none
    variance = single * (1 + of_participant + of_photo)
    return single * (1 + of_participant), single * (1 + of_photo), variance


def _standard_error(participants: int, trials: int, photos: int, fraction: float) -> float:
    return float(np.sqrt(_components(participants, trials, photos, fraction)[2]))


def _quantile(participants: int, trials: int, photos: int, fraction: float) -> float:
    df = _degrees_of_freedom(participants, trials, photos, fraction)
    return max(_QUANTILE, float(t.ppf(0.975, df)))


def _degrees_of_freedom(participants: int, trials: int, photos: int, fraction: float) -> float:
    """nu of `fractions` at the expected components; one person or photo has 1 at most."""
    a, b, variance = _components(participants, trials, photos, fraction)
    seen = min(photos, participants * trials)
    people_df, photos_df = max(participants - 1, 1), max(seen - 1, 1)
    nu = variance**2 / (a**2 / people_df + b**2 / photos_df)
    return max(1.0, min(participants * trials - 1, max(min(people_df, photos_df), nu)))


def _check_power(power: float) -> None:
    if not 0 < power < 1:
        raise ValueError(f"power: expected a number between 0 and 1, found {power}")


def _fewest(enough: Callable[[int], bool]) -> int | None:
    """Smallest number of people that is enough, by bisection; None where the most are not."""
    if not enough(MOST_PARTICIPANTS):
        return None
    low, high = 0, MOST_PARTICIPANTS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
