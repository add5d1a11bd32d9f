"""Ways to spread a hint's colour can be compared by anybody, on photos of their own."""

import pytest
from PIL import Image

from benchmarks.experiments import hints
from colorize.data.datasets import find_datasets


@pytest.fixture
def dataset(tmp_path, make_pixels):
    folder = tmp_path / "data" / "cats" / "test"
    folder.mkdir(parents=True)
    for number in range(2):
        Image.fromarray(make_pixels(number, 48, 64)).save(folder / f"{number}.png")
    (found,) = find_datasets(tmp_path / "data")
    return found


def test_without_hints_all_ways_are_one_and_with_one_they_are_not(with_hints, dataset):
    colorizer = hints.Spreader("hinted", device="cpu")
    found = hints.measure(colorizer, dataset, "test", 2, counts=(0, 1, 3))
    assert list(found) == list(hints.WAYS)
    assert all(len(way["3"]) == 2 for way in found.values())
    assert len({tuple(way["0"]) for way in found.values()}) == 1
    assert len({tuple(way["3"]) for way in found.values()}) == len(hints.WAYS)
    lines = hints.table({"cats": found}, (0, 1, 3))
    assert len(lines) == 2 + len(hints.WAYS)
    assert all(line.count("|") == lines[0].count("|") for line in lines)
