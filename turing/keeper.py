"""Keeps snapshots of the served studies in a place outside this machine, while people answer.

One thread does all of it; nobody waits for it. It looks every few seconds whether a store has
changed, sends a snapshot every few minutes, soon after somebody has finished, and at the end. A
place that fails is tried again, less and less often, and what would be lost is said meanwhile.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from turing.remote import Remote, RemoteError, plain
from turing.snapshots import Restored, Sender, Snapshot, restore_newest
from turing.store import Store, facts, store_path

_log = logging.getLogger(__name__)

EVERY = 300.0  # seconds between snapshots of a study that changes
_POLL = 2.0
_PRUNE_EVERY = 600.0
_FIRST_WAIT, _LONGEST_WAIT = 10.0, 600.0  # after failures


@dataclass
class _Kept:
    """How far one study is kept. Times are Unix time in seconds, 0 = never."""

    name: str
    sender: Sender
    store: Store | None = None
    seen: int = -1  # the store's data_version of the last snapshot
    finished: int = 0  # participants in the last snapshot
    safe_until: float = 0.0  # what was written before is in a snapshot
    sent: float = 0.0
    tried: float = 0.0
    pruned: float = 0.0
    began_with: datetime | None = None  # the snapshot that this run was restored from
    sending_since: float = 0.0
    failures: int = 0
    reason: str = ""
    newest: Snapshot | None = None

    def wait(self) -> float:
        """Seconds after a failed try until the next."""
        return min(_FIRST_WAIT * 2 ** (self.failures - 1), _LONGEST_WAIT)


@dataclass
class Keeper:
    """Snapshots of the studies `names` in `directory`, sent to `remote`.

    start() begins, close() sends what is new and ends; sentence() says what would be lost now.
    """

    remote: Remote
    directory: Path
    names: Iterable[str]
    every: float = EVERY
    poll: float = _POLL
    clock: Callable[[], float] = time.time
    _kept: dict[str, _Kept] = field(init=False)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self._kept = {name: _Kept(name, Sender(self.remote)) for name in self.names}

    def restore(self, name: str, patience: float = 60.0) -> Restored | None:
        """Bring a study back that has no store here; None where there is one, or no snapshot.

        A place that fails is tried again for `patience` seconds, then its error is raised.
        """
        if store_path(self.directory, name).exists():
            return None
        over, wait = time.monotonic() + patience, 1.0
        while True:
            try:
                restored = restore_newest(self.remote, self.directory, name)
                break
            except RemoteError as error:
                if time.monotonic() + wait > over:
                    raise
                _log.warning("%s: %s; trying again", self.remote.location, error)
                time.sleep(wait)
                wait *= 2
        if restored:
            self._kept[name].began_with = restored.snapshot.taken
            _log.info("%s is restored from %s", name, restored.snapshot.name)
        return restored

    def start(self) -> None:
        # A daemon: a place that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)
        self._thread.start()

    def close(self, patience: float = 20.0) -> None:
        """Send what is new, for `patience` seconds at most."""
        self._stop.set()
        if self._thread is None:
            return
        self._thread.join(patience)
        if self._thread.is_alive():
            for kept in self._kept.values():
                _log.warning(
                    "%s: the app ends while a snapshot is being sent. %s",
                    kept.name,
                    self.sentence(kept.name),
                )

    def sentence(self, name: str) -> str:
        """What would be lost if this machine were, for the results page."""
        kept = self._kept.get(name)
        if kept is None:
            return ""
        place = self.remote.location
        said = [
            f"Answers after {_clock(kept.safe_until)} would be lost with this machine; "
            f"what came before is kept in {place}."
            if kept.safe_until
            else f"All answers would be lost with this machine: nothing is kept in {place} yet."
        ]
        if kept.failures:
            tries = "try has" if kept.failures == 1 else f"{kept.failures} tries have"
            said.append(
                f"The last {tries} failed ({kept.reason}); "
                f"the next one is at {_clock(kept.tried + kept.wait())}."
            )
        if kept.sending_since:
            said.append(f"A snapshot is being sent since {_clock(kept.sending_since)}.")
        return " ".join(said)

    def _run(self) -> None:
        while not self._stop.wait(self.poll):
            for kept in self._kept.values():
                self._look_after(kept)
        for kept in self._kept.values():
            self._look_after(kept, at_end=True)
            if kept.store:
                kept.store.close()

    def _look_after(self, kept: _Kept, at_end: bool = False) -> None:
        """Send a snapshot if it is time to."""
        now = self.clock()
        try:
            version, finished = self._looked_at(kept)
            if version is None:
                return
            if version == kept.seen:
                kept.safe_until, kept.failures = now, 0
                return
            if kept.failures:
                is_due = now - kept.tried >= kept.wait()
            else:
                is_soon = finished > kept.finished or not kept.sent
                is_due = now - kept.sent >= (self.remote.pause if is_soon else self.every)
            if not (is_due or at_end):
                return
            kept.tried = kept.sending_since = now
            kept.newest = kept.sender.send(kept.store)
            kept.seen, kept.finished, kept.safe_until, kept.sent = version, finished, now, now
            if kept.failures:
                _log.info("%s: snapshots are sent again", kept.name)
            kept.failures, kept.reason = 0, ""
        except Exception as error:  # whatever a library raises: the next try may work
            kept.failures += 1
            kept.reason = plain(error)
            _log.warning("%s: no snapshot could be sent: %s", kept.name, kept.reason)
        finally:
            kept.sending_since = 0.0
        if not at_end:
            self._prune(kept, now)

    def _looked_at(self, kept: _Kept) -> tuple[int | None, int]:
        """What changes with every commit of others, and how many have finished; None: no store."""
        if kept.store is None:
            path = store_path(self.directory, kept.name)
            if not path.is_file():
                return None, 0
            kept.store = Store(path)
        (version,) = kept.store.connection.execute("PRAGMA data_version").fetchone()
        if version == kept.seen:
            return version, kept.finished
        with kept.store.reading() as db:
            if facts(db).version is None:  # still being built
                return None, 0
            (finished,) = db.execute("SELECT count(finished) FROM participants").fetchone()
        return version, finished

    def _prune(self, kept: _Kept, now: float) -> None:
        if kept.newest is None or kept.failures or now - kept.pruned < _PRUNE_EVERY:
            return
        kept.pruned = now
        try:
            kept.sender.prune(kept.newest, kept.began_with)
        except Exception as error:
            _log.warning("%s: old snapshots stay: %s", kept.name, plain(error))


def _clock(seconds: float) -> str:
    """A time of the day, with its date where that is not today's."""
    then, now = datetime.fromtimestamp(seconds, UTC), datetime.now(UTC)
    return f"{then:{'%H:%M:%S' if then.date() == now.date() else '%Y-%m-%d %H:%M:%S'}} UTC"
