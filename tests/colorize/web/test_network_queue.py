import threading
import time
from functools import partial

import pytest

from colorize.web.network_queue import Turns
from tests.support import gates

SOON = 60.0
until = partial(gates.until, within=SOON)


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


def test_a_visitor_with_many_jobs_does_not_delay_one_with_few(order):
    assert order("aaaaab") == "abaaaa"
    assert order("aaabbbc") == "abcabab"


def test_one_visitors_jobs_are_served_in_order(order):
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


def test_a_job_gives_what_it_returns_or_raises():
    turns = Turns(1)
    assert turns.submit("a", lambda: 3).result(SOON) == 3
    assert isinstance(turns.submit("a", lambda: 1 / 0).exception(SOON), ZeroDivisionError)


def test_jobs_wait_without_a_thread():
    turns = Turns(1)
    with turns.turn("first"):
        threads = set(threading.enumerate())  # some of earlier tests may end meanwhile
        jobs = [turns.submit("a", lambda: 3) for _ in range(100)]
        assert set(threading.enumerate()) <= threads and turns.waiting() == 100
    assert [job.result(SOON) for job in jobs] == [3] * 100


def test_no_job_begins_after_the_end():
    turns, served = Turns(1), []
    with turns.turn("first"):
        job = turns.submit("a", lambda: served.append(1))
        turns.close()
    with pytest.raises(TimeoutError):
        job.result(0.2)
    assert served == []
