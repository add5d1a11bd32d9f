"""What references and working sizes do can be measured by anybody, on photos of their own."""

import random

import numpy as np
import pytest
from PIL import Image

from benchmarks.experiments import reference, reference_weights, sizes
from colorize import Colorizer
from colorize.data.datasets import find_datasets


@pytest.fixture
def datasets(tmp_path, make_pixels):
    """Two, with two photos of one class each, and one that is alone in its class."""
    for seed, name in enumerate(("cats", "roads")):
        folder = tmp_path / "data" / name / "test"
        folder.mkdir(parents=True)
        for number, file in enumerate((f"{name}_a_1.png", f"{name}_a_22.png", "lonely-3.png")):
            pixels = make_pixels(10 * seed + number, 48, 64)
            Image.fromarray(pixels).save(folder / file)
    return find_datasets(tmp_path / "data")


def test_a_class_is_a_name_without_its_number():
    names = ("cats_msed_1.avif", "cats_msed_203.avif", "a/cats-7.png", "12.jpg")
    assert [reference.class_of(name) for name in names] == [
        "cats_msed", "cats_msed", "a/cats", ".",
    ]  # fmt: skip


def test_each_photo_has_three_references(datasets):
    found = list(reference.cases(datasets[0], datasets, "test", 5))
    assert len(found) == 2  # the lonely one has none of its class
    for photo, references in found:
        assert list(references) == [reference.TRUTH, reference.CLASS, reference.WRONG]
        part = references[reference.TRUTH][:, ::-1]
        assert part.shape == (29, 38, 3)
        windows = np.lib.stride_tricks.sliding_window_view(photo, part.shape)
        assert (windows == part).all((-1, -2, -3)).any()
        assert not np.array_equal(references[reference.CLASS], photo)
    again = reference.cases(datasets[0], datasets, "test", 5)
    assert all((one.photo == other.photo).all() for one, other in zip(found, again, strict=True))


def test_a_part_without_colours_is_no_reference():
    assert reference.mirrored_part(np.full((20, 20, 3), 90, np.uint8), random.Random(0)) is None


def test_palettes():
    red, blue = (np.full((8, 8, 3), colour, np.uint8) for colour in ((200, 30, 30), (30, 30, 200)))
    assert reference.palette_distance(red, red) == 0
    assert reference.palette_distance(red, blue) == 1
    half = np.concatenate((red, blue))
    assert reference.palette_distance(half, red) == pytest.approx(0.5)


def test_the_table_and_the_weights(with_hints, datasets, tmp_path, monkeypatch):
    rows = reference.measure(
        Colorizer("hinted", device="cpu"), reference.cases(datasets[0], datasets, "test", 1)
    )
    lines = reference.table(rows)
    assert len(lines) == 2 + 3
    cells = [float(cell.strip(" %")) for cell in lines[2].split("|")[2:-1]]
    assert cells[0] == 1 and all(np.isfinite(cells)) and 0 <= cells[6] <= cells[7] + 1 <= 2
    monkeypatch.setattr(
        reference_weights, "Colorizer", lambda _, device: Colorizer("hinted", device)
    )
    pairs = reference_weights.pairs(tmp_path / "data", "test", 1)
    weights = reference_weights.fit(pairs, len(pairs[0].witnesses))
    missed = reference_weights.distances(pairs, weights)
    assert all(after <= before + 0.5 for before, after in missed.values())


def test_blobs_are_vivid_and_wrong():
    truth = np.zeros((2, 4, 4))
    truth[0, 0] = 40  # right, and vivid
    ab = truth.copy()
    ab[1, 3, :2] = 60
    assert sizes.blobs(ab, truth) == pytest.approx(2 / 16)
    assert sizes.blobs(truth * 0, truth) == 0


def test_each_working_size_has_its_error(with_hints, make_pixels):
    found = sizes.row(Colorizer("hinted", device="cpu"), make_pixels(1, 40, 60))
    assert len(found) == len(sizes.SIZES) and all(error > 0 for error, _ in found)
