"""What the benchmarks say is what they measured."""

from types import SimpleNamespace

import pytest

from benchmarks import study
from benchmarks.serving import App
from benchmarks.study import Load
from turing.sessions import Sessions


@pytest.fixture
def answered(tmp_path, checkpoints):
    """An app's folder whose demo has one acknowledged answer."""
    from turing.build import build
    from turing.demo import make_demo
    from turing.store import create_store

    with create_store(tmp_path, "demo") as store:
        build(make_demo(tmp_path / "demo-photos"), store, device="cpu")
        store.open_study()
        sessions = Sessions(store)
        token, state = sessions.start(None, {}, {"colour_vision": "no"}, None)
        sessions.answer(token, state.trial.trial, 1, 500)
    return SimpleNamespace(store=tmp_path), {state.trial.trial: 1}


def test_percentiles_are_in_milliseconds():
    load = Load(people=7, seconds=10)
    load.times["answer"] = [n / 1000 for n in range(101)]
    assert load.percentiles("answer") == pytest.approx(
        {"p50": 50, "p95": 95, "p99": 99, "longest": 100}
    )
    text = "\n".join(load.lines)
    assert "7 people at a time for 10 s: 101 answers, 10.1/s" in text
    assert "answer   p50 50 ms, p95 95 ms, p99 99 ms, longest 100 ms" in text
    assert "95% of answers within 95 ms; the aim is 300 ms" in text


@pytest.mark.slow
def test_what_is_lost_or_too_many_is_told(answered):
    app, saved = answered
    assert study._faults(app, Load(saved=saved)) == []
    assert study._faults(app, Load(saved=saved | {"another": 0})) == ["1 answers lost"]
    assert study._faults(app, Load(saved=dict.fromkeys(saved, 0))) == ["1 answers lost"]
    assert study._faults(app, Load()) == ["1 answers too many"]


def test_an_app_that_does_not_start_says_why(tmp_path):
    with pytest.raises(RuntimeError, match="There are no models"):
        App(tmp_path / "studies", COLORIZE_CHECKPOINTS=str(tmp_path)).__enter__()
