"""Published weights that are fetched while the app already runs, and the model that is first."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from colorize.errors import ColorizeError
from colorize.models.fetching import fetch
from colorize.models.published import FETCHABLE
from colorize.models.record import Record, published_folder

_log = logging.getLogger(__name__)


def names_to_fetch(environment: Mapping[str, str]) -> list[str]:
    """Those of `COLORIZE_FETCH`, each once."""
    names = environment.get("COLORIZE_FETCH", "").split(",")
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


class Arrivals:
    """Fetches models by name, one after the other; what cannot be had is told in a line.

    `arrived` is called with each record, `say` with each line; `there` are the models that are
    here already.
    """

    def __init__(
        self,
        names: Iterable[str],
        there: Iterable[str],
        arrived: Callable[[Record], None],
        say: Callable[[str], None],
    ) -> None:
        here = set(there)
        self._arrived, self._say = arrived, say
        self._waiting = [name for name in names if name not in here]
        self.failed: dict[str, str] = {}
        self.changes = 0  # that a page which was opened before does not know of

    @property
    def waiting(self) -> Sequence[str]:
        """The names that are still to come."""
        return tuple(self._waiting)

    def lines(self) -> list[str]:
        """What is told where the models stand."""
        coming = [
            f"{title_of(name)} is being fetched, {FETCHABLE[name].megabytes} MB."
            for name in self._waiting
            if name in FETCHABLE
        ]
        return coming + [f"{title_of(name)} could not be fetched." for name in self.failed]

    def start(self) -> None:
        """In a thread of its own, which ends with the app."""
        if self._waiting:
            threading.Thread(target=self.run, name="fetching", daemon=True).start()

    def run(self) -> None:
        """Now; returns when nothing is to come any more."""
        for name in self.waiting:
            try:
                record = fetch(name, published_folder())
            except ColorizeError as error:
                self._fail(name, str(error))
            except Exception as error:  # whatever it is, the app runs on
                _log.exception("%s could not be fetched", name)
                self._fail(name, str(error).partition("\n")[0] or type(error).__name__)
            else:
                self._arrived(record)
                self._say(f"{name} was fetched: {record.title} can be used now")
            self._waiting.remove(name)
            self.changes += 1

    def _fail(self, name: str, why: str) -> None:
        self.failed[name] = why
        self._say(f"COLORIZE_FETCH: {why}")


def title_of(name: str) -> str:
    return FETCHABLE[name].title if name in FETCHABLE else name


def with_first(
    records: Sequence[Record], name: str, coming: Iterable[str] = ()
) -> tuple[list[Record], list[str]]:
    """The records with that of `name` first, and a line where there is none. "" changes nothing."""
    chosen = [record for record in records if record.name == name]
    if chosen or not name:
        return chosen + [record for record in records if record.name != name], []
    there = ", ".join(record.name for record in records)
    when = "is not here yet" if name in coming else "is not here"
    return list(records), [f"COLORIZE_DEFAULT: {name} {when}; there are {there}"]
