"""Keeps snapshots of the served studies in a place outside this machine, while people answer.

One thread does all of it; nobody waits for it. It looks every few seconds whether a store has
changed, sends a snapshot every few minutes, soon after somebody has finished or was forgotten, and
at the end. A place that fails is tried again, less and less often; what would be lost is said
meanwhile, and what the place is at. What another run of the app writes there is taken over.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from turing.backup.overlap import TakenOver, take_over
from turing.backup.remote import Remote, RemoteError, plain
from turing.backup.sender import DamagedError, Sender
from turing.backup.snapshots import Restored, Snapshot, restore_newest
from turing.store.store import Store, facts, store_path
from turing.study.counts import count

_log = logging.getLogger(__name__)

EVERY = 300.0  # seconds between snapshots of a study that changes
_POLL = 2.0
_RENEW_EVERY = 86400.0  # so that old ones can go though nothing changes
_TIDY_EVERY = 600.0
# How often it is looked for other runs: a container that is replaced ends within minutes.
_LOOK_EVERY, _LOOK_SOON, _SOON = 600.0, 20.0, 900.0
_FIRST_WAIT, _LONGEST_WAIT = 10.0, 600.0  # after failures
_DOUBLINGS = 6  # the first wait to over the longest: 2.0 ** failures overflows after 1,024


@dataclass
class _Kept:
    """What is known of one study's snapshots. Times are Unix time in seconds, 0 = never."""

    name: str
    sender: Sender
    store: Store | None = None
    seen: int = -1  # the store's data_version of the last snapshot
    people: tuple[int, int] = (0, 0)  # who had finished, and were forgotten, in the last snapshot
    safe_until: float = 0.0  # what was written before is in a snapshot
    whole_until: float = 0.0  # and that was seen to be whole over there
    sent: float = 0.0
    tried: float = 0.0
    tidied: float = 0.0
    looked: float = 0.0
    runs: dict[str, datetime] = field(default_factory=dict)  # other runs' newest snapshots known
    taken_over: list[TakenOver] = field(default_factory=list)
    damaged: int = 0  # snapshots in a row that were not whole over there
    failures: int = 0
    reason: str = ""
    newest: Snapshot | None = None
    worked: float = 0.0  # when all that was to be done had last been done

    def wait(self) -> float:
        """Seconds after a failed try until the next."""
        return min(_FIRST_WAIT * 2 ** min(self.failures - 1, _DOUBLINGS), _LONGEST_WAIT)


@dataclass
class _Work:
    """A call to the remote that goes on now: what it is for, which study, since when."""

    what: str
    name: str
    since: float


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
    _work: _Work | None = None
    _began: float = field(init=False)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self._kept = {
            name: _Kept(name, Sender(self.remote, clock=self.clock)) for name in self.names
        }
        self._began = self.clock()

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
            _log.info("%s is restored from %s", name, restored.snapshot.name)
            with Store(restored.kept.path) as store:
                self._look_for_others(self._kept[name], store)
        return restored

    def taken_over(self, name: str) -> tuple[TakenOver, ...]:
        """What came from other runs of the app so far."""
        return tuple(self._kept[name].taken_over)

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
        if self._thread:
            at = f"at {_clock(kept.worked)}" if kept.worked else "not yet"
            said.append(f"What keeps them last worked {at}.")
        work = self._work  # once: the thread may end it meanwhile
        if work:
            whose = "" if work.name == name else f" of the study {work.name}"
            said.append(f"{work.what}{whose} since {_clock(work.since)}.")
        if kept.taken_over:
            people, choices = (
                sum(getattr(one, what) for one in kept.taken_over)
                for what in ("participants", "choices")
            )
            said.append(
                f"Another run of the app wrote there too, last at "
                f"{_clock(kept.taken_over[-1].snapshot.taken.timestamp())}: "
                f"{count(people, 'participant')} and {count(choices, 'choice')} of it were "
                "taken over."
            )
        return " ".join(said)

    def _run(self) -> None:
        while not self._stop.wait(self.poll):
            for kept in self._kept.values():
                self._survive(self._look_after, kept)
        for kept in self._kept.values():
            self._survive(self._send, kept, True)
            if kept.store:
                self._survive(lambda last: last.store.close(), kept)

    def _survive(self, part: Callable[..., None], kept: _Kept, *given: object) -> None:
        """One part of the work; whatever it raises, the thread goes on with the next."""
        try:
            part(kept, *given)
        except Exception as error:  # its words are not told: there may be a token in them
            _log.error("%s: snapshots go on after %s", kept.name, type(error).__name__)

    def _look_after(self, kept: _Kept) -> None:
        """Send a snapshot if it is time to, and look what else lies there."""
        self._send(kept, at_end=False)
        if kept.store and kept.newest and not kept.failures:
            self._tidy(kept)
            self._look_for_others(kept, kept.store)
        if not kept.failures:
            kept.worked = self.clock()

    def _send(self, kept: _Kept, at_end: bool) -> None:
        now = self.clock()
        try:
            version, people = self._version_and_people(kept)
            if version is None:
                return
            if version == kept.seen:
                kept.safe_until, kept.failures = now, 0
                if not _is_over(kept.sent, _RENEW_EVERY, now):
                    return
            if kept.failures:
                is_due = _is_over(kept.tried, kept.wait(), now)
            else:
                is_soon = people != kept.people or kept.seen < 0
                is_due = _is_over(kept.sent, self.remote.pause if is_soon else self.every, now)
            if not (is_due or at_end):
                return
            kept.tried = now
            with self._at("A snapshot is being sent", kept):
                kept.newest = kept.sender.send(kept.store)
            kept.seen, kept.people, kept.safe_until, kept.sent = version, people, now, now
            if kept.failures:
                _log.info("%s: snapshots are sent again", kept.name)
            kept.failures, kept.reason = 0, ""
        except Exception as error:  # whatever a library raises: the next try may work
            kept.failures, kept.reason = kept.failures + 1, plain(error)
            _log.warning("%s: no snapshot could be sent: %s", kept.name, kept.reason)

    def _version_and_people(self, kept: _Kept) -> tuple[int | None, tuple[int, int]]:
        """The store's `data_version` (another after each commit), and how many participants have
        finished and how many are forgotten. The version is None where there is no store yet.
        """
        if kept.store is None:
            path = store_path(self.directory, kept.name)
            if not path.is_file():
                return None, (0, 0)
            kept.store = Store(path)
        (version,) = kept.store.connection.execute("PRAGMA data_version").fetchone()
        if version == kept.seen:
            return version, kept.people
        with kept.store.reading() as db:
            if facts(db).version is None:  # still being built
                return None, (0, 0)
            people = db.execute(
                "SELECT (SELECT count(finished) FROM participants), "
                "(SELECT count(*) FROM forgotten)"
            ).fetchone()
        return version, people

    def _tidy(self, kept: _Kept) -> None:
        """See that the newest snapshot is whole, and remove old ones."""
        now = self.clock()
        if not _is_over(kept.tidied, _TIDY_EVERY, now):
            return
        kept.tidied = now
        try:
            with self._at("Snapshots are being looked through", kept):
                kept.sender.prune(kept.newest, kept.runs, datetime.fromtimestamp(now, UTC))
            kept.whole_until = max(kept.whole_until, kept.newest.taken.timestamp())
            kept.damaged = 0
        except DamagedError as error:  # it is no use: another one goes there
            kept.seen, kept.safe_until, kept.tidied = -1, kept.whole_until, 0.0
            kept.damaged += 1
            kept.failures, kept.reason = kept.damaged, plain(error)
            _log.warning("%s: %s", kept.name, error)
        except Exception as error:
            _log.warning("%s: old snapshots stay: %s", kept.name, plain(error))

    def _look_for_others(self, kept: _Kept, store: Store) -> None:
        """Take over what other runs of the app have written since."""
        now = self.clock()
        is_early = now - self._began < _SOON
        pause = max(_LOOK_SOON, self.remote.pause) if is_early else _LOOK_EVERY
        if not _is_over(kept.looked, pause, now):
            return
        kept.looked = now
        try:
            with self._at("Other runs of the app are being looked for", kept):
                taken = take_over(self.remote, store, kept.runs, kept.sender.run)
        except Exception as error:
            _log.warning("%s: other runs' answers stay there: %s", kept.name, plain(error))
            return
        for one in taken:
            _log.warning("%s: took over %s", kept.name, "; ".join([str(one), *one.notes]))
        if taken:
            kept.taken_over += taken
            kept.seen = -1  # what this connection writes changes no data_version of its own

    @contextlib.contextmanager
    def _at(self, what: str, kept: _Kept) -> Iterator[None]:
        self._work = _Work(what, kept.name, self.clock())
        try:
            yield
        finally:
            self._work = None


def _is_over(since: float, pause: float, now: float) -> bool:
    """Whether a pause has passed; a clock that was set back makes nobody wait."""
    return not 0 <= now - since < pause


def _clock(seconds: float) -> str:
    """A time of the day, with its date where that is not today's."""
    then, now = datetime.fromtimestamp(seconds, UTC), datetime.now(UTC)
    return f"{then:{'%H:%M:%S' if then.date() == now.date() else '%Y-%m-%d %H:%M:%S'}} UTC"
