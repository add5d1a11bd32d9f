"""Faded tones: the lightness of a print that has lost its blacks and whites, stretched."""

from typing import NamedTuple

import numpy as np
import torch

from colorize.color.border import Border
from colorize.color.lab import (
    f_from_ratio,
    lab_from_rgb,
    linear_from_srgb,
    ratio_from_f,
    srgb_from_linear,
)
from colorize.color.resample import shrink

_WHITE = 65_535
_MEASURED = 512  # longest side at which tones are counted
_CLIPPED = 0.5  # percent of the pixels at each end that become black or white
_FULL = (4.0, 96.0)  # L of tones that are not faded
_MOST = 4.0  # times L is stretched: noise is, too
_STRIP_PIXELS = 2**18


class Tones(NamedTuple):
    """The range of L, in [0, 100], that a stretch makes 0 to 100."""

    low: float
    high: float

    def table(self) -> np.ndarray:
        """For every 16-bit sRGB grey the one that it becomes, uint16 `(65536,)`."""
        greys = torch.arange(_WHITE + 1, dtype=torch.float64) / _WHITE
        L = 116 * f_from_ratio(linear_from_srgb(greys)) - 16
        L = ((L - self.low) * (100 / (self.high - self.low))).clamp(0, 100)
        return np.rint(_levels_of(L) * _WHITE).astype(np.uint16)


def find_tones(pixels: np.ndarray, border: Border | None = None) -> Tones | None:
    """The range of a faded picture uint8 `(h, w[, 3])`, without its border; None where it is not
    faded."""
    L = _lightness(shrink(pixels, _MEASURED))
    counted = L[border.inside(L.shape) > 0] if border else L
    low, high = np.percentile(counted, (_CLIPPED, 100 - _CLIPPED))
    if low <= _FULL[0] and high >= _FULL[1]:
        return None
    lacking = 100 / _MOST - (high - low)
    if lacking > 0:
        low, high = low - lacking / 2, high + lacking / 2
    return Tones(max(0.0, float(low)), min(100.0, float(high)))


def stretched(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The greys uint8 `(h, w)` of a picture uint8 `(h, w[, 3])` through `Tones.table`."""
    if pixels.ndim == 2:
        return _eight_bits(table[np.arange(256) * 257])[pixels]
    small = _eight_bits(table)
    out = np.empty(pixels.shape[:2], np.uint8)
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        L = torch.from_numpy(_lightness(pixels[top : top + rows]))
        out[top : top + rows] = small[np.rint(_levels_of(L) * _WHITE).astype(np.uint16)]
    return out


def _lightness(pixels: np.ndarray) -> np.ndarray:
    """L of uint8 `(h, w[, 3])`."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    rgb = torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255)
    return lab_from_rgb(rgb)[0].numpy()


def _levels_of(L: torch.Tensor) -> np.ndarray:
    """sRGB in [0, 1] of the greys of an L."""
    return srgb_from_linear(ratio_from_f((L + 16) / 116)).clamp(0, 1).numpy()


def _eight_bits(levels: np.ndarray) -> np.ndarray:
    return np.rint(levels / 257).astype(np.uint8)
