"""Which studies are served, and in which threads."""

import asyncio
import threading
import time
from contextlib import contextmanager

import pytest

from tests.turing.support.studies import build, built, rows
from turing.errors import TuringError
from turing.store import database
from turing.store.database import StoreUnavailableError
from turing.store.people import RefusedError
from turing.store.store import create_store, note
from turing.web.serving import ServedStudy, Studies, is_name


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
        writing = asyncio.ensure_future(served.write(free.wait, 120))
        await asyncio.sleep(0)
        for _ in range(20):
            assert (await served.read(served.sessions.store.facts)).name == "tiny"
            assert await served.start(lambda: 5) == 5
            await asyncio.sleep(0)
        assert not writing.done()  # which it would be, had anybody waited for it
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


@pytest.fixture
def busy(served, monkeypatch):
    """Has the writer wait in a call of its own until `free` is set; counts transactions."""
    free, whole, writing = threading.Event(), [], served.sessions.store.writing

    @contextmanager
    def counted():
        is_inner = getattr(served.sessions.store._local, "is_writing", False)
        with writing() as db:
            yield db
        whole.extend([] if is_inner else [db])

    monkeypatch.setattr(served.sessions.store, "writing", counted)
    served.write_later(free.wait, 60)
    return free, whole


def add(served, detail):
    with served.sessions.store.writing() as db:
        note(db, None, "test", str(detail))
    return detail


def details(served):
    return [row["detail"] for row in rows(served.sessions.store, "events") if row["what"] == "test"]


def test_what_waits_is_written_in_one_transaction(served, busy):
    free, whole = busy

    async def visit():
        writing = [asyncio.ensure_future(served.write(add, served, n)) for n in range(50)]
        await asyncio.sleep(0)
        free.set()
        assert await asyncio.gather(*writing) == list(range(50))

    asyncio.run(visit())
    assert details(served) == [str(n) for n in range(50)]
    assert len(whole) == 2  # the one before, and all of these


def test_one_that_fails_takes_nobody_along(served, busy):
    free, whole = busy

    def fail():
        add(served, "undone with it")
        with served.sessions.store.writing() as db:
            note(db, None, "test", "undone")
            raise RefusedError(404, "unknown", "No.")

    async def visit():
        calls = [(add, served, "a"), (fail,), (add, served, "b")]
        writing = [asyncio.ensure_future(served.write(*call)) for call in calls]
        await asyncio.sleep(0)
        free.set()
        return await asyncio.gather(*writing, return_exceptions=True)

    first, refused, last = asyncio.run(visit())
    assert (first, last) == ("a", "b") and isinstance(refused, RefusedError)
    assert details(served) == ["a", "undone with it", "b"]  # it was a transaction of its own
    assert len(whole) == 2


def test_nobody_is_told_saved_where_the_disk_has_no_room(served, busy):
    free, _ = busy
    store = served.sessions.store

    def fill():
        (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
        store.connection.execute(f"PRAGMA max_page_count={pages}")

    def grow():
        with store.writing() as db:
            for number in range(1000):
                note(db, None, "test", f"{number} {'x' * 1000}")

    async def visit():
        calls = [(fill,), (add, served, "a"), (grow,), (add, served, "b")]
        writing = [asyncio.ensure_future(served.write(*call)) for call in calls]
        await asyncio.sleep(0)
        free.set()
        return await asyncio.gather(*writing, return_exceptions=True)

    _, first, grown, last = asyncio.run(visit())
    assert isinstance(grown, StoreUnavailableError)
    told = [each for each in (first, last) if isinstance(each, str)]
    assert details(served) == told
    assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_waits_at_the_end_is_given_up(tmp_path):
    served, began, free = ServedStudy(built(tmp_path)), threading.Event(), threading.Event()

    def hold():
        began.set()
        assert free.wait(60)

    async def visit():
        holding = asyncio.ensure_future(served.write(hold))
        await asyncio.to_thread(began.wait, 60)
        waiting = asyncio.ensure_future(served.write(hold))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(asyncio.to_thread(served.close))
        while not is_closed(served._writer):
            await asyncio.sleep(0.01)
        free.set()
        await asyncio.gather(holding, closing)
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(visit())


def is_closed(pool):
    """Whether a pool takes nothing any more, and has given up what waited."""
    try:
        pool.submit(int)
    except RuntimeError:
        return True
    return False


def test_what_waited_too_long_is_not_even_tried(served, monkeypatch):
    tried, began, free = [], threading.Event(), threading.Event()

    def hold():
        began.set()
        assert free.wait(60)

    async def visit():
        first = asyncio.ensure_future(served.write(hold))
        await asyncio.to_thread(began.wait, 60)
        late = asyncio.ensure_future(served.write(tried.append, 1))
        await asyncio.sleep(0.3)
        with monkeypatch.context() as hurried:  # alone for what waited: others have their time
            hurried.setattr(database, "BUSY_SECONDS", 0.1)
            free.set()
            await first
            with pytest.raises(StoreUnavailableError):
                await late
        await served.write(tried.append, 2)

    asyncio.run(visit())
    assert tried == [2]


def test_what_nobody_waits_for_may_fail(served):
    async def visit():
        served.write_later(served.sessions.note, None, "resumed")
        return await served.write(lambda: "next")

    assert asyncio.run(visit()) == "next"
