"""A TIFF page as a picture: its samples on one scale, its colours in a space that has a profile."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

import numpy as np
import tifffile

from colorize.photo.profiles import encode_srgb
from colorize.photo.tiff.colorimetry import described_profile
from colorize.photo.tiff.pages import UnreadableError, whole
from colorize.photo.tiff.scale import Scale, scale_of
from colorize.photo.tiff.segments import (
    CMYK,
    GREYS,
    JPEG,
    RGB,
    YCBCR,
    Layout,
    Segment,
    layout_of,
    segments,
)

_PALETTE, _LAB, _ICC_LAB = 3, 8, 9
_ASSOCIATED, _UNASSOCIATED = 1, 2
_COLORS = {**dict.fromkeys(GREYS, 1), RGB: 3, CMYK: 4, YCBCR: 3, _LAB: 3, _ICC_LAB: 3, _PALETTE: 1}
_SPACES = {1: "L", 3: "RGB", 4: "CMYK"}
_ORIENTATION, _COLOR_MAP, _INK_SET, _EXTRA_SAMPLES, _PROFILE = 274, 320, 332, 338, 34675
_LUMA, _REFERENCE = 529, 532
_UNUSED = "Its further channels have no meaning that is known and were left out."


class Picture(NamedTuple):
    """`samples` uint8 or uint16 (h, w) for mode L, else (h, w, 3 or 4) for RGB, LAB (8 bits, a
    and b signed) or CMYK; alpha uint8 (h, w) or None; the profile's bytes; sentences for people."""

    mode: str
    samples: np.ndarray
    alpha: np.ndarray | None
    profile: bytes | None
    notices: list[str]


@dataclass
class _Reading:
    """A page on its way: what is decoded so far and what is to be said of it."""

    page: tifffile.TiffPage
    layout: Layout
    stream: BinaryIO
    colors: int
    alpha: int | None
    associated: bool
    notices: list[str] = field(default_factory=list)

    def segments(self) -> Iterator[Segment]:
        return segments(self.page, self.layout, self.stream)

    def values(self) -> Iterator[np.ndarray]:
        """Colour samples alone, for their range."""
        for plane, _, _, samples in self.segments():
            if self.layout.planes == 1:
                yield samples[..., : self.colors]
            elif plane < self.colors:
                yield samples


def read_picture(page: tifffile.TiffPage, stream: BinaryIO) -> Picture:
    """Decode a page. Raises UnreadableError by name for what is not read, and for a damaged one
    anything at all."""
    layout = layout_of(page)
    reading = _begin(page, layout, stream)
    table = _color_map(page, layout) if layout.photometric == _PALETTE else None
    samples, alpha = _decoded(reading, table)
    if layout.photometric in (_LAB, _ICC_LAB):
        signed = layout.photometric == _LAB
        if samples.shape[2] == 1:
            grey = _grey_of_lightness(samples[..., 0], signed)
            return Picture("L", grey, alpha, None, reading.notices)
        samples = _lab(samples, signed)
    if samples.shape[2] == 4 and samples.dtype == np.uint16:
        samples = np.rint(samples / np.float32(257)).astype(np.uint8)
        reading.notices.append("The 16 bits of its printing inks were reduced to 8.")
    if layout.photometric in (_LAB, _ICC_LAB) and layout.bits == 16:
        reading.notices.append("The 16 bits of its CIELAB colours were reduced to 8.")
    mode = "LAB" if layout.photometric in (_LAB, _ICC_LAB) else _SPACES[samples.shape[2]]
    samples = samples[..., 0] if mode == "L" else samples
    profile = _bytes_of(page.tags.valueof(_PROFILE)) if mode != "LAB" else None
    if profile is None and mode in ("L", "RGB"):
        bits = layout.bits if table is None else None
        profile = described_profile(page, stream, bits, layout.photometric == 0, reading.notices)
    return Picture(mode, samples, alpha, profile, reading.notices)


def _bytes_of(value: object) -> bytes | None:
    """Of a field of bytes, also where its type says that they are signed."""
    if isinstance(value, tuple | np.ndarray):
        return np.asarray(value).astype(np.int64).astype(np.uint8).tobytes()
    return value if isinstance(value, bytes) else None


def _begin(page: tifffile.TiffPage, layout: Layout, stream: BinaryIO) -> _Reading:
    colors = _COLORS.get(layout.photometric)
    there = layout.planes * layout.samples
    extra = page.tags.valueof(_EXTRA_SAMPLES, ())
    extra = (extra,) if isinstance(extra, int) else tuple(whole(one) for one in extra)
    alone = there == 1 or there - len(extra) == 1
    if layout.photometric in (_LAB, _ICC_LAB) and alone:  # TIFF 6.0, section 23
        colors = 1
    if colors is None:
        name = getattr(page.photometric, "name", page.photometric)
        raise UnreadableError(f"{name} colours")
    if there < colors:
        raise UnreadableError(f"{there} channels where {colors} belong")
    if layout.photometric == CMYK and page.tags.valueof(_INK_SET, 1) != 1:
        raise UnreadableError("other printing inks than cyan, magenta, yellow and black")
    if layout.photometric in (_LAB, _ICC_LAB) and (layout.bits not in (8, 16) or layout.kind != 1):
        raise UnreadableError(f"CIELAB of {layout.bits} bits")
    if layout.photometric == _PALETTE and (layout.bits > 16 or layout.kind != 1):
        raise UnreadableError("a palette of more than 16 bits")
    if layout.photometric == YCBCR and (layout.bits not in (8, 16) or layout.kind != 1):
        raise UnreadableError(f"YCbCr of {layout.bits} bits")
    found = [n for n, kind in enumerate(extra) if kind in (_ASSOCIATED, _UNASSOCIATED)]
    found = [n for n in found if colors + n < there][:1]
    alpha = colors + found[0] if found else None
    associated = bool(found) and extra[found[0]] == _ASSOCIATED
    if associated and layout.photometric == _ICC_LAB and colors > 1:
        raise UnreadableError("ICCLAB colours that are multiplied by alpha")
    notices = [_UNUSED] if there > colors + len(found) else []
    return _Reading(page, layout, stream, colors, alpha, associated, notices)


def _decoded(reading: _Reading, table: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Colours (h, w, c) as uint8 or uint16, and alpha (h, w) as uint8 or None."""
    layout, colors = reading.layout, reading.colors
    scale = scale_of(reading.values, layout.bits, layout.kind, reading.notices)
    shape = (layout.height, layout.width)
    if table is not None:
        scale = Scale(0, 1, np.uint8 if layout.bits <= 8 else np.uint16, plain=True)
    planes = colors + (reading.alpha is not None)
    out = np.empty((*shape, planes), scale.type)
    clipped = 0
    to_rgb = _from_ycbcr(reading.page, layout) if _is_stored_as_ycbcr(layout) else None
    wanted = [*range(colors), *([] if reading.alpha is None else [reading.alpha])]
    for plane, rows, columns, samples in reading.segments():
        if layout.planes > 1:
            if plane not in wanted:
                continue
            place = wanted.index(plane)
            out[rows, columns, place], over = _scaled(samples[..., 0], scale, place >= colors)
            clipped += over
            continue
        out[rows, columns, :colors], over = _scaled(samples[..., :colors], scale, False)
        clipped += over
        if reading.alpha is not None:
            alpha = samples[..., reading.alpha]
            out[rows, columns, colors], _ = _scaled(alpha, scale, True)
        if to_rgb is not None:
            out[rows, columns, :3] = to_rgb(out[rows, columns, :3])
    if to_rgb is not None and layout.planes > 1:
        for top in range(0, layout.height, 256):
            out[top : top + 256, :, :3] = to_rgb(out[top : top + 256, :, :3])
    if clipped:
        reading.notices.append(scale.clipping(clipped / (shape[0] * shape[1] * colors)))
    alpha = None
    if reading.alpha is not None:
        alpha = _to_bytes(out[..., colors], layout)
        if reading.associated and table is None:  # places in a palette are not multiplied
            _divide(out, colors, signed=layout.photometric == _LAB)
        out = np.ascontiguousarray(out[..., :colors])
    if table is not None:
        return table[out[..., 0]], alpha
    if layout.photometric == 0:
        np.subtract(np.iinfo(out.dtype).max, out, out=out)
    return out, alpha


def _scaled(samples: np.ndarray, scale: Scale, alpha: bool) -> tuple[np.ndarray, int]:
    """Samples on the scale of uint8 or uint16, and how many were clipped."""
    if alpha and scale.type is np.uint16 and samples.dtype.kind == "f":
        return Scale(0, 1, np.uint16).apply(samples)
    if alpha and scale.type is np.uint16 and samples.dtype.kind in "iu":
        top = float(np.iinfo(samples.dtype).max) if scale.whole is None else scale.whole
        return Scale(0, top, np.uint16).apply(samples)
    return scale.apply(samples)


def _to_bytes(alpha: np.ndarray, layout: Layout) -> np.ndarray:
    if layout.photometric == _PALETTE and layout.bits not in (8, 16):
        return np.rint(alpha * (255 / (2**layout.bits - 1))).astype(np.uint8)
    if alpha.dtype == np.uint8:
        return alpha.copy()
    return np.rint(alpha / np.float32(257)).astype(np.uint8)


def _divide(out: np.ndarray, colors: int, signed: bool) -> None:
    """Take the alpha out of colours that were multiplied by it (TIFF 6.0, section 18); all but the
    first may be `signed`."""
    top = np.float32(np.iinfo(out.dtype).max)
    kind = np.dtype(f"i{out.itemsize}")
    for row in out:
        alpha = np.maximum(row[:, colors:].astype(np.float32), 1)
        for columns, type in (
            (slice(0, 1 if signed else colors), out.dtype),
            (slice(1 if signed else colors, colors), kind),
        ):
            values = row[:, columns].view(type)
            whole = np.rint(values.astype(np.float32) * (top / alpha))
            values[...] = np.clip(whole, np.iinfo(type).min, np.iinfo(type).max)


def _color_map(page: tifffile.TiffPage, layout: Layout) -> np.ndarray:
    """(n, 3) uint8, or uint16 where 8 bits do not hold it; some writers keep bytes in its words."""
    stored = np.asarray(page.tags.valueof(_COLOR_MAP))
    if stored.dtype.kind not in "iu":
        raise ValueError("no palette")
    stored = stored.ravel().astype(np.uint16)
    table = np.zeros((2**layout.bits, 3), np.uint16)
    if len(stored) != table.size:
        raise ValueError("truncated palette")
    table[:] = stored.reshape(3, -1).T
    if table.max() < 256:
        return table.astype(np.uint8)
    if not (table % 256).any() or not (table % 257).any():
        return (table >> 8).astype(np.uint8)
    return table


def _is_stored_as_ycbcr(layout: Layout) -> bool:
    return layout.photometric == YCBCR and layout.compression != JPEG


def _from_ycbcr(page: tifffile.TiffPage, layout: Layout) -> Callable[[np.ndarray], np.ndarray]:
    """A function of YCbCr (..., 3) to RGB, both of the page's type (TIFF 6.0, section 21)."""
    top = 2**layout.bits - 1
    half = 2 ** (layout.bits - 1)
    red, green, blue = _rationals(page, _LUMA, 3) or (0.299, 0.587, 0.114)
    reference = _rationals(page, _REFERENCE, 6) or (0, top, half, top, half, top)
    black, white = np.float32(reference[::2]), np.float32(reference[1::2])
    whole = np.float32([top, top - half, top - half])
    span = np.where(white == black, 1, (white - black) / whole)

    def to_rgb(stored: np.ndarray) -> np.ndarray:
        light, b, r = np.moveaxis((stored - black) / span, -1, 0)
        out = np.empty(stored.shape, np.float32)
        out[..., 0] = light + r * (2 - 2 * red)
        out[..., 2] = light + b * (2 - 2 * blue)
        out[..., 1] = (light - red * out[..., 0] - blue * out[..., 2]) / (green or 1)
        return np.clip(np.rint(out), 0, top).astype(stored.dtype)

    return to_rgb


def _rationals(page: tifffile.TiffPage, tag: int, count: int) -> list[float] | None:
    """Rational values of a tag; None where they are missing or unusable."""
    try:
        values = [float(one) for one in page.tags.valueof(tag, ())]
        if len(values) == 2 * count:
            values = [n / d for n, d in zip(values[::2], values[1::2], strict=True)]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return values if len(values) == count and any(values) else None


def _grey_of_lightness(samples: np.ndarray, signed: bool) -> np.ndarray:
    """uint16 sRGB of L* alone, 8 or 16 bits."""
    levels = np.arange(np.iinfo(samples.dtype).max + 1)
    top = 65_280 if samples.dtype == np.uint16 and not signed else levels[-1]
    lightness = np.minimum(levels / top, 1) * 100
    luminance = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness * 27 / 24_389)
    return np.rint(encode_srgb(luminance) * 65_535).astype(np.uint16)[samples]


def _lab(samples: np.ndarray, signed: bool) -> np.ndarray:
    """CIELAB of 8 bits: L from 0 to 255, a and b signed. ICCLAB has an offset of half there, and of
    its 16 bits 65,280 is the whole (TIFF Technical Note on ICCLab)."""
    if samples.dtype == np.uint8:
        return samples if signed else samples ^ np.uint8([0, 128, 128])
    out = np.empty(samples.shape, np.uint8)
    whole = np.float32(257 if signed else 256)
    for row, values in zip(out, samples, strict=True):
        row[:, 0] = np.rint(values[:, 0] / whole).clip(0, 255)
        ab = values[:, 1:].view(np.int16) if signed else values[:, 1:] - np.float32(32_768)
        row[:, 1:] = np.rint(ab / np.float32(256)).clip(-128, 127).astype(np.int8).view(np.uint8)
    return out
