"""Participants who are released and who are forgotten."""

import pytest

from tests.turing.support.sitting import answer, refusal, start, walk
from tests.turing.support.studies import BEFORE, rows
from turing.errors import TuringError
from turing.store import people


def test_who_is_released_goes_on_under_another_token(sessions, store):
    token, state = start(sessions, PROLIFIC_PID="p1")
    state = answer(sessions, token, state).state
    assert people.release(store, "p1") == 1
    assert refusal(sessions.state, token) == (401, "token")
    store.close_study()  # who has started may finish
    other, theirs = start(sessions, PROLIFIC_PID="p1")
    assert other != token and theirs == state
    assert refusal(start, sessions, PROLIFIC_PID="p1") == (409, "already")  # once
    assert len(rows(store, "participants")) == 1
    whats = [row["what"] for row in rows(store, "events") if row["participant"] == 1]
    assert whats == ["released", "returned"]


def test_release_says_what_is_wrong(sessions, store):
    with pytest.raises(TuringError, match="no participant has PROLIFIC_PID 'p1'"):
        people.release(store, "p1")
    token, _ = start(sessions, PROLIFIC_PID="p1")
    sessions.leave(token)
    with pytest.raises(TuringError, match="participant 1 has left the study"):
        people.release(store, "p1")


def test_what_is_forgotten_is_gone(sessions, store):
    secret = "nobody-else-writes-this"
    for pid in ("p1", "p2"):
        token, state = start(sessions, PROLIFIC_PID=f"{secret}-{pid}")
        walk(sessions, token, state)
        sessions.finish(token, {"hints": f"{secret} {pid}"})
        sessions.note(token, "resumed")
    kept = {
        table: [row for row in rows(store, table) if row.get("participant", row["id"]) == 2]
        for table in ("participants", "trials", "events")
    }
    assert people.forget(store, 1) == {
        "choices": 8,
        "trials": 8,
        "answers": 2,
        "events": 1,
        "participants": 1,
    }
    for table, there in kept.items():
        found = rows(store, table)
        assert [row for row in found if row.get("participant", row["id"]) is not None] == there
    assert len(rows(store, "choices")) == 8
    files = b"".join(path.read_bytes() for path in store.path.parent.glob("tiny.sqlite*"))
    assert f"{secret}-p2".encode() in files
    assert f"{secret}-p1".encode() not in files and f"{secret} p1".encode() not in files
    assert rows(store, "events")[-1]["detail"] == "participant 1"


def test_a_forgotten_number_is_not_given_again(sessions, store):
    for _ in range(2):
        start(sessions)
    people.forget(store, 2)
    start(sessions)
    found = [(row["id"], row["number"]) for row in rows(store, "participants")]
    assert found == [(1, 1), (3, 3)]


def test_forget_says_what_is_wrong(sessions, store):
    start(sessions)
    with pytest.raises(TuringError, match="participant 9 was never there"):
        people.forget(store, 9)
    people.forget(store, 1)
    with pytest.raises(TuringError, match="participant 1 was forgotten before"):
        people.forget(store, 1)


def test_an_id_in_the_link_wins_over_the_token(sessions, store):
    token, state = start(sessions, PROLIFIC_PID="p1")
    state = answer(sessions, token, state).state
    other, theirs = start(sessions, token, PROLIFIC_PID="p2")
    assert other != token and people.is_token(other)
    assert theirs.position == 1 and theirs.trial != state.trial
    assert sessions.state(token) == state  # who was there before stands where they stopped
    assert [row["query"] for row in rows(store, "participants")] == [
        '{"PROLIFIC_PID": "p1"}',
        '{"PROLIFIC_PID": "p2"}',
    ]
    for query in ({"PROLIFIC_PID": "p1"}, {"PROLIFIC_PID": " p1 "}, {}):
        assert start(sessions, token, **query) == (token, state)
    assert refusal(start, sessions, token, PROLIFIC_PID="p2") == (409, "already")
    people.release(store, "p2")
    again, _ = start(sessions, token, PROLIFIC_PID="p2")
    assert again not in (token, other) and sessions.state(again) == theirs
    assert len(rows(store, "participants")) == 2


@pytest.mark.parametrize(
    "foreign", [{"fbclid": "a" * 900}, {"token": "\x00"}, {"n" * 300: "1"}, {"x": ["y"], "": None}]
)
def test_what_a_study_does_not_ask_of_a_link_is_ignored(sessions, store, foreign):
    sessions.start(None, {"PROLIFIC_PID": "p1"} | foreign, BEFORE, None)
    assert rows(store, "participants")[0]["query"] == '{"PROLIFIC_PID": "p1"}'
