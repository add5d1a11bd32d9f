"""Several runs of one app that write to one place, as when a Space's old container goes on for a
minute beside the new one.

Each begins with a snapshot of another and does not see what that one writes afterwards. So each
looks for it and takes it over: nothing that was answered is lost, whoever it was told to.
"""

import logging
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from turing.backup.remote import Remote, RemoteError
from turing.backup.sender import Sender
from turing.backup.snapshots import RESTORED, Snapshot, bring, parsed, snapshots
from turing.errors import TuringError
from turing.store.store import Store
from turing.store.upkeep.copies import copy_pictures, holds_more, look_at, pictures_of
from turing.store.upkeep.merging import join
from turing.study.counts import count

_log = logging.getLogger(__name__)

_NEVER = datetime.min.replace(tzinfo=UTC)


class TakenOver(NamedTuple):
    """What a store got from another run's snapshot."""

    snapshot: Snapshot
    participants: int
    choices: int
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{count(self.participants, 'participant')} and {count(self.choices, 'choice')} of "
            f"another run of the app, from {self.snapshot.name}"
        )


def take_over(
    remote: Remote, store: Store, seen: dict[str, datetime] | None = None, run: str = ""
) -> list[TakenOver]:
    """Add to the store, which may be in use, what other runs than `run` wrote and it has not.

    `seen` maps each run to the time of its newest snapshot that is known, and is updated. A
    damaged snapshot is passed over for the one before it. RemoteError where the place cannot be
    read.
    """
    seen = {} if seen is None else seen
    learn(seen, store)
    taken = []
    for ones in _unseen(remote, store, seen, run):
        for snapshot in ones:
            with tempfile.TemporaryDirectory(prefix=".join-", dir=store.path.parent) as folder:
                path = _brought(remote, snapshot, Path(folder), store)
                if path is None:
                    continue
                _put_pictures(path, store)
                joined = join(store, path, snapshot.name)
            if joined:
                taken.append(TakenOver(snapshot, *joined))
            break
        seen[ones[0].run] = ones[0].taken
    return taken


def send_first(remote: Remote, store: Store) -> Snapshot:
    """Send a built store for an app elsewhere to begin with.

    TuringError where the place has answers that the store has not: nothing may go lost.
    """
    own, seen = store.facts(), {}
    newest = snapshots(remote, own.name)[:1]
    if newest and newest[0].uid != own.uid[:12]:
        raise TuringError(
            f"{remote.location}: holds another store of {own.name}; take another place"
        )
    learn(seen, store)
    for ones in _unseen(remote, store, seen, ""):
        for snapshot in ones:
            with tempfile.TemporaryDirectory() as folder:
                path = _brought(remote, snapshot, Path(folder), store)
                if path is None:
                    continue
                with look_at(path) as there:
                    if holds_more(there, store.path):
                        raise TuringError(
                            f"{remote.location}: holds answers that {store.path} has not; first "
                            f"run python -m turing fetch {own.name} --from {remote.location}"
                        )
            break
    return Sender(remote).send(store)


def learn(seen: dict[str, datetime], store: Store) -> None:
    """Add to `seen` which snapshots the store says that it holds."""
    with store.reading() as db:
        rows = db.execute(
            "SELECT detail FROM events WHERE participant IS NULL AND what IN (?, 'joined')",
            (RESTORED,),
        ).fetchall()
    for snapshot in filter(None, (parsed(name) for (name,) in rows)):
        seen[snapshot.run] = max(snapshot.taken, seen.get(snapshot.run, _NEVER))


def _unseen(
    remote: Remote, store: Store, seen: dict[str, datetime], run: str
) -> Iterator[list[Snapshot]]:
    """The snapshots of each other run that are later than what is known of it, newest first."""
    own = store.facts()
    by_run: dict[str, list[Snapshot]] = {}
    for one in snapshots(remote, own.name):
        if one.uid == own.uid[:12] and one.run != run and one.taken > seen.get(one.run, _NEVER):
            by_run.setdefault(one.run, []).append(one)
    yield from by_run.values()


def _brought(remote: Remote, snapshot: Snapshot, folder: Path, store: Store) -> Path | None:
    """A snapshot here, None where it is damaged."""
    try:
        return bring(remote, snapshot, folder, store.path)
    except RemoteError:
        raise
    except TuringError as error:
        _log.warning("%s: passed over: %s", snapshot.name, error)
        return None


def _put_pictures(copy: Path, store: Store) -> None:
    """The pictures of a copy, and files beside them, that the store has not."""
    folder = copy.with_suffix("")
    for path in folder.iterdir():
        if path.suffix != ".png" and (store.pictures / path.name).exists():
            path.unlink()
    with look_at(copy) as db:
        pictures = pictures_of(db)
    copy_pictures(folder, store.pictures, pictures)
