"""The store: what build writes, versions, states, and that nothing shown or said can change."""

import sqlite3

import pytest

from tests.turing.support.studies import add, build, built, rows, sha, study_text
from turing.errors import TuringError
from turing.store import database
from turing.store.store import PhotoFacts, StimulusFacts, Store, create_store
from turing.study.study import parse_study
from turing.study.trials import WILD, Placed, participant_trials


@pytest.fixture
def store(tmp_path):
    with built(tmp_path) as store:
        yield store


def version(store, number):
    with store.reading() as db:
        return store.version(db, number)


def test_building_again_changes_nothing(store, tmp_path):
    tables = ("study", "store", "photos", "stimuli", "study_stimuli")
    before = [rows(store, table) for table in tables]
    with build(tmp_path) as again:
        assert [rows(again, table) for table in tables] == before


def test_a_changed_study_is_another_version_and_the_first_stays(store, tmp_path):
    before = rows(store, "study")
    build(tmp_path, per_participant=4).close()
    study = rows(store, "study")
    assert study[0] == before[0] and len(study) == 2
    assert store.facts().version == 2
    assert version(store, 1).study.trials.per_participant == 6
    assert version(store, 2).study.trials.per_participant == 4
    build(tmp_path).close()
    assert store.facts().version == 1  # the file is as it was


def test_comments_make_no_version(store):
    first = version(store, 1)
    study = parse_study("# a comment\n" + study_text())
    ids = [stimulus for stimulus, _ in first.stimuli.values()]
    assert store.freeze(study, first.design, ids, "0.2.0") == 1


def test_a_changed_model_is_another_stimulus_and_version(store, tmp_path):
    shown = rows(store, "stimuli")
    build(tmp_path, checkpoints="2").close()
    stimuli = rows(store, "stimuli")
    assert stimuli[: len(shown)] == shown
    assert len(stimuli) == 2 * len(shown) - 2  # the catch photo's two do not depend on it
    assert store.facts().version == 2
    first, second = version(store, 1).stimuli, version(store, 2).stimuli
    same = {key for key in first if first[key] == second[key]}
    assert {parts for _, parts in same} == {(None, WILD), (WILD, None)}


def test_a_version_comes_back_as_it_was_frozen(store, tmp_path):
    fresh = version(store, 1)
    with Store(store.path) as other:
        found = version(other, 1)
    assert found.design == fresh.design
    assert found.study.sha256 == fresh.study.sha256
    assert list(found.design.photos) == ["hills", "apples"]  # as in the study: the draw follows it
    key = store.facts().trial_key
    assert participant_trials(found.design, key, 3) == participant_trials(fresh.design, key, 3)


def test_a_version_has_every_stimulus_once(store):
    first = version(store, 1)
    ids = [stimulus for stimulus, _ in first.stimuli.values()]
    study = parse_study(study_text(break_every=0))
    with pytest.raises(ValueError, match="one for each"):
        store.freeze(study, first.design, ids[:-1], "0.1.0")
    with pytest.raises(ValueError, match="one for each"):
        store.freeze(study, first.design, [*ids, add(store, *next(iter(first.stimuli)), "2")], "1")
    assert len(rows(store, "study")) == 1


def test_what_was_shown_is_never_altered(store):
    place = Placed("hills", sha(b"hills0"))
    facts = StimulusFacts(place.photo, place.dataset, (None, "plain"), (None, sha("plain1")), {})
    number = store.add_stimulus(facts, "a" * 64)
    assert store.add_stimulus(facts, "a" * 64) == number
    assert store.find_stimulus(facts.sha256) == (number, "a" * 64)
    with pytest.raises(TuringError, match="another; restore it"):
        store.add_stimulus(facts, "b" * 64)
    assert store.find_stimulus("c" * 64) is None


@pytest.mark.parametrize(
    "change",
    [
        {"photo_sha256": sha("x")},
        {"dataset": "x"},
        {"parts": ("plain", None)},
        {"hashes": (None, sha("x"))},
        {"settings": {"size": 64}},
    ],
)
def test_a_stimulus_is_named_by_all_that_made_it(change):
    made = {
        "photo_sha256": sha("p"),
        "dataset": "d",
        "parts": (None, "plain"),
        "hashes": (None, sha("w")),
        "settings": {"size": 32},
    }
    assert StimulusFacts(**made).sha256 == StimulusFacts(**made).sha256
    assert StimulusFacts(**made | change).sha256 != StimulusFacts(**made).sha256


def test_a_photo_is_added_once_in_each_dataset(store):
    photo = PhotoFacts(sha("p"), "hills", "p.jpg", 10, 10, "0", 9.0)
    assert store.add_photo(photo) == store.add_photo(photo)
    other = PhotoFacts(sha("p"), "apples", "p.jpg", 10, 10, "0", 9.0)
    assert store.add_photo(other) != store.add_photo(photo)


def test_keys_are_random_and_kept(tmp_path):
    keys = []
    for place in ("a", "b", "a"):
        with create_store(tmp_path / place, "x") as store:
            keys.append(store.facts()[4:6])
    assert keys[0] == keys[2] != keys[1]
    assert len(keys[0][0]) == 32 and len(keys[0][1]) == 22


def test_a_store_keeps_its_part(tmp_path):
    create_store(tmp_path, "x", part=2).close()
    with pytest.raises(TuringError, match="part 2 of the study; part 1 needs another folder"):
        create_store(tmp_path, "x")
    with pytest.raises(TuringError, match="expected 1 or more, found 0"):
        create_store(tmp_path, "y", part=0)


def test_a_store_is_of_one_study(tmp_path):
    create_store(tmp_path, "x").close()
    (tmp_path / "x.sqlite").rename(tmp_path / "y.sqlite")
    with pytest.raises(TuringError, match="store of y, found that of x"):
        create_store(tmp_path, "y")


def test_open_and_close(store):
    with pytest.raises(TuringError, match="never opened"):
        store.close_study()
    store.open_study()
    store.open_study()
    assert store.facts().state == "open"
    store.close_study()
    assert store.facts().state == "closed"
    store.open_study()
    assert [event["what"] for event in rows(store, "events")] == ["open", "closed", "open"]


def test_what_is_not_built_cannot_be_opened(tmp_path):
    with create_store(tmp_path, "x") as store, pytest.raises(TuringError, match="that is built"):
        store.open_study()
    with pytest.raises(TuringError, match="found none; build it first"):
        Store(tmp_path / "z.sqlite")
    assert not (tmp_path / "z.sqlite").exists()


# Append-only


@pytest.fixture
def answered(store):
    """One participant with a trial, a choice, an answer and an event, written by hand."""
    with store.writing() as db:
        db.execute(
            "INSERT INTO participants (id, uid, version, part, preview, number, token_hash, query, "
            "consented) VALUES (1, 'u', 1, 1, 0, 1, x'00', '{}', 0)"
        )
        stimulus, photo = db.execute("SELECT id, photo FROM stimuli").fetchone()
        db.execute(
            "INSERT INTO trials (id, participant, position, stimulus, photo, kind, practice, catch,"
            " model, picture) VALUES (1, 1, 0, ?, ?, 'single', 0, 0, 'plain', 'aa')",
            (stimulus, photo),
        )
        db.execute("INSERT INTO choices (trial, choice, rt_ms, received) VALUES (1, 0, 1.0, 0)")
        db.execute("INSERT INTO answers VALUES (1, 'q', 'yes', 0)")
        db.execute("INSERT INTO events VALUES (1, 1, 0, 'resumed', '')")
        db.execute("INSERT INTO forgotten VALUES (9, 'v', 1, 1, 0, 9, 0)")
    return store


FROZEN = [
    *("study", "photos", "stimuli", "study_stimuli", "store", "participants"),
    *("trials", "choices", "answers", "events", "forgotten"),
]


@pytest.fixture(params=["ours", "another program's"])
def connection(request, answered):
    """A connection of ours, and one with SQLite's own settings."""
    connection = (
        database.connect(answered.path)
        if request.param == "ours"
        else sqlite3.connect(answered.path, isolation_level=None)
    )
    yield connection
    connection.close()


@pytest.mark.parametrize("table", FROZEN)
def test_no_row_is_changed_deleted_or_replaced(connection, answered, table):
    before = rows(answered, table)
    assert before
    columns = ", ".join(before[0])
    first = next(iter(before[0]))
    for attempt in (
        f"UPDATE {table} SET {first} = {first}",
        f"UPDATE OR REPLACE {table} SET {first} = {first}",
        f"DELETE FROM {table}",
        f"INSERT INTO {table} SELECT * FROM {table} WHERE true",
        f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table}",
        f"INSERT OR IGNORE INTO {table} ({columns}) SELECT {columns} FROM {table}",
        f"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO UPDATE SET "
        f"{first} = {first}",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(attempt)
    assert rows(answered, table) == before


@pytest.mark.parametrize(
    ("table", "replaced"),
    [
        ("trials", "2, 1, 0, stimulus, 2, kind, practice, catch, model, 'bb'"),  # position
        ("trials", "2, 1, 1, stimulus, photo, kind, practice, catch, model, 'bb'"),  # photo
        ("trials", "2, 1, 1, stimulus, 2, kind, practice, catch, model, picture"),  # picture
        ("participants", "2, uid, 1, 1, 0, 2, x'01', '{}', NULL, 0, NULL, NULL"),
        ("participants", "2, 'w', 1, 1, 0, 2, token_hash, '{}', NULL, 0, NULL, NULL"),
        ("stimuli", "999, sha256, photo, parts, left, right, NULL, NULL, settings, png_sha256"),
        ("photos", "999, sha256, dataset, 'other', 1, 1, phash, 1.0"),
    ],
)
def test_nothing_slips_in_by_another_key(connection, answered, table, replaced):
    before = rows(answered, table)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(f"INSERT OR REPLACE INTO {table} SELECT {replaced} FROM {table} LIMIT 1")
    assert rows(answered, table) == before


def test_ends_stand_once_they_are_there(connection):
    connection.execute("UPDATE participants SET finished = 5, withdrawn = 6")
    for attempt in ("finished = 7", "withdrawn = NULL", "number = 2", "query = '{\"a\": 1}'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(f"UPDATE participants SET {attempt}")


def test_only_the_listed_can_be_deleted(connection, answered):
    connection.execute("INSERT INTO forgotten VALUES (1, 'u', 1, 1, 0, 1, 0)")
    for table in ("choices", "answers", "events", "trials", "participants"):
        connection.execute(f"DELETE FROM {table}")
        assert rows(answered, table) == []


@pytest.mark.parametrize(
    "row", ["(2, 2, 1.0, NULL, 0)", "(2, 0, -1.0, NULL, 0)", "(2, 0, 1, -1, 0)"]
)
def test_choices_out_of_range_are_refused(connection, row):
    with pytest.raises(sqlite3.IntegrityError, match="out of range"):
        connection.execute(f"INSERT INTO choices VALUES {row}")


def test_tables_keep_their_types(connection):
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        connection.execute("INSERT INTO choices VALUES (2, 0, 'fast', NULL, 0)")


def test_choices_belong_to_trials(answered):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"), answered.writing() as db:
        db.execute("INSERT INTO choices VALUES (2, 0, 1.0, NULL, 0)")


# Transactions
