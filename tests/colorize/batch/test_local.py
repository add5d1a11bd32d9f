import errno
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from colorize import Colorizer
from colorize.batch import local as execute
from colorize.batch.existing import Existing, existing_result
from colorize.batch.outcome import Settings
from colorize.batch.plan import make_plan
from colorize.batch.worker import Worker
from colorize.errors import ColorizeError
from colorize.inference.colorizer import working_shape
from colorize.photo import saving


@pytest.fixture
def model(checkpoints) -> Colorizer:
    return Colorizer("direct", device="cpu")


@pytest.fixture
def album(tmp_path, make_pixels) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(5):
        Image.fromarray(make_pixels(number, 40 + number % 2, 60)).save(folder / f"{number}.png")
    return folder


def run(model, folder, *, workers=2, stopped=lambda: False, **settings):
    tasks = make_plan([folder], folder.parent / "out").tasks
    settings = Settings(**settings)
    return list(execute.execute(model, tasks, settings, workers=workers, stopped=stopped))


def stand_in_for_a_gpu(monkeypatch, most):
    """Batches are formed as on a GPU; the network runs here."""
    batches = execute._batches
    monkeypatch.setattr(
        execute,
        "_batches",
        lambda tasks, size, _, most_bytes: batches(tasks, size, most, most_bytes),
    )


@pytest.fixture
def seen(model, monkeypatch):
    """The names of the photos of each batch that the network gets."""
    batches, predict = [], model.predict

    def watched(photos, *given, **options):
        batches.append([photo.name for photo in photos])
        return predict(photos, *given, **options)

    monkeypatch.setattr(model, "predict", watched)
    return batches


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_photo_gets_what_it_gets_alone(model, album, workers):
    outcomes = run(model, album, workers=workers)
    assert [outcome.task.source.name for outcome in outcomes] == [f"{n}.png" for n in range(5)]
    for outcome in outcomes:
        assert not outcome.error
        assert outcome.seconds > 0
        with Image.open(outcome.task.target) as saved:
            assert np.array_equal(np.asarray(saved), np.asarray(model(outcome.task.source).image))


def test_photos_of_like_shape_go_together(model, album, monkeypatch, seen):
    stand_in_for_a_gpu(monkeypatch, 3)
    outcomes = run(model, album, workers=1)
    assert seen == [["0.png", "2.png", "4.png"], ["1.png", "3.png"]]
    assert [outcome.task.source.name for outcome in outcomes] == [f"{n}.png" for n in range(5)]
    for outcome in outcomes:
        saved = np.asarray(Image.open(outcome.task.target)).astype(int)
        assert np.abs(saved - np.asarray(model(outcome.task.source).image)).max() <= 1


def test_a_shape_that_is_rare_does_not_wait_for_ever(model, album, monkeypatch, seen, make_pixels):
    stand_in_for_a_gpu(monkeypatch, 2)
    Image.fromarray(make_pixels(9, 90, 30)).save(album / "0.png")
    for number in range(5, 20):
        Image.fromarray(make_pixels(number, 40, 60)).save(album / f"a{number:02d}.png")
    run(model, album, workers=1)
    assert seen.index(["0.png"]) < 6
    assert sorted(name for batch in seen for name in batch) == sorted(
        file.name for file in album.iterdir()
    )


def test_a_batch_whose_photo_cannot_be_opened_goes_on(model, album, monkeypatch, seen):
    stand_in_for_a_gpu(monkeypatch, 3)
    whole = (album / "2.png").read_bytes()
    (album / "2.png").write_bytes(whole[: len(whole) // 2])
    outcomes = run(model, album)
    assert [bool(outcome.error) for outcome in outcomes] == [False, False, True, False, False]
    assert ["0.png", "4.png"] in seen


def test_one_photo_that_is_too_much_fails_alone(model, album, monkeypatch):
    predict = model.predict

    def scarce(photos, *given):
        if any(photo.name == "2.png" for photo in photos):
            raise ColorizeError("direct needs more memory than cpu has")
        return predict(photos, *given)

    monkeypatch.setattr(model, "predict", scarce)
    stand_in_for_a_gpu(monkeypatch, 5)
    errors = {outcome.task.source.name: outcome.error for outcome in run(model, album)}
    assert errors.pop("2.png") == f"{album / '2.png'}: direct needs more memory than cpu has"
    assert not any(errors.values())


@pytest.fixture
def in_work(monkeypatch):
    """How many photos were being done at once, at most."""
    lock, now, most = threading.Lock(), [0], [0]
    do = Worker.do

    def watched(self, tasks):
        with lock:
            now[0] += len(tasks)
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        try:
            return list(do(self, tasks))
        finally:
            with lock:
                now[0] -= len(tasks)

    monkeypatch.setattr(Worker, "do", watched)
    return most


def test_several_photos_are_done_at_once(model, album, in_work):
    run(model, album, workers=3)
    assert in_work == [3]


def test_no_more_is_begun_than_there_is_memory_for(model, album, in_work, monkeypatch):
    monkeypatch.setattr(execute, "_BYTES", 1)  # which no photo fits into: one after the other
    assert not any(outcome.error for outcome in run(model, album, workers=3))
    assert in_work == [1]


def test_memory_is_told_by_headers(model, tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    for number in range(4):
        Image.new("L", (4000, 3000)).save(folder / f"{number}.png")
    tasks = make_plan([folder], tmp_path / "out").tasks
    shape_of = partial(working_shape, size=96)
    (shape, cost), *_ = {execute._cost(task, shape_of) for task in tasks}
    assert shape == (96, 128)
    assert cost == 12 * 12_000_000 + 2600 * 96 * 128
    fitting = execute._batches(tasks, shape_of, 16, 2 * cost)
    assert [list(numbers) for numbers, _ in fitting] == [[0, 1], [2, 3]]
    alone = execute._batches(tasks, shape_of, 16, cost // 2)
    assert [list(numbers) for numbers, _ in alone] == [[0], [1], [2], [3]]


def test_threads_share_the_cores_and_give_them_back(model, album, monkeypatch):
    threads = []
    predict = model.predict
    monkeypatch.setattr(
        model, "predict", lambda *given: threads.append(torch.get_num_threads()) or predict(*given)
    )
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        run(model, album, workers=2)
        assert set(threads) == {2}
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_what_is_in_work_is_finished_when_stopped(model, album):
    count = []

    def stopped():
        count.append(1)
        return len(count) > 1

    outcomes = run(model, album, workers=1, stopped=stopped)
    assert 0 < len(outcomes) < 5
    assert not any(outcome.error for outcome in outcomes)
    written = sorted(file.name for file in (album.parent / "out").iterdir())
    assert written == [outcome.task.target.name for outcome in outcomes]


def test_resuming_does_what_is_missing_half_or_anothers(model, album, seen):
    run(model, album)
    out = album.parent / "out"
    kept = (out / "0.png").read_bytes()
    (out / "1.png").unlink()
    half = (out / "2.png").read_bytes()
    (out / "2.png").write_bytes(half[:-20])
    Colorizer("bins", device="cpu")(album / "3.png").save(out / "3.png")
    foreign = (album / "4.png").read_bytes()
    (out / "4.png").write_bytes(foreign)
    seen.clear()
    outcomes = run(model, album, resume=True)
    assert sorted(name for batch in seen for name in batch) == ["1.png", "2.png", "3.png"]
    assert [outcome.before for outcome in outcomes] == [True, False, False, False, False]
    assert outcomes[0].seconds is None
    assert [bool(outcome.error) for outcome in outcomes] == [False] * 4 + [True]
    assert "names no model that made it; --overwrite replaces it" in outcomes[4].error
    assert (out / "4.png").read_bytes() == foreign
    assert (out / "0.png").read_bytes() == kept
    assert (out / "2.png").read_bytes() == half
    seen.clear()
    outcomes = run(model, album, resume=True, overwrite=True)
    assert seen == [["4.png"]]
    assert [outcome.before for outcome in outcomes] == [True] * 4 + [False]
    assert {existing_result(outcome.task, model.record) for outcome in outcomes} == {Existing.DONE}


def test_outputs_that_are_there_are_not_worked_for(model, album, monkeypatch):
    run(model, album)
    (album.parent / "out" / "3.png").write_bytes(b"mine")
    monkeypatch.setattr(model, "predict", lambda *_: pytest.fail("worked for nothing"))
    outcomes = run(model, album)
    assert all("exists already; --overwrite replaces it" in outcome.error for outcome in outcomes)
    assert (album.parent / "out" / "3.png").read_bytes() == b"mine"


def test_overwrite_replaces_them(model, album):
    out = album.parent / "out"
    out.mkdir()
    (out / "3.png").write_bytes(b"old")
    assert not any(outcome.error for outcome in run(model, album, overwrite=True))
    with Image.open(out / "3.png") as saved:
        assert saved.size == (60, 41)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_photo_is_never_its_own_output(model, album, overwrite):
    file = album / "0.png"
    before = file.read_bytes()
    tasks = make_plan([file], album).tasks
    (outcome,) = execute.execute(model, tasks, Settings(overwrite=overwrite))
    assert outcome.error == f"{file}: the result would replace the photo; choose another output"
    assert file.read_bytes() == before


def test_errors_that_nobody_foresaw_are_one_line_too(model, album, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("first line\nsecond line")

    monkeypatch.setattr(model, "finish", fail)
    outcomes = run(model, album)
    assert len(outcomes) == 5
    expected = f"{album / '0.png'}: could not be colorized (ZeroDivisionError: first line)"
    assert outcomes[0].error == expected


def test_a_folder_that_cannot_be_made_is_the_photos_failure(model, album):
    (album.parent / "out").write_text("a file")
    tasks = make_plan([album / "0.png"], album.parent / "out" / "deep").tasks
    (outcome,) = execute.execute(model, tasks, Settings())
    assert outcome.error == (
        f"{album / '0.png'}: {tasks[0].target} was not written (Not a directory); check the folder "
        "and the free space."
    )


def test_a_disk_that_refuses_is_told_of_the_result_not_of_the_photo(model, album, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(saving, "replacing", full)
    tasks = make_plan([album / "0.png"], album.parent / "out").tasks
    assert tasks[0].target.name == "0.png"
    (outcome,) = execute.execute(model, tasks, Settings())
    assert outcome.error == (
        f"{album / '0.png'}: {tasks[0].target} was not written (No space left on device); check "
        "the folder and the free space."
    )


def test_a_name_that_is_too_long_for_the_disk_is_the_photos_failure(model, album):
    tasks = make_plan([album / "0.png"], album.parent / ("a" * 300)).tasks
    (outcome,) = execute.execute(model, tasks, Settings())
    assert outcome.error == (
        f"{album / '0.png'}: {tasks[0].target} cannot be written (File name too long); choose "
        "another output"
    )


def test_notices_come_along(model, tmp_path):
    frames = [Image.new("L", (9, 9), level) for level in (0, 100)]
    (tmp_path / "in").mkdir()
    frames[0].save(tmp_path / "in" / "two.gif", save_all=True, append_images=frames[1:])
    (outcome,) = run(model, tmp_path / "in")
    assert any("first of 2 frames" in notice for notice in outcome.notices)
    assert outcome.task.target.suffix == ".png"
