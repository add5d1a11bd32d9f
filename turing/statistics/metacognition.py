"""Whether people know when they are right: confidence after a choice, ROC and meta-d'.

meta-d' is the d' that would give the confidence ratings as they are if people used all that they
know (Maniscalco and Lau 2012), by maximum likelihood.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize
from scipy.special import log_ndtr, ndtr, ndtri

from turing.statistics.fractions import (
    check_confidence,
    check_same_length,
    crossed_variance,
    label_codes,
    t_interval,
    zero_or_one,
)
from turing.statistics.newton import climb

_LEAST_D_PRIME = 0.2  # below it there is nothing that confidence could be compared with
_H = 1e-4  # of differences
_FARTHEST = 10.0  # that meta-d' is looked for


class Metacognition(NamedTuple):
    """`d_prime` and `meta_d_prime` are of one-picture observers; `ratio` is their quotient
    (M-ratio), 1 = ideal, with its interval. `roc` has points (false alarms, hits) from the ratings,
    strictest first, `area` the area under them. `right` is the share of right choices, `rated` the
    number of choices, at each level from a guess upwards."""

    d_prime: float
    meta_d_prime: float
    ratio: float
    low: float
    high: float
    roc: tuple[tuple[float, float], ...]
    area: float
    right: tuple[float, ...]
    rated: tuple[int, ...]
    n: int
    note: str = ""


def metacognition(
    truth: ArrayLike,
    choice: ArrayLike,
    rating: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    levels: int = 4,
    confidence: float = 0.95,
) -> Metacognition:
    """What ratings 1 to `levels` tell; `truth` is the choice that was right, 0 or 1.

    The interval is by the two-way sandwich on the estimate's derivatives by the counts (the
    infinitesimal jackknife), V = max(A + B - C, A, B). Where there is a kind of answer that nobody
    gave, 1 / (2 levels) is added to each, as Maniscalco and Lau do.
    """
    y, picked = zero_or_one(truth, "truth"), zero_or_one(choice, "choice")
    check_confidence(confidence)
    check_same_length(
        truth=truth, choice=choice, rating=rating, participant=participant, photo=photo
    )
    rated = np.asarray(rating, dtype=float)
    if np.any((rated < 1) | (rated > levels) | (rated % 1 != 0)):
        raise ValueError(f"rating: expected whole numbers from 1 to {levels}")
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    cell = (4 * (rated - 1) + 2 * y + picked).astype(int)
    counts = np.bincount(cell, minlength=4 * levels).reshape(levels, 2, 2).astype(float)
    by_level = counts.sum(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        right = tuple((np.trace(counts, axis1=1, axis2=2) / by_level).tolist())
    roc = _roc(counts)
    area = float(np.trapezoid([hit for _, hit in roc], [alarm for alarm, _ in roc]))
    described = roc, area, right, tuple(by_level.astype(int).tolist()), len(y)

    def without(d_prime: float, note: str) -> Metacognition:
        return Metacognition(d_prime, *[np.nan] * 4, *described, note)

    if np.any(counts.sum(axis=(0, 2)) == 0):
        return without(np.nan, "no choices of one kind" if len(y) else "no choices")
    padded = counts + (1 / (2 * levels) if np.any(counts == 0) else 0)
    d_prime, _ = _type_1(padded)
    if d_prime < _LEAST_D_PRIME:
        return without(d_prime, "hardly told apart: there is nothing to be sure of")
    theta = _fitted(padded)
    ratio = float(theta[0] / d_prime)
    if min(n_people, n_photos) < 2:
        note = "one participant or one photo: described, no interval"
        return Metacognition(d_prime, theta[0], ratio, np.nan, np.nan, *described, note)
    psi = _by_counts(padded, theta)[cell]
    crossed = crossed_variance(psi - psi.mean(), people, photos)
    by_person, by_photo, by_pair = crossed[:3]
    variance = max(by_person + by_photo - by_pair, by_person, by_photo)
    found = t_interval(ratio, variance, crossed, confidence)
    return Metacognition(d_prime, float(theta[0]), ratio, found.low, found.high, *described)


def _roc(counts: np.ndarray) -> tuple[tuple[float, float], ...]:
    """From the surest answer 1 to the surest answer 0, with both ends."""
    ordered = np.concatenate([counts[::-1, :, 1], counts[:, :, 0]])  # (2 levels, truth)
    with np.errstate(invalid="ignore"):
        shares = np.cumsum(ordered, axis=0) / ordered.sum(axis=0)
    return ((0.0, 0.0), *((float(alarm), float(hit)) for alarm, hit in shares))


def _type_1(counts: np.ndarray) -> tuple[float, float]:
    """d' and the criterion of the choices."""
    of = counts.sum(axis=0)  # (truth, choice)
    alarm, hit = (
        ndtri((of[:, 1] + 0.5) / (of.sum(axis=1) + 1))
        if np.any(of == 0)
        else ndtri(of[:, 1] / of.sum(axis=1))
    )
    return float(hit - alarm), float(-(hit + alarm) / 2)


def _log_probabilities(theta: np.ndarray, bias: float, levels: int) -> np.ndarray:
    """(levels, truth, choice): of each rating, given truth and choice.

    theta: meta-d', then log steps of the criteria from that of the choice outwards, those of choice
    0 first; bias: criterion / d' of the choices, which is that of meta-d' too.
    """
    steps = np.cumsum(np.exp(theta[1:]).reshape(2, levels - 1), axis=1)
    middle = bias * theta[0]
    found = np.empty((levels, 2, 2))
    for truth in (0, 1):
        mean = (truth - 0.5) * theta[0]
        for choice, sign in ((0, 1.0), (1, -1.0)):
            # of the answers' side, from its criterion outwards: a guess first
            ends = sign * (middle - mean) - np.concatenate([[0], steps[choice], [np.inf]])
            shares = -np.diff(ndtr(ends))
            found[:, truth, choice] = np.log(np.maximum(shares, 1e-300)) - log_ndtr(ends[0])
    return found


def _fitted(counts: np.ndarray) -> np.ndarray:
    """theta of the maximum."""
    levels = len(counts)
    d_prime, criterion = _type_1(counts)
    bias = criterion / d_prime

    def loss(theta: np.ndarray) -> float:
        return -float(np.sum(counts * _log_probabilities(theta, bias, levels))) / counts.sum()

    start = np.concatenate([[d_prime], np.full(2 * (levels - 1), np.log(0.5))])
    bounds = [(-_FARTHEST, _FARTHEST), *[(-8.0, 3.0)] * (2 * (levels - 1))]
    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000}
    near = optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds, options=options).x
    found = climb(
        near,
        lambda theta: (_slope(theta, bias, counts), -_hessian(theta, bias, counts)),
        _FARTHEST,
    )
    if found is None or any(
        not low < x < high for x, (low, high) in zip(found[0], bounds, strict=True)
    ):
        return near
    return found[0]


def _slopes(theta: np.ndarray, bias: float, levels: int) -> np.ndarray:
    """(theta, levels, truth, choice): the derivatives of `_log_probabilities` by theta."""
    sizes = np.exp(theta[1:]).reshape(2, levels - 1)
    steps = np.cumsum(sizes, axis=1)
    found = np.zeros((len(theta), levels, 2, 2))
    for truth in (0, 1):
        for choice, sign in ((0, 1.0), (1, -1.0)):
            first = sign * (bias - (truth - 0.5))  # of all ends, by meta-d'
            ends = first * theta[0] - np.concatenate([[0], steps[choice]])
            by_theta = np.zeros((len(theta), levels))
            by_theta[0] = first
            own = slice(1 + choice * (levels - 1), 1 + (choice + 1) * (levels - 1))
            # the end of a rating lies behind all steps up to it
            by_theta[own, 1:] = -sizes[choice][:, None] * np.tri(levels - 1).T
            moved = np.exp(-np.square(ends) / 2) / np.sqrt(2 * np.pi) * by_theta
            shares = -np.diff(ndtr(np.append(ends, -np.inf)))
            moved_shares = moved - np.column_stack([moved[:, 1:], np.zeros(len(theta))])
            found[:, :, truth, choice] = moved_shares / np.maximum(shares, 1e-300)
            found[:, :, truth, choice] -= (moved[:, 0] / ndtr(ends[0]))[:, None]
    return found


def _slope(theta: np.ndarray, bias: float, counts: np.ndarray) -> np.ndarray:
    """(theta,): the derivative of the log likelihood."""
    return np.tensordot(_slopes(theta, bias, len(counts)), counts, 3)


def _hessian(theta: np.ndarray, bias: float, counts: np.ndarray) -> np.ndarray:
    found = np.stack(
        [
            _slope(theta + step, bias, counts) - _slope(theta - step, bias, counts)
            for step in _H * np.eye(len(theta))
        ]
    )
    return (found + found.T) / (4 * _H)


def _by_counts(counts: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """(4 levels,): the derivative of meta-d' / d' by each count.

    With g = the likelihood's gradient by theta, d theta = -H^-1 (dg / dn), where n acts on it
    directly and through the bias.
    """
    d_prime, criterion = _type_1(counts)
    bias = criterion / d_prime
    further, nearer = (_slope(theta, bias + h, counts) for h in (_H, -_H))
    by_bias = (further - nearer) / (2 * _H)
    own = _slopes(theta, bias, len(counts)).reshape(len(theta), -1)
    small = np.empty((2, counts.size))
    for cell in range(counts.size):
        more = counts.copy().ravel()
        more[cell] += _H
        d, c = _type_1(more.reshape(counts.shape))
        small[:, cell] = (d - d_prime) / _H, (c / d - bias) / _H
    moved = -np.linalg.pinv(_hessian(theta, bias, counts)) @ (own + by_bias[:, None] * small[1])
    by_cell = moved[0] / d_prime - theta[0] * small[0] / d_prime**2
    # ravel is (level, truth, choice), as `cell` counts
    return by_cell
