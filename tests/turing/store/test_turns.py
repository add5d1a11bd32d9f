import threading
import time

from turing.store.turns import Turns


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert condition()


def test_first_come_first_served():
    turns, order = Turns(), []
    assert turns.acquire(0)

    def come(number):
        assert turns.acquire(60)
        order.append(number)
        turns.release()

    threads = []
    for number in range(20):
        threads.append(threading.Thread(target=come, args=(number,)))
        threads[-1].start()
        wait_until(lambda: len(turns._waiting) == len(threads))
    turns.release()
    for thread in threads:
        thread.join()
    assert order == list(range(20))
    assert turns.acquire(0)


def test_whoever_comes_back_at_once_stands_behind_those_who_wait():
    turns, had = Turns(), []
    assert turns.acquire(0)
    other = threading.Thread(target=lambda: had.append(turns.acquire(60)))
    other.start()
    wait_until(lambda: turns._waiting)
    turns.release()
    assert not turns.acquire(0)  # it is the other's, even if that has not woken up
    other.join()
    assert had == [True]


def test_who_gives_up_is_passed_over():
    turns = Turns()
    assert turns.acquire(0)
    assert not turns.acquire(0.01)
    turns.release()
    assert turns.acquire(0)
