"""Full-size colour from full-size lightness and small ab, in strips of bounded memory."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from colorize.color.lab import grey_lightness_table, lab_from_rgb
from colorize.color.merge import Merger
from colorize.color.resample import Enlarger, enlarged_part
from colorize.color.threads import one_thread

_STRIP_PIXELS = 2**17  # temporaries stay in the cache, and calls are few


def render(pixels: np.ndarray, ab: Tensor) -> np.ndarray:
    """Colour `(H, W, 3)` uint8 sRGB with the lightness of `pixels` and the chroma of `ab`.

    pixels: uint8 sRGB `(H, W)` or `(H, W, 3)`; ab `(2, h, w)` in CIELAB units, resized bicubic
    to H x W. Colours outside sRGB lose chroma, not lightness; ab = 0 gives exact greys. One thread
    does it, so that bits do not depend on how many there are. The result is a view of
    `(H, W, 4)`, which `pixels.image_of` makes an image of without a copy.
    """
    size = pixels.shape[:2]
    ab = ab.float().cpu()
    out = np.empty((*size, 4), np.uint8)
    with torch.inference_mode(), one_thread():
        offsets = torch.stack((ab[0] / 500, ab[1] / -200))
        merger = Merger(out, min(_STRIP_PIXELS, size[0] * size[1]), grey=not ab.any())
        for columns in _cuts(size[1], _STRIP_PIXELS):
            enlarger = Enlarger(offsets, size, columns)
            for rows in _cuts(size[0], max(1, _STRIP_PIXELS // (columns.stop - columns.start))):
                part = pixels[rows, columns]
                merger.merge(part, enlarger.rows(rows), rows.start, columns.start)
        merger.finish()
    return out[..., :3]


def render_part(pixels: np.ndarray, ab: Tensor, rows: slice, columns: slice) -> np.ndarray:
    """`render(pixels, ab)[rows, columns]`; no more is computed."""
    size, part = pixels.shape[:2], pixels[rows, columns]
    ab = ab.float().cpu()
    out = np.empty((*part.shape[:2], 4), np.uint8)
    with torch.inference_mode(), one_thread():
        offsets = torch.stack((ab[0] / 500, ab[1] / -200))
        merger = Merger(out, part.shape[0] * part.shape[1], grey=not ab.any())
        merger.merge(part, enlarged_part(offsets, size, rows, columns), 0, 0)
        merger.finish()
    return out[..., :3]


def lightness(pixels: np.ndarray) -> Tensor:
    """L `(1, H, W)` in [0, 100] of uint8 sRGB `(H, W)` or `(H, W, 3)`."""
    if pixels.ndim == 2:
        return torch.from_numpy(grey_lightness_table().numpy()[pixels])[None]
    rgb = torch.from_numpy(np.divide(pixels, 255, dtype=np.float32))
    return lab_from_rgb(rgb.permute(2, 0, 1))[:1]


def _cuts(length: int, step: int) -> Iterator[slice]:
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))
