"""Backups that are whole, and restores that lose nothing."""

import sqlite3
import threading

import pytest

from tests.turing.support.answering import participant
from tests.turing.support.studies import build, built, rows
from turing.errors import TuringError
from turing.store import database, people
from turing.store.sessions import Sessions
from turing.store.store import Store
from turing.store.upkeep.copies import backup, restore
from turing.store.upkeep.forgetting import forget

TABLES = ["study", "photos", "stimuli", "participants", "trials", "choices", "answers", "events"]


@pytest.fixture
def store(tmp_path):
    with built(tmp_path / "studies") as store:
        store.open_study()
        participant(store, PROLIFIC_PID="p1")
        participant(store, 3)
        yield store


def contents(store):
    return {table: rows(store, table) for table in [*TABLES, "store", "forgotten"]}


def contents_of(path):
    with Store(path) as store:
        return contents(store)


def test_a_backup_is_the_whole_store_with_its_pictures(store, tmp_path):
    (store.pictures / "preregistration.json").write_text("{}")
    kept = backup(store.path, tmp_path / "backup")
    assert kept.path == tmp_path / "backup" / "tiny.sqlite"
    assert kept.rows == {table: len(rows(store, table)) for table in TABLES}
    assert kept.rows["choices"] == 11
    assert (kept.pictures, kept.faults, kept.kept_before) == (46, (), None)
    names = sorted(path.name for path in store.pictures.iterdir())
    assert sorted(path.name for path in (tmp_path / "backup" / "tiny").iterdir()) == names
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == ["tiny", "tiny.sqlite"]
    assert contents_of(kept.path) == contents(store)


def test_a_backup_again_brings_it_up_to_date(store, tmp_path):
    backup(store.path, tmp_path / "backup")
    participant(store)
    kept = backup(store.path, tmp_path / "backup")
    assert kept.kept_before is None and kept.rows["choices"] == 19
    assert contents_of(kept.path) == contents(store)


def test_a_backup_holds_what_is_committed_while_people_answer(store, tmp_path):
    over, saved = threading.Event(), []

    def answer_on():
        while not over.is_set():
            participant(store)
            saved.append(len(rows(store, "choices")))

    thread = threading.Thread(target=answer_on)
    thread.start()
    try:
        for _ in range(5):
            known = len(rows(store, "choices"))
            kept = backup(store.path, tmp_path / "backup")
            assert known <= kept.rows["choices"] <= len(rows(store, "choices"))
    finally:
        over.set()
        thread.join()
    assert saved


def test_a_backup_that_holds_more_is_kept(store, tmp_path):
    """The app was started anew from an older snapshot, and people answered since."""
    old = backup(store.path, tmp_path / "old").path
    participant(store, PROLIFIC_PID="p9")
    more = contents(store)
    backup(store.path, tmp_path / "backup")
    store.close()
    restore(old, store.path)
    kept = backup(store.path, tmp_path / "backup")
    assert contents_of(kept.kept_before) == more
    assert kept.rows["choices"] == 11


def test_who_is_forgotten_does_not_stay_in_a_backup_beside(store, tmp_path):
    backup(store.path, tmp_path / "backup")
    forget(store, 1)
    kept = backup(store.path, tmp_path / "backup")
    assert kept.kept_before is None and kept.rows["choices"] == 3


def test_another_stores_backup_is_not_replaced(store, tmp_path):
    backup(store.path, tmp_path / "backup")
    build(tmp_path / "new").close()
    with pytest.raises(TuringError, match="another store's backup; take another folder"):
        backup(tmp_path / "new" / "tiny.sqlite", tmp_path / "backup")
    assert contents_of(tmp_path / "backup" / "tiny.sqlite") == contents(store)
    assert not list((tmp_path / "backup").glob(".*"))


def test_the_own_folder_is_no_backup(store):
    with pytest.raises(TuringError, match="another folder than the store's own"):
        backup(store.path, store.path.parent / ".")


def test_pictures_that_are_lost_are_said_and_the_answers_kept(store, tmp_path):
    first, second = sorted(store.pictures.glob("*.png"))[:2]
    first.unlink()
    second.write_bytes(b"other")
    kept = backup(store.path, tmp_path / "backup")
    assert kept.pictures == 44 and kept.rows["choices"] == 11
    assert [fault.split(": ")[0] for fault in kept.faults] == [str(first), str(second)]


def test_a_picture_that_was_damaged_in_the_backup_is_mended(store, tmp_path):
    backup(store.path, tmp_path / "backup")
    damaged = min((tmp_path / "backup" / "tiny").glob("*.png"))
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    assert backup(store.path, tmp_path / "backup").faults == ()
    assert damaged.read_bytes() == (store.pictures / damaged.name).read_bytes()


@pytest.mark.parametrize("call", [backup, restore])
def test_what_is_no_store_is_said(tmp_path, call):
    (tmp_path / "notes.sqlite").write_bytes(b"no database" * 100)
    (tmp_path / "empty.sqlite").touch()
    for name, words in [
        ("nothing.sqlite", "found none"),
        ("notes.sqlite", "another kind of file"),
        ("empty.sqlite", "an empty file"),
    ]:
        with pytest.raises(TuringError, match=words):
            call(tmp_path / name, tmp_path / "there" / "tiny.sqlite")
    assert not (tmp_path / "there" / "tiny.sqlite").is_file()


def test_a_restore_brings_back_what_was_and_keeps_what_is(store, tmp_path):
    before = contents(store)
    copy = backup(store.path, tmp_path / "backup").path
    participant(store, 5)
    after = contents(store)
    lost = min(store.pictures.glob("*.png"))
    lost.unlink()
    store.close()
    kept = restore(copy, store.path)
    assert contents_of(store.path) == before
    assert contents_of(kept.kept_before) == after
    assert lost.is_file()
    assert kept.rows["choices"] == 11
    assert not list(store.path.parent.glob("tiny.sqlite-*"))


def test_a_restore_to_a_fresh_machine(store, tmp_path):
    copy = backup(store.path, tmp_path / "backup").path
    kept = restore(copy, tmp_path / "elsewhere" / "tiny.sqlite")
    assert kept.kept_before is None
    with Store(kept.path) as there:
        assert contents(there) == contents(store)
        participant(there)  # and it goes on
        names = sorted(path.name for path in there.pictures.iterdir())
    assert names == sorted(path.name for path in store.pictures.iterdir())


def test_a_restore_ignores_the_log_of_a_file_that_is_gone(store, tmp_path):
    copy = backup(store.path, tmp_path / "backup").path
    before = contents(store)
    participant(store)
    log = store.path.with_name("tiny.sqlite-wal").read_bytes()
    store.close()
    store.path.unlink()
    store.path.with_name("tiny.sqlite-wal").write_bytes(log)
    restore(copy, store.path)
    assert contents_of(store.path) == before


def test_a_store_in_use_is_not_replaced(store, tmp_path):
    copy = backup(store.path, tmp_path / "backup").path
    participant(store)
    before = contents(store)
    with pytest.raises(TuringError, match="in use; stop the app first"):
        restore(copy, store.path)
    assert contents(store) == before
    participant(store)  # nor disturbed


def test_a_damaged_backup_is_refused(store, tmp_path):
    copy = backup(store.path, tmp_path / "backup").path
    before = contents(store)
    store.close()
    whole = copy.read_bytes()
    for start in (4096, len(whole) // 2, len(whole) - 4096):
        copy.write_bytes(whole[:start] + b"\xaa" * 4096 + whole[start + 4096 :])
        with pytest.raises(TuringError, match="damaged"):
            restore(copy, store.path)
    copy.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TuringError, match="damaged"):
        restore(copy, store.path)
    assert contents_of(store.path) == before
    assert len(list(store.path.parent.glob("*.sqlite"))) == 1


def test_a_backup_with_rows_that_lost_each_other_is_refused(store, tmp_path):
    copy = backup(store.path, tmp_path / "backup").path
    connection = sqlite3.connect(copy)
    connection.execute("DROP TRIGGER trials_never_deleted")
    connection.execute("DELETE FROM trials WHERE id = 1")
    connection.commit()
    connection.close()
    store.close()
    with pytest.raises(TuringError, match="rows of choices without their trials"):
        restore(copy, store.path)


def test_a_backup_without_its_pictures_is_refused(store, tmp_path):
    copy = backup(store.path, tmp_path / "backup").path
    store.close()
    for folder in (copy.with_suffix(""), store.pictures):
        min(folder.glob("*.png")).unlink()
    with pytest.raises(TuringError, match="expected the picture as it was built"):
        restore(copy, store.path)


def test_another_studys_backup_is_refused(store, tmp_path):
    with built(tmp_path / "other", name="other") as other:
        copy = backup(other.path, tmp_path / "backup").path
    store.close()
    with pytest.raises(TuringError, match="store of other, found that of another study"):
        restore(copy, store.path)


def test_an_older_backup_is_brought_up(store, tmp_path, monkeypatch):
    copy = backup(store.path, tmp_path / "backup").path
    store.close()
    monkeypatch.setattr(
        database,
        "MIGRATIONS",
        [*database.MIGRATIONS, lambda db: db.execute("ALTER TABLE photos ADD COLUMN licence TEXT")],
    )
    restore(copy, store.path)
    with Store(store.path) as there:
        assert rows(there, "photos")[0]["licence"] is None


def test_tokens_of_after_the_backup_are_unknown(store, tmp_path):
    copy = backup(store.path, tmp_path / "backup").path
    old, _ = Sessions(store).start(None, {}, {"colour_vision": "no"}, None)
    store.close()
    restore(copy, store.path)
    with Store(store.path) as there, pytest.raises(people.RefusedError) as refused:
        Sessions(there).state(old)
    assert refused.value.status == 401
