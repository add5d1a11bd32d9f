"""Ways to spread a hint's colour can be compared by anybody, on photos of their own."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.experiments.hints import ways, weights
from colorize.data.datasets import find_datasets
from colorize.inference.hints.weighing import BLEND


@pytest.fixture
def dataset(tmp_path, make_pixels):
    folder = tmp_path / "data" / "cats" / "test"
    folder.mkdir(parents=True)
    for number in range(2):
        Image.fromarray(make_pixels(number, 48, 64)).save(folder / f"{number}.png")
    (found,) = find_datasets(tmp_path / "data")
    return found


def test_without_hints_all_ways_are_one_and_with_one_they_are_not(with_hints, dataset):
    colorizer = ways.Spreader("hinted", device="cpu")
    found = ways.measure(colorizer, dataset, "test", 2, counts=(0, 1, 3))
    assert list(found) == list(ways.WAYS)
    assert all(len(way["3"]) == 2 for way in found.values())
    assert len({tuple(way["0"]) for way in found.values()}) == 1
    assert len({tuple(way["3"]) for way in found.values()}) == len(ways.WAYS)
    lines = ways.table({"cats": found}, (0, 1, 3))
    assert len(lines) == 2 + len(ways.WAYS)
    assert all(line.count("|") == lines[0].count("|") for line in lines)


def test_fitted_weights_lose_less_than_those_that_they_began_with(with_hints, dataset):
    colorizer = ways.Spreader("hinted", device="cpu")
    found = weights.collect(colorizer, [file.pixels() for file in dataset.photos["test"]])
    assert list(found) == list(weights.KINDS)
    for kind, start in weights.KINDS.items():
        cases = found[kind]
        assert {case.photo for case in cases} == {0, 1}
        before = weights.figures(cases, start, BLEND)
        fitted, blend = weights.fit(cases, start, steps=5)
        assert weights.figures(cases, fitted, blend).loss < before.loss
        kept = weights.fit(cases, start, BLEND, steps=5)
        assert kept[1] == BLEND and weights.figures(cases, *kept).loss < before.loss
    things = [case for case in found["asked"] if len(case.thing)]
    assert things and all(
        case.thing.any() and not (case.thing & case.outside).any() for case in things
    )


def test_what_is_larger_than_a_thing_is_found_where_its_colour_is_off():
    true = np.zeros((2, 60, 80))
    true[0, :24] = 20.0  # a sky, 40% of the photo
    true[1, 40:50, 60:] = 40.0  # a thing, 4%
    (sky,) = weights.find_large(true, np.zeros_like(true))
    assert sky[:22].all() and not sky[26:].any()
    assert weights.find_large(true, true) == []
