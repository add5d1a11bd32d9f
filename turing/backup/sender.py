"""Snapshots of a store are taken, sent to a place outside this machine, and pruned there."""

import hashlib
import logging
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from turing.backup.remote import Remote, RemoteError
from turing.backup.snapshots import (
    TIME,
    Snapshot,
    fetch_whole,
    is_old,
    parsed,
    picture_name,
    snapshots,
    superfluous,
)
from turing.errors import TuringError
from turing.store import database
from turing.store.store import Store, facts
from turing.store.upkeep.copies import checked, look_at, pictures_of

_log = logging.getLogger(__name__)

_FALL_BACK = 2  # so many whole snapshots stay at least: should the newest be lost, there is another


class DamagedError(TuringError):
    """The newest snapshot is not there as it was sent."""


class Sender:
    """Sends snapshots of one store; remembers which of its pictures are there."""

    def __init__(
        self, remote: Remote, run: str | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.remote = remote
        self._clock = clock
        self.run = run or secrets.token_hex(4)
        self._there: set[str] | None = None
        self._others: dict[str, int] = {}  # files that are no pictures, by when they changed
        self._is_whole: dict[str, bool] = {}  # snapshots that were looked at, by name

    def send(self, store: Store) -> Snapshot:
        """Take a snapshot and send it, after the pictures that it needs.

        RemoteError where the place fails, TuringError where the store does.
        """
        with tempfile.TemporaryDirectory(prefix=".snapshot-", dir=store.path.parent) as folder:
            path = Path(folder) / "whole.sqlite"
            now = datetime.fromtimestamp(self._clock(), UTC)
            with database.explained(store.path):
                store.connection.execute("VACUUM INTO ?", (str(path),))
            with look_at(path) as copy:
                checked(copy, path)
                own, pictures = facts(copy), list(pictures_of(copy))
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            name = f"{own.name}/snapshots/{now:{TIME}}-{own.uid[:12]}-{self.run}-{sha256[:32]}"
            snapshot = parsed(f"{name}.sqlite")
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

    def prune(self, newest: Snapshot, seen: Mapping[str, datetime], now: datetime) -> list[str]:
        """Remove old snapshots of this store; returns their names.

        seen: how far this store holds what other runs wrote. What is later stays for a month: it
        may hold answers that this run never saw. DamagedError, with nothing removed, where the
        newest is not whole over there.
        """
        if not self._whole(newest):
            raise DamagedError("the newest snapshot came back damaged")
        name = newest.name.partition("/")[0]
        own = [
            one
            for one in snapshots(self.remote, name)
            if one.uid == newest.uid
            and (one.run == self.run or is_old(one, now) or _is_seen(one, seen))
        ]
        old = superfluous(own, now)
        if not old:
            return []
        whole: list[Snapshot] = []
        for one in own:
            if len(whole) < _FALL_BACK and self._whole(one):
                whole.append(one)
        if len(whole) < _FALL_BACK:
            return []
        removed = [one.name for one in superfluous(own, now, whole)]
        if removed:
            self.remote.change({}, removed)
        return removed

    def _whole(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot is over there as it was sent; each is fetched once."""
        if snapshot.name not in self._is_whole:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    fetch_whole(self.remote, snapshot, Path(folder) / "whole.sqlite")
                    self._is_whole[snapshot.name] = True
                except RemoteError:
                    raise
                except TuringError as error:
                    _log.warning("%s: %s", snapshot.name, error)
                    self._is_whole[snapshot.name] = False
        return self._is_whole[snapshot.name]


def _is_seen(snapshot: Snapshot, seen: Mapping[str, datetime]) -> bool:
    return snapshot.run in seen and snapshot.taken <= seen[snapshot.run]


def _others(folder: Path, study: str) -> dict[str, Path]:
    """Files beside the pictures, pre-registrations above all, by their names over there."""
    paths = sorted(folder.glob("[!.]*"))
    return {f"{study}/pictures/{p.name}": p for p in paths if p.is_file() and p.suffix != ".png"}
