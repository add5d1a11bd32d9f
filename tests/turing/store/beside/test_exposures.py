"""How long each trial is shown, as the store keeps it, and what is said beside a choice."""

import json
from collections import Counter
from itertools import pairwise

import pytest

from tests.turing.support.answering import participant
from tests.turing.support.sitting import answer, refusal, start, walk
from tests.turing.support.studies import build, built, rows
from turing.store.beside.exposures import exposure_ms
from turing.store.records import choice_rows
from turing.store.sessions import Sessions
from turing.store.store import Store
from turing.store.upkeep.merging import merge

LEVELS = [100, 250, 500]


def test_levels_are_written_at_the_start_and_shown_in_that_order(tmp_path):
    with built(tmp_path, exposure_ms=str(LEVELS)) as store:
        store.open_study()
        sessions = Sessions(store)
        token, state = start(sessions)
        drawn = [row["exposure_ms"] for row in rows(store, "exposures")]
        assert len(drawn) == 8
        states = walk(sessions, token, state)
        assert [s.trial.exposure_ms for s in states[:-1]] == drawn
        assert [row["exposure_ms"] for row in rows(store, "views")] == drawn
        scored = [row for row in choice_rows(store) if not (row["practice"] or row["catch"])]
        assert Counter(row["exposure_ms"] for row in scored) == dict.fromkeys(LEVELS, 2)
        for model in ("plain", "bright"):
            of = Counter(row["exposure_ms"] for row in scored if row["model"] == model)
            assert of == dict.fromkeys(LEVELS, 1)


def test_one_exposure_is_not_written_for_each(tmp_path):
    with built(tmp_path) as store:
        store.open_study()
        participant(store, 2)
        assert rows(store, "exposures") == []
        assert [row["exposure_ms"] for row in rows(store, "views")] == [1000] * 2


@pytest.fixture
def climbing(tmp_path):
    with built(tmp_path, exposure_ms='"staircase"', per_participant=10, catch=1) as store:
        store.open_study()
        yield store


def right_choices(store):
    """picture: (the right choice, model, practice, catch)"""
    with store.reading() as db:
        found = db.execute(
            "SELECT t.picture, s.left IS NOT NULL, t.model, t.practice, t.catch FROM trials t "
            "JOIN stimuli s ON s.id = t.stimulus"
        ).fetchall()
    return {picture: rest for picture, *rest in found}


def test_a_staircase_goes_down_for_each_model_apart(climbing):
    sessions = Sessions(climbing)
    token, state = start(sessions)
    key = right_choices(climbing)
    shown = {"plain": [], "bright": []}
    before = 500
    while state.trial:
        right, model, practice, catch = key[state.trial.trial]
        if practice:
            assert state.trial.exposure_ms == 500
        elif not catch:
            shown[model].append(state.trial.exposure_ms)
        wrong = model == "plain" and not (practice or catch)
        state = answer(sessions, token, state, 1 - right if wrong else right).state
    assert shown["plain"] == [500, 595, 707, 841, 1000]
    assert shown["bright"] == [500, 354, 250, 177, 125]
    stored = [row for row in choice_rows(climbing) if not row["practice"]]
    for model, exposures in shown.items():
        assert [row["exposure_ms"] for row in stored if row["model"] == model] == exposures
    for before, row in pairwise(stored):
        if row["catch"]:  # nothing tells it
            assert row["exposure_ms"] == before["exposure_ms"]


def test_a_second_try_and_a_reload_change_no_step(climbing):
    sessions = Sessions(climbing)
    token, state = start(sessions)
    for _ in range(6):
        state = answer(sessions, token, state, 0).state
        again = sessions.state(token)
        assert again == state
    last = [row["picture"] for row in rows(climbing, "trials")][5]
    expected = state.trial.exposure_ms
    assert sessions.answer(token, last, 0, 1).state.trial.exposure_ms == expected
    assert refusal(sessions.answer, token, last, 1, 1) == (409, "answered")
    assert sessions.state(token).trial.exposure_ms == expected
    stored = [row["exposure_ms"] for row in rows(climbing, "views")]
    with climbing.reading() as db:  # of trials that are answered, what they were
        version = climbing.version(db, 1)
        assert [exposure_ms(db, 1, place, version) for place in range(6)] == stored


def test_what_is_said_beside_a_choice_is_kept_with_it(tmp_path):
    with built(tmp_path, trials="confidence = true\nmarks = true") as store:
        store.open_study()
        sessions = Sessions(store)
        token, state = start(sessions)
        marks = [{"part": 1, "x": 0.25, "y": 1.0}]
        trial = state.trial.trial
        sessions.answer(token, trial, 0, 800, confidence=4, marks=marks)
        sessions.answer(token, trial, 0, 800, confidence=1, marks=[])  # the first stands
        sessions.answer(token, sessions.state(token).trial.trial, 0, 800)  # of an older page
        first, second = choice_rows(store)
        assert first["confidence"] == 4 and json.loads(first["marks"]) == marks
        assert second["confidence"] is None and second["marks"] is None
        assert len(rows(store, "evidence")) == 1


@pytest.mark.parametrize(
    "said", [{"confidence": 1}, {"marks": []}, {"marks": [{"part": 0, "x": 0.5, "y": 0.5}]}]
)
def test_what_was_not_asked_is_refused(sessions, store, said):
    token, state = start(sessions)
    assert refusal(sessions.answer, token, state.trial.trial, 0, 1, **said) == (422, "invalid")
    assert rows(store, "choices") == []


def test_a_picture_alone_has_one_part_to_mark(tmp_path):
    with built(tmp_path, protocol="single", trials="marks = true") as store:
        store.open_study()
        sessions = Sessions(store)
        token, state = start(sessions)
        marks = [{"part": 1, "x": 0.5, "y": 0.5}]
        refused = refusal(sessions.answer, token, state.trial.trial, 0, 1, marks=marks)
        assert refused == (422, "invalid")


def test_both_alike_is_an_answer_where_the_study_says_so(tmp_path):
    with built(tmp_path / "with", protocol="preference", trials="ties = true") as store:
        store.open_study()
        sessions = Sessions(store)
        token, state = start(sessions)
        walk(sessions, token, state, lambda _: 2)
        assert {row["choice"] for row in choice_rows(store)} == {2}
        assert {row["correct"] for row in choice_rows(store) if not row["catch"]} == {None}
        assert sessions.finish(token, {}).score is None
    for protocol in ("preference", "pick-original"):
        with built(tmp_path / protocol, protocol=protocol) as store:
            store.open_study()
            sessions = Sessions(store)
            token, state = start(sessions)
            assert refusal(answer, sessions, token, state, 2) == (422, "invalid")


def test_merging_takes_exposures_and_evidence_over(tmp_path):
    said = {"exposure_ms": str(LEVELS), "trials": "confidence = true"}
    for part in (1, 2):
        with build(tmp_path / str(part), part=part, **said) as store:
            store.open_study()
            sessions = Sessions(store)
            token, state = start(sessions)
            for level in (1, 2):
                answered = sessions.answer(token, state.trial.trial, 0, 800, confidence=level)
                state = answered.state
            open_trial = state.trial
    paths = [tmp_path / str(part) / "tiny.sqlite" for part in (1, 2)]
    done = merge(*paths, tmp_path / "both.sqlite")
    with Store(done.path) as store:
        assert [row["confidence"] for row in choice_rows(store)] == [1, 2, 1, 2]
        assert len(rows(store, "exposures")) == 16
        assert Sessions(store).state(token).trial == open_trial  # it goes on as it was drawn
