"""Colour hints: what a network sees of them, and what makes sure that they are followed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from colorize.color.lab import into_gamut, lab_from_rgb
from colorize.inference.hints.spreading import Spreading
from colorize.inference.hints.strokes import Stroke
from colorize.inference.options import Hint

AB_SCALE = 110.0
SIDE = 5  # pixels of the square that a person's hint covers, at working size
_SIDES = (1, 3, 5, 7, 9)  # of training's hints: Zhang et al. 2017, 3.2, takes 1 to 9
_STOP = 1 / 8  # training's number of hints is geometric, as there
_PINNED = 3  # pixels, at least, of the square that gets a hint's colour exactly
_EDGE = 4.0  # the step in L from pixel to pixel that counts as an edge
_REACH = 0.05  # how far a correction gets, as a share of the photo's short side
_STEP = 2 * SIDE  # pixels from square to square that a network sees of a stroke


@dataclass(frozen=True)
class Spot:
    """A hint or stroke at working size: its first pixel, the ab `(2,)` that it is to have, and
    the side of the square around it that gets it exactly.

    `along` has a stroke's further pixels, (row, column) each; around all of them what lies
    within `radius` pixels gets it as well. `strength` is how much of the way is gone.
    """

    row: int
    column: int
    ab: Tensor
    side: int = _PINNED
    along: tuple[tuple[int, int], ...] = ()
    radius: float = 0.0
    strength: float = 1.0

    @property
    def pixels(self) -> tuple[tuple[int, int], ...]:
        return (self.row, self.column), *self.along

    def area(self, shape: tuple[int, int]) -> np.ndarray:
        """Which pixels `(h, w)` get its colour exactly."""
        where = np.zeros(shape, bool)
        for row, column in self.pixels:
            where[_square(row, column, self.side)] = True
        if self.radius > 0:
            line = np.ones(shape, bool)
            line[tuple(np.transpose(self.pixels))] = False
            where |= distance_transform_edt(line) <= self.radius
        return where


def find_spots(
    hints: Sequence[Hint],
    L: Tensor,
    photo_size: tuple[int, int],
    strokes: Sequence[Stroke] = (),
) -> list[Spot]:
    """Hints `(x, y, "#rrggbb")` and strokes, in pixels of a photo of (width, height), at the size
    of its L.

    L `(1, h, w)` is in [0, 100]. A colour that sRGB has not at the spot's L, at none of
    a stroke, gets less chroma.
    """
    shape = tuple(L.shape[-2:])
    larger = max(shape[0] / photo_size[1], shape[1] / photo_size[0])
    side = max(_PINNED, 2 * round(larger) + 1)  # of a small photo, a pixel and its neighbours
    spots = []
    for stroke in (*(Stroke(((x, y),), colour) for x, y, colour in hints), *strokes):
        first, *along = _line(stroke.points, shape, photo_size)
        rows, columns = zip(first, *along, strict=True)
        lightness = L[:, rows, columns][:, None]
        ab = into_gamut(lightness, hint_ab(stroke.color)[:, None, None].expand(-1, 1, len(rows)))
        ab = ab[:, 0, ab[:, 0].norm(dim=0).argmax()]
        radius = stroke.radius * larger
        spots.append(Spot(*first, ab, side, tuple(along), radius, stroke.strength))
    return spots


def _line(
    points: Sequence[tuple[float, float]], shape: tuple[int, int], photo_size: tuple[int, int]
) -> list[tuple[int, int]]:
    """The pixels at `shape` on the way through points of a photo, each once."""
    pixels = [pixel_at(point, shape, photo_size) for point in points]
    line = pixels[:1]
    for before, after in pairwise(pixels):
        steps = max(abs(before[0] - after[0]), abs(before[1] - after[1]), 1)
        way = np.linspace(before, after, steps + 1).round().astype(int)
        line += [(int(row), int(column)) for row, column in way[1:]]
    return list(dict.fromkeys(line))


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

    A later hint lies over an earlier one. Of a stroke it sees squares like those of hints.
    """
    planes = torch.zeros(3, *shape)
    for spot in spots:
        for row, column in spot.pixels[::_STEP]:
            _put(planes, row, column, SIDE, spot.ab)
    return planes


def weakened(spots: Sequence[Spot], ab: Tensor) -> list[Spot]:
    """The spots with the colours that their strength leaves between ab `(2, h, w)` and theirs."""
    return [
        spot
        if spot.strength == 1
        else replace(spot, ab=torch.lerp(_under(spot, ab), spot.ab, spot.strength))
        for spot in spots
    ]


def _under(spot: Spot, ab: Tensor) -> Tensor:
    rows, columns = zip(*spot.pixels, strict=True)
    return ab[:, rows, columns].mean(1)


def follow(ab: Tensor, spots: Sequence[Spot], L: Tensor, before: Tensor | None = None) -> Tensor:
    """ab `(2, h, w)` with the colours of the spots: what they were missed by is added.

    The difference at a spot is spread along L `(1, h, w)`, fading with the distance. A spot of
    less strength gets its share of the way from `before` `(2, h, w)`, ab where None.
    """
    if not spots:
        return ab
    shape = tuple(L.shape[-2:])
    wish = ab.clone()
    for spot in spots:
        area = torch.from_numpy(spot.area(shape))
        under = (ab if before is None else before)[:, area]
        wish[:, area] = torch.lerp(under, spot.ab.view(2, 1), spot.strength)
    where = np.logical_or.reduce([spot.area(shape) for spot in spots])
    spreading = Spreading(np.asarray(L) / _EDGE, _REACH * min(shape))
    return ab + torch.from_numpy(spreading.from_pixels((wish - ab).numpy(), where))


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
