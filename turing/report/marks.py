"""What gave pictures away, as heat maps over them."""

import base64
import io
from collections.abc import Iterable

import numpy as np
from matplotlib import colormaps
from PIL import Image

from turing.analysis.aspects.marks import Marked
from turing.report.gallery import Gallery, Picture, Pictures
from turing.study.counts import count, people

MOST = 12  # pictures
_WIDEST = 400  # pixels
_SPREAD = 0.04  # of the longer side: the reach of a mark


def heat_maps(found: Iterable[Marked], pictures: Pictures) -> Gallery:
    """The pictures that were marked most, each with what was marked as light over its grey."""
    drawn = []
    for of in found:
        if len(drawn) == MOST:
            break
        png = pictures(of.stimulus)
        if png is None:
            continue
        source, width, height = _drawn(of, png)
        marks, by = count(len(of.points), "mark"), people(of.people)
        alt = f"{of.file} in {of.dataset}, colours of {of.colours}: {marks} by {by}"
        share = f"{marks} by {by}, of {of.asked} asked"
        drawn.append(
            Picture(source, width, height, alt, share, of.dataset, of.colours, "", of.file)
        )
    return Gallery("What gave it away", drawn)


def density(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """(height, width), from 0 to 1 at its highest: each mark as a Gaussian."""
    sigma = _SPREAD * max(width, height)
    x, y = (
        np.exp(-((np.arange(size) + 0.5 - at[:, None] * size) ** 2) / (2 * sigma**2))
        for size, at in ((width, points[:, 0]), (height, points[:, 1]))
    )
    heat = np.einsum("ny,nx->yx", y, x)
    return heat / heat.max()


def _drawn(of: Marked, png: bytes) -> tuple[str, int, int]:
    """A JPEG as a data address, and its size in pixels."""
    with Image.open(io.BytesIO(png)) as image:
        whole = image.convert("RGB")
    one = whole.width // of.parts
    part = whole.crop((of.part * one, 0, (of.part + 1) * one, whole.height))
    part.thumbnail((_WIDEST, _WIDEST), Image.Resampling.LANCZOS)
    heat = density(of.points, *part.size)
    pixels = np.asarray(part, dtype=float)
    grey = pixels.mean(axis=2, keepdims=True) * 0.5 + pixels * 0.5  # pale, so that heat is seen
    glow = colormaps["inferno"](0.25 + 0.75 * heat)[..., :3] * 255
    alpha = 0.85 * np.sqrt(heat)[..., None]
    mixed = Image.fromarray((grey * (1 - alpha) + glow * alpha).round().astype(np.uint8))
    buffer = io.BytesIO()
    mixed.save(buffer, "JPEG", quality=85, optimize=True)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return f"data:image/jpeg;base64,{encoded}", *mixed.size
