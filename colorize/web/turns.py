"""Who may use what there is little of, when many want it."""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets `at_once` work at the same time. Those who wait take turns, one each, so that who asks
    for much does not keep out who asks for little. Safe between threads.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._lines: OrderedDict[str, deque[threading.Event]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, who: str) -> Iterator[None]:
        """Waits for a turn of `who`, which the block then is."""
        if place := self._queue_up(who):
            place.wait()
        try:
            yield
        finally:
            self._pass_on()

    def waiting(self) -> int:
        with self._lock:
            return sum(map(len, self._lines.values()))

    def _queue_up(self, who: str) -> threading.Event | None:
        """A place in the line; None where nobody has to wait."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            place = threading.Event()
            self._lines.setdefault(who, deque()).append(place)
            return place

    def _pass_on(self) -> None:
        with self._lock:
            if not self._lines:
                self._free += 1
                return
            who, line = self._lines.popitem(last=False)
            line.popleft().set()
            if line:
                self._lines[who] = line
