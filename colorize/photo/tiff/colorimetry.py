"""The colour space of a TIFF page without a profile: from the fields of TIFF 6.0, section 20, or
from EXIF."""

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import tifffile

from colorize.photo.exif import is_adobe_rgb
from colorize.photo.profiles import SRGB_PRIMARIES, adobe_rgb, decode_srgb, make_profile

_TRANSFER, _WHITE, _PRIMARIES, _GREY_RESPONSE = 301, 318, 319, 291
_NOT_APPLIED = "Its transfer function or primaries cannot be applied and were ignored."


def described_profile(
    page: tifffile.TiffPage,
    stream: BinaryIO,
    bits: int | None,
    white_is_zero: bool,
    notices: list[str],
) -> bytes | None:
    """A profile of the page's TransferFunction, WhitePoint and PrimaryChromaticities, or of Adobe
    RGB where EXIF says so; None where nothing is said. Adds a sentence where what is said cannot be
    applied.

    bits: of a sample; the transfer function has an entry for each of its values. None: they are
    places in a palette, of whose colours no transfer function is defined.
    """
    if _GREY_RESPONSE in page.tags:
        notices.append("Its grey response curve was not applied.")
    if not any(tag in page.tags for tag in (_TRANSFER, _PRIMARIES)):
        return adobe_rgb() if is_adobe_rgb(stream, page.offset) else None
    try:
        primaries = SRGB_PRIMARIES
        if _PRIMARIES in page.tags:
            white = _numbers(page, _WHITE, 2) if _WHITE in page.tags else SRGB_PRIMARIES[0]
            colors = _numbers(page, _PRIMARIES, 6)
            primaries = (tuple(white), *zip(colors[::2], colors[1::2], strict=True))
        if _TRANSFER not in page.tags:
            return make_profile(decode_srgb, primaries)
        curve = _curve(np.asarray(page.tags.valueof(_TRANSFER)), bits, white_is_zero)
        levels = np.linspace(0, 1, len(curve))
        return make_profile(lambda x: np.interp(x, levels, curve), primaries)
    except (TypeError, ValueError, ZeroDivisionError):
        notices.append(_NOT_APPLIED)
        return None


def _curve(table: np.ndarray, bits: int | None, white_is_zero: bool) -> np.ndarray:
    """Linear light in [0, 1] from black to white. Raises ValueError where there are several curves,
    or one that does not rise."""
    if (
        bits is None
        or table.dtype.kind not in "iu"
        or bits > 16
        or table.size not in (2**bits, 3 * 2**bits)
    ):
        raise ValueError("a transfer function of another size")
    curves = table.reshape(-1, 2**bits) / 65_535
    if (curves != curves[0]).any():
        raise ValueError("a curve for each channel")
    curve = curves[0][::-1] if white_is_zero else curves[0]
    if (np.diff(curve) < 0).any() or curve[-1] <= curve[0]:
        raise ValueError("a curve that does not rise")
    return curve


def _numbers(page: tifffile.TiffPage, tag: int, count: int) -> Sequence[float]:
    """Values of rational numbers, which tifffile gives as pairs."""
    given = [float(one) for one in page.tags.valueof(tag)]
    if len(given) == 2 * count:
        given = [n / d for n, d in zip(given[::2], given[1::2], strict=True)]
    if len(given) != count:
        raise ValueError("a rational number of another count")
    return given
