"""Two stores into one: nothing doubled, nothing lost, nobody back who was forgotten."""

import hashlib

import pytest

from tests.turing.support.answering import participant
from tests.turing.support.studies import build, built, rows
from turing.errors import TuringError
from turing.store.records import SIMULATED, choice_rows, participant_rows
from turing.store.sessions import Sessions
from turing.store.store import Store, note
from turing.store.upkeep.copies import backup
from turing.store.upkeep.forgetting import forget
from turing.store.upkeep.merging import join, merge


@pytest.fixture
def parts(tmp_path):
    """Two parts of one study, with three and two people."""
    stores = []
    for part, ids in ((1, "abc"), (2, "de")):
        store = build(tmp_path / f"part{part}", part=part)
        store.open_study()
        for number, name in enumerate(ids):
            participant(store, seed=number, hints=f"hint {name}", PROLIFIC_PID=name)
        stores.append(store)
    yield stores
    for store in stores:
        store.close()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def told(store, **which):
    """What participants did, without the numbers that a merge gives anew."""
    people = {
        row["participant"]: (row["query"].get("PROLIFIC_PID"), row["answers"], row["part"])
        for row in participant_rows(store, **which)
    }
    return sorted(
        (str(people[row.pop("participant")]), str(sorted(row.items(), key=str)))
        for row in choice_rows(store, **which)
    )


def test_what_is_not_two_stores_of_one_kind_is_refused(parts, tmp_path):
    first, second = (store.path for store in parts)
    with pytest.raises(TuringError, match="found the same file twice"):
        merge(first, first, tmp_path / "both.sqlite")
    with parts[1].writing() as db:
        note(db, None, SIMULATED)
    for pair in ((first, second), (second, first)):
        with pytest.raises(TuringError, match=r"part2.*: has made-up participants"):
            merge(*pair, tmp_path / "both.sqlite")
    assert not list(tmp_path.glob("*both*"))


def test_two_parts(parts, tmp_path):
    for store in parts:
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = [digest(store.path) for store in parts]
    merged = merge(parts[0].path, parts[1].path, tmp_path / "out" / "both.sqlite")
    assert [digest(store.path) for store in parts] == before
    assert (merged.participants, merged.choices, merged.notes) == (2, 16, ())
    with Store(merged.path) as both:
        assert told(both) == sorted(told(parts[0]) + told(parts[1]))
        assert [row["id"] for row in rows(both, "participants")] == [1, 2, 3, 4, 5]
        assert [row["part"] for row in rows(both, "participants")] == [1, 1, 1, 2, 2]
        assert len(rows(both, "study")) == 1 and len(rows(both, "stimuli")) == 46
        assert both.facts().state == "closed" and both.facts().name == "tiny"
        assert len(list(both.pictures.glob("*.png"))) == 46
        whats = [row["what"] for row in rows(both, "events")]
        assert whats.count("open") >= 1 and whats[-1] == "merged"
        with both.reading() as db:
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["both", "both.sqlite"]


def test_pictures_and_files_beside_them_come_along(parts, tmp_path):
    for store, text in zip(parts, ("first", "second"), strict=True):
        (store.pictures / "preregistration-1.json").write_text(text)
    lost, both = sorted(parts[0].pictures.glob("*.png"))[:2]
    lost.unlink()
    for store in parts:
        (store.pictures / both.name).write_bytes(b"altered")
    merged = merge(parts[0].path, parts[1].path, tmp_path / "both.sqlite")
    folder = tmp_path / "both"
    assert (folder / "preregistration-1.json").read_text() == "first"
    assert (folder / lost.name).read_bytes() == (parts[1].pictures / lost.name).read_bytes()
    assert not (folder / both.name).exists()
    assert merged.notes == (f"{both}: expected the picture as it was built",)


def test_merging_again_doubles_nothing(parts, tmp_path):
    first = merge(parts[0].path, parts[1].path, tmp_path / "one.sqlite")
    again = merge(first.path, parts[1].path, tmp_path / "two.sqlite")
    third = merge(parts[0].path, again.path, tmp_path / "three.sqlite")
    assert (again.participants, again.choices) == (0, 0)
    with Store(first.path) as one, Store(again.path) as two, Store(third.path) as three:
        assert told(one) == told(two) == told(three)


def test_an_older_copy_adds_what_is_missing_on_either_side(parts, tmp_path):
    store = parts[0]
    token = participant(store, 3, PROLIFIC_PID="x")
    copy = backup(store.path, tmp_path / "backup").path
    sessions = Sessions(store)
    state = sessions.state(token)
    while state.trial:
        state = sessions.answer(token, state.trial.trial, 1, 1).state
    sessions.finish(token, {})
    participant(store, PROLIFIC_PID="y")
    for number, (first, second) in enumerate([(copy, store.path), (store.path, copy)]):
        merged = merge(first, second, tmp_path / f"{number}.sqlite")
        assert merged.choices == (13 if first == copy else 0)
        with Store(merged.path) as both:
            assert told(both) == told(store)
            assert len(rows(both, "answers")) == len(rows(store, "answers"))


def test_who_is_forgotten_in_one_is_forgotten(parts, tmp_path):
    copy = backup(parts[0].path, tmp_path / "backup").path
    forget(parts[0], 2)
    forget(parts[1], 1)
    left = sorted(told(parts[0]) + told(parts[1]))
    one = merge(copy, parts[0].path, tmp_path / "one.sqlite")
    two = merge(one.path, parts[1].path, tmp_path / "two.sqlite")
    with Store(two.path) as both:
        assert told(both) == left
        forgotten = {row["uid"] for row in rows(both, "forgotten")}
        present = {row["uid"] for row in rows(both, "participants")}
        assert len(forgotten) == 2 and not forgotten & present
        numbers = [row["participant"] for row in rows(both, "forgotten")]
        assert not {*numbers} & {row["id"] for row in rows(both, "participants")}
    again = merge(two.path, copy, tmp_path / "three.sqlite")
    with Store(again.path) as both:
        assert told(both) == left


def test_who_left_in_one_has_left(parts, tmp_path):
    token = participant(parts[0], 3, PROLIFIC_PID="x")
    copy = backup(parts[0].path, tmp_path / "backup").path
    Sessions(parts[0]).leave(token)
    merged = merge(copy, parts[0].path, tmp_path / "one.sqlite")
    with Store(merged.path) as both:
        assert rows(both, "participants")[-1]["withdrawn"]


def test_who_left_and_was_deleted_in_one_cannot_start_in_the_other(tmp_path):
    with built(tmp_path / "a", asks='on_leave = "delete"') as store:
        store.open_study()
        token = participant(store, 3, PROLIFIC_PID="x")
        copy = backup(store.path, tmp_path / "backup").path
        Sessions(store).leave(token)
        with Store(copy) as other:
            assert join(other, store.path, "a test").participants == 0
            assert rows(other, "choices") == []
            marks = [one.connection.execute("SELECT * FROM took_part") for one in (other, store)]
            assert marks[0].fetchall() == marks[1].fetchall() != []


def test_an_id_in_both_is_reported_and_kept(parts, tmp_path):
    participant(parts[1], PROLIFIC_PID=" a ")
    merged = merge(parts[0].path, parts[1].path, tmp_path / "both.sqlite")
    assert merged.notes == ("PROLIFIC_PID 'a' took part more than once: participants 1, 6",)
    assert merged.participants == 3
    with Store(merged.path) as both:
        (event,) = [row for row in rows(both, "events") if row["what"] == "same ID"]
        assert event["detail"] == "participants 1, 6"


def test_two_apps_that_were_the_same_part_are_said(parts, tmp_path):
    with build(tmp_path / "again") as other:
        other.open_study()
        participant(other)
        merged = merge(parts[0].path, other.path, tmp_path / "both.sqlite")
    assert merged.participants == 1 and "both are part 1" in merged.notes[0]


def test_answers_that_differ_are_said_and_the_first_stands(parts, tmp_path):
    """A trial was answered again after an older snapshot had been restored."""
    token = participant(parts[0], 3, PROLIFIC_PID="x")
    copy = backup(parts[0].path, tmp_path / "backup").path
    state = Sessions(parts[0]).state(token)
    Sessions(parts[0]).answer(token, state.trial.trial, 0, 1)
    with Store(copy) as other:
        Sessions(other).answer(token, state.trial.trial, 1, 1)
    merged = merge(parts[0].path, copy, tmp_path / "both.sqlite")
    assert merged.notes == (
        f"1 trial was answered in both files, differently; {parts[0].path}'s answer stands",
    )
    with Store(merged.path) as both:
        assert told(both) == told(parts[0])


def test_versions_are_kept_apart(parts, tmp_path):
    build(tmp_path / "part2", part=2, per_participant=4).close()
    participant(parts[1], PROLIFIC_PID="z")
    merged = merge(parts[0].path, parts[1].path, tmp_path / "both.sqlite")
    assert "1 other version(s) of the study" in merged.notes[0]
    with Store(merged.path) as both:
        assert [row["version"] for row in rows(both, "participants")] == [1, 1, 1, 1, 1, 2]
        assert told(both) == sorted(told(parts[0]) + told(parts[1]))
        assert len(choice_rows(both, version=2)) == 6


def test_other_studies_are_refused(parts, tmp_path):
    out = tmp_path / "out" / "both.sqlite"
    with (
        built(tmp_path / "other", name="other") as other,
        pytest.raises(TuringError, match="expected a store of tiny"),
    ):
        merge(parts[0].path, other.path, out)
    with (
        built(tmp_path / "changed", per_participant=4) as changed,
        pytest.raises(TuringError, match="no version of the study in common"),
    ):
        merge(parts[0].path, changed.path, out)
    with pytest.raises(TuringError, match="found none"):
        merge(parts[0].path, tmp_path / "nothing.sqlite", out)
    assert not out.parent.exists()


def test_nothing_is_overwritten(parts, tmp_path):
    with pytest.raises(TuringError, match="is there already"):
        merge(parts[0].path, parts[1].path, parts[0].path)
    with pytest.raises(TuringError, match=r"ends in \.sqlite"):
        merge(parts[0].path, parts[1].path, tmp_path / "both")
