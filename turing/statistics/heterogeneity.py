"""Whether a share is the same for all: what a mean hides. Arrays in, numbers out.

A fraction of 0.5 may be the mean of photos that everybody tells apart and of others that fool
everybody; these figures tell such a mean from a true one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from turing.statistics.fractions import check_same_length, label_codes, zero_or_one


class Spread(NamedTuple):
    """How much the true shares of groups differ: their standard deviation, and the p-value of none.

    NaN where there are too few groups or choices; `note` says which.
    """

    sd: float
    p_value: float
    groups: int
    note: str = ""


class Reliable(NamedTuple):
    """How many groups are surely above 0.5, and below, of how many."""

    above: int
    below: int
    groups: int


def spread(correct: ArrayLike, group: ArrayLike) -> Spread:
    """Of groups of choices that are independent within a group, as those about one photo are.

    The intraclass correlation is the analysis of variance's (Donner and Koval 1980), sd its root
    times that of p (1 - p); the test is Tarone's (1979), which holds for few choices a group.
    """
    y = zero_or_one(correct, "correct")
    check_same_length(correct=correct, group=group)
    code, k = label_codes(group, "group")
    n = np.bincount(code, minlength=k)
    total, several = int(n.sum()), int(np.sum(n * (n - 1)))
    if k < 2 or not several:
        which = "one group" if k == 1 else "no choices" if not k else "one choice a group"
        return Spread(np.nan, np.nan, k, which)
    right, p = np.bincount(code, weights=y, minlength=k), float(y.mean())
    chance = p * (1 - p)
    if not chance:
        return Spread(0.0, 1.0, k)
    shares = right / n
    between = np.sum(n * (shares - p) ** 2) / (k - 1)
    within = np.sum(n * shares * (1 - shares)) / (total - k)
    size = (total - np.sum(n**2) / total) / (k - 1)
    correlation = (between - within) / (between + (size - 1) * within)
    z = (np.sum((right - n * p) ** 2) / chance - total) / np.sqrt(2 * several)
    sd = float(np.sqrt(max(0.0, min(1.0, correlation)) * chance))
    return Spread(sd, float(stats.norm.sf(z)), k)


def spread_of_estimates(estimates: ArrayLike, variances: ArrayLike) -> Spread:
    """Of groups that have an estimated share with its variance each, as datasets do.

    Cochran's Q (1954) and the moment estimator of DerSimonian and Laird (1986), whose standard
    deviation is 0.5 at most, as that of any shares.
    """
    found, variance = np.asarray(estimates, float), np.asarray(variances, float)
    known = np.isfinite(found) & np.isfinite(variance) & (variance > 0)
    found, weight = found[known], 1 / variance[known]
    k = len(found)
    if k < 2:
        return Spread(np.nan, np.nan, k, "fewer than two groups with an interval")
    q = float(np.sum(weight * (found - np.average(found, weights=weight)) ** 2))
    scale = weight.sum() - np.sum(weight**2) / weight.sum()
    return Spread(
        min(0.5, float(np.sqrt(max(0.0, (q - (k - 1)) / scale)))),
        float(stats.chi2.sf(q, k - 1)),
        k,
    )


def reliable(correct: ArrayLike, group: ArrayLike, rate: float = 0.05) -> Reliable:
    """Groups whose share is surely above or below 0.5: exact binomial tests, a false discovery
    rate of `rate` over all of them (Benjamini and Hochberg 1995)."""
    y = zero_or_one(correct, "correct")
    check_same_length(correct=correct, group=group)
    code, k = label_codes(group, "group")
    n, right = np.bincount(code, minlength=k), np.bincount(code, weights=y, minlength=k)
    if not k:
        return Reliable(0, 0, 0)
    p = np.minimum(1, 2 * stats.binom.cdf(np.minimum(right, n - right), n, 0.5))
    sure = stats.false_discovery_control(p) <= rate
    return Reliable(int(np.sum(sure & (2 * right > n))), int(np.sum(sure & (2 * right < n))), k)
