"""The list of what became of each photo: a CSV file that grows by one row a photo."""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from colorize.errors import ColorizeError
from colorize.files import replacing

COLUMNS = ("input", "output", "model", "seconds", "error")
# What a spreadsheet runs, also behind characters that it drops. It may cut a line at semicolons or
# tabs, too: its country's settings decide.
_UNSEEN = r""" "'\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xa0\u200b-\u200f\u2060\ufeff"""
_FORMULA = rf"[{_UNSEEN}]*[=+\-@＝＋－＠]"
_STARTS_A_FORMULA = re.compile(rf"\s*{_FORMULA}|[\t\r\n']")
_FORMULA_WITHIN = re.compile(rf"(?<=[,;\t\r\n])(?={_FORMULA})")
_HEADING = ",".join(COLUMNS)


class Manifest:
    """A manifest that is being written. A row is on disk when `add` returns, whole or not at all.

    input, output: paths as they were given; model: the checkpoint's name; seconds: of work on
    that photo, empty where an earlier run or a process that died did it; error: empty where all
    went well. Text that a spreadsheet would take for a formula has a ' before it.
    """

    def __init__(self, file: BinaryIO, rows: Iterable[list[str]]) -> None:
        self._file = file
        self._known = {_key(row): row[2] for row in rows if not row[4]}
        self.renewed = False  # whether a photo has an earlier row, too

    def add(
        self,
        source: Path,
        target: Path,
        model: str,
        *,
        seconds: float | None = None,
        error: str = "",
    ) -> None:
        """Appends a row and syncs it to disk. OSError where the disk is full."""
        spent = "" if seconds is None else f"{seconds:.3f}"
        row = [cell(str(source)), cell(str(target)), cell(model), spent, cell(error)]
        self.renewed = self.renewed or _key(row) in self._known
        self._file.write(_line(row))
        self._file.flush()
        os.fsync(self._file.fileno())

    def knows(self, source: Path, target: Path, model: str) -> bool:
        """Whether an earlier run's row says that this was done well."""
        return self._known.get((cell(str(source)), cell(str(target)))) == cell(model)


@contextmanager
def open_manifest(
    file: Path, tasks: Iterable[tuple[Path, Path]], *, resume: bool = False
) -> Iterator[Manifest]:
    """A manifest to add to: new, or with `resume` the one that earlier runs wrote.

    `tasks` are (input, output) of the photos of this run. Of their earlier rows only those
    without error stay, and a row that a killed process left half is dropped; rows of other
    photos stay as they are. At the end a photo has one row, its last.
    """
    rows: list[list[str]] = []
    if resume and file.exists():
        own = {(cell(str(source)), cell(str(target))) for source, target in tasks}
        rows = [row for row in _latest(_read(file)) if not (_key(row) in own and row[4])]
    _write(file, rows)
    with file.open("ab") as out:
        manifest = Manifest(out, rows)
        yield manifest
    if manifest.renewed:
        _write(file, _latest(_read(file)))


def check_manifest(file: Path, *, resume: bool, overwrite: bool) -> None:
    """ColorizeError where the file cannot be a manifest, or one is there that is to be kept."""
    if file.is_dir():
        raise ColorizeError(f"{file}: expected a file's name, found a folder")
    if not file.parent.is_dir():
        raise ColorizeError(f"{file}: there is no folder {file.parent}; make it first")
    if not file.exists():
        return
    if not (resume or overwrite):
        raise ColorizeError(
            f"{file} exists already; --resume goes on with it, --overwrite replaces it"
        )
    with file.open("rb") as opened:
        start = opened.read(len(_HEADING))
    if start and start != _HEADING.encode():
        raise ColorizeError(f"{file}: expected the columns {_HEADING}; name another file")


def cell(text: str) -> str:
    """Text that no spreadsheet runs: a ' before what starts a formula, and before a '."""
    text = _FORMULA_WITHIN.sub("'", text.encode("utf-8", "backslashreplace").decode())
    return f"'{text}" if _STARTS_A_FORMULA.match(text) else text


def _read(file: Path) -> list[list[str]]:
    """Its whole rows; what comes after the last line's end was never written to its end."""
    content = file.read_bytes()
    text = content[: content.rfind(b"\n") + 1].decode("utf-8", "backslashreplace")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    except csv.Error as error:
        raise ColorizeError(f"{file}: cannot be read ({error}); name another file") from error
    return [row for row in rows if len(row) == len(COLUMNS)]


def _latest(rows: Iterable[list[str]]) -> list[list[str]]:
    return list({_key(row): row for row in rows}.values())


def _key(row: list[str]) -> tuple[str, str]:
    return row[0], row[1]


def _write(file: Path, rows: Iterable[list[str]]) -> None:
    with replacing(file) as new:
        new.write(b"".join(map(_line, (COLUMNS, *rows))))


def _line(row: Iterable[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(row)
    return line.getvalue().encode("utf-8")
