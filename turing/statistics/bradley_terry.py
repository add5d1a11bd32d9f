"""Which of several models looks more real, from paired comparisons: Bradley and Terry 1952.

logit P(the left part is chosen) = score of the left model - score of the right one + left term
(the order effect of Davidson and Beaver 1977). Where both may be found alike, this holds of the
choices that do not, and P(alike) = nu sqrt(P(left) P(right)) (Davidson 1970, equation 2.3). Maximum
likelihood without a ridge; scores sum to 0.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, softmax

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
    better one first. `alike` is log nu, None where nobody found two models alike; `ties` counts
    the choices that did.
    """

    scores: dict[Any, Difference]
    left: Difference | None
    comparisons: dict[tuple[Any, Any], Difference]
    n: int
    participants: int
    photos: int
    note: str = ""
    alike: Difference | None = None
    ties: int = 0


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
    leaning: np.ndarray  # (n,) 1 where the left part was chosen, 0 the right, 1/2 both alike
    design: np.ndarray  # (n, models): a free score for every model but the last, and the left term

    @property
    def tied(self) -> np.ndarray:
        """(n,) whether both were found alike."""
        return self.leaning == 0.5

    @property
    def has_ties(self) -> bool:
        return bool(self.tied.any())


def bradley_terry(
    left: ArrayLike,
    right: ArrayLike,
    choice: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    confidence: float = 0.95,
    ties: bool = False,
) -> BradleyTerry:
    """Scores from comparisons of `left` and `right` models; `choice` is 0 for left, 1 for right,
    and with `ties` 2 where both were found alike.

    Intervals are from the two-way sandwich: A, B and C of `turing.statistics` on the estimate's
    influence function, V = max(A + B - C, A, B, model-based). Where the data cannot give a finite
    answer (models never compared, one that always won, sides never swapped), the note says so.
    """
    check_confidence(confidence)
    data = _read(left, right, choice, ties)
    check_same_length(choice=choice, participant=participant, photo=photo)
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    counts = len(data.left), n_people, n_photos
    if problem := _no_answer(data):
        return BradleyTerry({}, None, {}, *counts, problem)

    weights = np.ones((1, len(data.left)))
    estimate = _maximum_likelihood(data.design, data.leaning, weights, data.has_ties)[0]
    scores, curvature = _derivatives(estimate[None], data.design, data.leaning, data.has_ties)
    inverse = np.linalg.inv(np.einsum("bnij->ij", curvature))
    influence = scores[0] @ inverse

    def contrast(c: np.ndarray) -> Difference:
        value = float(c @ estimate)
        if min(n_people, n_photos) < 2:
            note = "one participant or one photo: described, no interval"
            return Difference(value, np.nan, np.nan, np.nan, np.nan, note)
        crossed = crossed_variance(influence @ c, people, photos)
        by_person, by_photo, by_pair = crossed[:3]
        variance = max(by_person + by_photo - by_pair, by_person, by_photo, c @ inverse @ c)
        return t_interval(value, variance, crossed, confidence)

    k = len(data.models)
    basis = np.zeros((k, len(estimate)))
    basis[:, :k] = _score_basis(k)
    order = np.argsort(-(basis @ estimate), kind="stable")
    comparisons = {
        (data.models[a], data.models[b]): contrast(basis[a] - basis[b])
        for i, a in enumerate(order)
        for b in order[i + 1 :]
    }
    terms = np.eye(len(estimate))
    alike = contrast(terms[k]) if data.has_ties else None
    found = {data.models[i]: contrast(basis[i]) for i in order}
    return BradleyTerry(
        found, contrast(terms[k - 1]), comparisons, *counts, "", alike, int(data.tied.sum())
    )


def resampled_ranks(
    left: ArrayLike,
    right: ArrayLike,
    choice: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    ties: bool = False,
) -> Ranks:
    """Pigeonhole bootstrap: people and photos are both drawn anew, and a choice counts as often as
    its person times its photo came up (Owen 2007, mildly conservative); an interval of each rank.

    Draws in which the models fall into groups that were never compared are left out and counted.
    """
    check_confidence(confidence)
    data = _read(left, right, choice, ties)
    check_same_length(choice=choice, participant=participant, photo=photo)
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    if problem := _no_answer(data):
        return Ranks({}, 0, problem)
    if min(n_people, n_photos) < 2:
        return Ranks({}, 0, "one participant or one photo: described, no interval")

    rows = np.column_stack([data.left, data.right, 2 * data.leaning]).astype(int)
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
    left_out = f"{draws - kept.sum()} of {draws} draws left out: models never compared"
    if not kept.any():
        return Ranks({}, 0, left_out)
    shown = data.design[first], patterns[:, 2] / 2
    estimates = [
        _maximum_likelihood(*shown, some, data.has_ties)
        for some in np.split(weights[kept], range(_AT_A_TIME, int(kept.sum()), _AT_A_TIME))
    ]
    scores = np.concatenate(estimates)[:, :k] @ _score_basis(k).T
    ranks = 1 + np.argsort(np.argsort(-scores, axis=1), axis=1)
    ends = (1 - confidence) / 2, (1 + confidence) / 2
    low, high = np.quantile(ranks, ends, axis=0, method="inverted_cdf")
    return Ranks(
        {model: (int(low[i]), int(high[i])) for i, model in enumerate(data.models)},
        len(ranks),
        "" if kept.all() else left_out,
    )


def _in_chunks(draws: int) -> list[int]:
    """Draws that are made at a time, for their memory."""
    return [min(_AT_A_TIME, draws - done) for done in range(0, draws, _AT_A_TIME)]


def _drawn(rng: np.random.Generator, n: int, draws: int) -> np.ndarray:
    """(draws, n): how often each of `n` came up among as many."""
    return rng.multinomial(n, np.full(n, 1 / n), draws).astype(float)


def _read(left: ArrayLike, right: ArrayLike, choice: ArrayLike, ties: bool) -> _Choices:
    check_same_length(left=left, right=right, choice=choice)
    leaning = _leaning(choice) if ties else 1 - zero_or_one(choice, "choice")
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
    return _Choices(models, at_left, at_right, leaning, design)


def _leaning(choice: ArrayLike) -> np.ndarray:
    """1 for the left part, 0 for the right one, 1/2 for both."""
    array = np.array(choice, dtype=object)
    alike = np.array([one == 2 for one in array.ravel()], dtype=bool)
    if array.ndim == 1:
        array[alike] = 0
    return np.where(alike, 0.5, 1 - zero_or_one(array, "choice"))


def _score_basis(k: int) -> np.ndarray:
    """(k, k): parameters to scores that sum to 0; the last parameter is the left term."""
    basis = np.eye(k)
    basis[-1:, :-1] = -1
    basis[-1:, -1:] = 0
    return basis


def _maximum_likelihood(
    design: np.ndarray, y: np.ndarray, weights: np.ndarray, has_ties: bool
) -> np.ndarray:
    """Newton's method for many weightings (draws, n) at once: (draws, parameters); the last one is
    log nu where there are ties."""
    beta = np.zeros((len(weights), design.shape[1] + has_ties))
    for _ in range(_STEPS):
        scores, curvatures = _derivatives(beta, design, y, has_ties)
        gradient = np.einsum("bn,bni->bi", weights, scores)
        curvature = np.einsum("bn,bnij->bij", weights, curvatures)
        step = (np.linalg.pinv(curvature, hermitian=True) @ gradient[..., None])[..., 0]
        beta += np.clip(step, -_LONGEST, _LONGEST)
        if np.abs(step).max(initial=0) < 1e-10:
            break
    return beta


def _derivatives(
    beta: np.ndarray, design: np.ndarray, y: np.ndarray, has_ties: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Of each choice's log likelihood at `beta` (draws, parameters): the gradients (draws, n,
    parameters) and the negative second ones (draws, n, parameters, parameters).

    Left, right and alike have the utilities d/2, -d/2 and log nu (a multinomial logit), of which
    `y` is the mean of the first two.
    """
    k = design.shape[1]
    d = beta[:, :k] @ design.T
    if not has_ties:
        mu = expit(d)
        score = (y - mu)[..., None] * design
        return score, (mu * (1 - mu))[..., None, None] * (design[:, :, None] * design[:, None])
    utilities = np.stack([d / 2, -d / 2, np.broadcast_to(beta[:, k:], d.shape)])
    left, right, alike = softmax(utilities, axis=0)
    lean = left - right
    tied = y == 0.5
    score = np.concatenate(
        [((y - 0.5) - lean / 2)[..., None] * design, (tied - alike)[..., None]], axis=-1
    )
    curvature = np.empty((*d.shape, k + 1, k + 1))
    spread = (left + right - lean**2) / 4
    curvature[..., :k, :k] = spread[..., None, None] * (design[:, :, None] * design[:, None])
    crossed = (-lean * alike / 2)[..., None] * design
    curvature[..., :k, k] = curvature[..., k, :k] = crossed
    curvature[..., k, k] = alike * (1 - alike)
    return score, curvature


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

    if data.tied.all():
        return "no finite scores: everything was found alike"
    if not _separated(data):
        return ""
    won, lost = data.leaning == 1, data.leaning == 0
    winner = np.concatenate([data.left[won], data.right[lost]])
    loser = np.concatenate([data.right[won], data.left[lost]])
    for group in _groups(winner, loser, k, directed=True):
        if len(group) < k and not np.any(~np.isin(winner, group) & np.isin(loser, group)):
            return f"no finite scores: {names(group)} never lost to another model"
    return "no finite scores: side and model foretell every choice"


def _separated(data: _Choices) -> bool:
    """Whether some direction raises the likelihood for ever (Albert and Anderson 1984)."""
    x, none = data.design, np.zeros(len(data.left))
    utilities = [x / 2, -x / 2]
    if data.has_ties:
        utilities = [np.column_stack([of, none]) for of in utilities]
        utilities.append(np.column_stack([np.zeros_like(x), none + 1]))
    chosen = np.where(data.tied, 2, np.where(data.leaning == 1, 0, 1))
    better = [
        (utilities[one] - utilities[other])[chosen == one]
        for one in range(len(utilities))
        for other in range(len(utilities))
        if one != other
    ]
    signed = np.unique(np.concatenate(better), axis=0)
    ends = linprog(-signed.sum(0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    return bool(-ends.fun > 1e-9)
