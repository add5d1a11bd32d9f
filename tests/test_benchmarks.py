"""What the benchmarks say is what they measured."""

from types import SimpleNamespace

import pytest
import torch

from benchmarks import encoding, study
from benchmarks.serving import App
from benchmarks.study import Load
from colorize import bins
from colorize.color import lab_from_rgb
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


def test_the_reference_encodes_the_same_by_search():
    ab = lab_from_rgb(encoding.photos(2, 16))[:, 1:]
    target = encoding.dense_target(ab)
    rows = target.movedim(1, -1).flatten(0, 2)
    index, weights = bins.encode_exactly(ab.movedim(1, -1).flatten(0, 2))
    assert torch.allclose(rows, torch.zeros_like(rows).scatter_(1, index, weights), atol=1e-5)
    index, weights = bins.encode(ab)
    table = torch.zeros_like(target).scatter_add_(1, index, weights)
    logits = torch.randn(target.shape, generator=torch.Generator().manual_seed(0))
    gathered = bins.soft_cross_entropy(logits, ab)
    assert torch.allclose(encoding.dense_loss(logits, table), gathered, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:In CPU autocast")
def test_the_loss_is_a_part_of_a_training_step(checkpoints):
    found = encoding.share_of_step("bins", ("batch=2", "crop=16", "every=4"))
    assert (found["photos"], found["crop"], found["loss"]) == (2, 16, "soft")
    assert 0 < found["loss_seconds"] < found["step_seconds"]
    assert found["share"] == found["loss_seconds"] / found["step_seconds"]
