"""Colours of a reference, carried over to a photo as far as they are sure to suit it."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from colorize.color import bins
from colorize.inference.hints.things import Ground
from colorize.inference.predict import resize
from colorize.inference.reference.matching import Matches, Places, match

_NEAR = 12.0  # ab units over which the network's distribution is summed up around a colour
_LEAST = 1e-3


class _Weights(NamedTuple):
    """Of the witnesses in the log odds that a carried colour is right; fitted on `val`."""

    of_match: tuple[float, ...]  # in the order of `matching.WITNESSES`
    differs: float  # for 20 ab units between the carried colour and what is predicted
    likely: float = 0.0  # of the log of what the network gives the carried colour
    likely_own: float = 0.0  # the same of what is predicted
    constant: float = 0.0


OVER_BINS = _Weights(
    (1.457, 0.096, 1.472, 0.306, 0.009, 0.210, -1.390, -2.854, 1.633, 8.856, -5.059),
    differs=-0.035,
    likely=0.236,
    likely_own=-1.455,
    constant=-4.751,
)
WITHOUT = _Weights(
    (1.362, -0.098, 1.451, 0.208, 0.046, 0.613, -1.323, -4.674, 2.686, 10.086, -3.912),
    differs=-0.084,
    constant=-5.034,
)


@dataclass(frozen=True)
class Carried:
    """What a reference gives a photo, on a grid `(h', w')`.

    ab `(2, h', w')`; sure `(h', w')` in [0, 1], how far each of them is to be taken; at
    `(2, h', w')`, where it is from: x and y in [0, 1] of the reference. strength: of all of it.
    """

    ab: Tensor
    sure: Tensor
    at: Tensor
    strength: float = 1.0

    def sources(self) -> dict[str, list[list[float]]]:
        """As JSON: rows of `sure`, and of x and y in [0, 1] of the reference."""
        x, y = self.at
        return {name: one.tolist() for name, one in (("sure", self.sure), ("x", x), ("y", y))}

    def over(self, ab: Tensor, L: Tensor) -> Tensor:
        """ab `(2, h, w)` with the carried colours, along the edges of L `(1, h, w)`."""
        change = self.sure * (self.ab - resize(ab[None], tuple(self.sure.shape))[0])
        ground = Ground(L, ab)
        return ab + self.strength * ground.settled(resize(change[None], ground.grid)[0])


def carry(photo: Places, reference: Places, logits: Tensor | None) -> Carried:
    """The reference's colours for a photo, whose ab is as it is predicted without.

    logits `(313, h, w)` of a network over bins, None of another.
    """
    found = match(photo, reference)
    sure = torch.sigmoid(log_odds(witnesses(found, photo, logits)))
    return Carried(
        found.ab.view(2, *photo.grid), sure.view(photo.grid), found.at.view(2, *photo.grid)
    )


def witnesses(found: Matches, photo: Places, logits: Tensor | None) -> Tensor:
    """`(k, n)`: those of the matches, and how the colours go with what is predicted."""
    own = photo.lab[1:]
    differs = (found.ab - own).norm(dim=0)[None] / 20
    if logits is None:
        return torch.cat((found.witnesses, differs))
    p = resize(logits.float().softmax(0)[None], photo.grid)[0].flatten(1)
    likely = [(_around(ab) * p.T).sum(1).add(_LEAST).log()[None] for ab in (found.ab, own)]
    return torch.cat((found.witnesses, differs, *likely))


def log_odds(of: Tensor) -> Tensor:
    """`(n,)` of witnesses `(k, n)`, of a network over bins or of another."""
    weights = OVER_BINS if len(of) == len(OVER_BINS.of_match) + 3 else WITHOUT
    all_of_them = (*weights.of_match, weights.differs, weights.likely, weights.likely_own)
    return torch.tensor(all_of_them[: len(of)]) @ of + weights.constant


def _around(ab: Tensor) -> Tensor:
    """How near each bin is to colours `(2, n)`: `(n, 313)` in [0, 1]."""
    return torch.exp(-torch.cdist(ab.T, bins.centres()).square() / (2 * _NEAR**2))
