"""The studies that a running app offers: those of its files, or the built-in one."""

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from turing.build import build
from turing.demo import NAME as DEMO
from turing.demo import make_demo
from turing.errors import TuringError
from turing.serving import Studies
from turing.sign_in import Password, admin_password
from turing.store import DEFAULT_FOLDER, Store, create_store, store_path
from turing.study import load_study

_log = logging.getLogger(__name__)


def store_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`TURING_STORE`, else the folder `studies`."""
    return Path(environment.get("TURING_STORE") or DEFAULT_FOLDER)


class _ClosingError(Exception):
    """The app ends while the built-in study is being built; the next start goes on with it."""


@dataclass(frozen=True)
class Hosting:
    """Studies in a folder, the one that the tab shows, and the results page's password."""

    directory: Path
    shown: str
    studies: Studies
    password: Password
    _closing: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start_demo(self) -> None:
        """Builds the built-in study in a thread of its own, where it is the one shown, and opens it
        when it is new.
        """
        if self.shown == DEMO:
            if not store_path(self.directory, DEMO).is_file():
                self.studies.coming.add(DEMO)
            thread = threading.Thread(target=self._build_demo, name="demo-study")
            self._threads.append(thread)
            thread.start()

    def _build_demo(self) -> None:
        try:
            study = make_demo(self.directory / f"{DEMO}-photos")
            with create_store(self.directory, DEMO) as store:
                build(study, store, self._go_on)
                if store.facts().state == "built":  # who closed it wants it closed
                    store.open_study()
        except _ClosingError:
            _log.info("The demo study is not built yet; the next start goes on")
        except (TuringError, OSError) as error:
            _log.warning("The demo study could not be built: %s", error)
        finally:
            self.studies.coming.discard(DEMO)

    def _go_on(self, what: str, done: int, total: int) -> None:
        """The build's progress, which ends it where the app ends."""
        if self._closing.is_set():
            raise _ClosingError

    def close(self) -> None:
        """Waits for the demo's thread: one inside torch would crash the ending interpreter."""
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self.studies.close()


def host(files: Sequence[Path], environment: Mapping[str, str] = os.environ) -> Hosting:
    """The studies of the files, built before; the built-in one where there are none.

    Raises TuringError for a file that is no study, or whose study is not built yet.
    """
    directory = store_folder(environment)
    names = [load_study(file).name for file in files] or [DEMO]
    if not files:
        directory.mkdir(parents=True, exist_ok=True)
    for file, name in zip(files, names, strict=False):
        path = store_path(directory, name)
        if not path.is_file():
            raise TuringError(
                f"{file}: the study {name} is not built in {directory}; first run "
                f"python -m turing build {file} --store {directory}"
            )
        Store(path).close()
    password = admin_password(environment)
    return Hosting(directory, names[0], Studies(directory, names), password)
