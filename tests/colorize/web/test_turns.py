import threading
import time

import pytest

from colorize.web.turns import Turns

SOON = 60.0


def until(condition):
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def order():
    """A function: who gets turns in which order, when these ask in this order while one works."""

    def order(asking, at_once=1):
        turns, served, threads = Turns(at_once), [], []

        def ask(who):
            with turns.turn(who):
                served.append(who)

        with turns.turn("first"):
            for place, who in enumerate(asking):
                threads.append(threading.Thread(target=ask, args=(who,)))
                threads[-1].start()
                until(lambda place=place: turns.waiting() == place + 1)
        for thread in threads:
            thread.join(SOON)
        return "".join(served)

    return order


def test_who_asks_for_much_does_not_keep_out_who_asks_for_little(order):
    assert order("aaaaab") == "abaaaa"
    assert order("aaabbbc") == "abcabab"


def test_one_alone_is_served_in_order(order):
    assert order("aaa") == "aaa"


def test_no_more_work_at_once_than_allowed():
    turns, now, most = Turns(2), [0], [0]
    lock = threading.Lock()

    def work(who):
        for _ in range(20):
            with turns.turn(who):
                with lock:
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                time.sleep(0.001)
                with lock:
                    now[0] -= 1

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert most[0] == 2 and turns.waiting() == 0


def test_a_turn_that_fails_is_passed_on():
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), turns.turn("a"):
            1 / 0  # noqa: B018
    with turns.turn("b"):
        pass
