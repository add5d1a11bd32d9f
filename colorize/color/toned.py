"""Pixels as measures want them, and whether they are of one ink."""

import numpy as np
import torch

from colorize.color.lab import lab_from_rgb
from colorize.color.resample import shrink

# Degree of a polynomial in L, and ab units that it leaves: a colour photo's ab is further from it.
# The higher degree also follows a toned print and the white paper around it.
_TONE_RESIDUALS = ((2, 2.5), (4, 2.0))


def is_toned(pixels: np.ndarray) -> bool:
    """Whether a picture `(h, w[, 3])` uint8 is grey or toned in one ink, as sepia is.

    Then a and b follow L: a polynomial in L explains them but for noise.
    """
    if pixels.ndim == 2:
        return True
    L, a, b = lab(unit(shrink(pixels, 128))).reshape(3, -1)
    ab = np.stack((a, b), axis=1)
    return any(_left(L / 100, ab, degree) < most for degree, most in _TONE_RESIDUALS)


def _left(L: np.ndarray, ab: np.ndarray, degree: int) -> float:
    """Root mean square of what a polynomial in L leaves of ab."""
    basis = np.stack([L**power for power in range(degree + 1)], axis=1)
    residual = ab - basis @ np.linalg.lstsq(basis, ab, rcond=None)[0]
    return float(np.sqrt((residual**2).sum(1).mean()))


def unit(pixels: np.ndarray) -> np.ndarray:
    """uint8 `(h, w[, 3])` to float32 `(3, h, w)` in [0, 1]."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return pixels.transpose(2, 0, 1).astype(np.float32) / 255


def lab(picture: np.ndarray) -> np.ndarray:
    """L, a, b of sRGB in [0, 1], `(3, h, w)`."""
    return lab_from_rgb(torch.from_numpy(picture)).numpy()
