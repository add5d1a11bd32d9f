"""The finished parts of a film that is being made: a folder beside the output, and its list."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from colorize.errors import printable
from colorize.files import replacing
from colorize.film.reading import FilmError

try:
    import fcntl
except ImportError:  # on Windows, where a file that is open cannot be deleted anyway
    fcntl = None

_LIST, _LOCK = "parts.json", "lock"


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
        self._made_of = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
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
                f"({error.strerror})"
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


def folder_of(output: Path) -> Path:
    """The folder of an output's parts."""
    return output.with_name(f".{output.name}.parts")
