"""Gradio in a test's own process, without the event loops that it would leave open."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_stray_loops() -> Iterator[None]:
    """For building, launching and closing an app outside of an event loop.

    Gradio 6.31 then opens an event loop for each lock of its own (`gradio.utils.safe_get_lock`,
    `safe_get_stop_event`), makes it the thread's, and closes none. The last one lives until
    somebody sets another, and is reported in whichever test runs then. Locks need no loop
    since Python 3.10.
    """
    from gradio import queueing, utils

    with pytest.MonkeyPatch.context() as patch:
        for module in (queueing, utils):
            patch.setattr(module, "safe_get_lock", asyncio.Lock)
        patch.setattr(utils, "safe_get_stop_event", asyncio.Event)
        yield
