"""Places where work stops until a test lets it go on, in place of pauses that it might miss."""

import math
import threading
import time
from collections.abc import Callable

SOON = 120.0  # seconds that a busy machine may take for anything


class Gate:
    """`shut`, it stops whoever comes to `pass_through`; `let` lets some by, `open` all."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._left = math.inf
        self._opened = 0  # how often: who stood before it then goes, even if it was shut since

    def shut(self) -> None:
        self._set(0)

    def open(self) -> None:
        self._opened += 1
        self._set(math.inf)

    def let(self, number: int = 1) -> None:
        """Lets so many more by."""
        self._set(self._left + number)

    def pass_through(self) -> None:
        with self._changed:
            opened = self._opened
            is_free = self._changed.wait_for(lambda: self._left or self._opened > opened, SOON)
            assert is_free, "nobody opened the gate"
            self._left = max(0, self._left - 1)

    def _set(self, left: float) -> None:
        with self._changed:
            self._left = left
            self._changed.notify_all()


def until(condition: Callable[[], object], page=None, within: float = SOON) -> None:
    """Returns once it holds. page: of Playwright, whose events are taken in meanwhile."""
    over = time.monotonic() + within
    while not condition():
        assert time.monotonic() < over
        if page is None:
            time.sleep(0.01)
        else:
            page.wait_for_timeout(10)


def hold(page, address: str) -> list:
    """The requests of a page to an address, which from now on wait until the test lets them go."""
    held = []
    page.route(address, lambda route: held.append(route))
    return held
