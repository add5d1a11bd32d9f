import random
import threading

import pytest

from colorize.web.memory import Memory


def recall(memory, key, value, size=10):
    return memory.recall(key, lambda: value, lambda _: size)


def test_value_is_made_once():
    memory, made = Memory(100), []
    for _ in range(3):
        assert memory.recall(("a", 1), lambda: made.append(1) or "x", lambda _: 10) == "x"
    assert len(made) == 1


def test_least_recently_used_goes_first():
    memory = Memory(30)
    for number in range(3):
        recall(memory, ("a", number), number)
    recall(memory, ("a", 0), "kept")
    recall(memory, ("a", 3), 3)
    assert ("a", 0) in memory and ("a", 1) not in memory
    assert recall(memory, ("a", 0), "other") == 0


def test_forgets_an_owner_and_nobody_else():
    memory = Memory(100)
    recall(memory, ("a", 1), 1)
    recall(memory, ("b", 1), 2)
    memory.forget("a")
    assert ("a", 1) not in memory and ("b", 1) in memory
    assert memory.bytes == 10


def test_value_larger_than_the_memory_is_given_but_not_kept():
    memory = Memory(5)
    assert recall(memory, ("a", 1), "big") == "big"
    assert ("a", 1) not in memory and memory.bytes == 0


def test_failure_leaves_nothing():
    memory = Memory(5)
    with pytest.raises(ZeroDivisionError):
        memory.recall(("a",), lambda: 1 / 0, lambda _: 1)
    assert ("a",) not in memory


def test_bound_holds_with_many_threads():
    memory, over = Memory(200), []

    def work(seed):
        draw = random.Random(seed)
        for _ in range(300):
            number = draw.randrange(40)
            if recall(memory, (draw.choice("ab"), number), number, draw.randrange(1, 30)) != number:
                over.append(number)
            if draw.random() < 0.02:
                memory.forget("a")
            if memory.bytes > 200:
                over.append(memory.bytes)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not over
    memory.forget("a"), memory.forget("b")
    assert memory.bytes == 0


def test_forgets_what_begins_so():
    memory = Memory(100)
    for key in (("a", 1, "x"), ("a", 1, "y"), ("a", 2, "x")):
        recall(memory, key, key)
    memory.forget("a", 1)
    assert [("a", 1, "x") in memory, ("a", 1, "y") in memory, ("a", 2, "x") in memory] == [
        False, False, True,
    ]  # fmt: skip
    assert memory.bytes == 10
