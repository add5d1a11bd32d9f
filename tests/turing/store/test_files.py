import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from turing.errors import TuringError
from turing.store import files
from turing.store.files import clear_leftovers, unfinished
from turing.store.store import Store, create_store

ROOT = Path(__file__).resolve().parents[3]
KILLED = """
import sys, time
from pathlib import Path
from turing.store.files import unfinished
with unfinished(Path(sys.argv[1])) as path:
    path.write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(600)
"""


def working_on(target):
    """A program that is in the middle of writing a file."""
    program = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout.readline() == "ready\n"
    return program


def write(target, content=b"whole"):
    with unfinished(target) as path:
        path.write_bytes(content)


@pytest.mark.parametrize("place", ["none/a.bin", "folder"])
def test_what_the_disk_refuses_is_told_of_the_file_that_was_asked_for(tmp_path, place):
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(OSError) as caught:
        write(tmp_path / place)
    assert caught.value.filename == str(tmp_path / place)


def test_what_a_killed_program_left_is_cleared_by_the_next(tmp_path):
    target = tmp_path / "export.csv"
    program = working_on(target)
    try:
        write(target)
        assert len(list(tmp_path.iterdir())) == 2  # its owner is still at it
    finally:
        program.send_signal(signal.SIGKILL)
        program.communicate()
    write(target, b"again")
    assert list(tmp_path.iterdir()) == [target] and target.read_bytes() == b"again"


def test_files_of_others_stay(tmp_path):
    names = [".export.csv.notes", ".other.csv.abcdefgh", "export.csv.abcdefgh", ".export.csv"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    for name in (".export.csv.abcdefgh", ".export.csv.abcdefgh-journal"):
        (tmp_path / name).write_bytes(b"x")
    write(tmp_path / "export.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "export.csv"])


def test_leftovers_of_many_names_are_cleared_at_once(tmp_path):
    for name in (f".{'a' * 64}.png.abcdefgh", f".{'b' * 64}.png.a_cdef01", ".readme.markdown"):
        (tmp_path / name).write_bytes(b"x")
    clear_leftovers(tmp_path, r"[0-9a-f]{64}\.png")
    assert [path.name for path in tmp_path.iterdir()] == [".readme.markdown"]
    clear_leftovers(tmp_path / "nowhere", ".*")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_new_store_has_its_tables_or_is_not_there(tmp_path, monkeypatch, error):
    """The disk is full at any of the steps, as far as SQLite and the system can say so."""

    def full(*_):
        raise error

    for place in ("_sync", "_add"):
        with monkeypatch.context() as patch:
            patch.setattr(files, place, full)
            with pytest.raises((TuringError, KeyboardInterrupt)):
                create_store(tmp_path, "tiny")
        assert list(tmp_path.iterdir()) == []
    create_store(tmp_path, "tiny").close()


def test_a_full_disk_is_told_with_the_stores_name(tmp_path, monkeypatch):
    def full(*_):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("turing.store.database.migrate", full)
    with pytest.raises(TuringError) as told:
        create_store(tmp_path, "tiny")
    assert str(told.value) == f"{tmp_path / 'tiny.sqlite'}: the disk is full; make room"
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_another_program_made_meanwhile_stays(tmp_path, monkeypatch):
    add = files._add

    def late(path, target):
        add_once.pop()
        create_store(tmp_path, "tiny").close()
        add(path, target)

    add_once = [1]
    monkeypatch.setattr(files, "_add", lambda *given: late(*given) if add_once else add(*given))
    with create_store(tmp_path, "tiny") as store:
        uid = store.facts().uid
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.sqlite"]
    with Store(tmp_path / "tiny.sqlite") as store:
        assert store.facts().uid == uid


def test_only_its_owner_reads_a_store(tmp_path):
    create_store(tmp_path, "tiny").close()
    assert (tmp_path / "tiny.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_disk_without_links_will_do(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    create_store(tmp_path, "tiny").close()
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.sqlite"]
