"""Colour hints: what a network sees of them, and what makes sure that they are followed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from colorize.color.lab import into_gamut, lab_from_rgb
from colorize.inference.options import Hint
from colorize.inference.spreading import Spreading

AB_SCALE = 110.0
SIDE = 5  # pixels of the square that a person's hint covers, at working size
_SIDES = (1, 3, 5, 7, 9)  # of training's hints: Zhang et al. 2017, 3.2, takes 1 to 9
_STOP = 1 / 8  # training's number of hints is geometric, as there
_PINNED = 3  # pixels, at least, of the square that gets a hint's colour exactly
_EDGE = 4.0  # the step in L from pixel to pixel that counts as an edge
_REACH = 0.5  # how far a correction gets, as a share of the photo's short side


@dataclass(frozen=True)
class Spot:
    """A hint at working size: the pixel, the ab `(2,)` that it is to have, and the side of the
    square around it that gets it exactly.
    """

    row: int
    column: int
    ab: Tensor
    side: int = _PINNED


def find_spots(hints: Sequence[Hint], L: Tensor, photo_size: tuple[int, int]) -> list[Spot]:
    """Hints `(x, y, "#rrggbb")` in pixels of a photo of (width, height), at the size of its L.

    L `(1, h, w)` is in [0, 100]. A colour that sRGB has not at the spot's L gets less chroma.
    """
    larger = max(L.shape[-2] / photo_size[1], L.shape[-1] / photo_size[0])
    side = max(_PINNED, 2 * round(larger) + 1)  # of a small photo, a pixel and its neighbours
    spots = []
    for x, y, colour in hints:
        row, column = pixel_at((x, y), tuple(L.shape[-2:]), photo_size)
        ab = into_gamut(L[:, row, column].view(1, 1, 1), hint_ab(colour).view(2, 1, 1))
        spots.append(Spot(row, column, ab.view(2), side))
    return spots


def pixel_at(
    spot: tuple[float, float], shape: tuple[int, int], photo_size: tuple[int, int]
) -> tuple[int, int]:
    """Row and column at `shape` (height, width) of the pixel (x, y) of a photo of (width, height).

    A whole number means the middle of its pixel.
    """
    (x, y), (height, width) = spot, shape
    row, column = (
        min(int((at + 0.5) * side / of), side - 1)
        for at, side, of in ((y, height, photo_size[1]), (x, width, photo_size[0]))
    )
    return row, column


def hint_planes(spots: Sequence[Spot], shape: tuple[int, int]) -> Tensor:
    """A network's input `(3, h, w)`: a and b over 110, and 1 where there is a hint.

    A later hint lies over an earlier one.
    """
    planes = torch.zeros(3, *shape)
    for spot in spots:
        _put(planes, spot.row, spot.column, SIDE, spot.ab)
    return planes


def follow(ab: Tensor, spots: Sequence[Spot], L: Tensor) -> Tensor:
    """ab `(2, h, w)` with the colours of the spots: what the network missed them by is added.

    The difference at a spot is spread along L `(1, h, w)`, fading with the distance.
    """
    if not spots:
        return ab
    shape = tuple(L.shape[-2:])
    wish, where = torch.zeros(2, *shape), torch.zeros(shape, dtype=torch.bool)
    for spot in spots:
        rows, columns = _square(spot.row, spot.column, spot.side)
        wish[:, rows, columns] = spot.ab.view(2, 1, 1)
        where[rows, columns] = True
    missed = (wish - ab).numpy() * where.numpy()
    return ab + torch.from_numpy(_spreading(L).from_pixels(missed, where.numpy()))


def _spreading(L: Tensor) -> Spreading:
    return Spreading(np.asarray(L) / _EDGE, _REACH * min(L.shape[-2:]))


def hint_ab(colour: str) -> Tensor:
    """ab `(2,)` of "#rrggbb"."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return lab_from_rgb(torch.tensor(channels).view(3, 1, 1))[1:, 0, 0]


def random_hints(ab: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Hints `(N, 3, H, W)` taken from true ab `(N, 2, H, W)`, on a `share` of the photos.

    Each has one square or more, of the mean ab in it (Zhang et al. 2017, 3.2). `generator` is
    the CPU's.
    """
    photos, _, height, width = ab.shape
    planes = torch.zeros(photos, 3, height, width)
    ab = ab.cpu()
    for photo in range(photos):
        if torch.rand((), generator=generator) >= share:
            continue
        count = int(torch.empty(()).geometric_(_STOP, generator=generator))
        for _ in range(count):
            row = int(torch.randint(height, (), generator=generator))
            column = int(torch.randint(width, (), generator=generator))
            side = _SIDES[int(torch.randint(len(_SIDES), (), generator=generator))]
            rows, columns = _square(row, column, side)
            _put(planes[photo], row, column, side, ab[photo, :, rows, columns].mean((1, 2)))
    return planes


def _put(planes: Tensor, row: int, column: int, side: int, ab: Tensor) -> None:
    rows, columns = _square(row, column, side)
    planes[:2, rows, columns] = (ab / AB_SCALE).view(2, 1, 1)
    planes[2, rows, columns] = 1


def _square(row: int, column: int, side: int) -> tuple[slice, slice]:
    """Cut at the border of the picture."""
    reach = side // 2
    return slice(max(0, row - reach), row + reach + 1), slice(
        max(0, column - reach), column + reach + 1
    )
