"""Snapshots of a store in a place outside this machine: by name, fetched back, no longer needed.

Below NAME/ there: `snapshots/` holds whole stores, named by when they were taken, of which store,
by which run of the app, and the first half of their SHA-256; `pictures/` each stimulus once.
"""

import hashlib
import logging
import re
import tempfile
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from turing.backup.remote import Remote, RemoteError
from turing.errors import TuringError
from turing.store.store import Store, note, store_path
from turing.store.upkeep.copies import Kept, altered, checked, look_at, pictures_of, restore
from turing.study.counts import count

_log = logging.getLogger(__name__)

TIME = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(
    r".+/snapshots/(\d{8}T\d{12}Z)-([0-9a-f]{12})-([0-9a-f]{8})-([0-9a-f]{32})\.sqlite"
)
# What is kept: the newest, then one an hour for a day, one a day for a month. Nothing is kept for
# longer than a month; a day of it is left for what goes wrong.
_NEWEST = 5
_HOURLY, _OLDEST = timedelta(days=1), timedelta(days=29)
RESTORED = "restored"  # an event of a store that came back; its detail is the snapshot's name


class Snapshot(NamedTuple):
    """A snapshot by its name. `uid` is the beginning of the store's, `run` of the app's run."""

    name: str
    taken: datetime
    uid: str
    run: str
    sha256: str


class Restored(NamedTuple):
    """What came back, from which snapshot, and what was found damaged on the way."""

    kept: Kept
    snapshot: Snapshot
    damaged: tuple[str, ...]


def snapshots(remote: Remote, study: str) -> list[Snapshot]:
    """The snapshots of a study, newest first."""
    found = map(parsed, remote.names(f"{study}/snapshots"))
    return sorted(filter(None, found), key=lambda one: (one.taken, one.name), reverse=True)


def restore_newest(remote: Remote, directory: Path, study: str) -> Restored | None:
    """Put the newest snapshot that is whole into `directory`; None where there is none at all.

    A damaged one is passed over for the one before it. RemoteError where the place cannot be
    read; TuringError where no snapshot is whole.
    """
    damaged: list[str] = []
    for snapshot in snapshots(remote, study):
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=directory) as folder:
            try:
                path = bring(remote, snapshot, Path(folder), store_path(directory, study))
            except RemoteError:
                raise
            except TuringError as error:
                _log.warning("%s: %s", snapshot.name, error)
                damaged.append(f"{snapshot.name}: {str(error).partition(chr(10))[0]}")
                continue
            kept = restore(path, store_path(directory, study))
        with Store(kept.path) as store, store.writing() as db:
            note(db, None, RESTORED, snapshot.name)
        return Restored(kept, snapshot, tuple(damaged))
    if damaged:
        raise TuringError(
            f"{remote.location}: not one of {count(len(damaged), 'snapshot')} of {study} is whole; "
            "put a backup there, or unset TURING_BACKUP to begin anew"
        )
    return None


def bring(remote: Remote, snapshot: Snapshot, folder: Path, store: Path) -> Path:
    """Fetch a snapshot into `folder`, with those of its pictures that `store` has not.

    TuringError where it, or a picture, is damaged; RemoteError where the place cannot be read.
    """
    path = folder / store.name
    fetch_whole(remote, snapshot, path)
    with look_at(path) as copy:
        checked(copy, path)
        pictures = pictures_of(copy)
    _fetch_pictures(remote, store.stem, pictures, store.with_suffix(""), path.with_suffix(""))
    return path


def fetch_whole(remote: Remote, snapshot: Snapshot, path: Path) -> None:
    """TuringError where what comes is not what was sent."""
    remote.fetch(snapshot.name, path)
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(snapshot.sha256):
        raise TuringError("damaged: its bytes are not those that were sent")


def superfluous(
    found: Collection[Snapshot], now: datetime, whole: Collection[Snapshot] = ()
) -> list[Snapshot]:
    """Those that nobody needs any more: older than a month, or one of many in an hour or day.

    `whole` stay however old they are: what there is to fall back on.
    """
    ordered = sorted(found, key=lambda one: one.taken, reverse=True)
    wanted: set[Snapshot] = set(ordered[:_NEWEST])
    for span, unit in ((_HOURLY, "%Y%m%d%H"), (_OLDEST, "%Y%m%d")):
        last_of: dict[str, Snapshot] = {}
        for one in ordered:
            if now - one.taken <= span:
                last_of.setdefault(one.taken.strftime(unit), one)
        wanted |= set(last_of.values())
    wanted = {one for one in wanted if not is_old(one, now)} | set(whole)
    return [one for one in ordered if one not in wanted]


def is_old(snapshot: Snapshot, now: datetime) -> bool:
    """Whether it is too old to be kept: it may hold people who were forgotten since."""
    return now - snapshot.taken > _OLDEST


def picture_name(study: str, picture: str) -> str:
    """Where a picture lies: a folder of a repository holds 10,000 files at most."""
    return f"{study}/pictures/{picture[:2]}/{picture}"


def parsed(name: str) -> Snapshot | None:
    """A snapshot by its name, None where that is no snapshot's."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    taken, uid, run, sha256 = match.groups()
    return Snapshot(name, datetime.strptime(taken, TIME).replace(tzinfo=UTC), uid, run, sha256)


def _fetch_pictures(
    remote: Remote, study: str, pictures: Mapping[str, str], here: Path, folder: Path
) -> None:
    """Bring what is not here yet. TuringError where a picture is not there as it was built."""
    folder.mkdir()
    there = set(remote.names(f"{study}/pictures"))
    for picture in altered(pictures, here):
        name = picture_name(study, picture)
        if name in there:
            remote.fetch(name, folder / picture)
    if lacking := altered(pictures, here, folder):
        raise TuringError(
            f"{count(len(lacking), 'picture is', 'pictures are')} missing or damaged, "
            f"{lacking[0]} the first"
        )
    for name in there:
        parts = name.split("/")
        if len(parts) == 3:  # a pre-registration
            remote.fetch(name, folder / parts[2])
