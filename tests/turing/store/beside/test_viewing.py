"""On what participants look: written down at the start and where it changes, and exported."""

import json

import pytest

from tests.turing.support.studies import BEFORE, rows
from turing.analysis.frames import load_data
from turing.report.exports.people import participants
from turing.store.beside.viewing import viewings
from turing.store.records import read_events
from turing.store.upkeep.forgetting import forget

DESK = {"viewport_width": 1280.0, "viewport_height": 720.0, "pointer": "fine", "fullscreen": True}
PHONE = DESK | {"viewport_width": 390.0, "pointer": "coarse"}


@pytest.fixture
def looked(sessions):
    """Somebody who starts at a desk, goes on with a phone, and looks elsewhere in between."""
    screen = {"dark": True, "light": False, "saturation": True}
    token, state = sessions.start(
        None, {}, BEFORE, None, device=DESK | {"visibility": None}, screen=screen
    )
    for device, absence in (
        (DESK, None),
        (PHONE, {"hidden_ms": 1200.4, "fullscreen_left": 2}),
        (None, {"hidden_ms": 0, "fullscreen_left": 0}),
        (PHONE, {"hidden_ms": 300.0}),
    ):
        trial = state.trial.trial
        state = sessions.answer(token, trial, 0, 500, device=device, absence=absence).state
    return token


def test_a_device_is_noted_at_the_start_and_where_it_changes(sessions, store, looked):
    noted = [(row["what"], row["detail"]) for row in rows(store, "events") if row["participant"]]
    assert [(what, json.loads(of)) for what, of in noted if what == "device"] == [
        ("device", DESK),
        ("device", PHONE),
    ]
    assert ("hidden", "trial 1, 1200 ms") in noted and ("hidden", "trial 3, 300 ms") in noted
    assert ("left full screen", "trial 1, 2") in noted
    (seen,) = viewings(read_events(store)).values()
    assert seen.device == DESK and seen.changes == 1
    assert seen.screen == {"dark": True, "light": False, "saturation": True}


def test_the_analysis_has_the_device_of_the_start(store, looked):
    data = load_data(store)
    assert data.devices == {1: DESK} and data.screens[1]["light"] is False
    assert data.screened == {}


def test_a_device_is_exported_beside_everybody(sessions, store, looked):
    sessions.start(None, {}, BEFORE, None)  # a page that says nothing of it
    first, silent = participants(store)
    assert (first["viewport_width"], first["pointer"], first["device_changes"]) == (1280, "fine", 1)
    assert (first["hidden_ms"], first["fullscreen_left"], first["visibility"]) == (1500, 2, None)
    assert (first["screen_dark"], first["screen_light"]) == (True, False)
    assert (silent["viewport_width"], silent["device_changes"], silent["hidden_ms"]) == (None, 0, 0)


def test_what_is_known_of_a_device_is_forgotten_too(store, looked):
    forget(store, 1)
    assert not [row for row in rows(store, "events") if row["participant"] == 1]
