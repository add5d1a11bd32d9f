"""The finished parts of a film that is being made: a folder beside the output, and its list."""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from colorize.errors import printable
from colorize.files import replacing
from colorize.film.reading import FilmError, Source, library
from colorize.film.settings import FilmSettings
from colorize.models.record import Record

try:
    import fcntl
except ImportError:  # on Windows, where a file that is open cannot be deleted anyway
    fcntl = None

_LIST, _LOCK = "parts.json", "lock"
_ADVICE = "choose an output in a folder that may be written to"


@dataclass(frozen=True)
class Part:
    """Frames one after the other of one shot; times in ticks of the film's clock.

    first, last: the times of its first and last frame; shot_ends: whether the shot ends with it.
    """

    name: str
    shot: int
    first: int
    last: int
    frames: int
    seconds: float
    shot_ends: bool


class Parts:
    """The folder of one output's parts. Used by one process; a second one is refused.

    `made_of` is what the parts depend on: those of anything else are deleted, as are all where it
    is not to be resumed. What was not yet a whole shot is deleted too.
    """

    def __init__(self, output: Path, made_of: Mapping[str, Any], resume: bool) -> None:
        self.folder = folder_of(output)
        self._lock: BinaryIO | None = None
        self._made_of = _digest(made_of)
        self.done: list[Part] = []
        self.changed = False
        try:
            self.folder.mkdir(exist_ok=True)
            self._take(output)
            if resume:
                self._read()
            keep = {part.name for part in self.done} | {_LIST, _LOCK}
            for entry in self.folder.iterdir():
                if entry.name not in keep:
                    entry.unlink()
        except OSError as error:
            raise FilmError(
                f"{printable(str(self.folder))}: cannot hold what is done of the film "
                f"({error.strerror}); {_ADVICE}"
            ) from error
        self._write()

    def _take(self, output: Path) -> None:
        """Keeps others out for as long as this process works on it."""
        self._lock = (self.folder / _LOCK).open("wb")
        if fcntl is None:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            name = printable(output.name)
            raise FilmError(
                f"{name}: another program is making it; wait for that to end"
            ) from error
        except OSError:  # some disks know no locks
            pass

    def _read(self) -> None:
        try:
            listed = json.loads((self.folder / _LIST).read_text(encoding="utf-8"))
            parts = [Part(**one) for one in listed["parts"]]
        except (OSError, ValueError, TypeError, KeyError):
            return
        self.changed = listed.get("made_of") != self._made_of
        if self.changed:
            return
        there = next(
            (n for n, part in enumerate(parts) if not self.path(part).is_file()), len(parts)
        )
        parts = parts[:there]
        while parts and not parts[-1].shot_ends:
            parts.pop()
        self.done = parts

    def path(self, part: Part) -> Path:
        return self.folder / part.name

    def next_path(self) -> Path:
        """Where the next part is written."""
        return self.folder / f"{len(self.done) + 1:06}.mp4"

    def add(self, part: Part) -> None:
        """A part that is whole, on disk, at `next_path`."""
        self.done.append(part)
        self._write()

    def clear(self) -> None:
        """Deletes all of it."""
        self.leave()
        shutil.rmtree(self.folder, ignore_errors=True)

    def leave(self) -> None:
        """Lets others in; what is done stays, and where nothing is, the folder goes."""
        if self._lock is not None:
            self._lock.close()
        if not self.done:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        listed = {"made_of": self._made_of, "parts": [asdict(part) for part in self.done]}
        with replacing(self.folder / _LIST) as out:
            out.write(json.dumps(listed, indent=1).encode())


def make_folder(folder: Path) -> None:
    """The folder that an output is to lie in. FilmError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FilmError(
            f"{printable(str(folder))}: cannot be made a folder ({error.strerror}); {_ADVICE}"
        ) from error


def folder_of(output: Path) -> Path:
    """The folder of an output's parts."""
    return output.with_name(f".{output.name}.parts")


def made_of_film(
    film: Source, settings: FilmSettings, record: Record, codec: str
) -> dict[str, Any]:
    """What a film in colour depends on."""
    look = {
        name: str(getattr(settings, name))
        for name in ("saturation", "variant", "start", "end", "hints", "quality", "speed",
                     "preview")
    }  # fmt: skip
    reference = settings.reference and _content(settings.reference)
    return look | {
        "reference": str(reference),
        "stills": str(tuple((seconds, _content(file)) for seconds, file in settings.stills)),
        "film": [film.name, film.file.stat().st_size],
        "model": record.weights["sha256"],
        "codec": codec,
    }


def mark_of(made_of: Mapping[str, Any]) -> str:
    """What tells in a film's comment what it was made of."""
    return f"made of {_digest(made_of)[:16]}"


def was_made_of(file: Path, made_of: Mapping[str, Any]) -> bool:
    """Whether a film in colour says that in its comment."""
    av = library()
    try:
        with av.open(str(file.absolute()), metadata_errors="replace") as film:
            told = {name.lower(): text for name, text in film.metadata.items()}
    except (av.FFmpegError, OSError, ValueError):
        return False
    return re.search(rf"\b{mark_of(made_of)}\b", told.get("comment", "")) is not None


def _content(file: Path) -> str:
    """A hash of a picture: one that was painted anew has other colours under the same name."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:  # told when it is opened
        return ""


def _digest(made_of: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
