"""What a film can be asked for, checked in one sentence. Neither torch nor av here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError
from colorize.inference import options
from colorize.models.record import Record

# What a codec's packets go into, and the encoder of FFmpeg that makes them.
ENCODERS = {"h264": "libx264", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
FILM_ENDINGS = frozenset(
    {*CONTAINERS, ".avi", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts", ".vob", ".wmv", ".asf", ".flv"}
    | {".3gp", ".3g2", ".ogv", ".dv", ".mxf", ".gif"}
)
PREVIEW_SECONDS, PREVIEW_WIDTH = 5.0, 320
DEFAULT_QUALITY, DEFAULT_SPEED, SLOWEST_SPEED = 70, 4, 48
MOST_STILLS = 50


@dataclass(frozen=True)
class FilmHint:
    """A colour "#rrggbb" at a pixel of the upright film at a time in seconds from its start."""

    x: float
    y: float
    color: str
    seconds: float


@dataclass(frozen=True)
class FilmSettings:
    """How a film is coloured and written.

    saturation, variant, reference: as of a photo; start, end: seconds from the film's start;
    hints, stills (seconds, picture file) go through the shot that they lie in; codec: of ENCODERS
    (None: as the output's ending asks); quality: 1 to 100; speed: the network sees every N-th
    frame at least; preview: the first seconds, small; resume: from the last finished shot.
    """

    saturation: float = 1.0
    variant: str = "natural"
    reference: Any = None
    start: float | None = None
    end: float | None = None
    hints: tuple[FilmHint, ...] = ()
    stills: tuple[tuple[float, Path], ...] = ()
    codec: str | None = None
    quality: int = DEFAULT_QUALITY
    speed: int = DEFAULT_SPEED
    preview: bool = False
    resume: bool = False
    overwrite: bool = False
    device: str = "auto"

    @property
    def first(self) -> float:
        """Where it starts, in seconds."""
        return self.start or 0.0

    @property
    def last(self) -> float:
        """Where it ends, in seconds; infinity for the film's own end."""
        end = inf if self.end is None else self.end
        return min(end, self.first + PREVIEW_SECONDS) if self.preview else end


def make_settings(given: Mapping[str, Any]) -> FilmSettings:
    """FilmSettings of what `film.colorize` was given. ColorizeError for what does not fit."""
    known = [one.name for one in fields(FilmSettings)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ColorizeError(f"film: there is no setting {unknown[0]}; there are {', '.join(known)}")
    hints = tuple(
        one if isinstance(one, FilmHint) else FilmHint(*one) for one in _all(given, "hints")
    )
    stills = tuple((float(seconds), Path(file)) for seconds, file in _all(given, "stills"))
    settings = FilmSettings(**{**given, "hints": hints, "stills": stills})
    _check_numbers(settings)
    return settings


def check_model(record: Record, settings: FilmSettings) -> None:
    """ColorizeError for settings that the record's model does not take."""
    options.check(
        record,
        saturation=settings.saturation,
        variant=settings.variant,
        hints=[(hint.x, hint.y, hint.color) for hint in settings.hints],
    )


def parse_film_hint(text: str) -> FilmHint:
    """A hint from `x,y,#rrggbb@seconds`; ColorizeError where it is none."""
    place, at, seconds = text.rpartition("@")
    if not at or not _is_time(seconds):
        raise ColorizeError(
            f"hint: expected x,y,#rrggbb@seconds, such as 120,80,#d02020@3.5, found {text!r}"
        )
    return FilmHint(*options.parse_hint(place), float(seconds))


def parse_still(text: str) -> tuple[float, Path]:
    """Seconds and a picture's file from `seconds=file`; ColorizeError where it is none."""
    seconds, equals, file = text.partition("=")
    if not equals or not file or not _is_time(seconds):
        raise ColorizeError(f"still: expected seconds=file, such as 3.5=still.png, found {text!r}")
    return float(seconds), Path(file)


def _all(given: Mapping[str, Any], name: str) -> Any:
    return given.get(name) or ()


def _is_time(text: str) -> bool:
    return re.fullmatch(r"\s*\d+(\.\d+)?\s*", text) is not None


def _check_numbers(settings: FilmSettings) -> None:
    if not 1 <= settings.quality <= 100:
        raise ColorizeError(f"quality: expected a number from 1 to 100, found {settings.quality}")
    if not 1 <= settings.speed <= SLOWEST_SPEED:
        raise ColorizeError(
            f"speed: expected a number from 1 to {SLOWEST_SPEED}, found {settings.speed}"
        )
    if settings.codec is not None and settings.codec not in ENCODERS:
        raise ColorizeError(
            f"codec: expected one of {', '.join(ENCODERS)}, found {settings.codec!r}"
        )
    for name, seconds in (("start", settings.start), ("end", settings.end)):
        if seconds is not None and not 0 <= seconds < inf:
            raise ColorizeError(f"{name}: expected seconds from 0 on, found {seconds}")
    if settings.end is not None and settings.end <= settings.first:
        raise ColorizeError(
            f"end: expected more than the start, {settings.first:g} s, found {settings.end:g}"
        )
    if len(settings.stills) > MOST_STILLS:
        raise ColorizeError(f"stills: expected at most {MOST_STILLS}, found {len(settings.stills)}")
    for seconds in (*(hint.seconds for hint in settings.hints), *(at for at, _ in settings.stills)):
        if not settings.first <= seconds < settings.last:
            raise ColorizeError(
                f"{seconds:g} s: a hint or still lies outside what is coloured, which is from "
                f"{settings.first:g} s to {settings.last:g} s"
            )
