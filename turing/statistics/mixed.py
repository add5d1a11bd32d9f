"""A mixed model beside the sandwich: logit P(right) = level of the cell + person + photo.

Persons and photos are crossed random effects. statsmodels fits it by variational Bayes
(`BinomialBayesMixedGLM.fit_vb`), whose variances hold in simulation; its Laplace fit, the mode of
all parameters together, takes the variances to 0. The errors of the levels are not statsmodels',
which leave out that levels and effects go together: they are those of Henderson's equations at the
fit (Breslow and Clayton 1993, equation 2.6).
"""

import importlib.util
import warnings
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import ArrayLike
from scipy import sparse, stats
from scipy.special import expit

from turing.statistics.fractions import (
    check_confidence,
    check_same_length,
    label_codes,
    zero_or_one,
)

NEEDS = "statsmodels is not installed: pip install 'colorize-turing[mixed]', or statsmodels itself"
_NODES = 60  # of the mean over people and photos
_PRIOR_LEVEL, _PRIOR_LOG_SD = 3.0, 1.0  # SDs: wide for shares from 0.005 to 0.995


class Level(NamedTuple):
    """The share right of a new person at a new photo, and its logit at a typical one's."""

    share: float
    low: float
    high: float
    logit: float
    error: float


class Mixed(NamedTuple):
    """Levels by cell; standard deviations of people and photos in logits; empty where the note
    says why."""

    levels: dict[Hashable, Level]
    sd_participant: float
    sd_photo: float
    note: str = ""


def is_available() -> bool:
    """Whether statsmodels, an optional package, is there."""
    return importlib.util.find_spec("statsmodels") is not None


def mixed(
    correct: ArrayLike,
    cell: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    confidence: float = 0.95,
) -> Mixed:
    """One model for all cells, which share what people and photos are like."""
    y = zero_or_one(correct, "correct")
    check_same_length(correct=correct, cell=cell, participant=participant, photo=photo)
    check_confidence(confidence)
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    cells, n_cells = label_codes(cell, "cell")
    if min(n_people, n_photos) < 2:
        return Mixed({}, np.nan, np.nan, "fewer than two participants or photos: no mixed model")
    if y.min() == y.max():
        which = "right" if y[0] else "wrong"
        return Mixed({}, np.nan, np.nan, f"all answers are {which}: no mixed model")
    if not is_available():
        return Mixed({}, np.nan, np.nan, NEEDS)
    fixed = np.eye(n_cells)[cells]
    effects = sparse.hstack([_indicators(people, n_people), _indicators(photos, n_photos)]).tocsr()
    kinds = np.repeat([0, 1], [n_people, n_photos])
    level, log_sd, effect = _fitted(y, fixed, effects, kinds)
    sds = np.exp(log_sd)
    error = _errors(fixed, effects, expit(fixed @ level + effects @ effect), sds[kinds])
    quantile = stats.norm.ppf((1 + confidence) / 2)
    spread = float(np.hypot(*sds))

    def of(i: int) -> Level:
        ends = (level[i] + sign * quantile * error[i] for sign in (0, -1, 1))
        return Level(*(_mean_share(end, spread) for end in ends), float(level[i]), float(error[i]))

    first = [int(np.argmax(cells == i)) for i in range(n_cells)]
    labels = list(cell)
    return Mixed({labels[at]: of(i) for i, at in enumerate(first)}, *map(float, sds))


def _fitted(
    y: np.ndarray, fixed: np.ndarray, effects: sparse.csr_matrix, kinds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posterior means of levels, log SDs and effects."""
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    model = BinomialBayesMixedGLM(y, fixed, effects, kinds, vcp_p=_PRIOR_LOG_SD, fe_p=_PRIOR_LEVEL)
    start = np.zeros(model.k_fep + model.k_vcp + model.k_vc)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it stopped short, which is near enough
        fit = model.fit_vb(start, np.full(len(start), 0.3), fit_method="L-BFGS-B")
    return fit.fe_mean, fit.vcp_mean, fit.vc_mean


def _errors(
    fixed: np.ndarray, effects: sparse.csr_matrix, p: np.ndarray, sd: np.ndarray
) -> np.ndarray:
    """Standard errors of the levels, what is not known of people and photos included."""
    design = sparse.hstack([sparse.csr_matrix(fixed), effects]).tocsr()
    weighted = design.multiply((p * (1 - p))[:, None])
    k = fixed.shape[1]
    precision = np.concatenate([np.full(k, _PRIOR_LEVEL**-2), np.maximum(sd, 1e-3) ** -2.0])
    equations = (design.T @ weighted).toarray() + np.diag(precision)
    return np.sqrt(np.diag(np.linalg.inv(equations))[:k])


def _indicators(codes: np.ndarray, k: int) -> sparse.csr_matrix:
    n = len(codes)
    return sparse.csr_matrix((np.ones(n), (np.arange(n), codes)), shape=(n, k))


def _mean_share(level: float, sd: float) -> float:
    """The mean of expit(level + N(0, sd^2))."""
    nodes, weights = hermegauss(_NODES)
    return float(weights @ expit(level + sd * nodes) / weights.sum())
