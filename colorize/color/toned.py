"""Pixels as measures want them, and whether they are of one ink."""

import numpy as np
import torch

from colorize.color.lab import lab_from_rgb
from colorize.color.resample import shrink

_TONE_RESIDUAL = 2.5  # ab units; a colour photo's ab is further from a function of L


def is_toned(pixels: np.ndarray) -> bool:
    """Whether a picture `(h, w[, 3])` uint8 is grey or toned in one ink, as sepia is.

    Then a and b follow L: a quadratic in L explains them but for noise.
    """
    if pixels.ndim == 2:
        return True
    L, a, b = lab(unit(shrink(pixels, 128))).reshape(3, -1)
    basis = np.stack((np.ones_like(L), L / 100, (L / 100) ** 2), axis=1)
    ab = np.stack((a, b), axis=1)
    residual = ab - basis @ np.linalg.lstsq(basis, ab, rcond=None)[0]
    return float(np.sqrt((residual**2).sum(1).mean())) < _TONE_RESIDUAL


def unit(pixels: np.ndarray) -> np.ndarray:
    """uint8 `(h, w[, 3])` to float32 `(3, h, w)` in [0, 1]."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return pixels.transpose(2, 0, 1).astype(np.float32) / 255


def lab(picture: np.ndarray) -> np.ndarray:
    """L, a, b of sRGB in [0, 1], `(3, h, w)`."""
    return lab_from_rgb(torch.from_numpy(picture)).numpy()
