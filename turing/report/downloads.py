"""The files that the results page hands out."""

import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from turing.analysis.analysis import Results
from turing.report.exports.export import export
from turing.report.of_store import preregistered, store_report, store_results
from turing.store.people import RefusedError
from turing.store.store import Store


class Download(NamedTuple):
    """A file: its label, its media type, and how it is made of a store's version (None = the
    present one).
    """

    label: str
    media_type: str
    make: Callable[[Store, int | None], bytes]


def version_results(store: Store, version: int | None) -> Results:
    return store_results(store, None if version is None else [version])


def _report(store: Store, version: int | None) -> bytes:
    return store_report(store, version_results(store, version)).encode()


def _preregistration(store: Store, version: int | None) -> bytes:
    shown = store.facts().version if version is None else version
    found = None if shown is None else preregistered(store, shown)
    if found is None:
        raise RefusedError(404, "unknown", "This version has no pre-registration file.")
    return found.text.encode()


def _exported(file: str, ending: str = ".csv") -> Callable[[Store, int | None], bytes]:
    """`file` is a field of `Exported`."""

    def read(store: Store, version: int | None) -> bytes:
        with tempfile.TemporaryDirectory() as directory:
            done = export(store, Path(directory) / f"choices{ending}", version=version)
            return getattr(done, file).read_bytes()

    return read


_PARQUET = {
    "choices.parquet": Download(
        "Choices (Parquet)", "application/vnd.apache.parquet", _exported("path", ".parquet")
    )
}

DOWNLOADS = {
    "report.html": Download("Report (HTML)", "text/html; charset=utf-8", _report),
    "preregistration.json": Download("Pre-registration", "application/json", _preregistration),
    "choices.csv": Download("Choices (CSV)", "text/csv; charset=utf-8", _exported("path")),
    "choices.json": Download("Choices (JSON)", "application/json", _exported("path", ".json")),
    **(_PARQUET if find_spec("pyarrow") else {}),
    "participants.csv": Download(
        "Participants (CSV)", "text/csv; charset=utf-8", _exported("participants")
    ),
    "events.csv": Download("Events (CSV)", "text/csv; charset=utf-8", _exported("events")),
    "columns.csv": Download(
        "What the columns mean", "text/csv; charset=utf-8", _exported("dictionary")
    ),
}
