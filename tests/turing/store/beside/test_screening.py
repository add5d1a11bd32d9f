"""The colour screening: plates before the trials, answered once, that may end a participation."""

import sqlite3

import pytest

from tests.turing.support.sitting import refusal
from tests.turing.support.studies import BEFORE, built, rows, sha
from turing.analysis.frames import load_data
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.report.exports.choices import table
from turing.report.exports.people import participants
from turing.store.beside import screening
from turing.store.records import read_version
from turing.store.sessions import Sessions
from turing.store.upkeep.copies import backup
from turing.store.upkeep.forgetting import forget
from turing.store.upkeep.merging import merge
from turing.study.screening import ANSWERS, every_plate

RULES = "[screening]\nplates = 6\nmin_correct = 5"


@pytest.fixture
def screened(tmp_path):
    with built(tmp_path / "screened", rest=RULES) as store:
        store.open_study()
        yield Sessions(store)


def begin(sessions):
    return sessions.start(None, {}, BEFORE, None)


def gap_of(sessions, picture):
    return next(row["gap"] for row in rows(sessions.store, "plates") if row["picture"] == picture)


def say(sessions, token, state, wrong=False):
    """Answer the present plate; returns the state after."""
    right = ANSWERS.index(gap_of(sessions, state.trial.trial))
    return sessions.answer(token, state.trial.trial, 4 if wrong else right, 900).state


def test_plates_come_before_the_trials(screened):
    token, state = begin(screened)
    seen = []
    while state.stage == "screening":
        assert (state.position, state.total) == (len(seen) + 1, 6)
        assert (state.trial.kind, state.trial.practice, state.trial.parts) == ("plate", False, 1)
        seen.append(state.trial.trial)
        assert screened.state(token) == state
        following = state.next_picture
        state = say(screened, token, state, wrong=len(seen) == 2)
        assert state.trial.trial == following
    assert (state.stage, state.position, len(set(seen))) == ("practice", 1, 6)
    names = {row["sha256"] for row in rows(screened.store, "plates")}
    assert names <= {plate.sha256 for plate in every_plate()}
    assert rows(screened.store, "choices") == []  # what was said of plates is in the answers
    (person,) = participants(screened.store)
    assert (person["plates_shown"], person["plates_correct"]) == (6, 5)
    missed = rows(screened.store, "plates")[1]["deficiency"]
    assert person["plates_missed"] == missed
    assert person["plates"].split(", ")[1].endswith(":none")
    assert load_data(screened.store).screened[1] == (6, 6, 5, (missed,))
    assert person["answer.colour_vision"] == "no" and "answer.plate 1" not in person
    assert [row["question"] for row in read_version(screened.store).answers] == ["colour_vision"]


def test_a_page_loaded_anew_at_a_plate_shows_no_trial_again(tmp_path):
    now = [1_000]

    def clock():
        now[0] += 10
        return now[0]

    with built(tmp_path, practice=0, rest=RULES) as store:
        store.open_study()
        sessions = Sessions(store, clock)
        token, state = begin(sessions)
        sessions.note(token, "resumed")
        while state.stage == "screening":
            state = say(sessions, token, state)
        assert read_version(store).trials[0]["shown_again"] == 0
        sessions.note(token, "resumed")
        sessions.answer(token, state.trial.trial, 0, 900)
        assert [row["shown_again"] for row in read_version(store).trials[:2]] == [1, 0]


def test_who_finds_too_few_goes_no_further(screened):
    token, state = begin(screened)
    for wrong in (True, False, False, True, False, False):
        last = state.trial.trial
        state = say(screened, token, state, wrong)
    assert state.stage == "screened_out" and state.trial is None
    assert screened.answer(token, last, ANSWERS.index(gap_of(screened, last)), 900).state == state
    events = [row["detail"] for row in rows(screened.store, "events")]
    assert "plates: 4 of 6" in events
    assert refusal(screened.finish, token, {}) == (409, "screened")


def test_without_a_least_number_nobody_is_turned_away(tmp_path):
    with built(tmp_path, rest="[screening]\nplates = 3") as store:
        store.open_study()
        sessions = Sessions(store)
        token, state = begin(sessions)
        for _ in range(3):
            state = say(sessions, token, state, wrong=True)
        assert state.stage == "practice"
        assert participants(store)[0]["plates_correct"] == 0


def test_the_first_answer_stands_and_the_order_is_kept(screened):
    token, state = begin(screened)
    first, second = state.trial.trial, state.next_picture
    assert refusal(screened.answer, token, second, 0, 900) == (404, "unknown")
    trial = rows(screened.store, "trials")[0]["picture"]
    assert refusal(screened.answer, token, trial, 0, 900) == (404, "unknown")
    assert refusal(screened.answer, token, first, 5, 900) == (422, "invalid")
    right = ANSWERS.index(gap_of(screened, first))
    state = screened.answer(token, first, right, 900).state
    assert screened.answer(token, first, right, 900).state == state
    assert refusal(screened.answer, token, first, (right + 1) % 5, 900) == (409, "answered")
    what = [row["what"] for row in rows(screened.store, "events")]
    assert what.count("retried") == what.count("refused") == 1
    assert [row["answer"] for row in rows(screened.store, "answers")][1:] == [ANSWERS[right]]
    other, _ = begin(screened)
    assert refusal(screened.answer, other, second, 0, 900) == (404, "unknown")


def test_a_picture_is_there_for_the_present_and_the_next_plate(screened):
    token, state = begin(screened)
    pictures = [row["picture"] for row in rows(screened.store, "plates")]
    names = [row["sha256"] for row in rows(screened.store, "plates")]
    for known, name in zip(pictures[:2], names, strict=False):
        assert screened.picture(known) == screened.store.picture_path(name)
    assert refusal(screened.picture, pictures[2]) == (404, "unknown")
    say(screened, token, state)
    assert refusal(screened.picture, pictures[0]) == (404, "unknown")
    assert screened.picture(pictures[2]).stem == names[2]
    screened.leave(token)
    assert refusal(screened.picture, pictures[2]) == (404, "unknown")


def test_pictures_of_plates_are_copied_and_checked(screened, tmp_path):
    store, png = screened.store, b"a plate"
    store.picture_path("p" * 64).write_bytes(png)
    screening.add_picture(store, "p" * 64, sha(png))
    kept = backup(store.path, tmp_path / "backup")
    assert kept.faults == ()
    copied = kept.path.with_suffix("") / f"{'p' * 64}.png"
    assert copied.read_bytes() == png
    store.picture_path("p" * 64).write_bytes(b"another")
    copied.unlink()
    assert len(backup(store.path, tmp_path / "backup").faults) == 1


def test_plates_are_append_only_forgotten_and_merged(screened, tmp_path):
    token, state = begin(screened)
    say(screened, token, state)
    store = screened.store
    for change in ("UPDATE plates SET gap = 'up'", "DELETE FROM plates"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            store.connection.execute(change)
    with built(tmp_path / "other", rest=RULES) as other:
        other.open_study()
        png = b"a plate"
        other.picture_path("p" * 64).write_bytes(png)
        screening.add_picture(other, "p" * 64, sha(png))
        begin(Sessions(other))
        both = merge(store.path, other.path, tmp_path / "both" / "tiny.sqlite")
    with type(store)(both.path) as merged:
        assert len(rows(merged, "plates")) == 12
        assert merged.picture_path("p" * 64).read_bytes() == png
        assert screening.find_picture(merged, "p" * 64) == sha(png)
        assert [row["plates_correct"] for row in participants(merged)] == [1, None]
    forget(store, 1)
    assert rows(store, "plates") == rows(store, "answers") == []


def test_made_up_people_are_screened_too(tmp_path):
    with built(tmp_path, rest=RULES) as store:
        simulate(store, Skills(), 4)
        assert {person["plates_shown"] for person in participants(store)} == {6}
        assert len(table(store)) > 10


def test_a_store_of_before_gets_a_place_for_plates(tmp_path):
    with built(tmp_path) as store:
        path = store.path
    connection = sqlite3.connect(path)
    for name in ("plates", "plate_pictures"):
        connection.execute(f"DROP TABLE {name}")
    connection.execute("PRAGMA user_version=3")
    connection.close()
    with type(store)(path) as store:
        assert rows(store, "plates") == []
        store.open_study()
        sessions = Sessions(store)
        assert begin(sessions)[1].stage == "practice"
