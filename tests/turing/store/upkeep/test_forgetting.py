"""Who is forgotten: nothing of them stays, and nobody gets their place."""

import pytest

from tests.turing.support.sitting import start, walk
from tests.turing.support.studies import rows
from turing.errors import TuringError
from turing.store.upkeep.forgetting import forget


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
    assert forget(store, 1) == {
        "views": 8,
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
    forget(store, 2)
    start(sessions)
    found = [(row["id"], row["number"]) for row in rows(store, "participants")]
    assert found == [(1, 1), (3, 3)]


def test_forget_says_what_is_wrong(sessions, store):
    start(sessions)
    with pytest.raises(TuringError, match="participant 9 was never there"):
        forget(store, 9)
    forget(store, 1)
    with pytest.raises(TuringError, match="participant 1 was forgotten before"):
        forget(store, 1)
