from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize import Colorizer, execute
from colorize.batch import make_plan
from colorize.errors import ColorizeError

LOOK = {"saturation": 1.0, "temperature": None}


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


def run(model, folder, **options):
    tasks = make_plan([folder], folder.parent / "out").tasks
    return list(execute.execute(model, tasks, **({"look": LOOK, "saving": {}} | options)))


def test_each_photo_gets_what_it_gets_alone(model, album):
    outcomes = run(model, album)
    assert [outcome.task.source.name for outcome in outcomes] == [f"{n}.png" for n in range(5)]
    for outcome in outcomes:
        assert not outcome.error
        with Image.open(outcome.task.target) as saved:
            assert np.array_equal(np.asarray(saved), np.asarray(model(outcome.task.source).image))


def test_groups_give_the_same(model, album, monkeypatch):
    sizes = []
    predict = model.predict
    monkeypatch.setattr(
        model, "predict", lambda p, *given: sizes.append(len(p)) or predict(p, *given)
    )
    monkeypatch.setitem(execute._GROUP, "cpu", 3)
    (album / "1.png").write_bytes(b"")
    outcomes = run(model, album)
    assert [bool(outcome.error) for outcome in outcomes] == [False, True, False, False, False]
    assert sizes == [2, 2]  # one of the first three cannot be opened
    for outcome in outcomes[2:]:
        saved = np.asarray(Image.open(outcome.task.target)).astype(int)
        assert np.abs(saved - np.asarray(model(outcome.task.source).image)).max() <= 1


def test_large_photos_are_not_gathered(model, album, monkeypatch):
    sizes = []
    predict = model.predict
    monkeypatch.setattr(
        model, "predict", lambda p, *given: sizes.append(len(p)) or predict(p, *given)
    )
    monkeypatch.setitem(execute._GROUP, "cpu", 100)
    monkeypatch.setattr(execute, "_GROUP_PIXELS", 2 * 41 * 60)
    run(model, album)
    assert max(sizes) <= 3


def test_one_photo_that_is_too_much_fails_alone(model, album, monkeypatch):
    predict = model.predict

    def scarce(photos, size=None):
        if any(photo.name == "2.png" for photo in photos):
            raise ColorizeError("direct needs more memory than cpu has")
        return predict(photos, size)

    monkeypatch.setattr(model, "predict", scarce)
    monkeypatch.setitem(execute._GROUP, "cpu", 5)
    errors = {outcome.task.source.name: outcome.error for outcome in run(model, album)}
    assert errors.pop("2.png") == f"{album / '2.png'}: direct needs more memory than cpu has"
    assert not any(errors.values())


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
    (outcome,) = execute.execute(model, tasks, look=LOOK, saving={}, overwrite=overwrite)
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
    (outcome,) = execute.execute(model, tasks, look=LOOK, saving={})
    assert outcome.error.startswith(f"{album / '0.png'}: could not be colorized")


def test_notices_come_along(model, tmp_path):
    frames = [Image.new("L", (9, 9), level) for level in (0, 100)]
    (tmp_path / "in").mkdir()
    frames[0].save(tmp_path / "in" / "two.gif", save_all=True, append_images=frames[1:])
    (outcome,) = run(model, tmp_path / "in")
    assert any("first of 2 frames" in notice for notice in outcome.notices)
    assert outcome.task.target.suffix == ".png"
