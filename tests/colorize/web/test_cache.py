import random
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pytest
import torch

from colorize.errors import ColorizeError
from colorize.photo.exif import Exif, Field
from colorize.photo.metadata import Metadata
from colorize.photo.opening import Photo
from colorize.web.cache import VARIABLE, Memory, bound, held


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


@pytest.mark.parametrize(
    ("given", "megabytes"), [(None, 512), ("", 512), (" ", 512), ("64", 64), (" 0 ", 0)]
)
def test_the_bound_is_read_from_the_environment(given, megabytes):
    assert bound({} if given is None else {VARIABLE: given}) == megabytes * 2**20


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "1e3", "512 MB", "٣", "9" * 50])
def test_a_bound_that_is_no_number_is_refused(given):
    with pytest.raises(ColorizeError, match=f"{VARIABLE}: expected a whole number of megabytes"):
        bound({VARIABLE: given})


@dataclass
class Holder:
    one: object
    other: object = None


class Pair(NamedTuple):
    one: object
    other: object = None


BIG = 100_000


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(BIG, np.uint8),
        np.zeros(BIG // 8),
        np.zeros((2, BIG // 2), np.uint8)[1:, :5],  # a view keeps the whole
        np.zeros(BIG, np.uint8)[::2][3:4],
        torch.zeros(BIG // 4),
        torch.zeros(2, BIG // 8)[1],
        torch.zeros(BIG // 2, dtype=torch.half).view(2, -1).T,
        bytes(BIG),
        "x" * BIG,
        Holder(bytes(BIG)),
        Pair(1, torch.zeros(BIG // 4)),
        (1, None, [bytes(BIG)]),
        {"a": {"b": bytes(BIG)}},
        Holder(Pair({1: (bytes(BIG // 2), bytes(BIG // 2))})),
    ],
    ids=lambda value: type(value).__name__,
)
def test_all_that_a_value_keeps_is_counted(value):
    assert BIG <= held(value) < BIG * 1.02


SMALL = Photo.open(np.zeros((2, 2), np.uint8))


@pytest.mark.parametrize(
    "part",
    [
        {"pixels": np.zeros((100, BIG // 300, 3), np.uint8)},
        {"alpha": np.zeros((100, BIG // 100), np.uint8)},
        {"levels": np.zeros((100, BIG // 200), np.uint16)},
        {"notices": ("n" * BIG,)},
        {"metadata": Metadata(xmp=bytes(BIG))},
        {"metadata": Metadata(resources={0x0404: bytes(BIG)})},
        {"metadata": Metadata(texts=(("Comment", "t" * BIG),))},
        {"metadata": Metadata(exif=Exif(camera={37510: Field(7, BIG, bytes(BIG))}))},
    ],
    ids=lambda part: next(iter(part)),
)
def test_all_of_a_photo_is_counted(part):
    assert 0.97 * BIG <= held(replace(SMALL, **part)) - held(SMALL) < BIG * 1.02


def test_small_values_count_too():
    memory = Memory(10_000)
    for number in range(100):
        memory.recall(("a", number), lambda: None)
    assert 0 < memory.bytes <= 10_000 and ("a", 0) not in memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux")
def test_memory_of_what_is_dropped_goes_back_to_the_system():
    """Also from between pictures that stay, after a large one has come and gone."""
    done = subprocess.run([sys.executable, "-c", DROPPING], capture_output=True, check=True)
    before, after = (int(line) for line in done.stdout.split())
    assert before - after > 90 * 2**20


DROPPING = """
import numpy as np
from colorize.web.cache import Memory

def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

memory, stays = Memory(2**30), []
large = np.ones(30 * 2**20, np.uint8)
del large
for number in range(100):
    memory.recall(("visitor", number), lambda: np.ones(2 * 2**20, np.uint8))
    stays.append(np.ones(2**17, np.uint8))
print(used())
memory.forget("visitor")
print(used())
"""
