"""What lies where a result goes: told by headers, for every format that is written."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize import Colorizer
from colorize.batch.existing import Existing, existing_result, header_size
from colorize.batch.plan import make_plan
from colorize.models.record import find_record, read_record

MARKED = ("jpg", "png", "webp", "tif", "avif")


@pytest.fixture
def model(checkpoints) -> Colorizer:
    return Colorizer("direct", device="cpu")


@pytest.fixture
def make_task(tmp_path, make_pixels):
    """A function of an ending and of how the photo is turned (EXIF): a task, not yet done."""

    def make(ending: str, orientation: int = 1):
        file = tmp_path / f"old.{ending}"
        exif = Image.Exif()
        exif[274] = orientation
        Image.fromarray(make_pixels(1, 40, 60)).save(file, exif=exif)
        (task,) = make_plan([file], tmp_path / "out").tasks
        task.target.parent.mkdir(exist_ok=True)
        return task

    return make


def do(model, task):
    model(task.source).save(task.target, format=task.format)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("ending", MARKED)
def test_a_result_is_done(model, make_task, ending, orientation):
    task = make_task(ending, orientation)
    assert existing_result(task, model.record) is Existing.ABSENT
    do(model, task)
    with Image.open(task.target) as saved:
        assert saved.size == ((60, 40) if orientation == 1 else (40, 60))
    assert existing_result(task, model.record) is Existing.DONE


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_a_result_of_16_bits_is_done(model, make_task, ending, make_pixels):
    task = make_task(ending)
    deep = make_pixels(1, 40, 60)[..., 0].astype(np.uint16) * 200
    Image.fromarray(deep).save(task.source)
    do(model, task)
    assert existing_result(task, model.record) is Existing.DONE
    whole = task.target.read_bytes()
    task.target.write_bytes(whole[: len(whole) // 2])
    assert existing_result(task, model.record) is Existing.STALE


@pytest.mark.parametrize("ending", MARKED)
def test_a_half_file_is_not(model, make_task, ending):
    task = make_task(ending)
    do(model, task)
    whole = task.target.read_bytes()
    for length in (0, 30, len(whole) // 2, len(whole) - 1):
        task.target.write_bytes(whole[:length])
        if ending == "tif" and length == len(whole) - 1:
            continue  # what it lacks there is a byte of metadata
        assert existing_result(task, model.record) is Existing.STALE, length


@pytest.mark.parametrize("ending", MARKED)
def test_another_models_or_photos_result_is_not(model, make_task, ending, tmp_path, make_pixels):
    task = make_task(ending)
    do(model, task)
    other = read_record(find_record("bins"))
    assert existing_result(task, other) is Existing.STALE
    renewed = replace(model.record, weights=model.record.weights | {"sha256": "0" * 64})
    assert existing_result(task, renewed) is Existing.STALE
    Image.fromarray(make_pixels(1, 41, 60)).save(task.source)
    assert existing_result(task, model.record) is Existing.STALE


def test_another_formats_result_is_not(model, make_task):
    task = make_task("jpg")
    do(model, replace(task, format="PNG"))
    assert existing_result(task, model.record) is Existing.STALE


@pytest.mark.parametrize("ending", MARKED)
def test_somebodys_picture_is_neither(model, make_task, ending):
    task = make_task(ending)
    shutil.copy(task.source, task.target)
    assert existing_result(task, model.record) is Existing.UNMARKED


def test_a_stripped_result_still_names_its_model(model, make_task):
    task = make_task("jpg")
    model(task.source).save(task.target, strip=True)
    assert existing_result(task, model.record) is Existing.DONE


def test_bmp_names_no_model(model, make_task):
    task = make_task("bmp")
    do(model, task)
    assert existing_result(task, model.record) is Existing.STALE


def test_a_result_whose_photo_is_gone_is_not_done(model, make_task):
    task = make_task("jpg")
    do(model, task)
    task.source.unlink()
    assert existing_result(task, model.record) is Existing.STALE


def test_header_sizes_are_upright(make_task, tmp_path):
    assert header_size(make_task("jpg").source) == (60, 40)
    assert header_size(make_task("jpg", 6).source) == (40, 60)
    assert header_size(make_task("tif", 6).source) == (40, 60)
    (tmp_path / "text.jpg").write_text("no picture")
    assert header_size(tmp_path / "text.jpg") == (1, 1)
    assert header_size(Path("nowhere.jpg")) == (1, 1)


def test_no_pixel_is_decoded(model, make_task, monkeypatch):
    task = make_task("png")
    do(model, task)
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("decoded"))
    monkeypatch.setattr(np, "asarray", lambda *_: pytest.fail("decoded"))
    assert existing_result(task, model.record) is Existing.DONE
