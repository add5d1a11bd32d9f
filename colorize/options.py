"""What a model can be asked for besides a photo, checked in one sentence. No torch here."""

import operator
import re
from collections.abc import Sequence

from colorize.errors import ColorizeError
from colorize.record import Record

SMALLEST_SIZE, LARGEST_SIZE = 32, 1024
MOST_SATURATION, MOST_TEMPERATURE = 10.0, 10.0

Hint = tuple[float, float, str]


def check(
    record: Record,
    *,
    saturation: float = 1.0,
    temperature: float | None = None,
    size: int | None = None,
    hints: Sequence[Hint] = (),
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
    if hints:
        raise ColorizeError(f"{record.name} cannot follow colour hints; choose another model")


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
