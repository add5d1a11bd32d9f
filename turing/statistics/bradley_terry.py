"""Which of several models looks more real, from paired comparisons: Bradley and Terry 1952.

logit P(the left part is chosen) = score of the left model - score of the right one + left term
(the order effect of Davidson and Beaver 1977). Maximum likelihood without a ridge; scores sum to 0.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from turing.statistics.fractions import (
    Difference,
    check_confidence,
    check_same_length,
    crossed_variance,
    label_codes,
    t_interval,
    zero_or_one,
)

_STEPS = 50  # of Newton's method; 5 to 8 are usual
_AT_A_TIME = 100  # draws
_LONGEST = 2.0  # step of a parameter, in logits: keeps the first ones from overshooting


class BradleyTerry(NamedTuple):
    """Scores in logits, one `Difference` from 0 a model, best first; empty where `note` says why.

    `left` is the advantage of the left or first part; `comparisons` has every two models, the
    better one first.
    """

    scores: dict[Any, Difference]
    left: Difference | None
    comparisons: dict[tuple[Any, Any], Difference]
    n: int
    participants: int
    photos: int
    note: str = ""


class Ranks(NamedTuple):
    """Percentile intervals of each model's rank over resampled participants and photos; rank 1 is
    best."""

    ranks: dict[Any, tuple[int, int]]
    draws: int  # that could be ranked
    note: str = ""


class _Choices(NamedTuple):
    models: list[Any]
    left: np.ndarray  # (n,) index of the model on the left
    right: np.ndarray
    chose_left: np.ndarray  # (n,) 0 or 1
    design: np.ndarray  # (n, models): a free score for every model but the last, and the left term


def bradley_terry(
    left: ArrayLike,
    right: ArrayLike,
    choice: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    confidence: float = 0.95,
) -> BradleyTerry:
    """Scores from comparisons of `left` and `right` models; `choice` is 0 for left, 1 for right.

    Intervals are from the two-way sandwich: A, B and C of `turing.statistics` on the estimate's
    influence function, V = max(A + B - C, A, B, model-based). Where the data cannot give a finite
    answer (models never compared, one that always won, sides never swapped), the note says so.
    """
    check_confidence(confidence)
    data = _read(left, right, choice)
    check_same_length(choice=choice, participant=participant, photo=photo)
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    counts = len(data.left), n_people, n_photos
    if problem := _no_answer(data):
        return BradleyTerry({}, None, {}, *counts, problem)

    weights = np.ones((1, len(data.left)))
    estimate = _maximum_likelihood(data.design, data.chose_left, weights)[0]
    mu = expit(data.design @ estimate)
    information = (data.design * (mu * (1 - mu))[:, None]).T @ data.design
    inverse = np.linalg.inv(information)
    influence = (data.design * (data.chose_left - mu)[:, None]) @ inverse

    def contrast(c: np.ndarray) -> Difference:
        value = float(c @ estimate)
        if min(n_people, n_photos) < 2:
            note = "one participant or one photo: described, no interval"
            return Difference(value, np.nan, np.nan, np.nan, np.nan, note)
        crossed = crossed_variance(influence @ c, people, photos)
        by_person, by_photo, by_pair = crossed[:3]
        variance = max(by_person + by_photo - by_pair, by_person, by_photo, c @ inverse @ c)
        return t_interval(value, variance, crossed, confidence)

    basis = _score_basis(len(data.models))
    order = np.argsort(-(basis @ estimate), kind="stable")
    comparisons = {
        (data.models[a], data.models[b]): contrast(basis[a] - basis[b])
        for i, a in enumerate(order)
        for b in order[i + 1 :]
    }
    left_term = contrast(np.eye(len(data.models))[-1])
    scores = {data.models[k]: contrast(basis[k]) for k in order}
    return BradleyTerry(scores, left_term, comparisons, *counts)


def resampled_ranks(
    left: ArrayLike,
    right: ArrayLike,
    choice: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Ranks:
    """Pigeonhole bootstrap: people and photos are both drawn anew, and a choice counts as often as
    its person times its photo came up (Owen 2007, mildly conservative); an interval of each rank.

    Draws in which the models fall into groups that were never compared are left out and counted.
    """
    check_confidence(confidence)
    data = _read(left, right, choice)
    check_same_length(choice=choice, participant=participant, photo=photo)
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    if problem := _no_answer(data):
        return Ranks({}, 0, problem)
    if min(n_people, n_photos) < 2:
        return Ranks({}, 0, "one participant or one photo: described, no interval")

    rows = np.column_stack([data.left, data.right, data.chose_left]).astype(int)
    patterns, first, pattern = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    counted = csr_array((np.ones(len(rows)), (np.arange(len(rows)), pattern.ravel())))
    rng = np.random.default_rng(seed)
    weights = np.concatenate(
        [
            (_drawn(rng, n_people, some)[:, people] * _drawn(rng, n_photos, some)[:, photos])
            @ counted
            for some in _in_chunks(draws)
        ]
    )
    k = len(data.models)
    kept = np.array([len(_groups(patterns[w > 0, 0], patterns[w > 0, 1], k)) == 1 for w in weights])
    estimates = _maximum_likelihood(data.design[first], patterns[:, 2], weights[kept])
    scores = estimates @ _score_basis(k).T
    ranks = 1 + np.argsort(np.argsort(-scores, axis=1), axis=1)
    ends = (1 - confidence) / 2, (1 + confidence) / 2
    low, high = np.quantile(ranks, ends, axis=0, method="inverted_cdf")
    left_out = draws - len(ranks)
    return Ranks(
        {model: (int(low[i]), int(high[i])) for i, model in enumerate(data.models)},
        len(ranks),
        f"{left_out} of {draws} draws left out: models never compared" if left_out else "",
    )


def _in_chunks(draws: int) -> list[int]:
    """Draws that are made at a time, for their memory."""
    return [min(_AT_A_TIME, draws - done) for done in range(0, draws, _AT_A_TIME)]


def _drawn(rng: np.random.Generator, n: int, draws: int) -> np.ndarray:
    """(draws, n): how often each of `n` came up among as many."""
    return rng.multinomial(n, np.full(n, 1 / n), draws).astype(float)


def _read(left: ArrayLike, right: ArrayLike, choice: ArrayLike) -> _Choices:
    check_same_length(left=left, right=right, choice=choice)
    chose_left = 1 - zero_or_one(choice, "choice")
    for side, labels in (("left", left), ("right", right)):
        label_codes(labels, side)
    shown = [np.asarray(labels).tolist() for labels in (left, right)]
    models = sorted({*shown[0], *shown[1]}, key=str)
    index = {model: i for i, model in enumerate(models)}
    at_left, at_right = (np.array([index[model] for model in side], dtype=int) for side in shown)
    if np.any(same := at_left == at_right):
        twice = models[at_left[same][0]]
        raise ValueError(f"expected two different models in a trial, found {twice!r} twice")
    basis = _score_basis(len(models))
    design = basis[at_left] - basis[at_right]
    design[:, -1:] = 1
    return _Choices(models, at_left, at_right, chose_left, design)


def _score_basis(k: int) -> np.ndarray:
    """(k, k): parameters to scores that sum to 0; the last parameter is the left term."""
    basis = np.eye(k)
    basis[-1:, :-1] = -1
    basis[-1:, -1:] = 0
    return basis


def _maximum_likelihood(design: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Newton's method for many weightings (draws, n) at once: (draws, parameters)."""
    beta = np.zeros((len(weights), design.shape[1]))
    for _ in range(_STEPS):
        mu = expit(beta @ design.T)
        gradient = (weights * (y - mu)) @ design
        curvature = np.einsum("bn,ni,nj->bij", weights * mu * (1 - mu), design, design)
        step = (np.linalg.pinv(curvature, hermitian=True) @ gradient[..., None])[..., 0]
        beta += np.clip(step, -_LONGEST, _LONGEST)
        if np.abs(step).max(initial=0) < 1e-10:
            break
    return beta


def _groups(left: np.ndarray, right: np.ndarray, k: int, directed: bool = False) -> list[list[int]]:
    """Models joined by comparisons; if directed, by ways to get from one to the other and back."""
    graph = np.zeros((k, k), dtype=bool)
    graph[left, right] = True
    count, label = connected_components(graph, directed=directed, connection="strong")
    return [np.flatnonzero(label == g).tolist() for g in range(count)]


def _no_answer(data: _Choices) -> str:
    """Why there is no finite maximum of the likelihood; empty where there is one."""
    if not len(data.left):
        return "no choices"

    def names(group: Sequence[int]) -> str:
        return ", ".join(str(data.models[i]) for i in group)

    k = len(data.models)
    groups = _groups(data.left, data.right, k)
    if len(groups) > 1:
        return f"groups never compared with each other: {' | '.join(map(names, groups))}"
    if np.linalg.matrix_rank(data.design) < data.design.shape[1]:
        return "sides never swapped: the left term cannot be told from the scores"

    won = data.chose_left == 1
    winner, loser = np.where(won, data.left, data.right), np.where(won, data.right, data.left)
    for group in _groups(winner, loser, k, directed=True):
        if len(group) < k and not np.any(~np.isin(winner, group) & np.isin(loser, group)):
            return f"no finite scores: {names(group)} never lost to another model"
    if _separated(data):
        return "no finite scores: side and model foretell every choice"
    return ""


def _separated(data: _Choices) -> bool:
    """Whether some direction raises the likelihood for ever (Albert and Anderson 1984)."""
    signed = np.unique(data.design * (2 * data.chose_left - 1)[:, None], axis=0)
    ends = linprog(-signed.sum(0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    return bool(-ends.fun > 1e-9)
