import csv
import json
import pickle
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.errors import ColorizeError
from colorize.training.run import Run

CONFIG = {"settings": {"lr": 0.001, "repeat": {"a": 2.0}}, "data": {"train": {"a": 3}}}


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "deep" / "run")
    yield run
    run.close()


@pytest.fixture
def begun(run):
    run.begin(CONFIG, resume=False)
    run.open_log(0)
    return run


def rows(run):
    with (run.folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_config_is_written_and_checked_at_a_resume(run):
    run.begin(CONFIG, resume=False)
    assert json.loads((run.folder / "config.json").read_text()) == CONFIG
    run.save_state({})
    run.begin(CONFIG, resume=True)
    other = {"settings": {"lr": 0.002, "repeat": {"a": 2.0}}, "data": {"train": {}}}
    with pytest.raises(ColorizeError, match="started with another lr, train; resume with the same"):
        run.begin(other, resume=True)


def test_a_run_is_never_begun_twice_nor_resumed_before_it_began(run):
    with pytest.raises(ColorizeError, match=r"nothing to resume, last\.pt is not there"):
        run.begin(CONFIG, resume=True)
    run.begin(CONFIG, resume=False)
    run.begin(CONFIG, resume=False)  # it ended before its first state: nothing to lose
    run.save_state({})
    with pytest.raises(ColorizeError, match="holds a run already; --resume or another --output"):
        run.begin(CONFIG, resume=False)


@pytest.mark.parametrize("text", ["", "[]", '{"settings": {}}', '{"settings": 1, "data": {}}'])
def test_a_damaged_config_is_one_line(run, text):
    run.begin(CONFIG, resume=False)
    run.save_state({})
    (run.folder / "config.json").write_text(text)
    with pytest.raises(ColorizeError, match=r"config\.json: expected a run's settings"):
        run.begin(CONFIG, resume=True)


def test_a_config_that_is_gone_is_one_line(run):
    run.begin(CONFIG, resume=False)
    run.save_state({})
    (run.folder / "config.json").unlink()
    with pytest.raises(
        ColorizeError, match=r"config\.json: cannot be read \(No such file.*another"
    ):
        run.begin(CONFIG, resume=True)


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(ColorizeError, match="no folder"):
        Run(tmp_path / "run").begin(CONFIG, resume=False)


def test_state_comes_back(begun):
    state = {"network": {"w": torch.rand(3)}, "place": [1, 2, 3], "best": float("inf")}
    begun.save_state(state)
    found = begun.load_state()
    assert torch.equal(found["network"]["w"], state["network"]["w"])
    assert (found["place"], found["best"]) == ([1, 2, 3], float("inf"))


def test_a_damaged_state_is_one_line_and_no_pickle_runs(begun, tmp_path):
    class Malicious:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    for content in (b"", b"PK\3\4", pickle.dumps(Malicious())):
        begun.state_file.write_bytes(content)
        with pytest.raises(ColorizeError, match=r"last\.pt: cannot be read") as error:
            begun.load_state()
        assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()


def test_a_state_that_cannot_be_written_leaves_the_one_before(begun):
    begun.save_state({"step": 1})
    with pytest.raises(AttributeError):
        begun.save_state({"step": lambda: None})
    assert begun.load_state() == {"step": 1}


def test_log_is_csv_and_tensorboard(begun):
    begun.log({"step": 5, "epoch": 1, "loss": 0.5, "val_mse": None})
    begun.log({"step": 10, "epoch": 2, "loss": 0.25, "val_mse": 0.1})
    assert rows(begun) == [
        {"step": "5", "epoch": "1", "loss": "0.5", "val_mse": ""},
        {"step": "10", "epoch": "2", "loss": "0.25", "val_mse": "0.1"},
    ]
    assert scalars(begun)["loss"] == [(5, 0.5), (10, 0.25)]
    assert scalars(begun)["val_mse"] == [(10, pytest.approx(0.1))]


def scalars(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    tags = events.Tags()["scalars"]
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags}


def test_a_resumed_log_has_no_row_twice(begun, tmp_path):
    for step in (5, 10, 15):
        begun.log({"step": step, "loss": 1.0})
    begun.close()
    again = Run(begun.folder)
    again.open_log(10)
    again.log({"step": 15, "loss": 2.0})
    again.close()
    assert [(row["step"], row["loss"]) for row in rows(again)] == [
        ("5", "1.0"),
        ("10", "1.0"),
        ("15", "2.0"),
    ]
    assert scalars(again)["loss"] == [(5, 1.0), (10, 1.0), (15, 2.0)]


def test_without_tensorboard_it_says_so_before_the_first_step(run, monkeypatch):
    run.begin(CONFIG, resume=False)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ColorizeError, match="needs tensorboard: pip install"):
        run.open_log(0)


def test_grid_has_a_row_a_photo(begun):
    colours = [[(0, 0, 0), (255, 0, 0), (0, 255, 0)], [(9, 9, 9), (0, 0, 255), (255, 255, 255)]]
    grid = [
        tuple(np.full((4, 5, 3), colour, np.uint8) for colour in row_colours)
        for row_colours in colours
    ]
    begun.save_grid(grid, 7)
    with Image.open(begun.folder / "grids" / "epoch-007.png") as image:
        assert image.size == (15, 8)
        found = [[image.getpixel((5 * x + 2, 4 * y + 1)) for x in range(3)] for y in range(2)]
    assert found == colours


def test_skipped_files_are_said_and_listed(begun, capsys):
    begun.list_skipped([])
    assert not (begun.folder / "skipped.txt").exists()
    begun.list_skipped(["a/1.png: no picture", "b/2.png: empty"])
    assert "Left out 2 files" in capsys.readouterr().out
    assert (begun.folder / "skipped.txt").read_text().splitlines()[1] == "b/2.png: empty"
