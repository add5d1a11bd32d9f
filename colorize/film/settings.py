"""What a film can be asked for, checked in one sentence. Neither torch nor av here."""

import re
from collections.abc import Mapping, Sequence
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

    saturation, variant, reference: as of a photo; start, end: seconds from the film's start, which
    `make_settings` takes as `parse_time` does, too;
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

    @property
    def given_at(self) -> tuple[float, ...]:
        """Where colours are given, in seconds."""
        return (*(hint.seconds for hint in self.hints), *(seconds for seconds, _ in self.stills))


def make_settings(given: Mapping[str, Any]) -> FilmSettings:
    """FilmSettings of what `film.colorize` was given. ColorizeError for what does not fit."""
    known = [one.name for one in fields(FilmSettings)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ColorizeError(f"film: there is no setting {unknown[0]}; there are {', '.join(known)}")
    given = dict(given)
    for name in ("start", "end"):
        if isinstance(given.get(name), str):
            given[name] = parse_time(name, given[name])
    hints = tuple(_hint(one) for one in _all(given, "hints"))
    stills = tuple(_still(one) for one in _all(given, "stills"))
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


def parse_time(name: str, text: str) -> float:
    """Seconds from `90`, `1:30` or `0:01:30.5`; ColorizeError, with what it is the time of."""
    if not _is_time(text):
        raise ColorizeError(
            f"{name}: expected a time such as 90, 1:30 or 0:01:30.5, found {text!r}"
        )
    return _seconds(text)


def parse_film_hint(text: str) -> FilmHint:
    """A hint from `x,y,#rrggbb@time`; ColorizeError where it is none."""
    place, at, seconds = text.rpartition("@")
    if not at or not _is_time(seconds):
        raise ColorizeError(
            f"hint: expected x,y,#rrggbb@seconds, such as 120,80,#d02020@3.5, found {text!r}"
        )
    return FilmHint(*options.parse_hint(place), _seconds(seconds))


def parse_still(text: str) -> tuple[float, Path]:
    """Seconds and a picture's file from `time=file`; ColorizeError where it is none."""
    seconds, equals, file = text.partition("=")
    if not equals or not file or not _is_time(seconds):
        raise ColorizeError(f"still: expected seconds=file, such as 3.5=still.png, found {text!r}")
    return _seconds(seconds), Path(file)


def _all(given: Mapping[str, Any], name: str) -> Sequence[Any]:
    some = given.get(name)
    if some is None:
        return ()
    if isinstance(some, str) or not isinstance(some, Sequence):
        raise ColorizeError(f"{name}: expected a list, found {some!r}")
    return some


def _hint(given: Any) -> FilmHint:
    if isinstance(given, FilmHint):
        return given
    try:
        x, y, color, seconds = given
        return FilmHint(x, y, color, _time("hint", seconds))
    except ColorizeError:
        raise
    except (TypeError, ValueError) as error:
        raise ColorizeError(
            f'hint: expected (x, y, "#rrggbb", seconds), found {given!r}'
        ) from error


def _still(given: Any) -> tuple[float, Path]:
    try:
        seconds, file = given
        return _time("still", seconds), Path(file)
    except ColorizeError:
        raise
    except (TypeError, ValueError) as error:
        raise ColorizeError(f"still: expected (seconds, picture), found {given!r}") from error


def _time(name: str, given: Any) -> float:
    """Seconds of a number, or of text as `parse_time` takes it."""
    return parse_time(name, given) if isinstance(given, str) else float(given)


def _is_time(text: str) -> bool:
    """Whether it is seconds, minutes:seconds or hours:minutes:seconds."""
    return re.fullmatch(r"\s*(\d+(:[0-5]?\d)?:[0-5]?\d|\d+)(\.\d+)?\s*", text, re.ASCII) is not None


def _seconds(time: str) -> float:
    total = 0.0
    for part in time.split(":"):
        total = 60 * total + float(part)
    return total


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
    until = "its end" if settings.last == inf else f"{settings.last:g} s"
    for seconds in settings.given_at:
        if not settings.first <= seconds < settings.last:
            raise ColorizeError(
                f"{seconds:g} s: a hint or still lies outside what is coloured, which is from "
                f"{settings.first:g} s to {until}"
            )
