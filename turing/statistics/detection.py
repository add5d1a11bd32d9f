"""Sensitivity d': how far apart originals and colorizations lie for an observer.

Green and Swets 1966; Macmillan and Creelman 2005, chapters 2 (one picture) and 7 (two pictures).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from turing.statistics.fractions import (
    Difference,
    Fraction,
    check_confidence,
    check_same_length,
    crossed_variance,
    difference,
    fraction_of,
    label_codes,
    t_interval,
    wilson_interval,
    zero_or_one,
)


class DPrime(NamedTuple):
    """d' of a protocol with two parts; infinite ends where nothing bounds it."""

    estimate: float
    low: float
    high: float
    note: str = ""


class Detection(NamedTuple):
    """What one-picture trials say; `criterion` > 0 is a leaning to say "real"."""

    d_prime: float
    low: float
    high: float
    criterion: float
    unbiased_fraction: float
    unbiased_low: float
    unbiased_high: float
    hit_rate: float
    false_alarm_rate: float
    n: int
    note: str = ""


def two_part_d_prime(fraction: Fraction) -> DPrime:
    """d' = sqrt(2) z(p) of a turing fraction of two-part trials; the interval's ends likewise.

    With all choices right the estimate is infinite and the low end is a lower bound.
    """
    estimate, low, high = (float(np.sqrt(2) * norm.ppf(p)) for p in fraction[:3])
    notes = {np.inf: "all right: a lower bound", -np.inf: "all wrong: an upper bound"}
    return DPrime(estimate, low, high, notes.get(estimate, fraction.note))


def detection(
    said_colorized: ArrayLike,
    colorized: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    confidence: float = 0.95,
) -> Detection:
    """d' = z(H) - z(F), criterion c = -(z(H) + z(F)) / 2 and the unbiased fraction Phi(d' / 2).

    H is the share of colorized pictures called colorized, F that of originals called so. The
    interval is by the delta method with variances as for two models. A rate of 0 or 1 is corrected
    log-linearly (Hautus 1995) for the estimate, and no interval is given.
    """
    said = zero_or_one(said_colorized, "said_colorized")
    signal = zero_or_one(colorized, "colorized") == 1
    check_same_length(said=said, colorized=colorized, participant=participant, photo=photo)
    check_confidence(confidence)
    n_signal, n_noise = int(signal.sum()), int((~signal).sum())
    n, nan = len(said), np.nan
    if not n_signal or not n_noise:
        note = "no originals" if n_signal else "no colorized pictures" if n_noise else "no choices"
        return Detection(nan, nan, nan, nan, nan, nan, nan, nan, nan, n, note)

    hits, alarms = said[signal].sum(), said[~signal].sum()
    rates = hits / n_signal, alarms / n_noise
    at_the_end = any(rate in (0, 1) for rate in rates)
    h, f = rates
    if at_the_end:
        h, f = (hits + 0.5) / (n_signal + 1), (alarms + 0.5) / (n_noise + 1)
    z_h, z_f = norm.ppf(h), norm.ppf(f)
    d_prime, criterion = float(z_h - z_f), float(-(z_h + z_f) / 2)

    low = high = nan
    note = ""
    clusters = min(label_codes(participant, "participant")[1], label_codes(photo, "photo")[1])
    if at_the_end:
        note = "a rate of 0 or 1: log-linear correction, no interval"
    elif clusters < 2:
        note = "one participant or one photo: described, no interval"
    else:
        psi = np.where(
            signal, (said - h) / (n_signal * norm.pdf(z_h)), (f - said) / (n_noise * norm.pdf(z_f))
        )
        crossed = crossed_variance(psi, participant, photo)
        a, b, c = crossed[:3]
        _, low, high, *_ = t_interval(d_prime, max(a + b - c, c), crossed, confidence)
    unbiased = (float(norm.cdf(d / 2)) for d in (d_prime, low, high))
    return Detection(d_prime, low, high, criterion, *unbiased, *map(float, rates), n, note)


def one_picture_fraction(
    correct: ArrayLike,
    colorized: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    confidence: float = 0.95,
) -> Fraction:
    """Turing fraction of one-picture trials: half of it the colorized pictures that were told,
    half the originals, however many there are of each.

    So the originals can be those of several models. It is the proportion correct at equal priors
    (Macmillan and Creelman 2005, section 1.2); its interval is that of `turing_fraction`, with
    each choice's residual from its own kind's share. NaN without choices of both kinds.
    """
    y = zero_or_one(correct, "correct")
    kind = zero_or_one(colorized, "colorized").astype(int)
    check_same_length(correct=correct, colorized=colorized, participant=participant, photo=photo)
    check_confidence(confidence)
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    of_kind = np.bincount(kind, minlength=2)

    def described(p: float, note: str) -> Fraction:
        return Fraction(p, np.nan, np.nan, len(y), n_people, n_photos, np.nan, np.nan, note)

    if not of_kind.all():
        missing = "choices" if not len(y) else "colorized pictures" if of_kind[0] else "originals"
        return described(np.nan, f"no {missing}")
    right = np.bincount(kind, weights=y, minlength=2)
    shares, weight = right / of_kind, 1 / (2 * of_kind)[kind]
    p = float(shares.mean())
    if min(n_people, n_photos) == 1:
        return described(p, "one participant or one photo: described, no interval")

    inner = (right + 0.5) / (of_kind + 1)  # of a kind all right or all wrong, too
    least = float(np.sum(inner * (1 - inner) / (4 * of_kind)))
    psi = weight * (y - shares[kind])
    return fraction_of(p, psi, weight, least, people, photos, confidence)


def one_picture_naive(
    correct: ArrayLike, colorized: ArrayLike, confidence: float = 0.95
) -> tuple[float, float]:
    """Wilson's interval of `one_picture_fraction` as if all choices were independent."""
    alone = np.arange(np.size(correct))
    fraction = one_picture_fraction(correct, colorized, alone, alone, confidence)
    if np.isnan(fraction.estimate):
        return np.nan, np.nan
    kinds = np.bincount(zero_or_one(colorized, "colorized").astype(int), minlength=2)
    n = 4 / np.sum(1 / kinds)
    return wilson_interval(fraction.estimate, float(n), norm.ppf((1 + confidence) / 2))


def one_picture_difference(
    correct: ArrayLike,
    model: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    a: Any,
    b: Any,
    confidence: float = 0.95,
) -> Difference:
    """`one_picture_fraction` of model `a` minus that of `b`, which share their originals.

    Those cancel: it is half the difference of the shares of colorized pictures that were told, and
    only choices of these are given.
    """
    found = difference(correct, model, participant, photo, a, b, confidence)
    return found._replace(estimate=found.estimate / 2, low=found.low / 2, high=found.high / 2)
