"""Snapshots of a store in a place outside this machine: taken, sent, fetched back, pruned.

Below NAME/ there: `snapshots/` holds whole stores, named by when they were taken, of which store,
by which run of the app, and the first half of their SHA-256; `pictures/` each stimulus once.
"""

import hashlib
import logging
import re
import secrets
import tempfile
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from turing import database
from turing.errors import TuringError
from turing.keeping import Kept, altered, checked, holds_more, look_at, pictures_of, restore
from turing.remote import Remote, RemoteError
from turing.store import Store, facts, store_path

_log = logging.getLogger(__name__)

_TIME = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(
    r".+/snapshots/(\d{8}T\d{12}Z)-([0-9a-f]{12})-([0-9a-f]{8})-([0-9a-f]{32})\.sqlite"
)
# What is kept: the newest, then one an hour for a day, one a day for a month.
_NEWEST = 5
_HOURLY, _DAILY = timedelta(days=1), timedelta(days=30)


class Snapshot(NamedTuple):
    """A snapshot by its name. `uid` is the beginning of the store's, `run` of the app's run."""

    name: str
    taken: datetime
    uid: str
    run: str
    sha256: str


class Sender:
    """Sends snapshots of one store; remembers which of its pictures are there."""

    def __init__(self, remote: Remote, run: str | None = None) -> None:
        self.remote = remote
        self.run = run or secrets.token_hex(4)
        self._there: set[str] | None = None
        self._others: dict[str, int] = {}  # files that are no pictures, by when they changed

    def send(self, store: Store) -> Snapshot:
        """Take a snapshot and send it, after the pictures that it needs.

        RemoteError where the place fails, TuringError where the store does.
        """
        with tempfile.TemporaryDirectory(prefix=".snapshot-", dir=store.path.parent) as folder:
            path = Path(folder) / "whole.sqlite"
            now = datetime.now(UTC)
            with database.explained(store.path):
                store.connection.execute("VACUUM INTO ?", (str(path),))
            with look_at(path) as copy:
                checked(copy, path)
                own, pictures = facts(copy), list(pictures_of(copy))
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            name = f"{own.name}/snapshots/{now:{_TIME}}-{own.uid[:12]}-{self.run}-{sha256[:32]}"
            snapshot = _parsed(f"{name}.sqlite")
            if self._there is None:
                self._there = set(self.remote.names(f"{own.name}/pictures"))
            new_pictures = {
                there: store.pictures / picture
                for picture in pictures
                if (there := picture_name(own.name, picture)) not in self._there
                and (store.pictures / picture).is_file()
            }
            others = _others(store.pictures, own.name)
            changed = {
                there: path.stat().st_mtime_ns
                for there, path in others.items()
                if path.stat().st_mtime_ns != self._others.get(there)
            }
            new_others = {there: others[there] for there in changed}
            self.remote.change({**new_pictures, **new_others, snapshot.name: path})
            self._there |= new_pictures.keys()
            self._others |= changed
        return snapshot

    def prune(self, newest: Snapshot, since: datetime | None) -> list[str]:
        """Remove old snapshots of this store, once the newest is seen to be whole over there.

        Those of other runs that are younger than `since` (what this run began with) stay: they
        may hold answers that this run never saw. Returns the names of what was removed.
        """
        name = newest.name.partition("/")[0]
        own = [
            one
            for one in snapshots(self.remote, name)
            if one.uid == newest.uid and (one.run == self.run or (since and one.taken <= since))
        ]
        old = [one.name for one in superfluous(own, newest.taken)]
        if old:
            with tempfile.TemporaryDirectory() as folder:
                _fetched(self.remote, newest, Path(folder) / "whole.sqlite")
            self.remote.change({}, old)
        return old


class Restored(NamedTuple):
    """What came back, from which snapshot, and what was found damaged on the way."""

    kept: Kept
    snapshot: Snapshot
    damaged: tuple[str, ...]


def snapshots(remote: Remote, study: str) -> list[Snapshot]:
    """The snapshots of a study, newest first."""
    found = [_parsed(name) for name in remote.names(f"{study}/snapshots") if _NAME.fullmatch(name)]
    return sorted(found, key=lambda one: (one.taken, one.name), reverse=True)


def restore_newest(remote: Remote, directory: Path, study: str) -> Restored | None:
    """Put the newest snapshot that is whole into `directory`; None where there is none at all.

    A damaged one is passed over for the one before it. RemoteError where the place cannot be
    read; TuringError where no snapshot is whole.
    """
    damaged: list[str] = []
    there: set[str] | None = None
    for snapshot in snapshots(remote, study):
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=directory) as folder:
            path = Path(folder) / f"{study}.sqlite"
            try:
                _fetched(remote, snapshot, path)
                with look_at(path) as copy:
                    checked(copy, path)
                    pictures = pictures_of(copy)
                if there is None:
                    there = set(remote.names(f"{study}/pictures"))
                _fetch_pictures(remote, study, pictures, there, directory, path.with_suffix(""))
            except RemoteError:
                raise
            except TuringError as error:
                _log.warning("%s: %s", snapshot.name, error)
                damaged.append(f"{snapshot.name}: {str(error).partition(chr(10))[0]}")
                continue
            kept = restore(path, store_path(directory, study))
        return Restored(kept, snapshot, tuple(damaged))
    if damaged:
        raise TuringError(
            f"{remote.location}: none of the {len(damaged)} snapshots of {study} is whole; "
            "put a backup there, or unset TURING_BACKUP to begin anew"
        )
    return None


def send_first(remote: Remote, store: Store) -> Snapshot:
    """Send a built store for an app elsewhere to begin with.

    TuringError where the place has answers that the store has not: nothing may go lost.
    """
    name = store.facts().name
    for newest in snapshots(remote, name)[:1]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.sqlite"
            _fetched(remote, newest, path)
            with look_at(path) as there:
                if facts(there).uid != store.facts().uid:
                    raise TuringError(
                        f"{remote.location}: holds another store of {name}; take another place"
                    )
                if holds_more(there, store.path):
                    raise TuringError(
                        f"{remote.location}: holds answers that {store.path} has not; first run "
                        f"python -m turing fetch {name} --from {remote.location}"
                    )
    return Sender(remote).send(store)


def superfluous(found: Collection[Snapshot], now: datetime) -> list[Snapshot]:
    """Those that nobody needs any more: older than a month, or one of many in an hour or day."""
    ordered = sorted(found, key=lambda one: one.taken, reverse=True)
    wanted: set[Snapshot] = set(ordered[:_NEWEST])
    for span, unit in ((_HOURLY, "%Y%m%d%H"), (_DAILY, "%Y%m%d")):
        last_of: dict[str, Snapshot] = {}
        for one in ordered:
            if now - one.taken <= span:
                last_of.setdefault(one.taken.strftime(unit), one)
        wanted |= set(last_of.values())
    return [one for one in ordered if one not in wanted]


def picture_name(study: str, picture: str) -> str:
    """Where a picture lies: a folder of a repository holds 10,000 files at most."""
    return f"{study}/pictures/{picture[:2]}/{picture}"


def _others(folder: Path, study: str) -> dict[str, Path]:
    """Files beside the pictures, pre-registrations above all, by their names over there."""
    paths = sorted(folder.glob("[!.]*"))
    return {f"{study}/pictures/{p.name}": p for p in paths if p.is_file() and p.suffix != ".png"}


def _parsed(name: str) -> Snapshot:
    taken, uid, run, sha256 = _NAME.fullmatch(name).groups()
    return Snapshot(name, datetime.strptime(taken, _TIME).replace(tzinfo=UTC), uid, run, sha256)


def _fetched(remote: Remote, snapshot: Snapshot, path: Path) -> None:
    """TuringError where what comes is not what was sent."""
    remote.fetch(snapshot.name, path)
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(snapshot.sha256):
        raise TuringError("damaged: its bytes are not those that were sent")


def _fetch_pictures(
    remote: Remote,
    study: str,
    pictures: Mapping[str, str],
    there: Collection[str],
    directory: Path,
    folder: Path,
) -> None:
    """Bring what is not here yet. TuringError where a picture is not there as it was built."""
    folder.mkdir()
    here = store_path(directory, study).with_suffix("")
    for picture in altered(pictures, here):
        name = picture_name(study, picture)
        if name in there:
            remote.fetch(name, folder / picture)
    if lacking := altered(pictures, here, folder):
        raise TuringError(f"{len(lacking)} pictures are missing or damaged, {lacking[0]} the first")
    for name in there:
        parts = name.split("/")
        if len(parts) == 3:  # a pre-registration
            remote.fetch(name, folder / parts[2])
