"""Copies of a store with its pictures: made while it is in use, checked, and put back."""

import contextlib
import hashlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from turing.errors import TuringError, WrongUseError
from turing.store import database
from turing.store.files import new_folder, unfinished
from turing.store.store import Store, facts

COUNTED = ("study", "photos", "stimuli", "participants", "trials", "choices", "answers", "events")


class Kept(NamedTuple):
    """A checked copy: its file, its rows by table, its pictures.

    faults: one line for each picture that is missing or altered.
    kept_before: the file that was there before and holds what the new one does not.
    """

    path: Path
    rows: dict[str, int]
    pictures: int
    faults: tuple[str, ...]
    kept_before: Path | None


def backup(store: Path | str, folder: Path | str) -> Kept:
    """Copy a store, which may be in use, and its pictures into another folder, and check them.

    The same store's copy there is replaced; it is kept under another name where it has choices
    that the store has not. TuringError where another store's lies there.
    """
    store, target = Path(store), Path(folder) / Path(store).name
    if target.parent.resolve() == store.parent.resolve():
        raise TuringError(f"{folder}: expected another folder than the store's own")
    with (
        look_at(store) as source,
        new_folder(target.parent),
        unfinished(target) as path,
    ):
        uid = facts(source).uid
        database.copy_into(source, path)
        with look_at(path) as copy:
            rows = checked(copy, path)
            pictures = pictures_of(copy)
        before = _set_aside(target, path, uid) if target.exists() else None
        _drop_log(target)
    faults = copy_pictures(_folder(store), _folder(target), pictures)
    return Kept(target, rows, len(pictures) - len(faults), faults, before)


def restore(backup: Path | str, store: Path | str) -> Kept:
    """Put a backup in a store's place. It is checked first, and the old file is kept.

    TuringError, with nothing changed, where the backup is damaged, lacks pictures, is another
    study's, or where the store is in use.
    """
    backup, store = Path(backup), Path(store)
    if store.exists() and backup.exists() and store.samefile(backup):
        raise WrongUseError(f"{store}: expected a backup and a store, found the same file twice")
    with look_at(backup) as source:
        rows = checked(source, backup)
        name, pictures = facts(source).name, pictures_of(source)
        lost = altered(pictures, _folder(backup), _folder(store))
        if lost:
            raise TuringError("\n".join(_faults(_folder(backup), lost)))
        store.parent.mkdir(parents=True, exist_ok=True)
        with _locked(store, name) as old, unfinished(store) as path:
            database.copy_into(source, path)
            copy_pictures(_folder(backup), _folder(store), pictures)
            before = None
            if old is not None:
                before = _free_name(store, "before-restore")
                database.copy_database(old, before)
            _drop_log(store)
    Store(store).close()  # an older version's is brought up
    return Kept(store, rows, len(pictures), (), before)


@contextlib.contextmanager
def look_at(path: Path) -> Iterator[sqlite3.Connection]:
    """A study's store to read, or TuringError."""
    if not path.is_file():
        found = "a folder" if path.is_dir() else "none"
        raise TuringError(f"{path}: expected a study's store, found {found}")
    with database.explained(path), contextlib.closing(database.connect_read_only(path)) as db:
        if not database.check_version(db, path):
            raise TuringError(f"{path}: expected a study's store, found an empty file")
        yield db


def checked(db: sqlite3.Connection, path: Path) -> dict[str, int]:
    """Rows by table. TuringError where SQLite's integrity check finds anything wrong."""
    try:
        found = [line for (line,) in db.execute("PRAGMA integrity_check(3)") if line != "ok"]
        lost = db.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        found, lost = [str(error)], []
    found += [f"rows of {table} without their {other}" for table, _, other, _ in lost]
    if found:
        what = "; ".join(dict.fromkeys(found[:3]))
        raise TuringError(f"{path}: damaged ({what}); take another backup")
    return {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in COUNTED}


def _set_aside(target: Path, path: Path, uid: str) -> Path | None:
    """Keep an earlier backup that the new one does not replace."""
    with look_at(target) as old:
        if facts(old).uid != uid:
            raise TuringError(f"{target}: is another store's backup; take another folder")
        if not holds_more(old, path):
            return None
        aside = _free_name(target, "until")
        database.copy_database(old, aside)
        return aside


def holds_more(db: sqlite3.Connection, other: Path) -> bool:
    """Whether a store knows of people who are not forgotten, or of who is, what `other` does not.

    A choice that differs counts as well.
    """
    db.execute("ATTACH ? AS new", (f"{other.absolute().as_uri()}?mode=ro",))
    return has_more(db, "main", "new") or _differs(db)


def has_more(db: sqlite3.Connection, this: str, than: str) -> bool:
    """Whether the attached store `this` has what `than` has not: people and how far they are,
    their choices and answers, or that somebody is forgotten.
    """
    return any(
        db.execute(f"SELECT EXISTS ({sql.format(a=this, b=than)})").fetchone()[0] for sql in _MORE
    )


_STAYING = "p.uid NOT IN (SELECT uid FROM {b}.forgotten)"
_MORE = (
    "SELECT 1 FROM {a}.forgotten WHERE uid NOT IN (SELECT uid FROM {b}.forgotten)",
    f"SELECT 1 FROM {{a}}.participants p WHERE {_STAYING} AND NOT EXISTS ("
    "SELECT 1 FROM {b}.participants q WHERE q.uid = p.uid "
    "AND (p.finished IS NULL OR q.finished IS NOT NULL) "
    "AND (p.withdrawn IS NULL OR q.withdrawn IS NOT NULL))",
    "SELECT 1 FROM {a}.choices c JOIN {a}.trials t ON t.id = c.trial "
    f"JOIN {{a}}.participants p ON p.id = t.participant WHERE {_STAYING} AND NOT EXISTS ("
    "SELECT 1 FROM {b}.trials n JOIN {b}.choices m ON m.trial = n.id WHERE n.picture = t.picture)",
    "SELECT 1 FROM {a}.answers x JOIN {a}.participants p ON p.id = x.participant "
    f"WHERE {_STAYING} AND NOT EXISTS (SELECT 1 FROM {{b}}.answers y "
    "JOIN {b}.participants q ON q.id = y.participant "
    "WHERE q.uid = p.uid AND y.question = x.question)",
)


def _differs(db: sqlite3.Connection) -> bool:
    (differs,) = db.execute(
        "SELECT EXISTS (SELECT 1 FROM choices c JOIN trials t ON t.id = c.trial "
        "JOIN new.trials n USING (picture) JOIN new.choices m ON m.trial = n.id "
        "WHERE m.choice <> c.choice)"
    ).fetchone()
    return bool(differs)


@contextlib.contextmanager
def _locked(path: Path, name: str) -> Iterator[sqlite3.Connection | None]:
    """The store that is to be replaced, locked; None where there is none."""
    if not path.exists():
        yield None
        return
    with look_at(path) as old:
        if facts(old).name != name:
            raise TuringError(f"{path}: expected the store of {name}, found that of another study")
    with contextlib.closing(database.connect(path)) as own:
        try:
            own.execute("PRAGMA busy_timeout=500")
            # This ends the log, and is refused while anybody else has the file open.
            own.execute("PRAGMA journal_mode=DELETE")
            own.execute("PRAGMA locking_mode=EXCLUSIVE")  # the lock outlasts the transaction
            own.execute("BEGIN EXCLUSIVE")
            own.execute("COMMIT")
        except sqlite3.OperationalError:
            raise TuringError(f"{path}: is in use; stop the app first") from None
        yield own


def _drop_log(path: Path) -> None:
    """Remove the log of a file that is about to be replaced: it belongs to no other."""
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _free_name(path: Path, why: str) -> Path:
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    return path.with_name(f"{path.stem}.{why}-{now}.sqlite")


def _folder(store: Path) -> Path:
    return store.with_suffix("")


def pictures_of(db: sqlite3.Connection) -> dict[str, str]:
    """File name of every picture and its SHA-256."""
    rows = db.execute("SELECT sha256, png_sha256 FROM stimuli ORDER BY sha256")
    return {f"{name}.png": png_sha256 for name, png_sha256 in rows}


def altered(pictures: dict[str, str], *folders: Path) -> list[str]:
    """The pictures that no folder has as they were built."""
    return [
        name
        for name, sha256 in pictures.items()
        if not any(_is(folder / name, sha256) for folder in folders)
    ]


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _faults(folder: Path, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{folder / name}: expected the picture as it was built" for name in names)


def copy_pictures(source: Path, target: Path, pictures: dict[str, str]) -> tuple[str, ...]:
    """Copy what is not there as it was built, and whatever else lies in the folder."""
    target.mkdir(exist_ok=True)
    missing = altered(pictures, target)
    for name in missing:
        if _is(source / name, pictures[name]):
            _copy(source / name, target / name)
    for path in sorted(source.glob("[!.]*")):
        if path.is_file() and path.name not in pictures:
            _copy(path, target / path.name)
    return _faults(source, altered({name: pictures[name] for name in missing}, target))


def _copy(source: Path, target: Path) -> None:
    with unfinished(target) as path:
        shutil.copyfile(source, path)
