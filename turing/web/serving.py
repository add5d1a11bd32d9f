"""The studies that a server offers, and the threads in which their stores are read and written.

SQLite blocks: while another program writes, for up to 10 s. The event loop never waits for it,
and neither do readers: every study has one thread that writes, one that starts participants, and
a few that read. What has to be written goes to disk together: a disk that takes its time for
each commit makes nobody wait for more than two.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from turing.analysis.looks import note_last_look
from turing.store import database
from turing.store.database import StoreUnavailableError
from turing.store.sessions import Sessions
from turing.store.store import Store, store_path

_log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
TOGETHER = 100  # calls in one transaction, at most


class ServedStudy:
    """A study's sessions, to be awaited. Calls that wrote return when that is on disk."""

    def __init__(self, store: Store) -> None:
        self.sessions = Sessions(store)
        self._readers = ThreadPoolExecutor(READERS, "study-read")
        self._writer = ThreadPoolExecutor(1, "study-write")
        self._to_write: deque[tuple[Callable[[], object], Future]] = deque()
        self._starter = ThreadPoolExecutor(1, "study-start")
        self._is_looking = False

    async def read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._readers, partial(call, *args, **kwargs))

    async def write(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._write(partial(call, *args, **kwargs)))

    async def start(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For calls that draw trials: answers do not queue behind them."""
        return await _run(self._starter, _in_time(partial(call, *args, **kwargs)))

    def write_later(self, call: Callable[..., object], *args: object) -> None:
        """For what nobody waits for, and what may be lost."""
        self._write(partial(call, *args))

    def close_after_last_look(self) -> None:
        """Closes a study that has as many as its last look asks for; nobody waits for it."""
        if not self._is_looking:  # another who finishes meanwhile has it looked at once more
            self._is_looking = True
            with contextlib.suppress(RuntimeError):  # the app ends
                self._readers.submit(self._close_if_complete)

    def _close_if_complete(self) -> None:
        store = self.sessions.store
        self._is_looking = False
        try:
            if note_last_look(store):
                self._write(store.close_study)
        except Exception:  # the next one who finishes has it looked at again
            _log.exception("%s: not known whether its last look is reached", store.path)

    def _write(self, call: Callable[[], T]) -> "Future[T]":
        written: Future[T] = Future()
        self._to_write.append((_in_time(call), written))
        self._writer.submit(self._write_together)
        return written

    def _write_together(self) -> None:
        """All that waits, in one transaction; nobody is told before it is on disk."""
        waiting = [self._to_write.popleft() for _ in range(min(len(self._to_write), TOGETHER))]
        waiting = [(call, told) for call, told in waiting if told.set_running_or_notify_cancel()]
        if not waiting:
            return
        tell: list[Callable[[], None]] = []
        try:
            with self.sessions.store.writing():
                for call, told in waiting:
                    try:
                        tell.append(partial(told.set_result, call()))
                    except Exception as error:
                        tell.append(partial(told.set_exception, error))
        except Exception as error:
            tell = [partial(told.set_exception, error) for _, told in waiting]
        for each in tell:
            each()

    def close(self) -> None:
        for pool in (self._readers, self._writer, self._starter):
            pool.shutdown(cancel_futures=True)
        for _, told in self._to_write:
            told.cancel()
        self.sessions.store.close()


class Studies:
    """The studies in a folder, by name; a store that is built later is found when asked for.

    `names`: those to serve, None = all in the folder. `coming`: those being built, which callers
    are asked to wait for.
    """

    def __init__(self, directory: Path | str, names: Collection[str] | None = None) -> None:
        self.directory = Path(directory)
        self._names = None if names is None else frozenset(names)
        self.coming: set[str] = set()
        self._served: dict[str, ServedStudy] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> "Studies":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def get(self, name: str) -> ServedStudy | None:
        """A study that has a store, None for others. `name` is taken from an address."""
        if name in self._served:
            return self._served[name]
        if not is_name(name) or (self._names is not None and name not in self._names):
            return None
        return await asyncio.to_thread(self._open, name)

    def _open(self, name: str) -> ServedStudy | None:
        with self._guard:
            path = store_path(self.directory, name)
            if name not in self._served and path.is_file():
                with contextlib.ExitStack() as closing:
                    store = closing.enter_context(Store(path))
                    if store.facts().name != name:  # "Demo" on a disk that ignores case
                        return None
                    self._served[name] = ServedStudy(store)
                    closing.pop_all()
            return self._served.get(name)

    def close(self) -> None:
        with self._guard:
            for served in self._served.values():
                served.close()
            self._served.clear()


def is_name(name: str) -> bool:
    """Whether a study may be called so: nothing that could lead out of the folder."""
    return name.isascii() and name.replace("-", "").isalnum() and len(name) <= 64


async def _run(pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, call)


def _in_time(call: Callable[[], T]) -> Callable[[], T]:
    """Refuse at once what waited too long in the queue, so that the queue gets shorter."""
    asked = time.monotonic()

    def run() -> T:
        if time.monotonic() - asked > database.BUSY_SECONDS:
            raise StoreUnavailableError("the store has been busy for too long")
        return call()

    return run
