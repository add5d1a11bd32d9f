"""Uploads that are under way: how many a client has, what they take of the disk, what broken ones
leave there."""

import logging
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from starlette.formparsers import MultiPartException

LEAST_ROOM = 2**30  # bytes of the disk that uploads leave to the studies
_CLOCKS = 1.0  # seconds by which the disk's clock may be behind
MOST_AT_ONCE = 64  # uploads of one client, whose address a class may share

_log = logging.getLogger(__name__)


class RefusedError(MultiPartException):
    """Why a request is refused: the status of HTTP, and a sentence. Of an upload that ends by this
    exception Gradio deletes what it has written."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class Upload:
    """One that is under way: of `length` bytes, as far as it said so, `arrived` are here."""

    client: str
    length: int
    arrived: int = 0
    began: float = field(default_factory=time.time)

    @property
    def to_come(self) -> int:
        return max(0, self.length - self.arrived)


class Uploads:
    """Knows all uploads that are under way.

    folder: on the disk that they are written to. written: where Gradio writes them at first, under
    names of its own; None = nowhere.
    """

    def __init__(self, folder: Path, written: Path | None = None) -> None:
        self._folder, self._written = folder, written
        self._under_way: set[Upload] = set()

    def begin(self, client: str, length: int) -> Upload:
        """RefusedError where the client has many under way already, or there is no room."""
        if sum(one.client == client for one in self._under_way) >= MOST_AT_ONCE:
            raise RefusedError(429, "Many of your photos are being sent already. Try again soon.")
        self._check_room(length)
        upload = Upload(client, length)
        self._under_way.add(upload)
        return upload

    def arrive(self, upload: Upload, size: int) -> None:
        """Counts bytes before they are written; RefusedError where they have no room, be it that
        they were not announced, or that something else fills the disk."""
        self._check_room(0 if upload.to_come else size)
        upload.arrived += size

    def end(self, upload: Upload) -> None:
        """However it ended. Deletes what no upload that is under way can have written: Gradio
        leaves what it had of a broken one."""
        self._under_way.discard(upload)
        if self._written is None:
            return
        oldest = min((one.began for one in self._under_way), default=time.time() + _CLOCKS)
        for file in self._written.glob(f"{tempfile.gettempprefix()}*"):
            with suppress(OSError):
                if file.is_file() and file.stat().st_mtime < oldest - _CLOCKS:
                    file.unlink()

    def _check_room(self, size: int) -> None:
        coming = sum(one.to_come for one in self._under_way) + size
        if shutil.disk_usage(self._folder).free < LEAST_ROOM + coming:
            _log.warning("uploads are refused: the disk of %s is nearly full", self._folder)
            raise no_room()


def no_room() -> RefusedError:
    return RefusedError(507, "There is no room for more photos now. Try again in an hour.")
