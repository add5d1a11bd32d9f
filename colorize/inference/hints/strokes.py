"""Strokes: colour painted over a photo, for a whole thing at a time. No torch here."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError
from colorize.inference.options import is_colour

MOST_STROKES = 200
MOST_POINTS = 2000  # of one stroke
_KEYS = {"points", "radius", "color", "strength"}
_LARGEST = sys.float_info.max
_LARGEST_FILE = 16 * 2**20


@dataclass(frozen=True)
class Stroke:
    """A colour "#rrggbb" along points `(x, y)` in pixels of the upright photo.

    radius: in the same pixels, 0 for a line as thin as can be; strength: 0 leaves what is
    predicted, 1 gives the colour itself. A point alone with radius 0 is a hint.
    """

    points: tuple[tuple[float, float], ...]
    color: str
    radius: float = 0.0
    strength: float = 1.0


def parse_strokes(strokes: Sequence[Stroke | Mapping[str, Any]]) -> tuple[Stroke, ...]:
    """Strokes from `{"points": [[x, y], ...], "radius": r, "color": "#rrggbb", "strength": 1.0}`.

    Radius and strength may be left out. ColorizeError says which stroke is wrong, and how.
    """
    if isinstance(strokes, str | Mapping) or not isinstance(strokes, Sequence):
        raise ColorizeError(f"strokes: expected a list of strokes, found {_brief(strokes)}")
    if len(strokes) > MOST_STROKES:
        raise ColorizeError(f"strokes: expected at most {MOST_STROKES}, found {len(strokes)}")
    return tuple(_parsed(number, stroke) for number, stroke in enumerate(strokes, 1))


def read_strokes(file: Path) -> tuple[Stroke, ...]:
    """The strokes of a JSON file, a list; ColorizeError where it is none."""
    try:
        with file.open("rb") as stream:  # a pipe or a device tells no size before
            content = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise ColorizeError(f"{file}: cannot be read ({error.strerror})") from error
    if len(content) > _LARGEST_FILE:
        raise ColorizeError(f"{file}: expected strokes, found more than 16 MB")
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ColorizeError(
            f"{file}: expected a list of strokes in JSON, found at line {error.lineno}, "
            f"column {error.colno}: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ColorizeError(f"{file}: expected a list of strokes in JSON, found none") from error
    try:
        return parse_strokes(found)
    except ColorizeError as error:
        raise ColorizeError(f"{file}: {error}") from error


def check_strokes_inside(strokes: Sequence[Stroke], photo_size: tuple[int, int]) -> None:
    """Raises ColorizeError for a stroke that leaves a photo of (width, height)."""
    width, height = photo_size
    for number, stroke in enumerate(strokes, 1):
        for x, y in stroke.points:
            if not (0 <= x < width and 0 <= y < height):
                raise ColorizeError(
                    f"stroke {number}: {x:g},{y:g} lies outside the photo, which is "
                    f"{width} x {height} pixels; x goes from 0 to {width - 1}, "
                    f"y from 0 to {height - 1}"
                )


def _parsed(number: int, stroke: Stroke | Mapping[str, Any]) -> Stroke:
    if isinstance(stroke, Stroke):
        stroke = vars(stroke)
    what = f"stroke {number}"
    if not isinstance(stroke, Mapping) or not {"points", "color"} <= stroke.keys() <= _KEYS:
        raise ColorizeError(
            f"{what}: expected points, color and perhaps radius and strength, found "
            f"{_brief(stroke)}"
        )
    points, color = stroke["points"], stroke["color"]
    if not is_colour(color):
        raise ColorizeError(f"{what}: expected a color like #d02020, found {_brief(color)}")
    radius = _number(stroke.get("radius", 0.0), _LARGEST, f"{what}: radius", "0 or more")
    strength = _number(stroke.get("strength", 1.0), 1.0, f"{what}: strength", "from 0 to 1")
    if isinstance(points, str) or not isinstance(points, Sequence):
        raise ColorizeError(f"{what}: expected points [[x, y], ...], found {_brief(points)}")
    if not 1 <= len(points) <= MOST_POINTS:
        raise ColorizeError(f"{what}: expected 1 to {MOST_POINTS} points, found {len(points)}")
    return Stroke(tuple(_point(what, point) for point in points), color.lower(), radius, strength)


def _point(what: str, point: Any) -> tuple[float, float]:
    if isinstance(point, str) or not isinstance(point, Sequence) or len(point) != 2:
        raise ColorizeError(f"{what}: expected a point [x, y], found {_brief(point)}")
    x, y = (_number(value, _LARGEST, f"{what}: x and y", "0 or more") for value in point)
    return x, y


def _number(value: Any, most: float, what: str, range: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and 0 <= value <= most):
        raise ColorizeError(f"{what}: expected a number {range}, found {_brief(value)}")
    return float(value)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
