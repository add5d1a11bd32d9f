"""Looks at a study before its end that leave its error rates what they are: alpha spending.

Lan and DeMets 1983: of the error allowed in all, a look may spend what a function of the share of
the information gives it. The bounds follow from the distribution of the test over all looks, by
numerical integration (Armitage, McPherson and Rowe 1969).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

Spending = Literal["obrien-fleming", "pocock"]

_NODES = 300  # of the quadrature; bounds are right to 1e-4 or better
_FARTHEST = 8.0  # standard deviations, of the highest bound too: beyond lie 6e-16


class Look(NamedTuple):
    """One look: after how many participants, and the level of its test.

    `z` is the bound of the test statistic, `level` the error of a test at this look alone that has
    that bound (two-sided where the looks are), `spent` the error of all looks up to it.
    """

    participants: int
    information: float
    z: float
    level: float
    spent: float


def looks(
    participants: Sequence[int],
    spending: Spending = "obrien-fleming",
    alpha: float = 0.05,
    two_sided: bool = True,
) -> tuple[Look, ...]:
    """The looks after these numbers of participants, the last of which is the whole study.

    The share of the information is taken as that of the participants. Where photos are few it
    grows faster, looks are more alike than is reckoned with, and the bounds err on the safe side.
    ValueError where the numbers do not rise, or alpha is no probability.
    """
    _check(participants, alpha)
    sides = 2 if two_sided else 1
    shares = np.array(participants, float) / participants[-1]
    spent = sides * _SPENDING[spending](shares, alpha / sides)
    found: list[Look] = []
    walk = _Walk(two_sided)
    errors = np.diff(spent, prepend=0)
    for n, share, error, so_far in zip(
        participants, shares.tolist(), errors.tolist(), spent.tolist(), strict=True
    ):
        z = walk.bound(share, error)
        walk.go_on(share, z)
        found.append(Look(n, share, z, float(sides * norm.sf(z)), so_far))
    return tuple(found)


class _Walk:
    """The test statistic times the root of the information: sums of independent steps, of which
    those that crossed a bound are gone. Its density is kept at the nodes of a quadrature."""

    def __init__(self, two_sided: bool) -> None:
        self._two_sided = two_sided
        self._share = 0.0
        self._at = np.zeros(1)
        self._mass = np.ones(1)  # density times the weight of each node

    def bound(self, share: float, error: float) -> float:
        """The z at this share of the information that is crossed with a chance of `error`."""
        step = np.sqrt(share - self._share)

        def too_much(end: float) -> float:
            gone = norm.sf((end - self._at) / step)
            if self._two_sided:
                gone = gone + norm.sf((end + self._at) / step)
            return float(self._mass @ gone) - error

        farthest = _FARTHEST * np.sqrt(share)
        if too_much(farthest) >= 0:  # so early a look may spend next to nothing
            return _FARTHEST
        return float(brentq(too_much, 0, farthest) / np.sqrt(share))

    def go_on(self, share: float, z: float) -> None:
        """To this share, without what lies beyond the bound `z`."""
        step, scale = np.sqrt(share - self._share), np.sqrt(share)
        low, high = -(z if self._two_sided else _FARTHEST) * scale, z * scale
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        at = (high - low) / 2 * nodes + (high + low) / 2
        density = norm.pdf((at[:, None] - self._at) / step) / step @ self._mass
        self._share, self._at = share, at
        self._mass = density * weights * (high - low) / 2


def _check(participants: Sequence[int], alpha: float) -> None:
    if not participants or any(n < 1 for n in participants):
        raise ValueError(f"looks: expected numbers of 1 or more, found {list(participants)}")
    if any(a >= b for a, b in pairwise(participants)):
        raise ValueError(f"looks: expected rising numbers, found {list(participants)}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha: expected a number between 0 and 0.5, found {alpha}")


def _obrien_fleming(share: np.ndarray, alpha: float) -> np.ndarray:
    """Little at first: like O'Brien and Fleming 1979. One-sided."""
    return 2 * norm.sf(norm.isf(alpha / 2) / np.sqrt(share))


def _pocock(share: np.ndarray, alpha: float) -> np.ndarray:
    """Nearly the same bound at every look: like Pocock 1977."""
    return alpha * np.log1p((np.e - 1) * share)


_SPENDING: dict[Spending, Callable[[np.ndarray, float], np.ndarray]] = {
    "obrien-fleming": _obrien_fleming,
    "pocock": _pocock,
}
