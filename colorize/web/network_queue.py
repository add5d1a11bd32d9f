"""The gate before the networks: few of them run at once, and visitors take turns."""

import asyncio
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Turns:
    """Runs jobs of visitors, `at_once` of them at a time, in threads of its own.

    Round robin: each visitor who waits gets one job done before anybody gets a second, so that
    one with many jobs does not delay one with few. Safe between threads.
    """

    def __init__(self, at_once: int) -> None:
        self._pool = ThreadPoolExecutor(at_once, "turns")
        self._lines: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        self._lock = threading.Lock()

    def submit(self, who: str, function: Callable[[], T]) -> Future[T]:
        """What `function` will have returned when it was the visitor's turn."""
        future: Future[T] = Future()
        # In the caller's context: ZeroGPU finds there whose minutes are used.
        job = partial(copy_context().run, _settle, future, function)
        with self._lock:
            self._lines.setdefault(who, deque()).append(job)
        self._pool.submit(self._run_next)
        return future

    @contextmanager
    def turn(self, who: str) -> Iterator[None]:
        """Waits for a turn of `who`, which is over when the block is."""
        begun, over = threading.Event(), threading.Event()

        def hold() -> None:
            begun.set()
            over.wait()

        self.submit(who, hold)
        begun.wait()
        try:
            yield
        finally:
            over.set()

    def waiting(self) -> int:
        """How many jobs have not begun."""
        with self._lock:
            return sum(map(len, self._lines.values()))

    def close(self) -> None:
        """Begins no other job."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run_next(self) -> None:
        with self._lock:
            who, line = self._lines.popitem(last=False)
            job = line.popleft()
            if line:
                self._lines[who] = line
        job()


def _settle(future: Future[Any], function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)


async def done(future: Future[T]) -> Future[T]:
    """The future when it is done. Who stops waiting for it does not cancel it for others."""
    waiter = asyncio.wrap_future(future)
    await asyncio.wait([waiter])
    waiter.exception()  # which asyncio would log if nobody had looked
    return future
