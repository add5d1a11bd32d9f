"""A store's results and report as they stand now."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from turing.analysis.analysis import Results, analyse
from turing.analysis.aspects.mixed import mixed_model
from turing.analysis.frames import load_data
from turing.analysis.looks import note_unblinding
from turing.errors import TuringError
from turing.report.gallery import Pictures
from turing.report.html import Preregistration, html_report
from turing.store import preregistration
from turing.store.store import Store


def store_results(
    store: Store, versions: Sequence[int] | None = None, unblind: str = ""
) -> Results:
    """Results of a version, or of several pooled; by default of the one that people are shown.

    unblind: for what figures are wanted whatever looks are still to come, which is written down.
    """
    results = analyse(load_data(store, versions), bool(unblind))
    if results.look and results.look.is_unblinded:
        note_unblinding(store, unblind)
    return results


def store_report(
    store: Store, results: Results, top: Markup | str = "", is_whole: bool = True
) -> str:
    """The HTML report of `results`, which are this store's; without the mixed model, which takes
    seconds, unless it is to be whole."""
    registered = preregistered(store, results.data.versions[-1])
    mixed = mixed_model(results.choices, results.data) if is_whole else None
    return html_report(results, _pictures(store), datetime.now(UTC), registered, top, mixed)


def preregistered(store: Store, version: int) -> Preregistration | None:
    """The pre-registration of a version, None where there is none; checked against its hash."""
    path = preregistration_path(store, version)
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    try:
        sha256 = preregistration.verify(path)["sha256"]
    except TuringError:
        remark = (
            "The pre-registration file was changed after it was written: its SHA-256 does not fit."
        )
        return Preregistration(text, remark, as_written=False)
    remark = (
        "The pre-registration is as it was written when the study was built. SHA-256: " + sha256
    )
    return Preregistration(text, remark)


def preregistration_path(store: Store, version: int) -> Path:
    return store.pictures / f"preregistration-{version}.json"


def _pictures(store: Store) -> Pictures:
    """The pictures of a store, None for one that is gone."""

    def picture(stimulus: str) -> bytes | None:
        try:
            return store.picture_path(stimulus).read_bytes()
        except FileNotFoundError:
            return None

    return picture
