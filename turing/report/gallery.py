"""The photos one by one: as a table, and the least and most told apart as pictures."""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from PIL import Image

from turing.analysis.analysis import Photo, Results
from turing.report.tables.table import Table
from turing.report.words import interval, number
from turing.study.trials import WILD

Pictures = Callable[[str], bytes | None]  # a stimulus's name to its PNG

MOST = 6  # photos of each kind
THUMBNAIL = 520, 400  # pixels, of a whole stimulus


class Picture(NamedTuple):
    """A stimulus with what people made of it."""

    source: str
    width: int
    height: int
    alt: str
    share: str
    dataset: str
    model: str
    parts: str
    file: str


class Gallery(NamedTuple):
    title: str
    pictures: Sequence[Picture]


def photos_table(photos: Iterable[Photo]) -> Table:
    """Every photo as each model coloured it; a star marks the unusual."""
    return Table(
        "Every photo",
        ("Photo", "Dataset", "Model", "Right", "Shown", "Fraction", "95% interval", ""),
        [
            (
                photo.file,
                photo.dataset,
                photo.model,
                str(photo.correct),
                str(photo.shown),
                number(photo.correct / photo.shown, 2),
                interval(photo.low, photo.high, 2),
                "*" if photo.unusual else "",
            )
            for photo in photos
        ],
        3,
        "* the interval leaves out the fraction of its dataset and model: look for a photo that "
        "is well known, or oddly coloured. With many photos some are marked by chance (one in 20).",
    )


def galleries(results: Results, pictures: Pictures) -> list[Gallery]:
    """Photos that fooled most and least, not the same twice."""
    photos = list(results.photos)
    hardest = photos[: min(MOST, (len(photos) + 1) // 2)]
    others = sorted(photos[len(hardest) :], key=lambda p: (-p.correct / p.shown, -p.shown))
    return [
        Gallery("Least told apart", _pictures(hardest, pictures)),
        Gallery("Most told apart", _pictures(others[:MOST], pictures)),
    ]


def _pictures(photos: Iterable[Photo], pictures: Pictures) -> list[Picture]:
    found = []
    for photo in photos:
        png = pictures(photo.stimulus)
        if png is None:
            continue
        source, width, height = _thumbnail(png)
        parts = " | ".join(part_name(part) for part in photo.parts)
        share = f"{photo.correct} of {photo.shown}"
        alt = f"{photo.file} in {photo.dataset}, left to right: {parts}; {share} right"
        found.append(
            Picture(
                source,
                width,
                height,
                alt,
                share,
                photo.dataset,
                photo.model,
                parts,
                photo.file,
            )
        )
    return found


def _thumbnail(png: bytes) -> tuple[str, int, int]:
    """A small JPEG with whole chroma as a data address, and its size in pixels."""
    with Image.open(io.BytesIO(png)) as image:
        small = image.convert("RGB")
    small.thumbnail(THUMBNAIL, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=88, subsampling=0, optimize=True)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return f"data:image/jpeg;base64,{encoded}", *small.size


def part_name(part: str) -> str:
    """A part of a picture in words."""
    return "wild colours" if part == WILD else part
