"""Which studies are served, and in which threads."""

import asyncio
import threading
import time

import pytest

from turing import database
from turing.database import StoreUnavailableError
from turing.errors import TuringError
from turing.serving import ServedStudy, Studies, is_name
from turing.store import create_store

from .studies import build, built


@pytest.mark.parametrize("name", ["demo", "demo-2026", "A1", "x" * 64])
def test_names_of_studies(name):
    assert is_name(name)


@pytest.mark.parametrize(
    "name", ["", "-", ".", "..", "a/b", "a\\b", "a.b", "a b", "ä", "²", "a\0", "x" * 65, "a\n"]
)
def test_names_of_none(name):
    assert not is_name(name)


def test_a_store_is_opened_once_when_it_is_there(tmp_path):
    async def visit(studies):
        assert await studies.get("tiny") is None
        build(tmp_path).close()
        found = await asyncio.gather(*(studies.get("tiny") for _ in range(20)))
        assert len({id(served) for served in found}) == 1 and found[0] is not None
        assert found[0].sessions.store.path == tmp_path / "tiny.sqlite"

    with Studies(tmp_path) as studies:
        asyncio.run(visit(studies))


def test_a_store_under_another_name_is_none(tmp_path):
    create_store(tmp_path, "x").close()
    (tmp_path / "x.sqlite").rename(tmp_path / "y.sqlite")
    with Studies(tmp_path) as studies:
        assert asyncio.run(studies.get("y")) is None


def test_what_is_no_store_is_an_error_each_time(tmp_path):
    (tmp_path / "x.sqlite").write_bytes(b"nothing like it" * 100)
    with Studies(tmp_path) as studies:
        for _ in range(2):
            with pytest.raises(TuringError, match="another kind of file"):
                asyncio.run(studies.get("x"))


@pytest.fixture
def served(tmp_path):
    served = ServedStudy(built(tmp_path))
    yield served
    served.close()


def test_the_loop_and_the_readers_never_wait_for_the_writer(served):
    free = threading.Event()

    async def visit():
        writing = asyncio.ensure_future(served.write(free.wait, 20))
        await asyncio.sleep(0)
        started = time.monotonic()
        for _ in range(20):
            assert (await served.read(served.sessions.store.facts)).name == "tiny"
            assert await served.start(lambda: 5) == 5
            await asyncio.sleep(0)
        assert time.monotonic() - started < 5 and not writing.done()
        free.set()
        assert await writing is True

    asyncio.run(visit())


def test_writers_come_one_after_the_other_in_their_order(served):
    order, inside = [], []

    def write(number):
        inside.append(number)
        assert len(inside) == 1
        time.sleep(0.001)
        order.append(inside.pop())

    async def visit():
        await asyncio.gather(*(served.write(write, number) for number in range(30)))

    asyncio.run(visit())
    assert order == list(range(30))


def test_what_waited_too_long_is_not_even_tried(served, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    tried = []

    async def visit():
        first = asyncio.ensure_future(served.write(time.sleep, 0.3))
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailableError):
            await served.write(tried.append, 1)
        await first
        await served.write(tried.append, 2)

    asyncio.run(visit())
    assert tried == [2]


def test_what_nobody_waits_for_may_fail(served):
    async def visit():
        served.write_later(served.sessions.note, None, "resumed")
        return await served.write(lambda: "next")

    assert asyncio.run(visit()) == "next"
