"""What the address of a picture asks for."""

import math
from typing import Any

from starlette.requests import Request

from colorize.errors import ColorizeError
from colorize.inference.options import VARIANTS, parse_hint
from colorize.models.record import Record
from colorize.web.workshop import SCREEN, Look, fit


def look_of(request: Request, record: Record, ending: str = "") -> Look:
    """What an address asks of a model; ColorizeError for what the model does not take.

    ending: of the names of what is a photo's own, where an address is of several photos; what has
    no such ending is meant for all.
    """

    def own(name: str, default: float | None) -> Any:
        return number_of(request, name + ending, number_of(request, name, default))

    size, seed = number_of(request, "size", None), own("seed", None)
    asked = request.query_params
    hints = asked.get("hints" + ending, "").split()
    look = Look(
        record.name,
        size=None if size is None else round(size),
        saturation=own("saturation", 1.0),
        temperature=own("temperature", None),
        seed=None if seed is None else round(seed),
        hints=tuple(parse_hint(hint) for hint in hints),
        variant=asked.get("variant" + ending) or asked.get("variant") or VARIANTS[0],
    )
    return fit(look, record)


def number_of(request: Request, name: str, default: float | None) -> Any:
    text = request.query_params.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError as error:
        raise ColorizeError(f"{name}: expected a number, found {text!r}") from error
    if number is not None and not math.isfinite(number):
        raise ColorizeError(f"{name}: expected a number, found {text!r}")
    return number


def side_of(request: Request) -> int:
    """The longest side of a preview, in steps, so that few sizes are kept."""
    asked = number_of(request, "side", SCREEN)
    return next((side for side in (400, 800, 1200) if asked <= side), SCREEN)


def format_of(request: Request) -> str:
    return request.query_params.get("format", "keep")
