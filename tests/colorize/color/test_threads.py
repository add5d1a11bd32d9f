"""One thread of torch's for a while, which concerns nobody else."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest
import torch

from colorize.color.threads import one_thread, take_threads


@pytest.fixture(autouse=True)
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def threads_elsewhere():
    """How many a thread has that begins now."""
    found = []
    other = Thread(target=lambda: found.append(torch.get_num_threads()))
    other.start()
    other.join()
    return found[0]


def test_one_is_taken_and_given_back():
    with one_thread():
        assert torch.get_num_threads() == 1
        assert threads_elsewhere() == 3
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert (torch.get_num_threads(), threads_elsewhere()) == (3, 3)


def test_threads_born_beside_it_keep_their_number():
    """A thread that looks for the first time within another's `one_thread` takes what all have."""
    stop = Event()

    def render():
        torch.set_num_threads(3)
        while not stop.is_set():
            with one_thread():
                pass

    beside = Thread(target=render)
    beside.start()
    try:
        assert {threads_elsewhere() for _ in range(500)} == {3}
    finally:
        stop.set()
        beside.join()


def test_it_is_given_back_after_a_failure():
    with pytest.raises(ValueError, match="told"), one_thread():
        raise ValueError("told")
    assert torch.get_num_threads() == 3


def test_threads_of_a_pool_take_their_share_and_leave_the_others_theirs():
    with ThreadPoolExecutor(1, initializer=take_threads, initargs=(2, 3)) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2
    assert (torch.get_num_threads(), threads_elsewhere()) == (3, 3)
