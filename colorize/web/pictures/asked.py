"""What the address of a picture asks for: its query, or a list of the same names and texts."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from colorize.batch.names import USUAL, check_pattern
from colorize.errors import ColorizeError
from colorize.inference.hints.strokes import Stroke, parse_strokes
from colorize.inference.options import VARIANTS, parse_hint
from colorize.models.record import Record
from colorize.photo.saving import FORMAT_CHOICES
from colorize.web.photos.item import Upload
from colorize.web.workshop import SCREEN, SIDE_BY_SIDE, Look, Part, fit

TILE = 512  # pixels
_FORMATS = (*FORMAT_CHOICES, SIDE_BY_SIDE)

Asked = Mapping[str, str]


def look_of(
    asked: Asked, record: Record, ending: str = "", references: Sequence[Upload] = ()
) -> Look:
    """What an address asks of a model; ColorizeError for what the model does not take.

    ending: of the names of what is a photo's own, where an address is of several photos; what has
    no such ending is meant for all. references: those that the address may name by number.
    """

    def own(name: str, default: float | None) -> Any:
        return number_of(asked, name + ending, number_of(asked, name, default))

    size, seed, reference = size_of(asked), own("seed", None), own("reference", None)
    if reference is not None and not 0 <= reference < len(references):
        raise ColorizeError("reference: that photo is not here any more; choose it again")
    hints = asked.get("hints" + ending, "").split()
    look = Look(
        record.name,
        size=size,
        saturation=own("saturation", 1.0),
        temperature=own("temperature", None),
        seed=None if seed is None else round(seed),
        hints=tuple(parse_hint(hint) for hint in hints),
        strokes=strokes_of(asked.get("strokes" + ending, "")),
        variant=variant_of(asked, ending),
        borders=own("borders", 1) != 0,
        restore=own("restore", 0) != 0,
        reference=None if reference is None else references[int(reference)],
        trust=own("trust", 1.0),
    )
    return fit(look, record)


def variant_of(asked: Asked, ending: str = "") -> str:
    """The variant that is asked for, of one photo or of all."""
    return asked.get("variant" + ending) or asked.get("variant") or VARIANTS[0]


def strokes_of(text: str) -> tuple[Stroke, ...]:
    """Strokes in JSON, as `parse_strokes` takes them; none where there is no text."""
    if not text:
        return ()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ColorizeError("strokes: expected a list of strokes in JSON, found none") from error
    return parse_strokes(found)


def size_of(asked: Asked) -> int | None:
    """The working size, None for the model's own."""
    size = number_of(asked, "size", None)
    return None if size is None else round(size)


def number_of(asked: Asked, name: str, default: float | None) -> Any:
    text = asked.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError as error:
        raise ColorizeError(f"{name}: expected a number, found {text!r}") from error
    if number is not None and not math.isfinite(number):
        raise ColorizeError(f"{name}: expected a number, found {text!r}")
    return number


def side_of(asked: Asked) -> int:
    """The longest side of a preview, in steps, so that few sizes are kept."""
    longest = number_of(asked, "side", SCREEN)
    return next((side for side in (400, 800, 1200) if longest <= side), SCREEN)


def part_of(asked: Asked, size: tuple[int, int]) -> Part:
    """The part of a photo of (width, height) from `left` and `top` on, at most 512 pixels wide and
    high. ColorizeError for one outside the photo.
    """
    slices = []
    for name, length in (("top", size[1]), ("left", size[0])):
        start = number_of(asked, name, 0.0)
        if not 0 <= start < length:
            raise ColorizeError(f"{name}: expected 0 to {length - 1}, found {start:g}")
        slices.append(slice(int(start), min(int(start) + TILE, length)))
    return Part(*slices)


def pattern_of(asked: Asked) -> str:
    """How downloads are named; ColorizeError for what gives no names."""
    return check_pattern(asked.get("name", USUAL))


def format_of(asked: Asked) -> str:
    choice = asked.get("format", _FORMATS[0])
    if choice not in _FORMATS:
        raise ColorizeError(f"format: expected {', '.join(_FORMATS)}, found {choice[:40]!r}")
    return choice
