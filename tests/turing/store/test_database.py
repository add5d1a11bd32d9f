"""Files: settings of every connection, versions and migrations, copies, errors."""

import sqlite3
import threading
from pathlib import Path

import pytest

from tests.turing.support.answering import participant
from tests.turing.support.studies import built, rows
from turing.errors import TuringError
from turing.store import database
from turing.store.records import choice_rows
from turing.store.schema import MIGRATIONS
from turing.store.sessions import Sessions
from turing.store.store import Store


@pytest.fixture
def path(tmp_path):
    built(tmp_path).close()
    return tmp_path / "tiny.sqlite"


def pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_every_connection_has_the_settings(path):
    connection = database.connect(path)
    settings = {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "recursive_triggers": 1,
        "secure_delete": 1,
    }
    assert {name: pragma(connection, name) for name in settings} == settings
    connection.close()


def test_every_table_is_strict(path):
    connection = database.connect(path)
    tables = connection.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name != "
        "'sqlite_schema'"
    ).fetchall()
    connection.close()
    assert len(tables) == 18
    assert all(strict for _, strict in tables)


def test_a_file_is_for_its_owner_alone(path):
    assert path.stat().st_mode & 0o077 == 0


def test_a_newer_file_is_refused_and_left_alone(path):
    connection = database.connect(path)
    connection.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(TuringError, match="newer version of this program"):
        database.migrate(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"a note"])
def test_another_kind_of_file_is_refused(tmp_path, content):
    path = tmp_path / "x.sqlite"
    path.write_bytes(content)
    with pytest.raises(TuringError, match="another kind of file"), database.explained(path):
        database.migrate(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path):
    path = tmp_path / "x.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (a)")
    connection.close()
    with pytest.raises(TuringError, match="another SQLite file"):
        database.migrate(path)


def add_column(db):
    db.execute("ALTER TABLE photos ADD COLUMN licence TEXT")


def test_an_older_file_is_brought_up_after_a_backup(path):
    photos = rows_of(path, "photos")
    backup = database.migrate(path, [*MIGRATIONS, add_column])
    assert rows_of(path, "photos") == [(*row, None) for row in photos]
    assert rows_of(backup, "photos") == photos
    with database.connect(path) as connection:
        assert pragma(connection, "user_version") == len(MIGRATIONS) + 1
    connection.close()
    assert database.migrate(path, [*MIGRATIONS, add_column]) is None


def test_the_backup_of_a_migration_that_was_killed_midway_is_kept(path):
    def is_killed(db):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.migrate(path, [*MIGRATIONS, add_column, is_killed])
    backup = database.migrate(path, [*MIGRATIONS, add_column, lambda db: None])
    with database.connect_read_only(backup) as connection:
        assert pragma(connection, "user_version") == len(MIGRATIONS)
    connection.close()


def test_a_store_without_views_gets_them_and_keeps_its_answers(tmp_path):
    with built(tmp_path) as store:
        store.open_study()
        participant(store, 3)
        before = rows(store, "choices")
        path = store.path
    as_before(path, 1)
    with Store(path) as store:
        assert rows(store, "choices") == before and rows(store, "views") == []
        assert rows(store, "blocked") == []
        assert store.connection.execute("SELECT * FROM took_part").fetchall() == []
        assert (tmp_path / f"tiny.before-{len(MIGRATIONS)}.sqlite").is_file()
        assert [row["frames"] for row in choice_rows(store)] == [None] * 3
        participant(store, 2)
        assert [row["exposure_ms"] for row in rows(store, "views")] == [1000] * 2
        for change in ("UPDATE views SET frames = 1", "DELETE FROM views"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                store.connection.execute(change)


def test_a_store_without_marks_of_who_left_gets_them_and_keeps_its_answers(tmp_path):
    with built(tmp_path, asks='on_leave = "delete"') as store:
        store.open_study()
        token = participant(store, 3, PROLIFIC_PID="p1")
        before, path = rows(store, "choices"), store.path
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE took_part")
    connection.execute("PRAGMA user_version=5")
    connection.close()
    with Store(path) as store:
        assert rows(store, "choices") == before
        Sessions(store).leave(token)
        assert len(store.connection.execute("SELECT * FROM took_part").fetchall()) == 1


def as_before(path, version):
    """Make a store one of the tables' version 1 or 2."""
    connection = sqlite3.connect(path)
    for table in ("views", "exposures", "evidence", "plates", "plate_pictures")[version - 1 :]:
        connection.execute(f"DROP TABLE {table}")
    for table in ("blocked", "took_part"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DROP TRIGGER choices_in_range")
    connection.execute(
        "CREATE TRIGGER choices_in_range BEFORE INSERT ON choices "
        "WHEN NEW.choice NOT IN (0, 1) OR NEW.rt_ms < 0 OR NEW.shown_ms < 0 "
        "BEGIN SELECT RAISE(ABORT, 'choices: out of range'); END"
    )
    connection.execute(f"PRAGMA user_version={version}")
    connection.close()


def test_a_store_without_evidence_gets_it_and_keeps_its_answers(tmp_path):
    with built(tmp_path, protocol="preference", exposure_ms=0) as store:
        store.open_study()
        participant(store, 3)
        before = rows(store, "choices"), rows(store, "views")
        version, path = store.facts().version, store.path
    as_before(path, 2)
    with Store(path) as store:
        assert (rows(store, "choices"), rows(store, "views")) == before
        assert store.facts().version == version
        assert [row["confidence"] for row in choice_rows(store)] == [None] * 3
        participant(store, 2)
        (open_trial,) = store.connection.execute(
            "SELECT max(id) FROM trials WHERE id NOT IN (SELECT trial FROM choices)"
        ).fetchone()
        insert = "INSERT INTO choices (trial, choice, rt_ms, received) VALUES (?, ?, 1, 1)"
        with pytest.raises(sqlite3.IntegrityError, match="out of range"):
            store.connection.execute(insert, (open_trial, 3))
        store.connection.execute(insert, (open_trial, 2))  # of preference, both alike
        store.connection.execute("INSERT INTO evidence VALUES (?, 4, '[]')", (open_trial,))
        for change in ("UPDATE evidence SET confidence = 1", "DELETE FROM evidence"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                store.connection.execute(change)


def test_both_alike_is_no_answer_where_one_is_right(tmp_path):
    with built(tmp_path) as store:
        store.open_study()
        participant(store, 1)
        (open_trial,) = store.connection.execute("SELECT max(id) FROM trials").fetchone()
        with pytest.raises(sqlite3.IntegrityError, match="out of range"):
            store.connection.execute(
                "INSERT INTO choices (trial, choice, rt_ms, received) VALUES (?, 2, 1, 1)",
                (open_trial,),
            )


def test_a_migration_that_fails_leaves_nothing(path):
    def fails(db):
        add_column(db)
        raise RuntimeError("no")

    before = rows_of(path, "sqlite_master")
    with pytest.raises(RuntimeError):
        database.migrate(path, [*MIGRATIONS, fails])
    assert rows_of(path, "sqlite_master") == before


def test_migrations_at_once_happen_once(path):
    faults = []

    def work():
        try:
            database.migrate(path, [*MIGRATIONS, add_column])
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert rows_of(path, "photos")[0][-1] is None


def test_a_copy_is_one_whole_file(path, tmp_path):
    connection = database.connect(path)
    database.copy_database(connection, tmp_path / "copy.sqlite")
    connection.close()
    assert rows_of(tmp_path / "copy.sqlite", "stimuli") == rows_of(path, "stimuli")
    assert not list(tmp_path.glob(".*")) and not list(tmp_path.glob("copy.sqlite-*"))


def rows_of(path: Path, table: str):
    connection = database.connect_read_only(path)
    found = connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
    connection.close()
    return found


def test_a_read_only_connection_changes_nothing(path):
    connection = database.connect_read_only(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM events")
    connection.close()


@pytest.mark.parametrize("name", ["a b", "50%", "a?b=c#d", "ä"])
def test_paths_may_have_any_name(tmp_path, name):
    with built(tmp_path / name) as store:
        assert len(rows(store, "study")) == 1
    assert [p.name for p in tmp_path.iterdir()] == [name]
