"""What witnesses say together: how far a pixel belongs to a hint, and what becomes of its colour.

A logistic regression whose weights `python -m benchmarks.experiments.hints.weights` fits.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor


class Weights(NamedTuple):
    """Of the witnesses in the log odds that a pixel belongs to a hint; fitted on `val`.

    What is 0 is not asked.
    """

    constant: float
    walk: float  # of the log of the walk
    far: float  # of the distance, in short sides
    logits: float = 0.0  # of the cosine of the logits
    features: float = 0.0  # of the cosine of the features
    apart: float = 0.0  # of the ab units between what is predicted there and at the hint
    shade: float = 0.0  # of the L units between
    missed: float = 0.0  # of the CIELAB units that the network stays away from the hint's colour

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the witnesses that count."""
        return tuple(name for name in self._fields[1:] if getattr(self, name))


ASKED = Weights(7.0834, 1.4977, -7.0831, 2.3265, 8.9043, -0.0936, -0.0621, -0.141)
UNASKED = Weights(6.1387, 2.1276, -6.271, 2.0608, 8.7396, -0.1819, -0.0604)
WITHOUT_FEATURES = Weights(11.445, 3.2895, -12.5037, 2.5019, 0.0, -0.2262, -0.0549)
WALK_ALONE = Weights(13.4808, 3.1035, -14.5826, 0.0, 0.0, -0.222, -0.1232)
OF_VARIANTS = Weights(5.388, 4.074, -6.384, 5.046)  # whose things are smaller
OF_VARIANTS_ALONE = Weights(9.915, 5.367, -9.6)  # without bins


class Blend(NamedTuple):
    """How colours go over things; fitted with the weights."""

    sharpness: float = 0.2144  # with which hints that lie near compete for a pixel
    flat: float = 0.666  # of the colour in a thing that is the hint's, the rest varying as before


BLEND = Blend()
BLEND_OF_VARIANTS = Blend(1.3, 0.7)  # with rims between things that lie near


class Wishes(NamedTuple):
    """Of k hints: the colours that they ask for and that are there before, ab `(2, k)` each, and
    how much of the way is gone, `(k,)` in [0, 1]."""

    ab: Tensor
    before: Tensor
    strengths: Tensor


def odds_of(witnesses: Mapping[str, Tensor], weights: Weights) -> Tensor:
    """The logarithms of the odds `(k, h, w)`, from what each witness says of each pixel."""
    return weights.constant + sum(getattr(weights, name) * x for name, x in witnesses.items())


def parts(odds: Tensor, blend: Blend = BLEND) -> tuple[Tensor, Tensor]:
    """How far each pixel takes part `(h, w)`, and the hints' shares of it `(k, h, w)`."""
    return odds.amax(0).sigmoid(), (blend.sharpness * odds).softmax(0)


def wanted(wishes: Wishes, shares: Tensor, ab: Tensor, blend: Blend = BLEND) -> Tensor:
    """`(2, h, w)`: the change of ab towards the hints' colours, each by its share of a pixel."""
    given, strengths = wishes.ab * wishes.strengths, wishes.strengths
    flat = _spread(given, shares) - _spread(strengths[None], shares) * ab
    varied = _spread((wishes.ab - wishes.before) * strengths, shares)
    return blend.flat * flat + (1 - blend.flat) * varied


def _spread(values: Tensor, shares: Tensor) -> Tensor:
    """`(c, k)` by shares `(k, h, w)`: `(c, h, w)`."""
    return torch.tensordot(values, shares, 1)
