"""Training that is stopped, by a person or a crash, and goes on."""

import json
import threading

import pytest

from colorize.errors import ColorizeError
from colorize.training import train as training
from colorize.training.train import Budget
from tests.support.train_runs import (
    INTERRUPTS,
    after_step,
    assert_same,
    run,
    settings_of,
    state_of,
)

pytestmark = pytest.mark.usefixtures("fresh_accelerator")


@pytest.mark.parametrize(
    ("network", "step"),
    [(network, step) for network, steps in INTERRUPTS.items() for step in steps],
)
def test_interrupted_and_resumed_is_bit_for_bit_what_runs_through(
    tmp_path, made, monkeypatch, network, step
):
    stop = threading.Event()
    drawing = {"classifier": ["every=2"], "unet": ["drop_path=0.5"]}  # which draws at every step
    settings = settings_of(network, *drawing.get(network, []))
    assert run(tmp_path / "through", made, settings)
    with monkeypatch.context() as patch:
        after_step(patch, step, stop.set)
        finished = run(tmp_path / "stopped", made, settings, stopped=stop.is_set)
    if not finished:
        assert state_of(tmp_path / "stopped")["place"][0] == step + 1
        assert run(tmp_path / "stopped", made, settings, resume=True)
    through, stopped = state_of(tmp_path / "through"), state_of(tmp_path / "stopped")
    for state in (through, stopped):
        del state["seconds"]
        state["rng"] = state["rng"]["torch"]
    assert_same(through, stopped)
    weights = [tmp_path / name / "best.safetensors" for name in ("through", "stopped")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    logs = [
        (tmp_path / name / "log.csv").read_text().splitlines() for name in ("through", "stopped")
    ]
    for row, other in zip(*logs, strict=True):
        assert row.split(",")[3:] == other.split(",")[3:]


def test_a_crash_between_log_and_state_leaves_no_row_twice(tmp_path, made, monkeypatch):
    settings = settings_of("baseline")
    run(tmp_path / "through", made, settings)
    saves = []

    def fail_second(self):
        saves.append(self.step)
        if len(saves) == 2:
            raise RuntimeError("the power went off")
        return save(self)

    save = training._Trainer._save
    with monkeypatch.context() as patch:
        patch.setattr(training._Trainer, "_save", fail_second)
        with pytest.raises(RuntimeError, match="power"):
            run(tmp_path / "crashed", made, settings)
    assert run(tmp_path / "crashed", made, settings, resume=True)
    assert_same(
        state_of(tmp_path / "through")["network"], state_of(tmp_path / "crashed")["network"]
    )
    rows = (tmp_path / "crashed" / "log.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["4", "8", "12"]


def test_a_finished_run_can_be_resumed_and_changes_nothing(tmp_path, made):
    run(tmp_path / "run", made, settings_of("baseline"))
    before = state_of(tmp_path / "run")
    assert run(tmp_path / "run", made, settings_of("baseline"), resume=True)
    assert_same(before, state_of(tmp_path / "run"))


def test_a_longer_budget_goes_on(tmp_path, made):
    run(tmp_path / "run", made, settings_of("baseline"), Budget(epochs=1))
    assert run(tmp_path / "run", made, settings_of("baseline"), Budget(epochs=2), resume=True)
    assert state_of(tmp_path / "run")["place"] == [8, 2, 0]


def test_states_are_saved_within_a_long_epoch(tmp_path, made, monkeypatch):
    monkeypatch.setattr(training, "_SAVE_EVERY", 0.0)
    places = []
    save = training._Trainer._save

    def watched(self):
        save(self)
        places.append(state_of(tmp_path / "run")["place"])

    monkeypatch.setattr(training._Trainer, "_save", watched)
    run(tmp_path / "run", made, settings_of("baseline"), Budget(epochs=1))
    assert places == [[1, 0, 1], [2, 0, 2], [3, 0, 3], [4, 0, 4], [4, 1, 0]]


def test_a_run_from_before_a_setting_was_there_can_be_resumed(tmp_path, made):
    run(tmp_path / "run", made, settings_of("baseline"), Budget(epochs=1))
    file = tmp_path / "run" / "config.json"
    config = json.loads(file.read_text())
    del config["settings"]["photos"]
    file.write_text(json.dumps(config))
    run(tmp_path / "run", made, settings_of("baseline"), Budget(epochs=2), resume=True)
    assert state_of(tmp_path / "run")["place"][1] == 2
    chosen = settings_of("baseline", "photos=12")
    with pytest.raises(ColorizeError, match="another names of the photos, photos, train"):
        run(tmp_path / "run", made, chosen, Budget(epochs=3), resume=True)
