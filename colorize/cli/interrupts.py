"""Ctrl-C and SIGTERM as a wish to stop soon, not as an exception in the middle of a step."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Gives a function that says whether an end was asked for; never, beside the main thread.

    A second Ctrl-C raises KeyboardInterrupt as ever. A SIGTERM after it does not end at once: a
    launcher passes on the Ctrl-C that the process saw itself.
    """
    if threading.current_thread() is not threading.main_thread():  # where no signal arrives
        yield lambda: False
        return
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before[signal.SIGINT])

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
