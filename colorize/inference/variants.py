"""Variants of a colouring: more or less colour, warmer, cooler, and other plausible colours.

All are made of what the network has predicted: it is not run again. What people know the colour of
keeps it: skin, sky and foliage, as far as they are told from what is predicted.
"""

import threading
from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from colorize.color import bins
from colorize.inference.colourings import Thing, drawn, find_things
from colorize.inference.hints.things import Ground
from colorize.inference.options import OTHERS, VARIANTS
from colorize.inference.predict import resize

# Chroma and hue angle, in degrees, of 95% of the faces in `train` of people and people-more
# (benchmarks/experiments/skin.py; docs/experiments.md).
SKIN_CHROMA, SKIN_HUE = (4.4, 35.0), (4.0, 83.0)
_SKIN_L, _SKY_L = (15.0, 97.0), (40.0, 101.0)
_SURE = (0.3, 0.5)  # shares of a distribution from which on its colour may be, and is, sure
# The same where it is enough that it may be skin: such a thing gets no other colour.
_PERHAPS, _STAYS_PERHAPS = (0.2, 0.26), 0.6
_SKIN_LEAST = 0.01  # of a photo, for its skin to be looked at
_SOFT_EDGE = 4.0  # units of chroma, or degrees, over which something stops to be skin
# Mean ab units that a variant differs by, all over or in the tenth that differs most: else it is
# not offered.
_LEAST_APART, _LEAST_SOMEWHERE = 1.5, 8.0
_WARMER, _COOLER = torch.tensor([2.5, 7.0]), torch.tensor([-2.0, -8.0])
_ON_SKIN = 0.3  # of such a change that skin takes part in
_TRIES = 6  # seeds that are tried for other colourings
_FULL = 60.0  # chroma that is vivid already


def vivid(ab: Tensor, stays: Tensor) -> Tensor:
    """More of what there is; the less, the more vivid it is already."""
    chroma = ab.norm(dim=0, keepdim=True)
    return ab * (1 + 0.5 * (1 - (1 - _ON_SKIN) * stays) / (1 + (chroma / _FULL) ** 2))


def soft(ab: Tensor, stays: Tensor) -> Tensor:
    """Less of it."""
    return ab * (0.6 + 0.25 * stays)


def warm(ab: Tensor, stays: Tensor) -> Tensor:
    """As in the light of the evening."""
    return ab + _WARMER[:, None, None] * (1 - (1 - _ON_SKIN) * stays)


def cool(ab: Tensor, stays: Tensor) -> Tensor:
    """As in the shade."""
    return ab + _COOLER[:, None, None] * (1 - (1 - _ON_SKIN) * stays)


TONES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "vivid": vivid, "soft": soft, "warm": warm, "cool": cool,
}  # fmt: skip


class Scene:
    """What a photo shows before hints and variants, and the variants of that.

    Nothing is made before it is asked for. Safe between threads.
    """

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._drawn: dict[int, Tensor] = {}
        self._lock = threading.RLock()

    def varied(self, ab: Tensor, variant: str, seed: int | None = None) -> Tensor:
        """A variant of ab `(2, h, w)`, which is that of the photo, with hints perhaps.

        With a seed, of the plausible colouring that it stands for.
        """
        if seed is None and variant == VARIANTS[0]:
            return ab
        with self._lock:
            if seed is not None:
                ab = ab + self._change(seed)
            if variant in TONES:
                return TONES[variant](ab, self._stays)
            seeds = self._seeds if self.ground.over_bins else []
            others = dict(zip(OTHERS, seeds, strict=False))
            return ab + self._change(others[variant]) if variant in others else ab

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """The names of the variants that can be told from each other and keep skin as it can be."""
        with self._lock:
            return (VARIANTS[0], *filter(self._suits, VARIANTS[1:]))

    def _suits(self, variant: str) -> bool:
        after = self.varied(self.ground.ab, variant)
        return differs(self.ground.ab, after) and keeps_skin(self._skin, after)

    def _change(self, seed: int) -> Tensor:
        if seed not in self._drawn:
            change = drawn(self.ground, self._things, seed) * (1 - self._stays)
            self._drawn[seed] = change
        return self._drawn[seed]

    @cached_property
    def _seeds(self) -> list[int]:
        """Those of the other colourings: the first ones that differ from each other."""
        found: list[int] = []
        for seed in range(1, 1 + _TRIES):
            changes = [torch.zeros_like(self.ground.ab), *map(self._change, found)]
            if all(differs(self._change(seed), other) for other in changes):
                found.append(seed)
            if len(found) == len(OTHERS):
                break
        return found

    @cached_property
    def _things(self) -> list[Thing]:
        ground = self.ground
        perhaps = skin(ground.L, ground.ab, ground.small_p(), _PERHAPS)
        return find_things(ground, torch.maximum(self._stays, _STAYS_PERHAPS * perhaps))

    @cached_property
    def _stays(self) -> Tensor:
        return self._known.amax(0)

    @property
    def _skin(self) -> Tensor:
        return self._known[0]

    @cached_property
    def _known(self) -> Tensor:
        """How far each pixel is skin, sky, foliage: `(3, h, w)`."""
        ground = self.ground
        p = ground.small_p() if ground.over_bins else None
        return torch.stack([one(ground.L, ground.ab, p) for one in (skin, sky, foliage)])


def skin(
    L: Tensor, ab: Tensor, p: Tensor | None = None, sure: tuple[float, float] = _SURE
) -> Tensor:
    """How far each pixel `(h, w)` is skin, in [0, 1].

    L `(1, h, w)` in [0, 100]; ab `(2, h, w)` as predicted, and p `(313, h', w')`, of lower
    resolution perhaps. Without p wood and sand are taken for skin too. sure: shares of the
    distribution from which on it may be skin, and is.
    """
    found = _is_skin(ab) * _within(L[0], _SKIN_L)
    return found if p is None else found * _sure(p, _is_skin, ab, sure)


def sky(L: Tensor, ab: Tensor, p: Tensor | None = None) -> Tensor:
    """The same of sky: light, and blue or grey, in the upper part."""
    above = (1.6 - 2 * torch.linspace(0, 1, ab.shape[1])).clamp(0, 1)[:, None]
    found = _is_sky(ab) * _within(L[0], _SKY_L) * above
    return found if p is None else found * _sure(p, _is_sky, ab)


def foliage(L: Tensor, ab: Tensor, p: Tensor | None = None) -> Tensor:
    """The same of leaves and grass."""
    found = _is_green(ab)
    return found if p is None else found * _sure(p, _is_green, ab)


def _is_skin(ab: Tensor) -> Tensor:
    chroma, hue = _polar(ab)
    return _within(chroma, SKIN_CHROMA) * _within(hue, SKIN_HUE)


def _is_sky(ab: Tensor) -> Tensor:
    chroma, hue = _polar(ab)
    return torch.maximum(_within(hue, (210.0, 300.0)), _within(chroma, (-1.0, 6.0)))


def _is_green(ab: Tensor) -> Tensor:
    chroma, hue = _polar(ab)
    return _within(hue, (92.0, 155.0)) * _within(chroma, (9.0, 200.0))


def _sure(
    p: Tensor,
    test: Callable[[Tensor], Tensor],
    like: Tensor,
    sure: tuple[float, float] = _SURE,
) -> Tensor:
    """How sure the network is that a pixel `(h, w)` has such a colour, in [0, 1]."""
    share = torch.einsum("b,bhw->hw", test(bins.centres().T[:, None])[0], p)
    low, high = sure
    return ((resize(share[None, None], like.shape[-2:])[0, 0] - low) / (high - low)).clamp(0, 1)


def keeps_skin(weights: Tensor, after: Tensor) -> bool:
    """Whether the skin of a photo, if it has some, has a tone of skin in ab `(2, h, w)`.

    weights: how far each pixel `(h, w)` is skin.
    """
    if weights.mean() < _SKIN_LEAST:
        return True
    tone = (after * weights).flatten(1).sum(1) / weights.sum()
    chroma, hue = _polar(tone[:, None, None])
    low, high = SKIN_CHROMA
    return low <= chroma.item() <= high and SKIN_HUE[0] <= hue.item() <= SKIN_HUE[1]


def differs(one: Tensor, other: Tensor) -> bool:
    """Whether two ab `(2, h, w)` can be told apart."""
    apart = (one - other).norm(dim=0).flatten()
    if apart.mean().item() >= _LEAST_APART:
        return True
    most = apart.topk(max(1, len(apart) // 10), sorted=False).values
    return most.mean().item() >= _LEAST_SOMEWHERE


def _polar(ab: Tensor) -> tuple[Tensor, Tensor]:
    return ab.norm(dim=0), torch.rad2deg(torch.atan2(ab[1], ab[0])) % 360


def _within(x: Tensor, bounds: tuple[float, float]) -> Tensor:
    """1 inside, 0 from a soft edge outside on."""
    low, high = bounds
    return (1 - torch.maximum(low - x, x - high).clamp(min=0) / _SOFT_EDGE).clamp(min=0)
