"""A place for snapshots that fails, hangs or damages what it is told to."""

import threading
from pathlib import Path

from turing.backup.remote import FolderRemote, RemoteError


class FakeRemote(FolderRemote):
    """A folder; `fails` makes every call an error, `slow` holds calls until it is set."""

    pause = 0.0

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        self.fails = ""
        self.slow: threading.Event | None = None
        self.calls = 0

    def names(self, folder):
        self._go()
        return super().names(folder)

    def fetch(self, name, to):
        self._go()
        super().fetch(name, to)

    def change(self, add, remove=()):
        self._go()
        super().change(add, remove)

    def _go(self):
        self.calls += 1
        if self.slow:
            self.slow.wait(120)
        if self.fails:
            raise RemoteError(self.fails)

    def stored(self, study="tiny"):
        """The snapshots' files, oldest first."""
        return sorted((self._folder / study / "snapshots").glob("*.sqlite"))

    def pictures(self, study="tiny"):
        return sorted((self._folder / study / "pictures").rglob("*.png"))
