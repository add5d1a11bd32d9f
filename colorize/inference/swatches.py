"""Colours to choose from for a spot of a photo: those that a model finds likely there."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from colorize.color import bins
from colorize.color.lab import into_gamut, rgb_from_lab, to_uint8

MOST = 6
_NEAR = 12.0  # ab units around a mode that are summed up as its share
_APART = 25.0  # ab units between two modes that are offered
_LEAST = 0.02  # share of a mode that is offered
_DARK = 42.0  # lightness under which what is likely is mostly black, so that more is offered
# What dark things mostly are: ab of navy, brown, green and burgundy as cloth and wood have them.
_DARK_COLOURS = (
    ("navy", (6.0, -26.0)), ("dark brown", (12.0, 17.0)), ("dark green", (-16.0, 11.0)),
    ("burgundy", (28.0, 8.0)),
)  # fmt: skip
_GREY = 7.0  # chroma below which nobody names a hue
# From which CIELAB hue angle on, in degrees, a colour is called so.
_HUES = (
    (0, "pink"), (20, "red"), (50, "orange"), (78, "yellow"), (112, "green"), (170, "turquoise"),
    (225, "blue"), (300, "violet"), (335, "pink"),
)  # fmt: skip


class Swatch(NamedTuple):
    """A colour as "#rrggbb", and what to call it."""

    colour: str
    name: str


def plausible(p: Tensor, L: float, thing: Tensor | None = None) -> list[Swatch]:
    """Swatches for a spot of lightness `L` from its distribution over the bins `p` `(313,)`, then
    from that of the thing that it is part of.

    The likeliest first, at most 6 of the network's, each different from the others; grey is always
    among them, and for what is dark the colours that dark things have.
    """
    found = modes(p)
    if thing is not None:
        own = [ab for ab, _ in found]
        found += [
            (ab, share)
            for ab, share in modes(thing)
            if all(float((ab - other).norm()) >= _APART for other in own)
        ]
    likely = [_swatch(ab, L, share) for ab, share in found[:MOST]]
    return _distinct([*likely, *_usual(L)])


def modes(p: Tensor) -> list[tuple[Tensor, float]]:
    """The modes of a distribution over the bins `(313,)`, ab `(2,)` each and its share of it.

    The likeliest first, at most 6, none near another.
    """
    centres = bins.centres()
    distances = torch.cdist(centres, centres)
    weights = torch.exp(-distances.square() / (2 * _NEAR**2))
    left, found = p.clone(), []
    while len(found) < MOST:
        mode = int((weights @ left).argmax())
        around = weights[mode] * left
        near = distances[mode] < _APART
        share = float(left[near].sum())
        if share < _LEAST:
            break
        found.append((around @ centres / around.sum(), share))
        left[near] = 0
    return found


def plain(ab: Tensor, L: float) -> list[Swatch]:
    """The same where there is no distribution, but the colour that is there `(2,)`."""
    return _distinct([_swatch(ab, L), *_usual(L)])


def in_srgb(ab: Tensor, L: float) -> tuple[Tensor, str]:
    """ab `(2,)` with as much of its chroma as sRGB has at L, and that colour as "#rrggbb"."""
    lightness = torch.full((1, 1, 1), L)
    ab = into_gamut(lightness, ab.float().view(2, 1, 1))
    red, green, blue = to_uint8(rgb_from_lab(torch.cat((lightness, ab)))).flatten().tolist()
    return ab.flatten(), f"#{red:02x}{green:02x}{blue:02x}"


def _usual(L: float) -> list[Swatch]:
    """What is offered whatever the model thinks, as it looks at lightness `L`."""
    named = _DARK_COLOURS if L < _DARK else ()
    dark = [Swatch(in_srgb(torch.tensor(ab), L)[1], name) for name, ab in named]
    return [_swatch(torch.zeros(2), L), *dark]


def _swatch(ab: Tensor, L: float, share: float | None = None) -> Swatch:
    ab, colour = in_srgb(ab, L)
    likely = "" if share is None else f", {share:.0%} likely"
    return Swatch(colour, _name(L, *ab.tolist()) + likely)


def _name(L: float, a: float, b: float) -> str:
    if (a * a + b * b) ** 0.5 < _GREY:
        return "black" if L < 12 else "white" if L > 94 else "grey"
    angle = float(torch.rad2deg(torch.atan2(torch.tensor(b), torch.tensor(a)))) % 360
    hue = [name for start, name in _HUES if start <= angle][-1]
    if hue in ("orange", "yellow") and L < 55:
        return "brown" if hue == "orange" else "olive"
    return f"dark {hue}" if L < 30 else f"light {hue}" if L > 78 else hue


def _distinct(swatches: Sequence[Swatch]) -> list[Swatch]:
    """Without those that look like an earlier one, as in the dark all colours do."""
    kept: list[Swatch] = []
    for swatch in swatches:
        if all(_apart(swatch.colour, other.colour) for other in kept):
            kept.append(swatch)
    return kept


def _apart(one: str, other: str) -> bool:
    pairs = ((int(c[i : i + 2], 16) for c in (one, other)) for i in (1, 3, 5))
    return max(abs(x - y) for x, y in pairs) > 12
