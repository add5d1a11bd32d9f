"""SQLite files as a study needs them: connections, versions, copies, errors in plain words."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlite_utils import Database

from turing.errors import TuringError
from turing.store.files import unfinished
from turing.store.schema import APPLICATION_ID, MIGRATIONS, Migration

BUSY_SECONDS = 10.0
SMALLEST_FILE = 512  # bytes


class StoreUnavailableError(TuringError):
    """Nothing was written, and the same may work later: the file is locked, the disk full."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection with the settings that every one needs; transactions are begun by hand."""
    connection = _open(path, "rw")
    try:
        for setting in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("PRAGMA recursive_triggers=ON")  # REPLACE meets the DELETE triggers
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode != "wal":
            raise TuringError(f"{path}: expected a disk that SQLite's write-ahead log works on")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, to look at a file or to copy it."""
    return _open(path, "ro")


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def migrate(path: Path, migrations: Sequence[Migration] | None = None) -> Path | None:
    """Bring a file to this program's version; returns the backup made before, where it was older.

    Each step is one transaction; where one was the last before a kill, the backup is that of before
    the first. TuringError where the file is newer, or no study's.
    """
    migrations = MIGRATIONS if migrations is None else migrations
    backup = None
    connection = _open(path, "rw")
    try:
        version = check_version(connection, path, len(migrations))
        if 0 < version < len(migrations):
            backup = path.with_name(f"{path.stem}.before-{len(migrations)}.sqlite")
            if not _is_of_before(backup, version):
                copy_database(connection, backup)
        for step in range(version, len(migrations)):
            connection.execute("BEGIN IMMEDIATE")
            with rolled_back_on_error(connection):
                if _pragma(connection, "user_version") == step:  # no other process was faster
                    migrations[step](Database(connection, strict=True))
                    connection.execute(f"PRAGMA user_version={step + 1}")
                connection.execute("COMMIT")
    finally:
        connection.close()
    return backup


def _is_of_before(backup: Path, version: int) -> bool:
    """Whether a backup is there of an older version: steps were made since, the rest was not."""
    if not backup.exists():
        return False
    connection = connect_read_only(backup)
    try:
        return 0 < _pragma(connection, "user_version") < version
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def check_version(connection: sqlite3.Connection, path: Path, newest: int | None = None) -> int:
    """The version of a file's tables, 0 where it is empty. TuringError where it is not for us."""
    newest = len(MIGRATIONS) if newest is None else newest
    if 0 < path.stat().st_size < SMALLEST_FILE:  # which SQLite would take for an empty one
        raise TuringError(_no_store(path))
    try:
        version = _pragma(connection, "user_version")
        is_ours = _pragma(connection, "application_id") == APPLICATION_ID
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise TuringError(_no_store(path)) from None
    if not is_ours and tables:
        raise TuringError(f"{path}: expected a study's store, found another SQLite file")
    if version > newest:
        raise TuringError(
            f"{path}: written by a newer version of this program (tables {version}, "
            f"known here {newest}); update the program"
        )
    return version


def _no_store(path: Path) -> str:
    """What is to be said of another kind of file."""
    if path.suffix.lower() == ".toml":
        return (
            f"{path}: this is a study file (TOML); expected a study's store, found another kind of "
            "file: build makes NAME.sqlite of it"
        )
    return f"{path}: expected a study's store, found another kind of file"


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Write a consistent copy, one whole file, while others go on reading and writing."""
    with unfinished(target) as path:
        copy_into(source, path)


def copy_into(source: sqlite3.Connection, path: Path) -> None:
    """Fill an empty file with a consistent copy."""
    copy = _open(path, "rw")
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close()


@contextlib.contextmanager
def rolled_back_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """Undo an open transaction when what is inside fails."""
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A part of an open transaction, which alone is undone when what is inside fails."""
    check_in_transaction(connection)
    connection.execute("SAVEPOINT part")
    try:
        yield connection
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO part")
            connection.execute("RELEASE part")
        raise
    connection.execute("RELEASE part")


def check_in_transaction(connection: sqlite3.Connection) -> None:
    """StoreUnavailableError where SQLite has given a transaction up, as on a full disk."""
    if not connection.in_transaction:
        raise StoreUnavailableError("nothing was written; try again in a moment")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors that a person can do something about into TuringError."""
    try:
        yield
    except FileNotFoundError:
        raise StoreUnavailableError(f"{path}: the store is gone") from None
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _WHY:
            raise StoreUnavailableError(f"{path}: {_WHY[code]}") from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise TuringError(f"{path}: damaged; restore a backup") from error
        raise


_WHY = {
    sqlite3.SQLITE_BUSY: "another program has been writing for too long; try again in a moment",
    sqlite3.SQLITE_LOCKED: "busy; try again in a moment",
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_READONLY: "the file or its folder cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_NOMEM: "out of memory",
    sqlite3.SQLITE_PROTOCOL: "locks do not work on this disk",
}
