"""The command that renders a study: build."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from turing.cli.base import (
    FAILED,
    LARGEST,
    StoreFolder,
    StudyFile,
    command,
    end,
    progress_bars,
    say,
)
from turing.cli.study import LOCAL, Address, preview_link
from turing.errors import TuringError, WrongUseError
from turing.store.files import new_folder
from turing.store.store import DEFAULT_FOLDER, Store, create_store, store_path
from turing.study.counts import count
from turing.study.study import Study, load_study


@command("build")
def build(
    study: StudyFile,
    store: StoreFolder = DEFAULT_FOLDER,
    part: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            min=1,
            max=LARGEST,
            help="Of a study that runs on several apps, each with its part. "
            "[default: the store's, else 1]",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="auto (a GPU if there is one), cpu, cuda ...")
    ] = "auto",
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Then let a program guess sides from all but the colours; 1 if it can."
        ),
    ] = False,
    address: Address = LOCAL,
) -> None:
    """Render a study's pictures, once, and print a link to try it. It may be stopped and resumed.

    A changed photo, model or size makes a new version; what was shown is never altered.

    \b
    python -m turing build study.toml --store studies
    """
    from turing.stimuli.build import build as render
    from turing.stimuli.selection import report_lines

    wanted = load_study(study)
    in_english = _check_language(study, wanted)
    with _store(store, wanted.name, part) as opened:
        before = opened.facts()
        with progress_bars() as progress:
            made = render(wanted, opened, progress, device)
        for line in report_lines(made.report):
            say(line)
        say(
            f"{wanted.name}: version {made.version} is built, {count(made.rendered, 'picture')} "
            f"made, "
            f"{made.kept} kept"
        )
        if before.state == "open" and before.version != made.version:
            say(
                f"The study is open: who comes from now on sees version {made.version}, who has "
                f"started stays at version {before.version}"
            )
        if in_english:
            say(
                f"{count(len(in_english), 'text of the page is', 'texts of the page are')} in "
                f"English, not in "
                f'"{wanted.study.language}"; [texts.buttons] takes {", ".join(in_english)}'
            )
        say(f"Pre-registration: {made.preregistration}")
        say(f"Preview: {preview_link(opened.facts(), address)}")
        if check:
            _check(opened)


def _check_language(file: Path, study: Study) -> list[str]:
    """Names of the texts that the page would say in English all the same.

    WrongUseError where it would be all of them.
    """
    from turing.web import texts
    from turing.web.routes import PAGE

    known = texts.read_texts(PAGE)
    language, buttons = study.study.language, study.texts.buttons
    if unknown := [name for name in buttons if name not in known["en"]]:
        raise WrongUseError(
            f"{file}: texts.buttons.{unknown[0]}: unknown key; {PAGE / 'texts' / 'en.json'} has all"
        )
    if not texts.of_language(known, language) and not buttons:
        raise WrongUseError(
            f"{file}: study.language: the page has texts for {', '.join(known)}, found "
            f'"{language}"; give its own under [texts.buttons], by the names in '
            f"{PAGE / 'texts' / 'en.json'}"
        )
    return texts.untranslated(known, study)


@contextlib.contextmanager
def _store(directory: Path, name: str, part: int | None) -> Iterator[Store]:
    """The study's store; one that was made for nothing is removed again."""
    path = store_path(directory, name)
    is_new = not path.exists()
    if part is None and not is_new:
        with Store(path) as known:
            part = known.facts().part
    with new_folder(path.parent), create_store(directory, name, part or 1) as opened:
        try:
            yield opened
        except BaseException:
            if is_new:
                with contextlib.suppress(TuringError, sqlite3.Error, OSError):  # a full disk, too
                    _remove_unused(opened)
            raise


def _remove_unused(store: Store) -> None:
    with store.reading() as db:
        (stimuli,) = db.execute("SELECT count(*) FROM stimuli").fetchone()
    if not stimuli:
        store.close()
        store.path.unlink()


def _check(store: Store) -> None:
    from turing.stimuli.check import check

    with progress_bars() as progress:
        checked = check(store, progress)
    found = checked.guessed
    says = (
        f"Check: a program that sees all but the colours is right in {found.estimate:.3f} "
        f"[{found.low:.3f}, {found.high:.3f}] of {found.n} trials"
    )
    if checked.faults:
        end(FAILED, "\n".join((says, *checked.faults)))
    say(f"{says}: no better than chance")
