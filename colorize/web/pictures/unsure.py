"""Where a model over bins is least sure, as something that can be looked at."""

import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion, gaussian_filter

_SIDE = 800  # pixels: the line is thin and smooth
_SHARE = 0.1  # of the photo
_LINE, _TINT = 230, 40  # opacities


def outline(uncertainty: np.ndarray, alpha: np.ndarray | None = None) -> np.ndarray:
    """A line around the tenth of the photo where the model is least sure, and a faint tint in it.

    uncertainty: float32 `(h, w)` in [0, 1], at working size.
    alpha: the photo's transparency, uint8 `(H, W)`; where it is 0 there is no picture.
    Returns opacity, uint8, of alpha's size, else with a long side of 800 pixels.
    """
    height, width = uncertainty.shape if alpha is None else alpha.shape
    scale = _SIDE / max(height, width) if alpha is None else 1
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = Image.fromarray(uncertainty.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    smooth = gaussian_filter(np.asarray(image), max(size) / 200)
    there = np.ones(smooth.shape, bool) if alpha is None else alpha > 0
    if not there.any():
        return np.zeros(smooth.shape, np.uint8)
    inside = there & (smooth > np.quantile(smooth[there], 1 - _SHARE))
    core = binary_erosion(inside, iterations=max(1, max(size) // 300), border_value=1)
    return np.where(core, _TINT, np.where(inside, _LINE, 0)).astype(np.uint8)
