"""How many of torch's threads the operations of a thread take, and nobody else's."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Thread

import torch
from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it, this thread's operations run on it alone.

    Small ones, on planes that lie in the cache, are no faster on several: the threads wait for each
    other after each, and take the processor for it.
    """
    if torch.get_num_threads() == 1:  # a new thread takes as many as the others at its first look
        yield
        return
    # OpenMP's number is the thread's own; torch.set_num_threads is for threads to come as well.
    with _controller().limit(limits=1, user_api="openmp"):
        yield


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def take_threads(count: int, others: int) -> None:
    """This thread's operations take `count` threads; those of threads to come `others`."""
    torch.get_num_threads()  # a new thread takes as many as the others at its first look at it
    torch.set_num_threads(count)  # which threads to come would take as well
    apart = Thread(target=torch.set_num_threads, args=(others,))
    apart.start()
    apart.join()
