"""Commands that take the study file: preview, open, close, status."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from turing.cli.base import StoreFolder, StudyFile, command, say, warn
from turing.errors import TuringError
from turing.store.records import holds_simulated, when_screened_out
from turing.store.store import DEFAULT_FOLDER, Facts, Store, facts, is_key_published, store_path
from turing.study.counts import count
from turing.study.study import Study, load_study


def _an_address(given: str) -> str:
    if not given.startswith(("http://", "https://")):
        raise typer.BadParameter(f"expected http://... or https://..., found {given}")
    return given


Address = Annotated[
    str,
    typer.Option(
        metavar="URL", callback=_an_address, help="Where the app is served, for the links."
    ),
]
LOCAL = f"http://127.0.0.1:{os.environ.get('GRADIO_SERVER_PORT') or 7860}"  # as `app.py` has it


@command("preview")
def preview(
    study: StudyFile, store: StoreFolder = DEFAULT_FOLDER, address: Address = LOCAL
) -> None:
    """Print a link that walks the study uncounted, before `open` and after `close` too.

    \b
    python -m turing preview study.toml --store studies
    """
    with _built(load_study(study), store) as found:
        say(preview_link(found.facts(), address))


@command("open")
def open_(study: StudyFile, store: StoreFolder = DEFAULT_FOLDER, address: Address = LOCAL) -> None:
    """Let participants in, and print the link for them. The study has been built.

    \b
    python -m turing open study.toml --store studies
    """
    wanted = load_study(study)
    with _built(wanted, store) as found:
        if stale := _stale(wanted, found):
            raise TuringError(f"{study}: {stale}; build it again, or put the file back")
        with found.reading() as db:
            if holds_simulated(db):
                raise TuringError(
                    f"{found.path}: has made-up participants, by `turing simulate`, which real "
                    "ones would be mixed with; open the store that it is a copy of"
                )
        found.open_study()
    say(f"{wanted.name} is open: {study_link(wanted.name, address)}")


@command("close")
def close(study: StudyFile, store: StoreFolder = DEFAULT_FOLDER) -> None:
    """Let nobody in any more. Who has started may finish.

    \b
    python -m turing close study.toml --store studies
    """
    wanted = load_study(study)
    with _built(wanted, store) as found:
        found.close_study()
    say(f"{wanted.name} is closed; who has started may finish.")


@command("status")
def status(study: StudyFile, store: StoreFolder = DEFAULT_FOLDER, address: Address = LOCAL) -> None:
    """Say whether the study is built and open, and who has come.

    \b
    python -m turing status study.toml --store studies
    """
    wanted = load_study(study)
    with _built(wanted, store) as found:
        own = found.facts()
        with found.reading() as db:
            for_good = ", its trial key is published" if is_key_published(db) else ""
        state = f"{_STATES[own.state]}{for_good}"
        say(f"{wanted.name}: {state}, version {own.version}, part {own.part}")
        for line in _people(found, wanted.participants.planned):
            say(f"  {line}")
        say(f"  link: {study_link(wanted.name, address)}")
        if until := wanted.participants.retention:
            say(f"  {_retention(until, datetime.now(UTC).date())}")
        if stale := _stale(wanted, found):
            warn(f"{study}: {stale}")


def _retention(until: date, today: date) -> str:
    """By when what people answered is to be deleted."""
    days = (until - today).days
    if days < 0:
        return (
            f"participants.retention: all answers were to be deleted by {until}; delete the store "
            "and its backups"
        )
    return f"answers are kept until {until} (retention), {count(days, 'day')} from now"


_STATES = {"built": "built, not open yet", "open": "open", "closed": "closed"}


def study_link(name: str, address: str) -> str:
    """Where participants go."""
    return f"{address.rstrip('/')}/study?study={quote(name)}"


def preview_link(own: Facts, address: str) -> str:
    return f"{study_link(own.name, address)}&preview={quote(own.preview_key)}"


def _built(study: Study, directory: Path) -> Store:
    """The study's store. TuringError where nothing is built."""
    path = store_path(directory, study.name)
    if not path.is_file():
        raise TuringError(
            f"{path}: the study {study.name} is not built there; "
            "python -m turing build makes it, --store says where"
        )
    found = Store(path)
    if found.facts().version is None:
        found.close()
        raise TuringError(
            f"{path}: the study {study.name} was not built to the end; build it again"
        )
    return found


def _stale(study: Study, store: Store) -> str:
    """Where the file says something else than what was built."""
    with store.reading() as db:
        number = facts(db).version
        (built,) = db.execute("SELECT sha256 FROM study WHERE version = ?", (number,)).fetchone()
    return "" if built == study.sha256 else f"has changed since version {number} was built"


def _people(store: Store, planned: int | None) -> list[str]:
    """Started, finished and so on, a line a version that anybody saw."""
    with store.reading() as db:
        rows = db.execute(
            "SELECT version, count(*), count(finished), count(withdrawn), "
            f"count({when_screened_out('p')}), "
            "(SELECT count(*) FROM choices c JOIN trials t ON t.id = c.trial JOIN participants q "
            "ON q.id = t.participant WHERE q.version = p.version AND NOT q.preview) "
            "FROM participants p WHERE NOT preview GROUP BY version ORDER BY version"
        ).fetchall()
        (previews,) = db.execute("SELECT count(*) FROM participants WHERE preview").fetchone()
    of_plan = f" of {planned} planned" if planned else ""
    lines = [
        f"version {version}: {started} started, {finished} finished{of_plan}, "
        f"{withdrawn} left for good, {f'{screened} screened out, ' if screened else ''}"
        f"{count(choices, 'choice')}"
        for version, started, finished, withdrawn, screened, choices in rows
    ]
    return [*(lines or ["nobody has come yet"]), *([f"previews: {previews}"] if previews else [])]
