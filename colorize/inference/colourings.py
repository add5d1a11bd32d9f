"""Other plausible colourings of a photo: other likely colours for some of the things in it.

A thing is what hints on it would colour (`things.Ground`), so that it changes up to its edge, all
of it alike. Its colours are drawn from what the network finds likely all over it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import squareform
from torch import Tensor

from colorize.color import bins
from colorize.inference.hints.spots import Spot
from colorize.inference.hints.things import Ground
from colorize.inference.predict import resize
from colorize.inference.swatches import modes

_MOST_PLACES, _MOST_TRIED = 10, 20  # of things that may change; of all
_LEAST = 0.03  # of what could be otherwise, around a place, for it to be looked at
_BLUR = 0.04  # of the short side, over which that is averaged
_ONE = 0.3  # of the smaller of two masks that the other has too where both are one thing
_MOST_THINGS = 4  # that change: more than that is a patchwork
_NEAR = 18.0  # ab units within which a colour is the one that is there already
_AWAY = 0.04  # of a thing's distribution that is to lie elsewhere, for it to have other colours
_SHARE = 0.1  # of what lies elsewhere that a colour has to have
_EVEN = 0.5  # power of the shares with which colours are drawn: 0 would be each as often
_STAYS = 0.3  # of a thing that is skin, sky or foliage, from which on it keeps its colour
# Chroma of a colour that is drawn: at least; at most, of something small and light. Walls are
# paler than scarves, and what is dark has little colour.
_LEAST_CHROMA, _MOST_CHROMA = 14.0, 34.0
_LARGE, _PALE = 0.35, 0.6  # share of a photo that is large, and how much of the chroma that takes
_DARK = 0.45  # chroma over L at most
# What is large, nearly neutral and runs out of the photo at two sides, or at one that is not below
# (as coats do), is a wall, a floor or a street, and known as such: share of a photo, chroma, and
# share of a second side, or half of that of one, between which a thing begins to be one, and is.
_LARGE_ENOUGH, _NEUTRAL, _OUT = (0.03, 0.08), (18.0, 9.0), (0.05, 0.16)
_KEPT = 0.7  # of that, from which on it keeps its colour; less takes as much less of another


class Thing(NamedTuple):
    """Spots at the places of a thing, and the colours `(2,)` that it may have besides its own,
    the likeliest first, each with its share.
    """

    spots: Sequence[Spot]
    colours: Sequence[tuple[Tensor, float]] = ()


def find_things(ground: Ground, stays: Tensor) -> list[Thing]:
    """The things of a photo over bins, those first whose colour is most open.

    stays: `(h, w)` in [0, 1] of L's size, how much of each pixel is to keep its colour.
    """
    p, grid = ground.small_p().flatten(1), ground.grid
    ab = torch.from_numpy(ground.small_ab).flatten(1)
    L, stays = (resize(one[None, None], grid)[0, 0].flatten() for one in (ground.L[0], stays))
    near = torch.cdist(ab.T, bins.centres()) < _NEAR
    is_open = (1 - (p.T * near).sum(1)) * (1 - stays)
    spots, masks = _places(ground, is_open.view(grid).numpy())
    things = []
    for some in _together(masks):
        whole = masks[some].max(0)
        mask = torch.from_numpy(whole).flatten()
        weights = mask.square() / mask.square().sum()
        colours: list[tuple[Tensor, float]] = []
        own, area = ab @ weights, float(mask.mean())
        backdrop = _backdrop(whole, float(own.norm()))
        if float(weights @ stays) < _STAYS and backdrop < _KEPT:
            most = min(
                _MOST_CHROMA * (1 - _PALE * min(1.0, area / _LARGE)), _DARK * float(weights @ L)
            )
            colours = [
                (torch.lerp(colour, own, backdrop), share)
                for colour, share in _others(p @ weights, own, most)
            ]
        openness = float(mask @ is_open) if colours else 0.0
        things.append((openness, Thing([spots[one] for one in some], colours)))
    things.sort(key=lambda pair: -pair[0])
    return [
        thing if place < _MOST_THINGS else thing._replace(colours=())
        for place, (_, thing) in enumerate(things)
    ]


def _backdrop(mask: np.ndarray, chroma: float) -> float:
    """How far the thing of a mask `(h', w')` is a wall, a floor or a street, in [0, 1]."""
    below, *others = (side.mean() for side in (mask[-1], mask[0], mask[:, 0], mask[:, -1]))
    out = max(sorted((below, *others))[-2], max(others) / 2)
    told = ((mask.mean(), _LARGE_ENOUGH), (chroma, _NEUTRAL), (out, _OUT))
    return float(np.prod([np.clip((x - no) / (yes - no), 0, 1) for x, (no, yes) in told]))


def drawn(ground: Ground, things: Sequence[Thing], seed: int) -> Tensor:
    """What is added to ab `(2, h, w)` for the colouring of a seed, always the same for it.

    Of two seeds that follow each other, an odd one and the next, each thing gets different
    colours as far as it has them.
    """
    pair, second = divmod(seed + 1, 2)
    spots: list[Spot] = []
    for number, (places, colours) in enumerate(things):
        colour = None
        if colours:
            random = np.random.default_rng((pair, number))
            shares = np.array([share for _, share in colours]) ** _EVEN
            order = random.choice(
                len(colours), len(colours), replace=False, p=shares / shares.sum()
            )
            if second < len(order):
                colour = colours[order[second]][0]
        spots += [
            spot if colour is None else Spot(spot.row, spot.column, colour) for spot in places
        ]
    return ground.changed(spots)


def _places(ground: Ground, is_open: np.ndarray) -> tuple[list[Spot], np.ndarray]:
    """Spots all over what is open `(h', w')`, and their masks `(k, h', w')`."""
    spots: list[Spot] = []
    masks: list[np.ndarray] = []
    blur, small = _BLUR * min(ground.grid), 0
    left = is_open.copy()
    while small < _MOST_PLACES and len(spots) < _MOST_TRIED:
        around = gaussian_filter(left, blur)
        row, column = np.unravel_index(around.argmax(), around.shape)
        if around[row, column] < _LEAST:
            break
        spots.append(ground.spot_at(int(row), int(column)))
        masks.append(ground.masks(spots[-1:])[0])
        own = (ground.small_ab * masks[-1]).sum((1, 2)) / masks[-1].sum()
        small += _backdrop(masks[-1], float(np.linalg.norm(own))) < _KEPT
        left *= 1 - np.maximum(masks[-1], _disc(left.shape, row, column, blur))
    return spots, np.array(masks).reshape(len(masks), *ground.grid)


def _together(masks: np.ndarray) -> list[list[int]]:
    """The numbers of the masks `(k, h', w')` that are parts of one thing."""
    if len(masks) < 2:
        return [[number] for number in range(len(masks))]
    flat = masks.reshape(len(masks), -1)
    sizes = flat.sum(1)
    smaller = np.minimum(sizes[:, None], sizes[None])
    apart = 1 - np.minimum(flat[:, None], flat[None]).sum(2) / smaller
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    of = fcluster(tree, 1 - _ONE, "distance")
    return [np.flatnonzero(of == number).tolist() for number in np.unique(of)]


def _others(p: Tensor, own: Tensor, most: float) -> list[tuple[Tensor, float]]:
    """The modes of a distribution `(313,)` away from the colour `(2,)` that is there."""
    centres = bins.centres()
    away = p * ((centres - own).norm(dim=1) >= _NEAR) * (centres.norm(dim=1) >= _LEAST_CHROMA)
    if away.sum() < _AWAY:
        return []
    found = modes(away / away.sum())
    return [
        (colour * min(1.0, most / max(float(colour.norm()), 1e-6)), share)
        for colour, share in found
        if share >= _SHARE
    ]


def _disc(shape: tuple[int, ...], row: int, column: int, radius: float) -> np.ndarray:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
