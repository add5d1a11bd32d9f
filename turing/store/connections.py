"""A store's file, open for the threads of a program: connections and transactions."""

import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from turing.errors import TuringError
from turing.store import database
from turing.store.database import StoreUnavailableError


class Connections:
    """An open file. Threads may share it: each has a connection of its own.

    `reading` and `writing` are transactions. They raise StoreUnavailableError where SQLite
    finds the file locked for 10 s, the disk full, or the file gone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            found = "a folder" if path.is_dir() else "none; build it first"
            raise TuringError(f"{path}: expected a study's store, found {found}")
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writer = FairLock()
        with database.explained(path):
            database.migrate(path)
            found = path.stat()
            self._place = found.st_dev, found.st_ino
            self.connection.execute("SELECT 1 FROM store").fetchone()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._guard:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = database.connect(self.path)
            with self._guard:
                self._opened.append(connection)
        found = self.path.stat()
        if (found.st_dev, found.st_ino) != self._place:  # what is written now would be lost
            raise StoreUnavailableError(f"{self.path}: replaced while in use; start again")
        return connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one moment of the store."""
        with database.explained(self.path):
            connection = self.connection
            connection.execute("BEGIN")
            with database.rolled_back_on_error(connection):
                yield connection
                connection.execute("COMMIT")

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is on disk when the block is left without an error.

        Within another one of the same thread it is a part of that: it alone is undone where it
        fails, and it is on disk when that one is.
        """
        if getattr(self._local, "is_writing", False):
            with database.explained(self.path), database.savepoint(self.connection) as connection:
                yield connection
            return
        if not self._writer.acquire(timeout=database.BUSY_SECONDS):
            raise StoreUnavailableError(f"{self.path}: busy; try again in a moment")
        try:
            with database.explained(self.path):
                connection = self.connection
                connection.execute("BEGIN IMMEDIATE")
                self._local.is_writing = True
                with database.rolled_back_on_error(connection):
                    yield connection
                    database.check_in_transaction(connection)
                    connection.execute("COMMIT")
        finally:
            self._local.is_writing = False
            self._writer.release()


class FairLock:
    """A lock that is given in the order in which it was asked for, so that nobody starves.

    `threading.Lock` gives itself to any of those who wait.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Whether it was given within `timeout` seconds."""
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._guard:
            if turn not in self._waiting:  # it was given at the last moment
                return True
            self._waiting.remove(turn)
        return False

    def release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
