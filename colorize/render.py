"""Full-size colour from full-size lightness and small ab, in strips of bounded memory."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorize.color import grey_lightness_table, lab_from_rgb, rgb_from_lab, to_uint8

_STRIP_PIXELS = 2**19


def render(pixels: np.ndarray, ab: Tensor) -> np.ndarray:
    """Colour `(H, W, 3)` uint8 sRGB with the lightness of `pixels` and the chroma of `ab`.

    pixels: uint8 sRGB `(H, W)` or `(H, W, 3)`; ab `(2, h, w)` in CIELAB units, resized bicubic
    to H x W. Colours outside sRGB lose chroma, not lightness.
    """
    height, width = pixels.shape[:2]
    down, across = _resampling(ab.shape[1], height), _resampling(ab.shape[2], width)
    wide = ab.float().cpu() @ across.T
    out = np.empty((height, width, 3), np.uint8)
    with torch.inference_mode():
        for rows in _strips(height, width):
            L = lightness(pixels[rows])
            lab = torch.cat((L, down[rows] @ wide))
            out[rows] = to_uint8(rgb_from_lab(lab)).permute(1, 2, 0).numpy()
    return out


def lightness(pixels: np.ndarray) -> Tensor:
    """L `(1, H, W)` in [0, 100] of uint8 sRGB `(H, W)` or `(H, W, 3)`."""
    if pixels.ndim == 2:
        return grey_lightness_table()[torch.from_numpy(pixels).long()][None]
    rgb = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    return lab_from_rgb(rgb)[:1]


def _resampling(before: int, after: int) -> Tensor:
    """The matrix `(after, before)` of a bicubic resize along one axis, antialiased if smaller."""
    unit = torch.eye(before)[None, None]
    smaller = after < before
    return F.interpolate(
        unit, (after, before), mode="bicubic", align_corners=False, antialias=smaller
    )[0, 0]


def _strips(height: int, width: int) -> Iterator[slice]:
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))
