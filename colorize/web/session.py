"""A visitor's photos and what has been done with them; many visitors, each forgotten in time."""

import asyncio
import itertools
import logging
import os
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError, printable
from colorize.web.photos.item import Item, Upload
from colorize.web.workshop import Look, Made, Workshop

MOST_PHOTOS = 200
MOST_VISITORS = 5000  # whose sessions are kept
MOST_RELOADS = 4  # of one page that wait for it to be left
_UNEXPECTED = "{title} could not colorize this photo; try another working size or another model."
_GLANCE = 0.1  # seconds after which it is looked again whether something is over
_log = logging.getLogger(__name__)


class Session:
    """One visitor's photos. `key` is the secret in the addresses of their pictures."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.key = secrets.token_urlsafe(16)
        self.items: list[Item] = []
        self.references: list[Upload] = []
        self.used = time.monotonic()
        self.short_lived = False
        self.has_chosen = False  # models and working size, by `choose`
        self.workshop = workshop
        self.folder = folder / self.key
        self._numbers = 0
        self._newest = 0  # the first photo of the last batch
        self._models: list[str] = []
        self._size: int | None = None
        self._seen: int | None = None
        self._news = itertools.count(1)
        self._told: dict[int, tuple[int, dict[str, Any]]] = {}  # photos, and since when they are so
        self._telling = threading.Lock()
        self._places = threading.Lock()  # of photos and their numbers: several drops come at once
        self._offered = 0  # files, taken in or left out
        self._taking = 0  # photos that are being taken in
        self.is_closed = False
        self._is_running = False
        self._cancelled = threading.Event()
        self._progress: dict[str, Any] | None = None

    def item(self, number: int) -> Item | None:
        return next((item for item in self.items if item.number == number), None)

    def add(self, files: Sequence[Path], *, goes_on: bool = False) -> Iterator[None]:
        """Takes files in, one after the other; ColorizeError when there are too many.

        goes_on: they belong to the batch before, whose first photo stays the newest.
        """
        left_out = 0
        for place, file in enumerate(files):
            number = self._reserve()
            if number is None:
                left_out += 1
                yield
                continue
            try:
                item = self._take(file, number)
                if self.is_closed:  # meanwhile, so that its files were made after the others went
                    self.close()
                    return
                with self._places:
                    self._newest = self._newest if place or goes_on else number
                    self.items.append(item)
                    self.items.sort(key=lambda item: item.number)
            finally:
                with self._places:
                    self._taking -= 1
                    self._offered += 1
            yield
        if left_out:
            raise ColorizeError(
                f"{MOST_PHOTOS} photos at a time: {left_out} were left out. "
                "Remove some, or start over"
            )

    def _reserve(self) -> int | None:
        """The next photo's number; None where there is no room for one more."""
        with self._places:
            if len(self.items) + self._taking >= MOST_PHOTOS:
                self._offered += 1
                return None
            self._taking += 1
            self._numbers += 1
            return self._numbers

    def remove(self, number: int) -> None:
        """Takes a photo out and deletes its file."""
        with self._places:
            self.items = [item for item in self.items if item.number != number]
        shutil.rmtree(self.folder / str(number), ignore_errors=True)

    def crop(self, number: int, cropped: bool) -> None:
        """Cuts a photo to what is inside its border, or takes that back; a `run` follows."""
        item = self.item(number)
        if item is None or item.error or item.upload.cropped == cropped:
            return
        if not item.upload.cropped and not item.taken.border:
            return  # there is nothing to cut
        upload = item.upload._replace(cropped=cropped)
        other = Item(number, upload, self.workshop.take(upload))
        with self._places:
            self.items = [other if one is item else one for one in self.items]

    def choose(self, models: Sequence[str], size: int | None) -> None:
        """The models and the working size that are wanted from now on; a `run` follows."""
        known = self.workshop.records
        self._models = [name for name in dict.fromkeys(models) if name in known]
        self._size = size
        self.has_chosen = True

    def look_at(self, number: int) -> None:
        """The photo that the visitor sees: it comes before the others."""
        self._seen = number

    def prepare(self) -> None:
        """Announces a `run`, which may have to wait for its turn."""
        self._cancelled.clear()
        if not self._is_running:
            total = len(self._open_tasks())
            self._progress = {"done": 0, "total": total} if total else None

    def run(self) -> Iterator[Future[Made] | None]:
        """Colorizes what is not done yet, photo by photo; yields whenever the state is new.

        It yields the picture that is made then, None at the end; what waits for that picture
        before it goes on is not kept waiting here. One at a time: another ends at once, and the
        one under way does what was chosen meanwhile.
        """
        if self._is_running:
            return
        self._is_running = True
        try:
            done = 0
            while not self._cancelled.is_set() and (tasks := self._open_tasks()):
                (item, model), size = tasks[0], self._size
                self._progress = {
                    "done": done,
                    "total": done + len(tasks),
                    "photo": item.number,
                    "model": model,
                }
                made = self.workshop.start(item.upload, Look(model, size))
                yield made
                self._note(made, item, model, size)
                done += 1
        finally:
            self._progress = None
            self._is_running = False
        yield None

    def cancel(self) -> None:
        """Ends `run` after the photo it is at."""
        self._cancelled.set()
        if not self._is_running:
            self._progress = None

    async def rest(self, patience: float = 20.0) -> None:
        """Returns when a `run` that was cancelled has ended, or after `patience` seconds."""
        over = time.monotonic() + patience
        while self._is_running and time.monotonic() < over:
            await asyncio.sleep(_GLANCE)

    def news(self) -> dict[str, Any]:
        """That there is something new: none equals another, and `state` tells what."""
        return {"key": self.key, "news": next(self._news)}

    def state(self, since: int = 0) -> dict[str, Any]:
        """What the page shows, as JSON: photos, a card a model, and how far the work is.

        `news` grows from state to state. Of the photos those that have changed since an earlier
        one's; `numbers` are all that there are.
        """
        waiting = 0 if self._progress else len(self._open_tasks())
        with self._telling:
            now, items = next(self._news), self.items
            photos = {item.number: self._photo(item) for item in items}
            for number, photo in photos.items():
                if number not in self._told or self._told[number][1] != photo:
                    self._told[number] = now, photo
            self._told = {number: self._told[number] for number in photos}
            changed = [photo for when, photo in self._told.values() if when > since]
        return {
            "news": now,
            "key": self.key,
            "numbers": list(photos),
            "photos": changed,
            "models": self._models,
            "size": self._size,
            "newest": self._newest,
            "offered": self._offered,
            "taking": self._taking > 0,
            "progress": self._progress,
            "waiting": waiting,
        }

    def close(self) -> None:
        """Stops the work and deletes the files."""
        self.is_closed = True
        self.cancel()
        self.workshop.forget(self.key)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _take(self, file: Path, number: int) -> Item:
        """Keeps a file, opens it as a photo, and notes what is wrong with it if that fails."""
        folder = self.folder / str(number)
        folder.mkdir(parents=True)
        kept = folder / file.name
        try:
            os.link(file, kept)
        except OSError:
            shutil.copyfile(file, kept)
        item = Item(number, Upload(self.key, kept))
        try:
            item.taken = self.workshop.take(item.upload)
        except ColorizeError as error:
            item.error = str(error)
        return item

    def _open_tasks(self) -> list[tuple[Item, str]]:
        usable = [item for item in self.items if not item.error]
        usable.sort(key=lambda item: item.number != self._seen)
        pairs = ((item, model) for item in usable for model in self._models)
        return [(item, model) for item, model in pairs if not item.is_done(model, self._size)]

    def _note(self, made: Future[Made], item: Item, model: str, size: int | None) -> None:
        try:
            item.seconds[model, size] = made.result().seconds
        except ColorizeError as error:
            item.failures[model, size] = str(error)
        except Exception:  # out of memory, above all: the other photos go on
            _log.exception("%s failed on %s", model, printable(item.name))
            title = self.workshop.records[model].title
            item.failures[model, size] = _UNEXPECTED.format(title=title)

    def _photo(self, item: Item) -> dict[str, Any]:
        cards = [] if item.error else [self._card(item, model) for model in self._models]
        return item.state() | {"cards": cards}

    def _card(self, item: Item, model: str) -> dict[str, Any]:
        now, size = self._progress or {}, self._size
        if (model, size) in item.failures:
            return {"model": model, "state": "failed", "error": item.failures[model, size]}
        if (model, size) in item.seconds:
            return {"model": model, "state": "done", "seconds": item.seconds[model, size]}
        at_it = (now.get("photo"), now.get("model")) == (item.number, model)
        return {"model": model, "state": "working" if at_it else "waiting" if now else "stopped"}


class Sessions:
    """The sessions of all visitors, by Gradio's hash; forgotten `limit` seconds after use."""

    def __init__(self, workshop: Workshop, folder: Path, limit: float = 3300.0) -> None:
        self.workshop = workshop
        self._folder = folder
        self._limit = limit
        self._sessions: dict[str, Session] = {}
        self._visitors: dict[str, str] = {}  # by the key of their session
        self._awaited: Counter[str] = Counter()  # how many wait for the page of a key to be left
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._swept: datetime | None = None
        self._sweeper = threading.Thread(target=self._sweep_often, name="sessions", daemon=True)
        self._sweeper.start()

    def of(self, visitor: str) -> Session:
        """The visitor's session, a new one if need be."""
        crowded_out = None
        with self._lock:
            if visitor not in self._sessions:
                if len(self._sessions) >= MOST_VISITORS:
                    crowded_out = min(self._sessions, key=lambda one: self._sessions[one].used)
                session = Session(self.workshop, self._folder)
                self._sessions[visitor] = session
                self._visitors[session.key] = visitor
            session = self._sessions[visitor]
            session.used, session.short_lived = time.monotonic(), False
        if crowded_out is not None:
            self.drop(crowded_out)
        return session

    def by_key(self, key: str) -> Session | None:
        """The session whose pictures' addresses hold `key`."""
        with self._lock:
            if (visitor := self._visitors.get(key)) is None:
                return None
            session = self._sessions[visitor]
            session.used = time.monotonic()
            return session

    async def until_left(self, key: str, visitor: str, patience: float = 20.0) -> None:
        """Returns when the page of this key was left, which is noticed some seconds later.

        At once where `visitor` cannot have its session or others wait for it already, after
        `patience` seconds where it stays open.
        """
        with self._lock:
            session = self._sessions.get(self._visitors.get(key, ""))
            if session is None or self._awaited[key] >= MOST_RELOADS:
                return
            self._awaited[key] += 1
        over = time.monotonic() + patience
        try:
            while not session.short_lived and visitor not in self._sessions:
                if time.monotonic() > over:
                    break
                await asyncio.sleep(_GLANCE)
        finally:
            self._awaited[key] -= 1
            self._awaited += Counter()  # without those that nobody waits for

    def resume(self, key: str, visitor: str) -> bool:
        """Gives the session with this key to a visitor who comes back, as by a reload.

        Only one whose page was left: a copy of a page that is open takes nothing from it.
        """
        with self._lock:
            former = self._visitors.get(key)
            if former is None or visitor in self._sessions:
                return False
            session = self._sessions[former]
            if not session.short_lived:
                return False
            self._sessions[visitor] = self._sessions.pop(former)
            self._visitors[key] = visitor
            session.used, session.short_lived = time.monotonic(), False
            return True

    def leave(self, visitor: str) -> None:
        """The visitor's page was closed, or a phone put it to sleep: work stops, pictures stay
        for a tenth of the time limit."""
        with self._lock, suppress(KeyError):
            self._sessions[visitor].cancel()
            self._sessions[visitor].short_lived = True

    def drop(self, visitor: str) -> None:
        """Forgets a visitor's photos at once."""
        with self._lock:
            session = self._sessions.pop(visitor, None)
            if session:
                del self._visitors[session.key]
        if session:
            session.close()

    def sweep(self) -> None:
        """Forgets the sessions that were not used for the time limit."""
        now = time.monotonic()
        with self._lock:
            old = [
                visitor
                for visitor, session in self._sessions.items()
                if now - session.used > self._limit * (0.1 if session.short_lived else 1)
            ]
        for visitor in old:
            try:
                self.drop(visitor)
            except Exception:  # the others are forgotten all the same
                _log.exception("photos of a visitor who has left stay")

    def close(self) -> None:
        """Forgets everybody."""
        self._stop.set()
        for visitor in list(self._sessions):
            self.drop(visitor)
        self.workshop.close()

    def __len__(self) -> int:
        return len(self._sessions)

    def sentence(self) -> str:
        """When forgetting last worked, for the results page."""
        at = f"at {self._swept:%Y-%m-%d %H:%M:%S} UTC" if self._swept else "not yet"
        return f"Photos of visitors who have left were last cleared {at}."

    def _sweep_often(self) -> None:
        while not self._stop.wait(min(60.0, self._limit / 10)):
            try:
                self.sweep()
                self.workshop.models.release()
                self._swept = datetime.now(UTC)
            except Exception:  # whatever it was: the next time may work
                _log.exception("photos of visitors who have left stay")
