"""Gradio in a test's own process, without the event loops that it would leave open."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.gates import until


@contextmanager
def no_stray_loops() -> Iterator[None]:
    """For building, launching and closing an app outside of an event loop.

    Gradio 6.31 then opens an event loop for each lock of its own (`gradio.utils.safe_get_lock`,
    `safe_get_stop_event`), makes it the thread's, and closes none. The last one lives until
    somebody sets another, and is reported in whichever test runs then. Locks need no loop
    since Python 3.10. It also takes a port for a taken one where a busy machine has not begun to
    listen after 5 s.
    """
    from gradio import http_server, queueing, utils

    with pytest.MonkeyPatch.context() as patch:
        for module in (queueing, utils):
            patch.setattr(module, "safe_get_lock", asyncio.Lock)
        patch.setattr(utils, "safe_get_stop_event", asyncio.Event)
        patch.setattr(http_server.Server, "run_in_thread", _run_in_thread)
        yield


def _run_in_thread(server) -> None:
    server.thread = threading.Thread(target=server.run, daemon=True)
    server.thread.start()
    until(lambda: server.started or not server.thread.is_alive())
    if not server.started:
        raise OSError("the server did not start")
