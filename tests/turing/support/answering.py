"""Participants who answer at once, over the store alone."""

import random

from tests.turing.support.studies import BEFORE, built
from turing.store.sessions import Sessions


def participant(store, trials=None, *, seed=0, finishes=True, hints=None, preview=None, **query):
    """One participant who answers `trials` trials (None = all); returns the token."""
    mind = random.Random(seed)
    sessions = Sessions(store)
    token, state = sessions.start(None, query, BEFORE, preview)
    answered = 0
    while state.trial and (trials is None or answered < trials):
        choice = mind.randrange(2)
        state = sessions.answer(token, state.trial.trial, choice, 500 + answered, 900).state
        answered += 1
    if not state.trial and finishes:
        sessions.finish(token, {"hints": hints})
    return token


def two_people(tmp_path):
    """A store: one has come to the end, one has made three choices."""
    with built(tmp_path / "studies") as store:
        store.open_study()
        participant(store, seed=1, hints="the sky", PROLIFIC_PID="p1", SESSION_ID="s1")
        participant(store, 3, seed=2, PROLIFIC_PID="p2")
        yield store
