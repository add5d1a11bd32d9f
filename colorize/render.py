"""Full-size colour from full-size lightness and small ab, in strips of bounded memory."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from colorize.color import grey_lightness_table, lab_from_rgb, rgb_from_lab, to_uint8
from colorize.resample import enlarged_part

_STRIP_PIXELS = 2**16  # temporaries stay in the cache: 25% faster than 2**20


def render(pixels: np.ndarray, ab: Tensor) -> np.ndarray:
    """Colour `(H, W, 3)` uint8 sRGB with the lightness of `pixels` and the chroma of `ab`.

    pixels: uint8 sRGB `(H, W)` or `(H, W, 3)`; ab `(2, h, w)` in CIELAB units, resized bicubic
    to H x W. Colours outside sRGB lose chroma, not lightness; ab = 0 gives exact greys.
    """
    size = pixels.shape[:2]
    ab = ab.float().cpu()
    is_grey = not ab.any()
    out = np.empty((*size, 3), np.uint8)
    with torch.inference_mode():
        for rows, columns in _parts(*size):
            L = lightness(pixels[rows, columns])
            lab = torch.cat((L, enlarged_part(ab, size, rows, columns)))
            rgb = to_uint8(rgb_from_lab(lab))
            if is_grey:  # D65's white is not quite (1, 1, 1): a level would differ here and there
                rgb = rgb[1:2]
            out[rows, columns] = rgb.permute(1, 2, 0).numpy()
    return out


def lightness(pixels: np.ndarray) -> Tensor:
    """L `(1, H, W)` in [0, 100] of uint8 sRGB `(H, W)` or `(H, W, 3)`."""
    if pixels.ndim == 2:
        return torch.from_numpy(grey_lightness_table().numpy()[pixels])[None]
    rgb = torch.from_numpy(np.divide(pixels, 255, dtype=np.float32))
    return lab_from_rgb(rgb.permute(2, 0, 1))[:1]


def _parts(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Strips of whole rows; a row that is too long for one is cut as well."""
    for columns in _cuts(width, _STRIP_PIXELS):
        for rows in _cuts(height, max(1, _STRIP_PIXELS // width)):
            yield rows, columns


def _cuts(length: int, step: int) -> Iterator[slice]:
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))
