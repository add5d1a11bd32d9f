"""How long a picture must be shown to be told: a psychometric function of exposure.

P(right) = 1/2 + (1/2 - lapse) expit(a + b log2(ms)), by maximum likelihood (Wichmann and Hill 2001,
section "The psychometric function"). As in HYPE-time (Zhou et al. 2019), a longer threshold is the
better model.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats
from scipy.special import expit, logit

from turing.statistics.fractions import (
    Crossed,
    check_confidence,
    check_same_length,
    crossed_variance,
    label_codes,
    zero_or_one,
)
from turing.statistics.newton import climb

TARGET = 0.75  # half-way from chance to always right
LAPSE = 0.02  # share of slips, however long a picture is shown
_OCTAVES_BEYOND = 6  # of what was shown, in which an end of an interval is looked for
_STEPS = 2001
_WORST = 1e10  # condition of the information
_STEEPEST = 20.0  # logits an octave, or from chance: there is no finite fit
_RIDGE = 1e-5  # of squares of the parameters, in units of the log likelihood
_SLOPES = (0.3, 1.0, 3.0, 10.0, -0.3, -1.0, -3.0)  # that a fit may begin with
_PLACES, _MARGIN = 49, 2.0  # of a curve's middle that are tried, and octaves beyond what was shown
_BEGUN = 4  # fits, of which the best is taken
_ALMOST = 1e-3  # of the way from chance to always right that is nothing of it


class Threshold(NamedTuple):
    """The exposure in ms at which `TARGET` are right, with its interval; an end is 0 or infinite
    where the data bound none, and so is an estimate that is six octaves or more beyond what was
    shown. `slope` is in logits an octave, NaN where there is no estimate."""

    estimate: float
    low: float
    high: float
    slope: float
    n: int
    participants: int
    photos: int
    note: str = ""


def threshold(
    correct: ArrayLike,
    exposure_ms: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    confidence: float = 0.95,
    weight: ArrayLike | None = None,
) -> Threshold:
    """The exposure at which three in four are right, over all people and photos.

    `weight` has how much each choice counts for, where they do not count alike.

    The interval has every exposure about it at which `TARGET` is not refuted (Fieller 1954), by the
    variance
    of crossed clusters: A, B and C of `turing.statistics` on the fit's influence function,
    V = max(A + B - C, A, B, model-based). Where accuracy does not rise with exposure there is no
    estimate, and the note says so.
    """
    y = zero_or_one(correct, "correct")
    check_same_length(
        correct=correct, exposure_ms=exposure_ms, participant=participant, photo=photo
    )
    check_confidence(confidence)
    ms = np.asarray(exposure_ms, dtype=float)
    w = np.ones_like(y) if weight is None else np.asarray(weight, dtype=float)
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    if np.any(ms <= 0):
        raise ValueError(f"exposure_ms: expected more than 0, found {ms.min():g}")

    def described(note: str, estimate: float = np.nan, slope: float = np.nan) -> Threshold:
        return Threshold(estimate, np.nan, np.nan, slope, len(y), n_people, n_photos, note)

    if len(y) and y.all():
        return described("no finite fit: all were right")
    if len(np.unique(ms)) < 2:
        return described("one exposure: no threshold" if len(y) else "no choices")
    x = np.log2(ms)
    middle = np.sort(x).mean()  # the same in whatever order
    a, b = _fitted(y, x - middle, w)
    aim = logit((TARGET - 0.5) / (0.5 - LAPSE))
    if max(abs(a), abs(b)) >= _STEEPEST:
        return described("no finite fit: nothing between chance and always right")
    if b <= 0:
        return described("accuracy does not rise with exposure: no threshold")
    grid = np.linspace(
        x.min() - middle - _OCTAVES_BEYOND, x.max() - middle + _OCTAVES_BEYOND, _STEPS
    )
    at = (aim - a) / b
    estimate = 0.0 if at < grid[0] else np.inf if at > grid[-1] else float(2 ** (middle + at))
    if min(n_people, n_photos) < 2:
        return described("one participant or one photo: described, no interval", estimate, b)

    found = _influence(y, x - middle, a, b, w)
    if found is None:
        note = "no interval: no exposure between chance and always right"
        return described(note, estimate, b)
    influence, own = found
    not_refuted = _not_refuted(influence, own, people, photos, a, b, aim, grid, confidence)
    refuted = np.flatnonzero(~not_refuted)
    # Fieller's set may have another piece, of falling slopes: told worse the longer it is shown.
    below, above = refuted[grid[refuted] < at], refuted[grid[refuted] > at]
    low = 2 ** (middle + grid[below[-1]]) if len(below) else 0.0
    high = 2 ** (middle + grid[above[0]]) if len(above) else np.inf
    shown = ms.min() <= estimate <= ms.max()
    note = "" if shown else f"beyond the exposures that were shown ({ms.min():g} to {ms.max():g})"
    return Threshold(estimate, float(low), float(high), float(b), len(y), n_people, n_photos, note)


def told(ms: ArrayLike, found: Threshold) -> np.ndarray:
    """P(right) at exposures in ms, as a threshold and its slope have it."""
    aim = logit((TARGET - 0.5) / (0.5 - LAPSE))
    octaves = np.log2(np.asarray(ms, dtype=float) / found.estimate)
    return 0.5 + (0.5 - LAPSE) * expit(aim + found.slope * octaves)


def _fitted(y: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Intercept and slope of the maximum, on the counts at each exposure.

    Where the likelihood rises without end, if by hairs, a ridge says where that is enough; the
    slope is `_STEEPEST` where nothing is between chance and always right.
    """
    order = np.lexsort((w, y, x))  # sums and so the fit are the same in whatever order choices come
    x, y, w = x[order], y[order], w[order]
    at, code = np.unique(x, return_inverse=True)
    n, right = np.bincount(code, weights=w), np.bincount(code, weights=w * y)

    best, is_steep = _maximum(at, right, n - right, 0.0), False
    if best is None:
        best = _maximum(at, right, n - right, _RIDGE)
        between = np.abs(2 * expit(best[0] + best[1] * at) - 1) < 1 - 2 * _ALMOST
        is_steep = best[1] > 0 and not between.any()
    return (0.0, _STEEPEST) if is_steep else tuple(best.tolist())


def _maximum(
    at: np.ndarray, right: np.ndarray, wrong: np.ndarray, ridge: float
) -> np.ndarray | None:
    """Intercept and slope; without a ridge None where there is none, or a flat one."""
    design = np.column_stack([np.ones_like(at), at])

    def loss(theta: np.ndarray) -> float:
        p = 0.5 + (0.5 - LAPSE) * expit(theta[0] + theta[1] * at)
        likelihood = right @ np.log(p) + wrong @ np.log1p(-p)
        return float(ridge / 2 * theta @ theta - likelihood)

    def slope_and_curvature(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mu = expit(design @ theta)
        p, slope = 0.5 + (0.5 - LAPSE) * mu, (0.5 - LAPSE) * mu * (1 - mu)  # slope: dp / d logit
        score = right / p - wrong / (1 - p)
        bend = score * slope * (1 - 2 * mu) - (right / p**2 + wrong / (1 - p) ** 2) * slope**2
        curvature = ridge * np.eye(2) - (design * bend[:, None]).T @ design
        return design.T @ (score * slope) - ridge * theta, curvature

    bounds = [(-_STEEPEST, _STEEPEST)] * 2
    starts = _starts(at, loss)
    fits = [optimize.minimize(loss, x, method="L-BFGS-B", bounds=bounds) for x in starts]
    near = min(fits, key=lambda fit: fit.fun).x
    found = climb(near, slope_and_curvature, _STEEPEST)
    if ridge:
        return near if found is None else found[0]
    return found[0] if found is not None and found[1] > 10 * _RIDGE else None


def _starts(at: np.ndarray, loss: Callable[[np.ndarray], float]) -> list[np.ndarray]:
    """Where to begin, for the likelihood is not concave: of each slope the best place for its
    middle, and of these the best few."""
    places = np.linspace(at.min() - _MARGIN, at.max() + _MARGIN, _PLACES)
    found = []
    for slope in _SLOPES:
        tried = [np.clip((-slope * x, slope), -_STEEPEST, _STEEPEST) for x in places]
        losses = [loss(one) for one in tried]
        found.append((min(losses), tried[int(np.argmin(losses))]))
    return [start for _, start in sorted(found, key=lambda one: one[0])[:_BEGUN]]


def _influence(
    y: np.ndarray, x: np.ndarray, a: float, b: float, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """(n, 2): each choice's share in the error of a and b; and their model-based covariance. None
    where the choices say too little of them."""
    design = np.column_stack([np.ones_like(x), x])
    mu = expit(a + b * x)
    p = 0.5 + (0.5 - LAPSE) * mu
    slope = (0.5 - LAPSE) * mu * (1 - mu)  # dp / d logit
    information = slope**2 / (p * (1 - p))
    fisher = (design * (w * information)[:, None]).T @ design
    if np.linalg.cond(fisher) > _WORST:
        return None
    inverse = np.linalg.inv(fisher)
    own = inverse @ ((design * (w**2 * information)[:, None]).T @ design) @ inverse
    return (design * (w * slope * (y - p) / (p * (1 - p)))[:, None]) @ inverse, own


def _not_refuted(
    influence: np.ndarray,
    own: np.ndarray,
    people: np.ndarray,
    photos: np.ndarray,
    a: float,
    b: float,
    aim: float,
    grid: np.ndarray,
    confidence: float,
) -> np.ndarray:
    """(grid,) whether `TARGET` at each x is not refuted: by the share below the estimate, by its
    logit above."""
    at = np.column_stack([np.ones_like(grid), grid])
    of = [crossed_variance(influence @ c, people, photos) for c in ((1, 0), (0, 1), (1, 1))]

    def along(values: list[float]) -> np.ndarray:
        """The quadratic form of which the values are those of a, b and a + b."""
        crossed = (values[2] - values[0] - values[1]) / 2
        return values[0] + 2 * crossed * grid + values[1] * grid**2

    by_person, by_photo, by_pair = (along([one[i] for one in of]) for i in range(3))
    least = np.einsum("gi,ij,gj->g", at, own, at)
    variance = np.maximum.reduce([by_person + by_photo - by_pair, by_person, by_photo, least])
    df = [
        Crossed(p, i, c, *of[0][3:]).degrees_of_freedom(v)
        for p, i, c, v in zip(by_person, by_photo, by_pair, variance, strict=True)
    ]
    t = stats.t.ppf((1 + confidence) / 2, df)
    error, eta = t * np.sqrt(variance), a + b * grid
    mu = expit(eta)
    # Towards chance the logit has no bound and says nothing, the share does: 0.5 is not 0.75.
    short = np.abs(mu - expit(aim)) <= error * mu * (1 - mu)
    return np.where(eta < aim, short, np.abs(eta - aim) <= error)
