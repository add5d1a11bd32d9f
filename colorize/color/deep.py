"""Full-size colour at 16 bits a channel, in strips of bounded memory."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from colorize.color.lab import (
    f_from_ratio,
    linear_from_f,
    linear_from_srgb,
    srgb_from_linear,
)
from colorize.color.resample import Enlarger
from colorize.color.threads import one_thread

_STRIP_PIXELS = 2**17
_WHITE = 65_535
_TOLERANCE = 1e-6  # in linear light: under a step of 16 bits, over what float32 is off
_BISECTIONS = 16


def render_deep(levels: np.ndarray, ab: Tensor) -> np.ndarray:
    """Colour `(H, W, 3)` uint16 sRGB with the lightness of `levels` and the chroma of `ab`.

    levels: uint16 sRGB greys `(H, W)`, 65535 for white; ab `(2, h, w)` in CIELAB units, resized
    bicubic to H x W. As `render` does for 8 bits: colours outside sRGB lose chroma, not lightness,
    and ab = 0 gives the greys exactly.
    """
    height, width = levels.shape
    ab = ab.float().cpu()
    if not ab.any():
        return np.repeat(levels[..., None], 3, axis=2)
    out = np.empty((height, width, 3), np.uint16)
    rows = max(1, _STRIP_PIXELS // width)
    with torch.inference_mode(), one_thread():
        offsets = torch.stack((ab[0] / 500, ab[1] / -200))
        enlarger = Enlarger(offsets, (height, width), slice(0, width))
        for top in range(0, height, rows):
            part = slice(top, min(top + rows, height))
            out[part] = _merged(levels[part], enlarger.rows(part))
    return out


def _merged(levels: np.ndarray, offsets: Tensor) -> np.ndarray:
    """uint16 `(h, w, 3)` of a strip; offsets float32 `(2, h, w)` are a/500 and -b/200."""
    grey = torch.from_numpy(_f_of_levels()[levels])[None]
    colour = torch.stack((offsets[0], torch.zeros_like(offsets[0]), offsets[1]))
    linear = linear_from_f(grey + colour)
    outside = _is_outside(linear).flatten().nonzero()[:, 0]
    if len(outside):
        some_grey, some_colour = (
            one.flatten(1)[:, None].index_select(2, outside) for one in (grey, colour)
        )
        fixed = linear_from_f(some_grey + some_colour * _scale(some_grey, some_colour))
        linear.flatten(1).index_copy_(1, outside, fixed[:, 0])
    srgb = srgb_from_linear(linear.clamp_(0, 1)).mul_(_WHITE).round_()
    return srgb.permute(1, 2, 0).numpy().astype(np.uint16)


def _scale(grey: Tensor, colour: Tensor) -> Tensor:
    """The most of their chroma, `(1, 1, n)` in [0, 1], that keeps pixels inside sRGB."""
    low, width = torch.zeros_like(grey), 1.0
    for _ in range(_BISECTIONS):
        width /= 2
        inside = ~_is_outside(linear_from_f(grey + colour * (low + width)))
        low += width * inside
    return low


def _is_outside(linear: Tensor) -> Tensor:
    return (linear.amax(0) > 1 + _TOLERANCE) | (linear.amin(0) < -_TOLERANCE)


@cache
def _f_of_levels() -> np.ndarray:
    """f(Y) of the 65,536 greys."""
    greys = torch.arange(_WHITE + 1, dtype=torch.float64) / _WHITE
    return f_from_ratio(linear_from_srgb(greys)).float().numpy()
