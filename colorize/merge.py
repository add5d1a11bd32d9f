"""8-bit lightness and small colour to 8-bit sRGB: what is done for every pixel of a photo.

The mathematics of `color`, on planes of float32 that stay in the cache and are used again and again
(memory fresh from the system costs more than the arithmetic), with tables for the sRGB curve.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from colorize.color import (
    EPSILON,
    GAMUT_TOLERANCE,
    KNEE,
    SLOPE,
    XYZ_FROM_RGB,
    grey_lightness_table,
    linear_from_f,
    linear_from_srgb,
    rgb_from_ratios,
    scale_into_gamut,
    srgb_from_linear,
    to_uint8,
)

_LEVELS = 2**15  # of linear light in the table back: each a tenth of an 8-bit step at most


class Merger:
    """Makes pictures of at most `most` pixels. Not to be shared between threads."""

    def __init__(self, most: int) -> None:
        self._floats = torch.empty(3, 3 * most)
        self._index = torch.empty(3 * most, dtype=torch.long)
        self._bytes = torch.empty(3 * most, dtype=torch.uint8)
        self._matrix = rgb_from_ratios().float()
        self._weights = torch.tensor(XYZ_FROM_RGB[1])

    def __call__(self, pixels: np.ndarray, offsets: Tensor) -> np.ndarray:
        """uint8 sRGB `(3, h, w)` with the lightness of `pixels` and the colour of `offsets`.

        pixels: uint8 sRGB `(h, w)` or `(h, w, 3)`; offsets float32 `(2, h, w)`: a/500 and -b/200,
        which is what they add to f (CIE 15) of X and Z. Outside sRGB, chroma is scaled towards
        neutral; lightness and hue are kept. The next call writes over the result.
        """
        height, width = pixels.shape[:2]
        n = height * width
        f, ratios, linear = (planes[: 3 * n].view(3, n) for planes in self._floats)
        grey, colour = f[1], offsets.reshape(2, n)
        self._read(pixels, grey, spare=linear)
        torch.add(grey, colour[0], out=f[0])
        torch.add(grey, colour[1], out=f[2])
        torch.mm(self._matrix, _ratios(f, ratios, spare=linear), out=linear)
        outside = (_excess(linear, spare=ratios) > GAMUT_TOLERANCE).nonzero()[:, 0]
        if len(outside):
            linear.index_copy_(1, outside, _scaled(grey[outside], colour[:, outside]))
        return self._encode(linear.view(-1)).view(3, height, width).numpy()

    def _read(self, pixels: np.ndarray, f: Tensor, spare: Tensor) -> None:
        """Puts f(Y) of the pixels into `f` `(n,)`."""
        index = self._index[: pixels.size]
        np.copyto(index.numpy().reshape(pixels.shape), pixels)
        if pixels.ndim == 2:
            torch.index_select(_f_table(), 0, index, out=f)
            return
        rgb = torch.index_select(_linear_table(), 0, index, out=spare.view(-1))
        torch.mv(rgb.view(-1, 3), self._weights, out=f)
        foot = torch.sub(f, EPSILON, out=spare[0]).clamp_(max=0)
        f.clamp_(min=EPSILON).pow_(1 / 3).add_(foot, alpha=SLOPE)

    def _encode(self, linear: Tensor) -> Tensor:
        """uint8 sRGB of linear light, which is written over."""
        steps = linear.clamp_(0, 1).mul_(_LEVELS).add_(0.5)
        index = self._index[: len(steps)].copy_(steps)
        return torch.index_select(_byte_table(), 0, index, out=self._bytes[: len(steps)])


def _ratios(f: Tensor, out: Tensor, spare: Tensor) -> Tensor:
    """X/Xn, Y/Yn, Z/Zn `(3, n)` of their f."""
    torch.clamp(f, min=KNEE, out=out)
    out.mul_(torch.mul(out, out, out=spare))
    foot = torch.sub(f, KNEE, out=spare).clamp_(max=0)
    return out.add_(foot, alpha=1 / SLOPE)


def _excess(linear: Tensor, spare: Tensor) -> Tensor:
    """By how much linear RGB `(3, n)` lies outside [0, 1], `(n,)`."""
    above = torch.amax(linear, 0, out=spare[0]).sub_(1)
    return torch.maximum(above, torch.amin(linear, 0, out=spare[1]).neg_(), out=spare[2])


def _scaled(grey: Tensor, colour: Tensor) -> Tensor:
    """Linear RGB `(3, n)` of pixels outside the gamut, their chroma scaled into it."""
    grey, colour = grey.view(1, 1, -1), colour.view(2, 1, -1)
    colour = torch.cat((colour[:1], torch.zeros_like(grey), colour[1:]))
    return linear_from_f(grey + colour * scale_into_gamut(grey, colour))[:, 0]


@cache
@torch.inference_mode(False)
def _linear_table() -> Tensor:
    """Linear light of the 256 levels."""
    return linear_from_srgb(torch.arange(256, dtype=torch.float64) / 255).float()


@cache
@torch.inference_mode(False)
def _f_table() -> Tensor:
    """f(Y) of the 256 greys."""
    return (grey_lightness_table() + 16) / 116


@cache
@torch.inference_mode(False)
def _byte_table() -> Tensor:
    """The level of every step of linear light."""
    return to_uint8(srgb_from_linear(torch.arange(_LEVELS + 1, dtype=torch.float64) / _LEVELS))
