"""Colour hints as a network sees them: three planes, a and b over 110, and where they hold."""

from collections.abc import Sequence

import torch
from torch import Tensor

from colorize.color import lab_from_rgb

AB_SCALE = 110.0
SIDE = 5  # pixels of the square that a person's hint covers, at working size
_SIDES = (1, 3, 5, 7, 9)  # of training's hints: Zhang et al. 2017, 3.2, takes 1 to 9
_STOP = 1 / 8  # training's number of hints is geometric, as there


def hint_planes(
    hints: Sequence[tuple[float, float, str]],
    shape: tuple[int, int],
    photo_size: tuple[int, int],
) -> Tensor:
    """Planes `(3, h, w)` of hints `(x, y, "#rrggbb")` in pixels of a photo of (width, height).

    A later hint lies over an earlier one.
    """
    planes = torch.zeros(3, *shape)
    for x, y, colour in hints:
        column = min(int(x * shape[1] / photo_size[0]), shape[1] - 1)
        row = min(int(y * shape[0] / photo_size[1]), shape[0] - 1)
        _put(planes, row, column, SIDE, hint_ab(colour))
    return planes


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
