"""A participant at a study's sessions, over the store alone."""

import pytest

from tests.turing.support.studies import BEFORE
from turing.store.people import RefusedError


def start(sessions, token=None, preview=None, **query):
    return sessions.start(token, query, BEFORE, preview)


def answer(sessions, token, state, choice=0, rt_ms=800):
    return sessions.answer(token, state.trial.trial, choice, rt_ms)


def walk(sessions, token, state, choose=lambda state: 0):
    """Answer every trial; returns all states, the last without a trial."""
    states = [state]
    while states[-1].trial:
        states.append(answer(sessions, token, states[-1], choose(states[-1])).state)
    return states


def refusal(call, *args, **kwargs):
    with pytest.raises(RefusedError) as refused:
        call(*args, **kwargs)
    return refused.value.status, refused.value.code
