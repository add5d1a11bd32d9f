"""8-bit lightness and small colour to 8-bit sRGB: what is done for every pixel of a photo.

The mathematics of `color`, on planes that stay in the cache and are used again and again (memory
fresh from the system costs more than the arithmetic), with tables for the curves.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from colorize.color.lab import (
    BISECTIONS,
    GAMUT_TOLERANCE,
    KNEE,
    SLOPE,
    XYZ_FROM_RGB,
    f_from_ratio,
    grey_lightness_table,
    linear_from_srgb,
    rgb_from_ratios,
    srgb_from_linear,
    to_uint8,
)

_LEVELS = 2**15  # of linear light in the tables back: each a tenth of an 8-bit step at most
_SCALE = _LEVELS / (1 + 2 * GAMUT_TOLERANCE)  # level = (linear + tolerance) * scale
_Y_LEVELS = 2**16  # of Y in the table to f: each 0.014 of L at most
_WAITING = 2**16  # so many pixels outside the gamut are searched at once


class Merger:
    """Fills a picture part by part. Not to be shared between threads.

    out: uint8 `(H, W, 4)`, contiguous, written as red, green, blue, 255; `most`: pixels of the
    largest part; `grey`: every offset is 0 (else rounding could tint a grey by a level).
    """

    def __init__(self, out: np.ndarray, most: int, grey: bool = False) -> None:
        self._width = out.shape[1]
        self._out = torch.from_numpy(out).view(torch.int32)[..., 0]
        self._floats = torch.empty(3, 4 * most)
        self._index = torch.empty(2, 3 * most, dtype=torch.int32)
        self._pixels = 0  # of the part before
        self._weights = torch.tensor(XYZ_FROM_RGB[1]) * _Y_LEVELS
        self._channels = (1, 1, 1) if grey else (0, 1, 2)
        self._waiting: list[tuple[Tensor, Tensor, Tensor]] = []  # places, f(Y), offsets

    def merge(self, pixels: np.ndarray, offsets: Tensor, top: int = 0, left: int = 0) -> None:
        """Writes sRGB with the lightness of `pixels` and the colour of `offsets`, from a corner on.

        pixels: uint8 sRGB `(h, w)` or `(h, w, 3)`; offsets float32 `(2, h, w)`: a/500 and -b/200,
        which is what they add to f (CIE 15) of X and Z. What lies outside sRGB may be written
        later, at the latest by `finish`: its chroma scaled towards neutral, lightness and hue kept.
        """
        height, width = pixels.shape[:2]
        n = height * width
        f, knee, ratios = (planes[: 4 * n].view(4, n) for planes in self._floats)
        levels, spare = (planes[: 3 * n].view(3, n) for planes in self._index)
        colour = offsets.reshape(2, n)
        grey = f[3]
        self._read(pixels, grey, ratios)
        torch.add(grey, colour[0], out=f[0])
        f[1] = grey
        torch.add(grey, colour[1], out=f[2])
        _ratios(f[:3], knee[:3], ratios[:3])
        if n != self._pixels:  # else they are there
            ratios[3].fill_(1)
            self._pixels = n
        levels.copy_(torch.mm(_matrix(), ratios, out=f[:3]))
        outside = _outside(levels, spare[0])
        if len(outside):
            levels.index_fill_(1, outside, 0)
            place = outside + top * self._width
            if width < self._width:
                place = (outside // width + top) * self._width + outside % width + left
            self._waiting.append((place, grey[outside], colour[:, outside]))
        packed = self._encoded(levels, spare)
        self._out[top : top + height, left : left + width] = packed.view(height, width)
        if sum(len(place) for place, *_ in self._waiting) >= _WAITING:
            self.finish()

    def finish(self) -> None:
        """Writes what lies outside the gamut and was kept to be searched together."""
        if not self._waiting:
            return
        place, grey, colour = (torch.cat(parts, -1) for parts in zip(*self._waiting, strict=True))
        self._waiting.clear()
        levels = _levels_in_gamut(grey, colour).int().clamp_(0, _LEVELS - 1)
        packed = self._encoded(levels, torch.empty_like(levels))
        self._out.view(-1).index_copy_(0, place, packed)

    def _read(self, pixels: np.ndarray, f: Tensor, spare: Tensor) -> None:
        """Puts f(Y) of the pixels into `f` `(n,)`; the index is written over."""
        index = self._index[0, : pixels.size]
        np.copyto(index.numpy().reshape(pixels.shape), pixels)
        if pixels.ndim == 2:
            torch.index_select(_f_of_grey(), 0, index, out=f)
            return
        rgb = torch.index_select(_linear_table(), 0, index, out=spare.view(-1)[: pixels.size])
        index = index[: len(f)].copy_(torch.mv(rgb.view(-1, 3), self._weights, out=f))
        torch.index_select(_f_of_y(), 0, index, out=f)

    def _encoded(self, levels: Tensor, spare: Tensor) -> Tensor:
        """The four bytes of each pixel as an int32 `(n,)`, in `spare`."""
        for channel, table in enumerate(_byte_tables()):
            torch.index_select(table, 0, levels[self._channels[channel]], out=spare[channel])
        return spare[0].bitwise_or_(spare[1]).bitwise_or_(spare[2])


def _ratios(f: Tensor, knee: Tensor, out: Tensor) -> Tensor:
    """SLOPE times X/Xn and so on of their f, any shape; `knee` becomes f, at least KNEE."""
    torch.clamp(f, min=KNEE, out=knee)
    foot = f.sub_(knee)
    return torch.addcmul(foot, torch.mul(knee, knee, out=out), knee, value=SLOPE, out=out)


def _outside(levels: Tensor, spare: Tensor) -> Tensor:
    """Which of the pixels `(3, n)` have a level that is none."""
    joined = torch.bitwise_or(levels[0], levels[1], out=spare).bitwise_or_(levels[2])
    return torch.from_numpy(np.flatnonzero(joined.numpy().view(np.uint32) >= _LEVELS))


def _levels_in_gamut(grey: Tensor, colour: Tensor) -> Tensor:
    """Levels `(3, n)` of pixels outside the gamut, their chroma scaled into it.

    grey: f(Y) `(n,)`; colour: offsets `(2, n)`. The search is that of `lab.scale_into_gamut`,
    for X and Z alone, since Y stays.
    """
    matrix = _matrix()
    y = torch.stack((grey, torch.empty_like(grey)))
    _ratios(y[0].clone(), y[1], y[0])
    y[1] = 1
    fixed, moving = torch.mm(matrix[:, [1, 3]], y), matrix[:, [0, 2]]
    f, knee, ratios = torch.empty(3, *colour.shape)
    levels = torch.empty_like(fixed)

    def levels_at(scale: Tensor) -> Tensor:
        _ratios(torch.addcmul(grey, colour, scale, out=f), knee, ratios)
        return torch.addmm(fixed, moving, ratios, out=levels)

    def excess_at(scale: Tensor) -> Tensor:
        found = levels_at(scale)
        return torch.maximum(found.amax(0).sub_(_LEVELS), found.amin(0).neg_())

    low, width = torch.zeros_like(grey), 1.0
    for _ in range(BISECTIONS):
        width /= 2
        low += width * (excess_at(low + width) <= 0)
    inside = -excess_at(low).clamp(max=0)
    outside = excess_at(low + width).clamp(min=1e-9 * _LEVELS)
    return levels_at(low + width * inside / (inside + outside))


@cache
@torch.inference_mode(False)
def _matrix() -> Tensor:
    """From what `_ratios` gives, and 1, to levels, `(3, 4)`."""
    matrix = rgb_from_ratios().double() * (_SCALE / SLOPE)
    bias = torch.full((3, 1), GAMUT_TOLERANCE * _SCALE)
    return torch.cat((matrix, bias), 1).float()


@cache
@torch.inference_mode(False)
def _linear_table() -> Tensor:
    """Linear light of the 256 levels."""
    return linear_from_srgb(torch.arange(256, dtype=torch.float64) / 255).float()


@cache
@torch.inference_mode(False)
def _f_of_grey() -> Tensor:
    """f(Y) of the 256 greys."""
    return (grey_lightness_table() + 16) / 116


@cache
@torch.inference_mode(False)
def _f_of_y() -> Tensor:
    """f(Y) of Y in steps of 1 / _Y_LEVELS, each for its middle; 1 is within by a step."""
    middles = torch.arange(_Y_LEVELS + 2, dtype=torch.float64) + 0.5
    return f_from_ratio((middles / _Y_LEVELS).clamp(max=1)).float()


@cache
@torch.inference_mode(False)
def _byte_tables() -> list[Tensor]:
    """For red, green and blue: the byte of every level, in its place among the four of a pixel.

    int32 of the machine's byte order, to be joined by or; the fourth byte is 255.
    """
    middles = (torch.arange(_LEVELS, dtype=torch.float64) + 0.5) / _SCALE - GAMUT_TOLERANCE
    tables = torch.zeros(3, _LEVELS, 4, dtype=torch.uint8)
    for channel, table in enumerate(tables):
        table[:, channel] = to_uint8(srgb_from_linear(middles.clamp(0, 1)))
    tables[0, :, 3] = 255
    return [table.view(torch.int32)[:, 0].clone() for table in tables]
