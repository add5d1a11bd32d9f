"""The files that the results page hands out."""

import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from turing.analysis.analysis import Results
from turing.report.export import export
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


def _exported(store: Store, version: int | None, ending: str, dictionary: bool = False) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        done = export(store, Path(directory) / f"choices{ending}", version=version)
        return (done.dictionary if dictionary else done.path).read_bytes()


def _choices(ending: str) -> Callable[[Store, int | None], bytes]:
    return lambda store, version: _exported(store, version, ending)


def _columns(store: Store, version: int | None) -> bytes:
    return _exported(store, version, ".csv", dictionary=True)


_PARQUET = {
    "choices.parquet": Download(
        "Choices (Parquet)", "application/vnd.apache.parquet", _choices(".parquet")
    )
}

DOWNLOADS = {
    "report.html": Download("Report (HTML)", "text/html; charset=utf-8", _report),
    "preregistration.json": Download("Pre-registration", "application/json", _preregistration),
    "choices.csv": Download("Choices (CSV)", "text/csv; charset=utf-8", _choices(".csv")),
    "choices.json": Download("Choices (JSON)", "application/json", _choices(".json")),
    **(_PARQUET if find_spec("pyarrow") else {}),
    "columns.csv": Download("What the columns mean", "text/csv; charset=utf-8", _columns),
}
