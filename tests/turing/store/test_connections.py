"""Threads and transactions of one file: all of a block is on disk, or nothing."""

import sqlite3
import threading
import time

import pytest

from tests.turing.support.studies import built, rows
from turing.errors import TuringError
from turing.store import database
from turing.store.connections import FairLock
from turing.store.database import StoreUnavailableError
from turing.store.store import note


@pytest.fixture
def store(tmp_path):
    with built(tmp_path) as store:
        yield store


def test_a_failed_block_leaves_nothing(store):
    before = rows(store, "photos")
    with pytest.raises(RuntimeError), store.writing() as db:
        db.execute("INSERT INTO photos VALUES (NULL, 'a', 'b', 'c', 1, 1, 'd', 1.0)")
        raise RuntimeError
    assert rows(store, "photos") == before
    with store.writing():  # and the lock is free again
        pass


def test_a_block_within_a_block_is_a_part_of_it(store):
    with store.writing() as db:
        note(db, None, "outer")
        with pytest.raises(ZeroDivisionError), store.writing() as same:
            assert same is db
            note(db, None, "undone")
            1 / 0  # noqa: B018
        with store.writing():
            note(db, None, "inner")
        with sqlite3.connect(store.path) as other:
            assert other.execute("SELECT count(*) FROM events").fetchone() == (0,)
        other.close()
    assert [row["what"] for row in rows(store, "events")] == ["outer", "inner"]
    with pytest.raises(ZeroDivisionError), store.writing() as db:
        with store.writing():
            note(db, None, "undone too")
        1 / 0  # noqa: B018
    assert len(rows(store, "events")) == 2


def test_a_transaction_that_sqlite_gave_up_is_no_success(store):
    with pytest.raises(StoreUnavailableError, match="nothing was written"), store.writing() as db:
        db.execute("ROLLBACK")  # as SQLite does by itself on some errors
    with pytest.raises(StoreUnavailableError, match="nothing was written"), store.writing() as db:
        db.execute("ROLLBACK")
        with store.writing():
            note(db, None, "lost")
    assert rows(store, "events") == []


def test_threads_have_connections_of_their_own(store):
    found = [store.connection]
    thread = threading.Thread(target=lambda: found.append(store.connection))
    thread.start()
    thread.join()
    assert found[0] is store.connection is not found[1]


def test_a_reader_sees_one_moment_and_never_waits_for_a_writer(store):
    other = database.connect(store.path)
    with store.reading() as db:
        before = db.execute("SELECT count(*) FROM photos").fetchone()
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO photos VALUES (NULL, 'a', 'b', 'c', 1, 1, 'd', 1.0)")
        assert db.execute("SELECT count(*) FROM photos").fetchone() == before
        other.execute("COMMIT")
        assert db.execute("SELECT count(*) FROM photos").fetchone() == before
    other.close()
    assert len(rows(store, "photos")) == before[0] + 1


def test_a_locked_file_is_said(store, monkeypatch):
    store.connection.execute("PRAGMA busy_timeout=50")
    other = database.connect(store.path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="another program has been writing"):
        store.open_study()
    other.execute("COMMIT")
    other.close()
    store.open_study()
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with store.writing():
        faults = []
        thread = threading.Thread(target=lambda: faults.append(failure_of(store.close_study)))
        thread.start()
        thread.join()
    assert isinstance(faults[0], StoreUnavailableError)


def failure_of(call):
    try:
        call()
    except Exception as error:
        return error


def test_a_full_disk_is_said_and_leaves_nothing(store):
    db = store.connection
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count={pages}")
    before = rows(store, "photos")
    with pytest.raises(StoreUnavailableError, match="disk is full"), store.writing() as db:
        for number in range(1000):
            db.execute(
                "INSERT INTO photos VALUES (NULL, ?, 'b', 'c', 1, 1, 'd', 1.0)", (f"x{number}",)
            )
    assert rows(store, "photos") == before
    db.execute("PRAGMA max_page_count=1000000")
    store.open_study()


def test_nothing_is_written_to_a_file_that_was_replaced_or_removed(store, tmp_path):
    with built(tmp_path / "other") as other:
        database.copy_database(other.connection, tmp_path / "new.sqlite")
    (tmp_path / "new.sqlite").replace(store.path)
    with pytest.raises(StoreUnavailableError, match="replaced while in use"):
        store.open_study()
    store.path.unlink()
    with pytest.raises(StoreUnavailableError, match="gone"):
        store.open_study()


def test_a_damaged_file_is_said(store):
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    with store.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 200_000)
    with pytest.raises(TuringError, match="damaged; restore a backup"):
        rows(store, "photos")


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert condition()


def test_first_come_first_served():
    lock, order = FairLock(), []
    assert lock.acquire(0)

    def come(number):
        assert lock.acquire(60)
        order.append(number)
        lock.release()

    threads = []
    for number in range(20):
        threads.append(threading.Thread(target=come, args=(number,)))
        threads[-1].start()
        wait_until(lambda: len(lock._waiting) == len(threads))
    lock.release()
    for thread in threads:
        thread.join()
    assert order == list(range(20))
    assert lock.acquire(0)


def test_whoever_comes_back_at_once_stands_behind_those_who_wait():
    lock, had = FairLock(), []
    assert lock.acquire(0)
    other = threading.Thread(target=lambda: had.append(lock.acquire(60)))
    other.start()
    wait_until(lambda: lock._waiting)
    lock.release()
    assert not lock.acquire(0)  # it is the other's, even if that has not woken up
    other.join()
    assert had == [True]


def test_who_gives_up_is_passed_over():
    lock = FairLock()
    assert lock.acquire(0)
    assert not lock.acquire(0.01)
    lock.release()
    assert lock.acquire(0)
