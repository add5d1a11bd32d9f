"""Resizing in bounded memory: uint8 pictures to small ones, small ab to parts of large pictures."""

import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor

_STRIP_PIXELS = 2**22
_REDUCING_GAP = 3  # box averages leave a picture at least so many times the wanted size
_CUBIC_A = -0.5  # Keys 1981, "Cubic Convolution Interpolation", equation 15; Pillow's, too


def resize_picture(
    pixels: np.ndarray, size: tuple[int, int], resample: Image.Resampling
) -> np.ndarray:
    """uint8 `(h, w[, 3])` at `size` (width, height), antialiased.

    As Pillow's `resize` with a reducing gap of 3, but box averages are taken strip by strip: no
    second full-size copy is made.
    """
    height, width = pixels.shape[:2]
    across, down = (
        max(1, int(before / after / _REDUCING_GAP))
        for before, after in zip((width, height), size, strict=True)
    )
    if (across, down) != (1, 1):
        rows = max(1, _STRIP_PIXELS // (width * down)) * down
        strips = (pixels[top : top + rows] for top in range(0, height, rows))
        reduced = [np.asarray(Image.fromarray(s).reduce((across, down))) for s in strips]
        pixels = np.concatenate(reduced)
    box = (0, 0, width / across, height / down)
    return np.array(Image.fromarray(pixels).resize(size, resample, box=box))


def shrink(pixels: np.ndarray, longest: int) -> np.ndarray:
    """uint8 `(h, w[, 3])` with a long side of at most `longest`, aspect kept."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return resize_picture(pixels, size, Image.Resampling.LANCZOS)


class Enlarger:
    """float `x` `(C, h, w)` resized as `enlarged_part` does, for columns of which all rows are
    wanted, strip by strip."""

    def __init__(self, x: Tensor, size: tuple[int, int], columns: slice) -> None:
        across, weights = _taps(x.shape[2], size[1], columns)
        self._wide = _weighted_sum(x, 2, across, weights)
        self._index, self._weights = _taps(x.shape[1], size[0], slice(0, size[0]))

    def rows(self, rows: slice) -> Tensor:
        """`(C, rows, columns)`: equal to `enlarged_part` but for rounding."""
        index = self._index[:, rows].T
        top, bottom = int(index.min()), int(index.max()) + 1
        dense = torch.zeros(len(index), bottom - top)
        dense.scatter_add_(1, index - top, self._weights[:, rows].T)
        return dense @ self._wide[:, top:bottom]


def enlarged_part(x: Tensor, size: tuple[int, int], rows: slice, columns: slice) -> Tensor:
    """`[:, rows, columns]` of float `x` `(C, h, w)` resized to `size` (H, W); no more is computed.

    Bicubic, antialiased along an axis that gets smaller. A pixel's value does not depend on the
    part that it is computed in.
    """
    down, down_weights = _taps(x.shape[1], size[0], rows)
    across, across_weights = _taps(x.shape[2], size[1], columns)
    top, bottom = int(down.min()), int(down.max()) + 1
    wide = _weighted_sum(x[:, top:bottom], 2, across, across_weights)
    return _weighted_sum(wide, 1, down - top, down_weights[..., None])


def _weighted_sum(x: Tensor, dim: int, index: Tensor, weights: Tensor) -> Tensor:
    total = x.index_select(dim, index[0]) * weights[0]
    for one_index, one_weight in zip(index[1:], weights[1:], strict=True):
        total += x.index_select(dim, one_index) * one_weight
    return total


def _taps(before: int, after: int, part: slice) -> tuple[Tensor, Tensor]:
    """For the outputs `part` of an axis: the inputs that each sums, and their weights, `(k, n)`."""
    scale = before / after
    stretch = max(scale, 1.0)
    centre = (torch.arange(part.start, part.stop, dtype=torch.float64) + 0.5) * scale - 0.5
    offsets = torch.arange(math.ceil(4 * stretch), dtype=torch.float64)
    index = (centre - 2 * stretch).ceil() + offsets[:, None]
    weights = _cubic((index - centre) / stretch)
    weights[(index < 0) | (index > before - 1)] = 0
    weights /= weights.sum(0)
    return index.clamp(0, before - 1).long(), weights.float()


def _cubic(x: Tensor) -> Tensor:
    x, a = x.abs(), _CUBIC_A
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return torch.where(x < 1, near, torch.where(x < 2, far, 0))
