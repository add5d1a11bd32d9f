"""The studies that a running app offers: those of its files, or the built-in one."""

import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from turing.backup.keeper import Keeper
from turing.backup.remote import VARIABLE, open_remote
from turing.errors import TuringError
from turing.stimuli.build import build
from turing.stimuli.demo import NAME as DEMO
from turing.stimuli.demo import make_demo
from turing.store.store import DEFAULT_FOLDER, Store, create_store, store_path
from turing.study.counts import count
from turing.study.study import load_study
from turing.web.serving import Studies, is_name
from turing.web.sign_in import Password, admin_password, on_space

_log = logging.getLogger(__name__)


def store_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`TURING_STORE`, else the folder `studies`: here, or where a Space lets programs write.

    All of a Space's disk is empty after a restart.
    """
    if given := environment.get("TURING_STORE"):
        return Path(given)
    return Path(tempfile.gettempdir(), DEFAULT_FOLDER) if on_space(environment) else DEFAULT_FOLDER


class _ClosingError(Exception):
    """The app ends while the built-in study is being built; the next start goes on with it."""


@dataclass(frozen=True)
class Hosting:
    """Studies in a folder, the one that the tab shows, and the results page's password."""

    directory: Path
    shown: str
    studies: Studies
    password: Password
    keeper: Keeper | None = None
    notes: tuple[str, ...] = ()  # what happened at the start, one line each
    _closing: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begins what goes on beside the server: snapshots, and building the built-in study."""
        self._start_demo()
        if self.keeper:
            self.keeper.start()

    def kept(self, name: str) -> str:
        """What is kept of a study outside this machine, in a sentence for the results page."""
        if self.keeper:
            return self.keeper.sentence(name)
        if on_space(os.environ):
            return (
                "All answers are lost when this Space restarts: set TURING_BACKUP to keep them "
                "elsewhere, or download them."
            )
        return ""

    def _start_demo(self) -> None:
        """Builds the built-in study in a thread of its own, where it is the one shown, and opens it
        when it is new.
        """
        if self.shown == DEMO:
            thread = threading.Thread(target=self._build_demo, name="demo-study")
            self._threads.append(thread)
            thread.start()

    def _build_demo(self) -> None:
        try:
            if self.keeper:
                self._restore_demo()
            study = make_demo(self.directory / f"{DEMO}-photos")
            with create_store(self.directory, DEMO) as store:
                build(study, store, self._progress)
                if store.facts().state == "built":  # who closed it wants it closed
                    store.open_study()
        except _ClosingError:
            _log.info("The demo study is not built yet; the next start goes on")
        except (TuringError, OSError) as error:
            _log.warning("The demo study could not be built: %s", error)
        finally:
            self.studies.coming.discard(DEMO)

    def _restore_demo(self) -> None:
        try:
            self.keeper.restore(DEMO)
        except TuringError as error:
            _log.warning("The demo study begins anew: %s", error)

    def _progress(self, what: str, done: int, total: int) -> None:
        """The build's progress, which ends it where the app ends."""
        if self._closing.is_set():
            raise _ClosingError

    def close(self) -> None:
        """Waits for the demo's thread: one inside torch would crash the ending interpreter."""
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self.studies.close()
        if self.keeper:
            self.keeper.close()


def host(files: Sequence[Path], environment: Mapping[str, str] = os.environ) -> Hosting:
    """The studies of the files, else those that `TURING_STUDY` names, built before; the built-in
    one where there are none. Those that have no store here are restored from `TURING_BACKUP`.

    Raises TuringError for a file that is no study, whose study is not built yet, or where the
    backup cannot be read.
    """
    directory = store_folder(environment)
    names = [load_study(file).name for file in files] or _named(environment)
    keeper = _keeper(environment, directory, names or [DEMO])
    if not names:
        directory.mkdir(parents=True, exist_ok=True)
    notes = [note for name in names for note in _prepared(directory, name, keeper)]
    studies = Studies(directory, names or [DEMO])
    if not names and not store_path(directory, DEMO).is_file():
        studies.coming.add(DEMO)  # before the first visitor comes, who is asked to wait
    password = admin_password(environment)
    return Hosting(directory, (names or [DEMO])[0], studies, password, keeper, tuple(notes))


def _named(environment: Mapping[str, str]) -> list[str]:
    names = environment.get("TURING_STUDY", "").replace(",", " ").split()
    for name in names:
        if not is_name(name):
            raise TuringError(f"TURING_STUDY: expected names of studies, found {name!r}")
    return names


def _keeper(environment: Mapping[str, str], directory: Path, names: list[str]) -> Keeper | None:
    location = environment.get(VARIABLE, "").strip()
    return Keeper(open_remote(location), directory, names) if location else None


def _prepared(directory: Path, name: str, keeper: Keeper | None) -> Iterator[str]:
    """A study's store is there and sound; yields what is worth telling."""
    path = store_path(directory, name)
    if keeper and (restored := keeper.restore(name)):
        rows = restored.kept.rows
        yield (
            f"{name}: restored from {restored.snapshot.name} "
            f"({count(rows['participants'], 'participant')}, {count(rows['choices'], 'choice')})"
        )
        yield from (f"{name}: passed over a snapshot: {line}" for line in restored.damaged)
        yield from (f"{name}: took over {one}" for one in keeper.taken_over(name))
    if not path.is_file():
        where = f" nor in {keeper.remote.location}" if keeper else ""
        raise TuringError(
            f"The study {name} is not built in {directory}{where}; first run "
            f"python -m turing build with its file and --store {directory}"
        )
    Store(path).close()
