"""What a model can be asked for besides a photo, checked in one sentence. No torch here."""

import operator
import re
import sys
from collections.abc import Sequence
from numbers import Real

from colorize.errors import ColorizeError
from colorize.models.record import CheckpointError, Record, list_checkpoints

SMALLEST_SIZE, LARGEST_SIZE = 32, 1024
MOST_SATURATION, MOST_TEMPERATURE = 10.0, 10.0
MOST_HINTS = 200
LARGEST_SEED = 2**32 - 1
OTHERS = ("other-1", "other-2")  # other plausible colourings
VARIANTS = ("natural", "vivid", "soft", "warm", "cool", *OTHERS)
_COLOUR = re.compile("#[0-9a-fA-F]{6}").fullmatch

Hint = tuple[float, float, str]


def check(
    record: Record,
    *,
    saturation: float = 1.0,
    temperature: float | None = None,
    size: int | None = None,
    hints: Sequence[Hint] = (),
    seed: int | None = None,
    variant: str = "natural",
) -> None:
    """Raises ColorizeError, in one sentence, for settings that the record's model does not take."""
    if not 0 <= saturation <= MOST_SATURATION:
        raise ColorizeError(
            f"saturation: expected a number from 0 to {MOST_SATURATION:g}, found {saturation}"
        )
    if temperature is not None and not record.over_bins:
        raise ColorizeError(f"{record.name} is not a model over bins: it has no temperature")
    if temperature is not None and not 0 <= temperature <= MOST_TEMPERATURE:
        raise ColorizeError(
            f"temperature: expected a number from 0 to {MOST_TEMPERATURE:g}, found {temperature}"
        )
    if size is not None and not (_is_whole(size) and SMALLEST_SIZE <= size <= LARGEST_SIZE):
        raise ColorizeError(
            f"size: expected {SMALLEST_SIZE} to {LARGEST_SIZE} whole pixels, found {size}"
        )
    if seed is not None and not record.over_bins:
        raise ColorizeError(f"{record.name} is not a model over bins: it has one colouring alone")
    if seed is not None and not (_is_whole(seed) and 0 <= seed <= LARGEST_SEED):
        raise ColorizeError(f"seed: expected a whole number from 0 to {LARGEST_SEED}, found {seed}")
    if variant not in VARIANTS:
        raise ColorizeError(f"variant: expected one of {', '.join(VARIANTS)}, found {variant!r}")
    if variant in OTHERS and not record.over_bins:
        raise ColorizeError(f"{record.name} is not a model over bins: it has no {variant}")
    _check_hints(record, hints)


def _check_hints(record: Record, hints: Sequence[Hint]) -> None:
    if hints and not record.takes_hints:
        able = [other.name for other in _others() if other.takes_hints]
        advice = f"choose {' or '.join(able)}" if able else "no model here can"
        raise ColorizeError(f"{record.name} cannot follow colour hints; {advice}")
    if len(hints) > MOST_HINTS:
        raise ColorizeError(f"hints: expected at most {MOST_HINTS}, found {len(hints)}")
    for hint in hints:
        if not _is_hint(hint):
            raise ColorizeError(f'hint: expected (x, y, "#rrggbb"), x and y >= 0, found {hint!r}')


def _others() -> list[Record]:
    try:
        return list_checkpoints()
    except CheckpointError:  # another model's record is broken: not what was asked
        return []


def check_inside(hints: Sequence[Hint], size: tuple[int, int], what: str = "photo") -> None:
    """Raises ColorizeError for a hint beside a photo, or a film, of (width, height)."""
    width, height = size
    for x, y, _ in hints:
        if not (0 <= x < width and 0 <= y < height):
            raise ColorizeError(
                f"hint: {x:g},{y:g} lies outside the {what}, which is {width} x {height} pixels; "
                f"x goes from 0 to {width - 1}, y from 0 to {height - 1}"
            )


def _is_hint(hint: object) -> bool:
    try:
        x, y, colour = hint
    except (TypeError, ValueError):
        return False
    return is_colour(colour) and all(
        isinstance(number, Real) and 0 <= number <= sys.float_info.max for number in (x, y)
    )


def is_colour(text: object) -> bool:
    """Whether it is "#rrggbb"."""
    return isinstance(text, str) and bool(_COLOUR(text))


def parse_hint(text: str) -> Hint:
    """A hint from `x,y,#rrggbb`; ColorizeError where it is none."""
    number = r"\s*(\d+(?:\.\d+)?)\s*"
    match = re.fullmatch(rf"{number},{number},\s*(#[0-9a-fA-F]{{6}})\s*", text)
    if match is None:
        raise ColorizeError(f"hint: expected x,y,#rrggbb, such as 120,80,#d02020, found {text!r}")
    x, y, color = match.groups()
    return float(x), float(y), color.lower()


def _is_whole(number: object) -> bool:
    try:
        operator.index(number)
    except TypeError:
        return False
    return True
