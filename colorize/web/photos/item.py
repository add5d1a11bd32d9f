"""A visitor's photo: its file, what is known of it, and what has been made of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from colorize.color.faded import find_tones
from colorize.color.toned import is_toned, unit
from colorize.evaluation.metrics import colorfulness
from colorize.photo.opening import Photo, PhotoError
from colorize.photo.saving import foretold

MOST_PHOTO_BYTES = 100 * 2**20


class Upload(NamedTuple):
    """A file that somebody gave, whose it is, and whether its border is cut off."""

    owner: str
    file: Path
    cropped: bool = False

    def opened(self) -> Photo:
        """PhotoError says what is wrong with it."""
        # Uploads may be larger, for films.
        if self.file.exists() and self.file.stat().st_size > MOST_PHOTO_BYTES:
            raise PhotoError(
                f"{self.file.name} is larger than {MOST_PHOTO_BYTES // 2**20} MB; save it smaller."
            )
        photo = Photo.open(self.file)
        return photo.cropped() if self.cropped else photo


class Taken(NamedTuple):
    """The facts of an upload, as far as it opened. size: (width, height) in pixels, upright.

    has_colours: whether it has colours of its own, so is neither grey nor toned in one ink; then
    `colorfulness` is theirs, else 0. is_toned: whether it is toned in one ink, as sepia is.
    border: the corners of the picture inside a scan's border, x and y in shares of the size, empty
    where there is none; tilt: degrees by which it lies askew. is_faded: whether its tones are.
    """

    size: tuple[int, int] | None = None
    format: str = ""
    notices: tuple[str, ...] = ()
    has_colours: bool = False
    colorfulness: float = 0.0
    is_toned: bool = False
    border: tuple[tuple[float, float], ...] = ()
    tilt: float = 0.0
    is_faded: bool = False

    @classmethod
    def of(cls, photo: Photo, screen: np.ndarray) -> "Taken":
        """Of a photo, of which `screen` is a small picture."""
        toned = not photo.is_grey and is_toned(screen)
        has_colours = not photo.is_grey and not toned
        return cls(
            photo.size,
            photo.format,
            (*photo.notices, *foretold(photo)),
            has_colours,
            colorfulness(unit(screen)) if has_colours else 0.0,
            toned,
            photo.border.corners if photo.border else (),
            photo.border.tilt if photo.border else 0.0,
            not has_colours and find_tones(screen, photo.border) is not None,
        )


@dataclass
class Item:
    """A photo of a session. `error` is the sentence that says why it cannot be colorized."""

    number: int
    upload: Upload
    taken: Taken = field(default_factory=Taken)
    error: str = ""
    seconds: dict[tuple[str, int | None], float] = field(default_factory=dict)
    failures: dict[tuple[str, int | None], str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.upload.file.name

    def is_done(self, model: str, size: int | None) -> bool:
        return (model, size) in self.seconds or (model, size) in self.failures

    def state(self) -> dict[str, Any]:
        """What the page is told of it, as JSON, but for what models made of it."""
        return {
            "number": self.number,
            "name": self.name,
            "size": self.taken.size,
            "format": self.taken.format,
            "hasColours": self.taken.has_colours,
            "isToned": self.taken.is_toned,
            "colorfulness": self.taken.colorfulness,
            "notices": self.taken.notices,
            "border": self.taken.border,
            "tilt": round(self.taken.tilt, 1),
            "isFaded": self.taken.is_faded,
            "isCropped": self.upload.cropped,
            "error": self.error,
        }
