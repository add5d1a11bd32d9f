"""All results as one ZIP, which is made while it is sent, with a list of how each was made."""

import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from colorize.batch.manifest import cell
from colorize.batch.names import USUAL, anywhere, name_by, numbered
from colorize.errors import ColorizeError
from colorize.inference.hints.strokes import Stroke
from colorize.inference.options import VARIANTS
from colorize.web.photos.item import Item
from colorize.web.workshop import SIDE_BY_SIDE, Look, Workshop

MANIFEST = "manifest.csv"
_CANCELLED = "cancelled before it was its turn"
COLUMNS = (
    "file", "photo", "model", "weights_sha256", "working_size", "saturation", "temperature",
    "variant", "seed", "hints", "strokes", "reference", "reference_strength", "borders", "restored",
    "cropped", "error",
)  # fmt: skip


class Entry(NamedTuple):
    """A result of the archive; `name` is its file's, without ending."""

    item: Item
    look: Look
    name: str


@dataclass
class Progress:
    """How far a ZIP of `total` files is; who cancels it gets what is done by then."""

    total: int
    done: int = 0
    has_begun: bool = False
    is_over: bool = False
    is_cancelled: bool = False


async def zipped(
    entries: Iterable[Entry],
    workshop: Workshop,
    save: Callable[[Entry, Path], Awaitable[Path]],
    progress: Progress,
) -> AsyncIterator[bytes]:
    """The ZIP in pieces, a file at a time: it never lies on the disk as a whole.

    entries: may be made one by one. save: writes an entry's full-size file in a folder, under its
    name with an ending. What fails is left out and told in `not-included.txt`; `manifest.csv` has
    a row an entry.
    """
    out, rows, failures = _Pipe(), [], []
    progress.done, progress.has_begun, progress.is_over = 0, True, False
    try:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for entry in entries:
                with workshop.temporary() as folder:
                    try:
                        if progress.is_cancelled:
                            raise ColorizeError(_CANCELLED)
                        file = await save(entry, Path(folder) / entry.name)
                        await run_in_threadpool(archive.write, file, file.name)
                        rows.append(_row(entry, workshop, file.name))
                    except ColorizeError as error:
                        failures.append(f"{entry.item.name}: {error}")
                        rows.append(_row(entry, workshop, error=str(error)))
                progress.done += 1
                yield out.taken()
            if failures:
                archive.writestr("not-included.txt", "\n".join(failures) + "\n")
            archive.writestr(MANIFEST, _table(rows))
        yield out.taken()
    finally:  # also where whoever wanted it is gone
        progress.is_over = True


def _row(entry: Entry, workshop: Workshop, file: str = "", error: str = "") -> list[str]:
    look, record = entry.look, workshop.record(entry.look.model)
    size = record.size if look.size is None else look.size
    temperature = record.temperature if look.temperature is None else look.temperature
    return [
        cell(file),
        cell(entry.item.name),
        cell(record.name),
        record.weights["sha256"],
        str(size),
        f"{look.saturation:g}",
        f"{temperature:g}" if record.over_bins else "",
        look.variant,
        "" if look.seed is None else str(look.seed),
        " ".join(f"{x:g},{y:g},{colour}" for x, y, colour in look.hints),
        _written(look.strokes),
        cell(look.reference.file.name) if look.reference else "",
        f"{look.trust:g}" if look.reference else "",
        _yes(look.borders),
        _yes(look.restore),
        _yes(entry.item.upload.cropped),
        cell(error),
    ]


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _written(strokes: Sequence[Stroke]) -> str:
    """Strokes as the command line reads them from a file, "" where there are none."""
    return json.dumps([asdict(stroke) for stroke in strokes]) if strokes else ""


def _table(rows: Sequence[Sequence[str]]) -> bytes:
    """As CSV, with the mark by which spreadsheets know that it is UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *rows])
    return text.getvalue().encode("utf-8-sig")


def kind_of(variant: str, choice: str) -> str:
    """What follows a model's name in a file's: nothing where the result is natural and alone."""
    kinds = [variant] * (variant != VARIANTS[0]) + ["side-by-side"] * (choice == SIDE_BY_SIDE)
    return "".join(f"-{kind}" for kind in kinds)


def download_names(
    items: list[Item],
    models: list[str],
    pattern: str = USUAL,
    kinds: Mapping[tuple[int, str], str] | None = None,
) -> dict[tuple[int, str], str]:
    """By a pattern, NAME-MODEL for every photo and model, without ending; doubles are numbered.

    kinds: the `kind_of` what is downloaded, by the photo's number and the model.
    """
    names: dict[tuple[int, str], str] = {}
    taken: set[str] = set()
    for place, item in enumerate(items, 1):
        fields = {"name": item.upload.file.stem, "number": numbered(place, len(items))}
        for model in models:
            called = model + (kinds or {}).get((item.number, model), "")
            plain = name = name_by(pattern, fields | {"model": called})
            count = 1
            while anywhere(name) in taken:
                count += 1
                name = f"{plain}-{count}"
            taken.add(anywhere(name))
            names[item.number, model] = name
    return names


class _Pipe:
    """A file that a ZIP is written to and read from at once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        content, self._pieces = b"".join(self._pieces), []
        return content
