"""What the benchmarks say is what they measured."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.experiments import encoding
from benchmarks.speed import folder
from benchmarks.study import people as study
from benchmarks.study.people import Load
from benchmarks.study.serving import App
from colorize.batch import local as execute
from colorize.batch.outcome import Outcome
from colorize.batch.plan import Task
from colorize.color import bins
from colorize.color.lab import lab_from_rgb
from turing.store.sessions import Sessions


@pytest.fixture
def answered(tmp_path, checkpoints):
    """An app's folder whose demo has one acknowledged answer."""
    from turing.stimuli.build import build
    from turing.stimuli.demo import make_demo
    from turing.store.store import create_store

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


def test_a_folder_is_done_both_ways(checkpoints):
    cores, threads = execute.cores(), torch.get_num_threads()
    found = folder.measure(photos=3, megapixels=0.02)
    assert (found["photos"], found["model"]) == (3, "direct")
    assert (found["different"], found["different_pixels"]) == (0, 0)
    ways = found["one_at_a_time"], found["pipeline"]
    for way in ways:
        assert way["photos_per_second"] == pytest.approx(3 / way["seconds"])
    assert found["ratio"] == pytest.approx(ways[0]["seconds"] / ways[1]["seconds"])
    assert found["cores"] == min(2, cores)
    assert (execute.cores(), torch.get_num_threads()) == (cores, threads)


def test_results_are_compared_by_bytes_and_by_pixels(tmp_path):
    pixels = np.zeros((10, 10, 3), np.uint8)
    for name in ("a", "b", "c"):
        pixels[0, 0, 0] = name == "c"
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    one, same, other = (Task(Path("in"), tmp_path / f"{name}.png", "PNG") for name in "abc")
    assert folder._compared([one], [same]) == {"different": 0, "different_pixels": 0}
    assert folder._compared([one, one], [same, other]) == {
        "different": 1,
        "different_pixels": 1 / 200,
    }


def test_a_folder_whose_photos_fail_is_no_measurement(checkpoints, monkeypatch):
    monkeypatch.setattr(
        folder, "execute", lambda _, tasks, __: iter([Outcome(tasks[0], "1.jpg is damaged")])
    )
    with pytest.raises(RuntimeError, match=r"1\.jpg is damaged"):
        folder.measure(photos=1, megapixels=0.02)


def test_made_photos_are_grey_and_of_the_size(tmp_path):
    folder.make_photos(tmp_path / "in", 6, 0.5)
    sizes = set()
    for file in (tmp_path / "in").iterdir():
        with Image.open(file) as image:
            assert (image.format, image.mode) == ("JPEG", "L")
            assert image.width * image.height == pytest.approx(0.5e6, rel=0.01)
            sizes.add(image.size)
    assert len(sizes) == 3
